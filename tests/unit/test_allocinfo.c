// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/allocinfo, where a kernel has it. What a user would lose: the line of source that holds the
 * memory, said beside the census; and a program that bears a file that is not what it claims.
 */
#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/file_read.h"
#include "proc/allocinfo.h"
#include "render/census.h"
#include "sample_census.h"

#define HEAD "allocinfo - version: 2.0\n"

static void fixture_read(struct alloc_sites *s, struct alloc_source *about)
{
	_cleanup_free_ char *buf = NULL;
	size_t len;

	assert_int_equal(file_read(TESTS_DIR "/fixtures/allocinfo/v1", &buf, &len), 0);
	assert_int_equal(alloc_sites_parse(buf, len, s, about), 0);
}

static void sites_are_read_the_largest_first(void **state)
{
	struct alloc_source about;
	struct alloc_sites s = {0};

	(void)state;
	fixture_read(&s, &about);
	assert_int_equal(s.nr, 3); /* one has nothing */
	assert_int_equal(about.bad_lines, 0);
	assert_string_equal(about.name, ALLOC_SITES);
	assert_int_equal(about.bytes, 57671680 + 4194304 + 4096);
	assert_string_equal(s.items[0].file, "mm/slub.c");
	assert_int_equal(s.items[0].line, 2259);
	assert_string_equal(s.items[0].function, "alloc_slab_page");
	assert_string_equal(s.items[0].module, "");
	assert_int_equal(s.items[1].bytes, 4194304);
	assert_int_equal(s.items[1].calls, 1010);
	assert_string_equal(s.items[1].module, "example");
	ARRAY_FREE(&s);
}

/* What parse() makes of one line after the header: 1 for a site, 0 for a bad line. */
static int line_is_good(const char *line, size_t len, struct alloc_site *site)
{
	struct alloc_source about;
	struct alloc_sites s = {0};
	char *buf = malloc(strlen(HEAD) + len); /* so that reading beyond the end is seen */
	int good;

	assert_non_null(buf);
	memcpy(buf, HEAD, strlen(HEAD));
	memcpy(buf + strlen(HEAD), line, len);
	assert_int_equal(alloc_sites_parse(buf, strlen(HEAD) + len, &s, &about), 0);
	free(buf);
	assert_int_equal(s.nr + about.bad_lines, 1);
	good = (int)s.nr;
	if (good && site)
		*site = s.items[0];
	ARRAY_FREE(&s);
	return good;
}

static void hostile_lines_are_skipped_and_counted(void **state)
{
	static const char *const bad[] = {"1",
					  "1 2",
					  "1 2 mm/a.c:3",
					  "1 2 mm/a.c func:f",
					  "1 2 :3 func:f",
					  "1 2 a:b func:f",
					  "-1 2 a:3 func:f",
					  "1e9 2 a:3 func:f",
					  "1 2 a:4294967296 func:f",
					  "9999999999999999999 2 a:3 func:f",
					  "1 1000000000000000 a:3 func:f",
					  "1 2 a:3 [m] func:"};
	struct alloc_source about;
	struct alloc_sites s = {.nr = 77};
	struct alloc_site site;
	char line[2000];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(line_is_good(bad[i], strlen(bad[i]), NULL), 0);
	assert_int_equal(line_is_good("1 2 a:3 func:\0f", 15, NULL), 0);
	memset(line, 'x', sizeof(line));
	assert_int_equal(line_is_good(line, sizeof(line), NULL), 0);
	/* long names keep what tells them apart */
	memset(line, 'd', sizeof(line));
	memcpy(line, "1 2 ", 4);
	memcpy(line + 300, "/end.c:5 [m] func:f accurate:no later:x", 39);
	assert_int_equal(line_is_good(line, 339, &site), 1);
	assert_int_equal(strncmp(site.file, "…d", strlen("…d")), 0);
	assert_string_equal(site.file + strlen(site.file) - 6, "/end.c");
	assert_true(site.inaccurate);
	/* not this file at all */
	assert_int_equal(alloc_sites_parse("", 0, &s, &about), -EINVAL);
	assert_int_equal(alloc_sites_parse("Mem: 1\n", 7, &s, &about), -EINVAL);
	assert_int_equal(s.nr, 77);
	assert_int_equal(alloc_sites_read("/nowhere", &s, &about), -ENOENT);
}

