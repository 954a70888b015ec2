// SPDX-License-Identifier: GPL-2.0-only
/*
 * Output: golden files of a complete report (UPDATE_GOLDEN=1 rewrites them; read the difference
 * before you commit it), names and types of the JSON contract, and that hostile names do not reach
 * a terminal.
 */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/escape.h"
#include "golden.h"
#include "findings/report_findings.h"
#include "render/json_value.h"
#include "render/terms.h"
#include "render/report.h"
#include "render/table.h"
#include "sample_capture.h"

static char *render_text(struct capture *c, enum growth_by by, const struct report_options *options)
{
	struct report r;
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	assert_int_equal(report_whole(c, by, &r), 0);
	assert_int_equal(report_text(&r, options, f), 0);
	assert_int_equal(fclose(f), 0);
	report_free(&r);
	return text;
}

static char *render_json(struct capture *c, enum growth_by by, size_t top)
{
	struct report r;
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	assert_int_equal(report_whole(c, by, &r), 0);
	assert_int_equal(report_json(&r, top, f), 0);
	assert_int_equal(fclose(f), 0);
	report_free(&r);
	return text;
}

/* Printable ASCII or valid UTF-8 outside the control ranges, no line wider than the terminal,
 * none with blanks at its end. */
static void assert_terminal_safe(const char *text, bool utf8, bool colour)
{
	size_t column = 0, len;
	uint32_t code;

	for (const char *p = text; *p; p += len) {
		len = utf8_decode(p, &code);
		assert_true(len > 0);
		if (code == '\n') {
			assert_true(column <= 80 && (p == text || p[-1] != ' '));
			column = 0;
			continue;
		}
		if (colour && code == 0x1b) { /* only what page.c itself prints */
			len = strcspn(p, "m") + 1;
			assert_true(len <= 5 && p[1] == '[');
			continue;
		}
		assert_true(code >= 0x20 && !(code >= 0x7f && code < 0xa0) && code != 0x202e);
		assert_true(utf8 || code < 0x7f);
		column++;
	}
}

/* Does the text contain `phrase`, wherever its lines are broken? */
static bool says(const char *text, const char *phrase)
{
	char *flat = sample_text(text), *to = flat;
	bool found;

	for (const char *p = text; *p; p++) {
		bool space = *p == ' ' || *p == '\n';

		if (!space || to == flat || to[-1] != ' ')
			*to++ = space ? ' ' : *p;
	}
	*to = '\0';
	found = strstr(flat, phrase) != NULL;
	free(flat);
	return found;
}

static void text_is_as_agreed(void **state)
{
	const struct report_options utf8 = {.sections = SECTIONS_ALL, .top = 10, .utf8 = true},
				    ascii = {.sections = SECTIONS_ALL, .top = 2};
	struct capture *c = sample_whole();
	char *text = render_text(c, GROWTH_BY_STACK, &utf8);

	(void)state;
	assert_terminal_safe(text, true, false);
	compare_golden("report.txt", text);
	free(text);
	text = render_text(c, GROWTH_BY_CACHE, &ascii);
	assert_terminal_safe(text, false, false);
	compare_golden("report-by-cache-ascii.txt", text);
	free(text);
	capture_free(c);
}

/* Ages of minutes and hours have long words; with the histogram they were wider than a terminal. */
static void ages_of_a_long_recording_fit_the_terminal(void **state)
{
	const struct report_options o = {.sections = SECTION_STACKS, .top = 10, .utf8 = true};
	struct capture *c = sample_whole();
	struct cap_held *h = &c->checkpoints[0].held.items[0];
	char *text;

	(void)state;
	h->oldest_s = 23 * 3600 + 59 * 60;
	for (int b = 0; b < AGE_BUCKETS; b++)
		h->age_hist[b] = h->objects / AGE_BUCKETS;
	text = render_text(c, GROWTH_BY_STACK, &o);
	assert_terminal_safe(text, true, false);
	assert_true(says(text, "oldest 23 h 59 min"));
	assert_non_null(strstr(text, "0 |"));
	free(text);
	capture_free(c);
}

static size_t lines_of(const char *text)
{
	size_t lines = 0;

	while ((text = strchr(text, '\n'))) {
		lines++;
		text++;
	}
	return lines;
}

/* The first screen fits one terminal, whatever the capture contains, and is short if nothing grew.
 * */
static void the_first_screen_fits_a_terminal(void **state)
{
	struct report_options o = {.utf8 = true};
	struct capture *c = sample_whole();
	char *text = render_text(c, GROWTH_BY_STACK, &o);

	(void)state;
	compare_golden("report-screen.txt", text);
	free(text);
	for (int i = 0; i < 4; i++) { /* its names are hostile, and as long as possible */
		o = (struct report_options){.utf8 = i & 1, .colour = i & 2};
		text = render_text(c, GROWTH_BY_STACK, &o);
		assert_terminal_safe(text, o.utf8, o.colour);
		assert_true(lines_of(text) <= 40);
		free(text);
	}
	capture_free(c);
	c = sample_new("exact");
	sample_snapshot(c, 0);
	sample_snapshot(c, 60);
	text = render_text(c, GROWTH_BY_STACK, &o);
	assert_true(says(text, "Nothing grew"));
	assert_true(lines_of(text) <= 12);
	free(text);
	capture_free(c);
}

static void hostile_names_stay_inert_in_every_view(void **state)
{
	(void)state;
	for (int i = 0; i < GROWTH_BYS * 4; i++) {
		const struct report_options o = {
			.sections = SECTIONS_ALL, .utf8 = i & 1, .colour = i & 2};
		struct capture *c = sample_whole();
		char *text = render_text(c, i / 4, &o);

		assert_terminal_safe(text, o.utf8, o.colour);
		assert_int_equal(o.colour, strstr(text, "\033[1m") != NULL);
		free(text);
		capture_free(c);
	}
}

static void empty_and_broken_captures_are_printed(void **state)
{
	const struct report_options o = {.sections = SECTIONS_ALL, .top = 10};
	struct capture *c = sample_new("exact");
	char *text, *json;

	(void)state;
	c->complete = false;
	sample_snapshot(c, 0);
	text = render_text(c, GROWTH_BY_STACK, &o);
	json = render_json(c, GROWTH_BY_STACK, 10);
	assert_terminal_safe(text, false, false);
	assert_true(says(text, "No allocations were traced"));
	assert_true(says(text, "incomplete"));
	assert_false(says(text, "leak"));
	compare_golden("report-empty.txt", text);
	free(text);
	free(json);
	capture_free(c);
}

static void losses_reach_the_reader(void **state)
{
	const struct report_options o = {.sections = SECTIONS_ALL, .top = 10};
	struct capture *c = sample_whole();
	char *text;

	(void)state;
	sample_loss(&c->checkpoints[0], "live_table_full", 20000);
	sample_loss(&c->checkpoints[0], "not_yet_invented", 7);
	text = render_text(c, GROWTH_BY_STACK, &o);
	assert_true(says(text, "20,010 events were lost"));
	assert_true(says(text, "not_yet_invented"));
	assert_true(says(text, "no room in the live table"));
	assert_true(says(text, "fentry is refused by lockdown"));
	assert_false(says(text, "Trust in the whole report: high"));
	free(text);
	capture_free(c);
}

static void zero_losses_take_one_line(void **state)
{
	const struct report_options o = {.sections = SECTIONS_ALL, .top = 10};
	struct capture *c = sample_whole();
	char *text;

	(void)state;
	c->checkpoints[0].losses.items[0].value = 0;
	text = render_text(c, GROWTH_BY_STACK, &o);
	assert_true(says(text, "No events were lost"));
	free(text);
	capture_free(c);
}

/* ---- JSON ---- */

struct json_field {
	const char *name, *types; /* of: s string, n number, a array, o object, b boolean, 0 null */
};

static char type_letter(const json_t *j)
{
	return json_is_string(j)    ? 's'
	       : json_is_number(j)  ? 'n'
	       : json_is_array(j)   ? 'a'
	       : json_is_object(j)  ? 'o'
	       : json_is_boolean(j) ? 'b'
				    : '0';
}

static void assert_fields(const json_t *object, const struct json_field *fields, size_t nr)
{
	assert_non_null(object);
	for (size_t i = 0; i < nr; i++) {
		const json_t *value = json_object_get(object, fields[i].name);

		if (!value || !strchr(fields[i].types, type_letter(value)))
			fail_msg("%s is %s", fields[i].name,
				 value ? "of the wrong type" : "missing");
	}
}

#define ASSERT_FIELDS(object, ...)                                     \
	do {                                                           \
		static const struct json_field _f[] = {__VA_ARGS__};   \
		assert_fields(object, _f, sizeof(_f) / sizeof(_f[0])); \
	} while (0)