static void there_is_a_bound_on_the_number_of_sites_and_on_their_sum(void **state)
{
	struct alloc_source about;
	struct alloc_sites s = {0};
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	(void)state;
	fputs(HEAD, f);
	for (int i = 0; i < 20; i++) /* a capture holds 9 of them */
		fprintf(f, "999999999999999 1 b.c:%d func:f\n", i);
	for (int i = 0; i < 70000; i++)
		fprintf(f, "8 1 a.c:%d func:f\n", i);
	fclose(f);
	assert_int_equal(alloc_sites_parse(text, size, &s, &about), 0);
	free(text);
	assert_int_equal(s.nr, 65536);
	assert_int_equal(about.bad_lines, 11 + 70009 - 65536);
	assert_true(about.bytes <= ALLOC_BYTES_MAX);
	ARRAY_FREE(&s);
}

/* Of a census of a kernel that keeps all records, or none. */
static char *records_print(bool known, bool json)
{
	const struct census_text_options all = {.sections = census_section_parse("sites", 5)};
	struct findings none = {0};
	struct census_sheet sheet = {0};
	const struct census_document d = {.sheet = &sheet, .findings = &none, .kernel = ""};
	struct census c;
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	sample_census(&c, 100);
	if (known)
		sample_records(&c, 4194304);
	assert_int_equal(census_sheet_build(&c, &sheet), 0);
	assert_int_equal(json ? census_json(&d, f) : census_text(&d, &all, f), 0);
	fclose(f);
	census_sheet_free(&sheet);
	census_free(&c);
	return text;
}

static void text_shows_them_beside_the_census(void **state)
{
	static const char *const words[] = {
		"ALLOCATIONS BY LINE OF SOURCE",
		"drivers/net/example/ring.c:20",
		"[example]",
		"PAGES BY CALL PATH",
		"8.0M in 1,024 allocations",
		"      example_ring_new+0x1c [example]\n",
		"It stopped early.",
		"2 lines or records of page_owner could not be read.",
		"OBJECTS BY CALL PATH",
		"62.5K in 1,000 objects of kmalloc-64",
	};
	char *text = records_print(true, false);

	(void)state;
	assert_null(strchr(text, '\033'));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strstr(text, words[i]))
			fail_msg("\"%s\" is not in %s", words[i], text);
	free(text);
	text = records_print(false, false);
	assert_null(strstr(text, "ALLOCATIONS BY LINE"));
	assert_null(strstr(text, "BY CALL PATH"));
	free(text);
}

static json_t *records_json(json_t *root)
{
	return json_object_get(json_object_get(root, "census"), "kernel_records");
}

static void json_shows_them_beside_the_census(void **state)
{
	char *text = records_print(true, true);
	json_t *root = json_loads(text, 0, NULL), *of, *row;

	(void)state;
	of = json_object_get(records_json(root), "allocinfo");
	row = json_array_get(json_object_get(of, "sites"), 0);
	assert_true(json_number_value(json_object_get(row, "kb")) == 4096);
	assert_true(json_is_false(json_object_get(row, "accurate")));
	row = json_array_get(json_object_get(of, "sites"), 1);
	assert_true(json_is_null(json_object_get(row, "module")));
	of = json_object_get(records_json(root), "page_owner");
	assert_int_equal(json_integer_value(json_object_get(of, "bad_lines")), 2);
	assert_string_equal(json_string_value(json_object_get(of, "lacks")), "It stopped early.");
	row = json_array_get(json_object_get(of, "paths"), 0);
	assert_int_equal(json_array_size(json_object_get(row, "frames")), 3);
	assert_true(json_is_null(json_object_get(row, "cache")));
	row = json_array_get(
		json_object_get(json_object_get(records_json(root), "slab_traces"), "paths"), 0);
	assert_string_equal(json_string_value(json_object_get(row, "cache")), "kmalloc-64");
	json_decref(root);
	free(text);
	text = records_print(false, true);
	root = json_loads(text, 0, NULL);
	assert_true(json_is_null(json_object_get(records_json(root), "allocinfo")));
	assert_true(json_is_null(json_object_get(records_json(root), "page_owner")));
	assert_true(json_is_null(json_object_get(records_json(root), "slab_traces")));
	json_decref(root);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sites_are_read_the_largest_first),
		cmocka_unit_test(hostile_lines_are_skipped_and_counted),
		cmocka_unit_test(there_is_a_bound_on_the_number_of_sites_and_on_their_sum),
		cmocka_unit_test(text_shows_them_beside_the_census),
		cmocka_unit_test(json_shows_them_beside_the_census),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