/* Every name of the contract, with its type, in every element. */
static void json_keeps_the_contract(void **state)
{
	static const char *const pools[] = {"Slab",        "VmallocUsed",   "KernelStack",
					    "PageTables",  "SecPageTables", "Percpu",
					    "UnmappedLRU", "Unaccounted"};
	struct capture *c = sample_whole();
	char *text = render_json(c, GROWTH_BY_STACK, 0);
	json_t *root = json_loads(text, 0, NULL), *item;
	size_t i;

	(void)state;
	ASSERT_FIELDS(root, {"schema", "n"}, {"kernel", "o"}, {"host", "o"}, {"capture", "o"},
		      {"pools", "a"}, {"caches", "a"}, {"growth", "a"});
	assert_int_equal(json_integer_value(json_object_get(root, "schema")), 1);
	ASSERT_FIELDS(json_object_get(root, "kernel"), {"release", "s"}, {"arch", "s"},
		      {"lockdown", "s0"});
	ASSERT_FIELDS(json_object_get(root, "host"), {"cpus", "n"}, {"mem_total_kb", "n"},
		      {"virtualization", "s0"});
	ASSERT_FIELDS(json_object_get(root, "capture"), {"start", "s"}, {"duration_s", "n"},
		      {"mode", "s"}, {"overhead_cpu_percent", "n0"}, {"losses", "o"});
	assert_int_equal(json_array_size(json_object_get(root, "pools")), 8);
	json_array_foreach(json_object_get(root, "pools"), i, item)
	{
		ASSERT_FIELDS(item, {"name", "s"}, {"start_kb", "n"}, {"end_kb", "n"},
			      {"delta_kb", "n"}, {"attributed_kb", "n0"},
			      {"preexisting_freed_kb", "n0"}, {"allocator_overhead_kb", "n0"},
			      {"residual_kb", "n0"}, {"pattern", "s"}, {"slope_kb_per_s", "n"});
		assert_string_equal(json_string_value(json_object_get(item, "name")), pools[i]);
		/* Only slab was traced, so the terms of other pools must not be numbers. */
		assert_int_equal(json_is_number(json_object_get(item, "attributed_kb")), i == 0);
		assert_int_equal(json_is_number(json_object_get(item, "residual_kb")), i == 0);
	}
	json_array_foreach(json_object_get(root, "caches"), i, item)
	{
		ASSERT_FIELDS(item, {"name", "s"}, {"aliases", "a"}, {"object_size", "n0"},
			      {"reclaimable", "b0"}, {"start_objects", "n0"}, {"end_objects", "n0"},
			      {"start_kb", "n"}, {"end_kb", "n"}, {"delta_kb", "n"},
			      {"attributed_bytes", "n0"}, {"trust", "s"});
	}
	assert_int_equal(i, 6);
	json_array_foreach(json_object_get(root, "growth"), i, item)
	{
		json_t *part;
		size_t k;

		ASSERT_FIELDS(item, {"rank", "n"}, {"pool", "s"}, {"cache", "s0"}, {"bytes", "n"},
			      {"bytes_low", "n"}, {"bytes_high", "n"}, {"objects", "n"},
			      {"verified_live_fraction", "n0"}, {"age_p50_s", "n0"},
			      {"module", "s"}, {"processes", "a"}, {"cgroups", "a"},
			      {"stack", "a"});
		assert_int_equal(json_integer_value(json_object_get(item, "rank")), i + 1);
		json_array_foreach(json_object_get(item, "processes"), k, part)
			ASSERT_FIELDS(part, {"comm", "s0"}, {"pid", "n0"}, {"bytes", "n"});
		json_array_foreach(json_object_get(item, "cgroups"), k, part)
			ASSERT_FIELDS(part, {"path", "s0"}, {"bytes", "n"});
		json_array_foreach(json_object_get(item, "stack"), k, part)
			assert_true(json_is_string(part));
	}
	assert_int_equal(i, 5);
	json_decref(root);
	free(text);
	capture_free(c);
}

static void json_is_as_agreed(void **state)
{
	struct capture *c = sample_whole();
	char *text = render_json(c, GROWTH_BY_STACK, 3);

	(void)state;
	compare_golden("report.json", text);
	free(text);
	capture_free(c);
}

/* JSON allows DEL in strings, and jansson leaves it there; a terminal should not see it. */
static void json_has_no_control_characters(void **state)
{
	struct json_out o = {0};
	char *text = NULL;
	size_t size;
	FILE *f;

	(void)state;
	f = open_memstream(&text, &size);
	json_document_begin(&o, f);
	json_member(&o, "name",
		    json_string("\x7f"
				"del\x7f\x1b[1m"));
	assert_int_equal(json_document_end(&o), 0);
	fclose(f);
	assert_non_null(strstr(text, "\"\\u007fdel\\u007f\\u001B[1m\""));
	free(text);

	f = open_memstream(&text, &size);
	assert_int_equal(document_write(&o, json_pack("{s:s}", "name", "\x7f"), f), 0);
	fclose(f);
	assert_non_null(strstr(text, "\"\\u007f\""));
	free(text);
}

static void json_top_limits_growth_and_says_so(void **state)
{
	struct capture *c = sample_whole();
	char *text = render_json(c, GROWTH_BY_STACK, 1);
	json_t *root = json_loads(text, 0, NULL);

	(void)state;
	assert_int_equal(json_array_size(json_object_get(root, "growth")), 1);
	assert_int_equal(json_integer_value(json_object_get(root, "growth_groups")), 5);
	json_decref(root);
	free(text);
	capture_free(c);
}

static void json_reports_a_full_disk(void **state)
{
	struct capture *c = sample_whole();
	FILE *f = fopen("/dev/full", "w");
	struct report r;

	(void)state;
	assert_non_null(f);
	setvbuf(f, NULL, _IONBF, 0);
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	assert_int_equal(report_json(&r, 0, f), -EIO);
	fclose(f);
	report_free(&r);
	capture_free(c);
}

static void tables_cut_by_display_width(void **state)
{
	static const struct table_column columns[] = {{"name", 5, false}, {"n", 0, true}};
	struct page page;
	struct table t = TABLE_INIT(&page, columns);
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	(void)state;
	page_begin(&page, f, false, true);
	table_words(&t, "日本語名前");
	table_words(&t, "%d", 7);
	table_words(&t, "abcdef");
	table_words(&t, "%d", 1234);
	table_words(&t, "abc");
	table_words(&t, "%d", 5);
	table_words(&t, "%s", "a\nb");
	table_bytes(&t, 2048, true);
	table_bytes(&t, NAN, true);
	table_count(&t, -1234, true);
	table_print(&t);
	assert_int_equal(page_end(&page), 0);
	fclose(f);
	assert_string_equal(text, "  name       n\n  日本…      7\n  abcd…   1234\n  abc        5\n"
				  "  a\\x0…  +2.0K\n  –     -1,234\n");
	free(text);
}

/* A shell runs what it is given: the next line of a command follows a backslash, and a comment,
 * which cannot be continued, has a line of its own. */
static void commands_can_be_pasted(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	struct page page;

	(void)state;
	page_begin(&page, f, false, true);
	page_command(&page, "NEXT", "short  # with a comment");
	page_command(&page, "NEXT", VERDICT_DROP_CACHES);
	page_command(&page, "NEXT",
		     "sudo kmemtrace record --exact --cache a_name_that_is_quite_long_for_a_cache "
		     "-d 180");
	assert_int_equal(page_end(&page), 0);
	fclose(f);
	assert_string_equal(text, "NEXT     short  # with a comment\n"
				  "NEXT     echo 2 | sudo tee /proc/sys/vm/drop_caches\n"
				  "         # only if memory is short: slows file access\n"
				  "NEXT     sudo kmemtrace record --exact --cache \\\n"
				  "         a_name_that_is_quite_long_for_a_cache -d 180\n");
	free(text);
}

/* Each term is found, in any spelling, fits a screen, and refers to terms that exist. */
static void every_term_is_explained(void **state)
{
	char text[64], *word, *rest;

	(void)state;
	for (size_t i = 0; i < nr_terms; i++) {
		assert_ptr_equal(term_find(terms[i].name), &terms[i]);
		assert_true(i == 0 || strcasecmp(terms[i - 1].name, terms[i].name) < 0);
		assert_true(strlen(terms[i].brief) <= 60 && strlen(terms[i].text) <= 480);
		snprintf(text, sizeof(text), "%s", terms[i].also);
		for (word = strtok_r(text, ",", &rest); word; word = strtok_r(NULL, ",", &rest))
			if (!term_find(word + (*word == ' ')))
				fail_msg("%s: no term '%s'", terms[i].name, word);
	}
	assert_non_null(term_find("unseen-free"));
	assert_non_null(term_find("UNSEEN_FREE"));
	assert_null(term_find("unseen"));
	assert_null(term_find(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_can_be_pasted),
		cmocka_unit_test(every_term_is_explained),
		cmocka_unit_test(text_is_as_agreed),
		cmocka_unit_test(the_first_screen_fits_a_terminal),
		cmocka_unit_test(ages_of_a_long_recording_fit_the_terminal),
		cmocka_unit_test(hostile_names_stay_inert_in_every_view),
		cmocka_unit_test(empty_and_broken_captures_are_printed),
		cmocka_unit_test(losses_reach_the_reader),
		cmocka_unit_test(zero_losses_take_one_line),
		cmocka_unit_test(json_keeps_the_contract),
		cmocka_unit_test(json_is_as_agreed),
		cmocka_unit_test(json_has_no_control_characters),
		cmocka_unit_test(json_top_limits_growth_and_says_so),
		cmocka_unit_test(json_reports_a_full_disk),
		cmocka_unit_test(tables_cut_by_display_width),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
