// SPDX-License-Identifier: GPL-2.0-only
/*
 * The censuses of a recording in its report. What a user would lose: the name of what took the
 * memory before the recording began, and a change that is more than chance.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "cmd.h"
#include "golden.h"
#include "model/census_delta.h"
#include "render/report.h"
#include "sample_capture.h"
#include "sample_census.h"
#include "write_capture.h"

/* 30 s in which Slab, with 3 GiB, grew by `grown_kb`. */
static struct capture *recorded(double total_kb, double grown_kb)
{
	struct capture *c = sample_new("exact");

	for (int i = 0; i <= 30; i++) {
		struct snapshot *s = sample_snapshot(c, i);

		sample_meminfo(s, "MemTotal", (int64_t)total_kb);
		sample_meminfo(s, "MemAvailable", (int64_t)total_kb / 2);
		sample_meminfo(s, "Slab", (int64_t)(3174400 + grown_kb * i / 30));
	}
	c->snapshots[c->nr_snapshots - 1].kind = SNAPSHOT_END;
	return c;
}

static struct census *with_census(struct capture *c, enum census_moment moment, double pages)
{
	c->census[moment] = calloc(1, sizeof(struct census));
	assert_non_null(c->census[moment]);
	sample_census(c->census[moment], pages);
	return c->census[moment];
}

/* Print the report, and free it with its capture. */
static char *report_of(struct capture *c, unsigned int sections, bool json)
{
	const struct report_options o = {.sections = sections, .top = 5, .utf8 = true};
	struct report r = {0};
	struct view v;
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	view_whole(c, &v);
	assert_int_equal(report_build(&v, GROWTH_BY_STACK, &r), 0);
	assert_int_equal(json ? report_json(&r, 5, f) : report_text(&r, &o, f), 0);
	assert_int_equal(fclose(f), 0);
	report_free(&r);
	capture_free(c);
	return text;
}

/* The text in one line with single blanks, to compare sentences that are wrapped. */
static char *unwrapped(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++)
		if (*from != ' ' && *from != '\n')
			*to++ = *from;
		else if (to > text && to[-1] != ' ')
			*to++ = ' ';
	*to = '\0';
	return text;
}

static void expect(char *text, const char *words)
{
	if (!strstr(unwrapped(text), words))
		fail_msg("\"%s\" is not in: %s", words, text);
	free(text);
}

static void expect_not(char *text, const char *words)
{
	if (strstr(unwrapped(text), words))
		fail_msg("\"%s\" is in: %s", words, text);
	free(text);
}

/* ---- the first screen ---- */

static void what_was_held_before_is_named(void **state)
{
	struct capture *c = recorded(8 << 20, 0);
	struct census *before = with_census(c, CENSUS_AT_START, 700000);

	(void)state;
	before->charges.items[0].nr.sum *= 3; /* three quarters */
	expect(report_of(c, 0, false),
	       "OLDER 3.0 GiB of Slab are older than this recording: dentry 2.7 GiB (14,933,333 "
	       "objects, most charged to /pod).");
}

/* Only a quarter is charged to the cgroup, so it is not "most". */
static void a_cgroup_is_named_only_if_it_holds_most(void **state)
{
	struct capture *c = recorded(8 << 20, 0);

	(void)state;
	with_census(c, CENSUS_AT_START, 700000);
	expect(report_of(c, 0, false), "dentry 2.7 GiB (14,933,333 objects).");
}

static void removed_cgroups_are_called_so(void **state)
{
	struct capture *c = recorded(8 << 20, 0);
	struct census *before = with_census(c, CENSUS_AT_START, 700000);

	(void)state;
	before->charges.items[0].nr.sum *= 3;
	before->cgroups.items[0].below = true;
	expect(report_of(c, 0, false), "most charged to removed cgroups below /pod).");
}

/* 3 GiB of 400 GiB are not why anybody looks. */
static void little_that_is_older_is_not_said(void **state)
{
	struct capture *c = recorded(400 << 20, 0);

	(void)state;
	with_census(c, CENSUS_AT_START, 700000);
	expect_not(report_of(c, 0, false), "OLDER");
}

/* Pages that no line counts: named with the cgroup that they are charged to. */
static void unlisted_pages_are_older_too(void **state)
{
	struct capture *c = recorded(8 << 20, 0);
	struct census *before = with_census(c, CENSUS_AT_START, 700000);

	(void)state;
	before->pages[CENSUS_REST].sum += 1 << 20; /* 4 GiB */
	before->unknown = 0;
	sample_census_charge(before, CENSUS_NO_CACHE, CENSUS_REST, 0, 1 << 19);
	expect(report_of(c, 0, false),
	       "OLDER 4.1 GiB of pages in no line of /proc/meminfo are older than this recording: "
	       "2.0 GiB charged to /pod.");
}

/* Without a census, it is said that the holders are not known, as before. */
static void a_census_at_the_end_is_not_older(void **state)
{
	struct capture *c = recorded(8 << 20, 0);

	(void)state;
	with_census(c, CENSUS_AT_END, 700000);
	expect_not(report_of(c, 0, false), "OLDER");
}

/* ---- the section ---- */

static void the_section_shows_the_start_and_the_changes(void **state)
{
	struct capture *c = recorded(8 << 20, 0);
	char *text;

	(void)state;
	with_census(c, CENSUS_AT_START, 700000);
	with_census(c, CENSUS_AT_END, 700000 + 2560);
	text = report_of(c, SECTION_CENSUS, false);
	assert_non_null(strstr(text, "CENSUS BEFORE TRACING"));
	assert_non_null(strstr(text, "SLAB CACHES"));
	assert_null(strchr(text, '\033')); /* a hostile path */
	expect(text, "dentry 2.7G 2.7G +10.0M +54,613 objects");
}

static void why_there_is_no_census_is_said(void **state)
{
	struct capture *c = recorded(8 << 20, 0);

	(void)state;
	sample_meta(c, META_CENSUS, "it was left out (--no-census)");
	expect(report_of(c, SECTION_CENSUS, false),
	       "There is none: it was left out (--no-census).");
	expect(report_of(recorded(8 << 20, 0), SECTION_CENSUS, false),
	       "There is none: this capture was made without one.");
}

static void json_has_both_censuses(void **state)
{
	struct capture *c = recorded(8 << 20, 0);
	json_t *root, *census, *change;
	const char *name;
	double delta;
	char *text;

	(void)state;
	with_census(c, CENSUS_AT_START, 700000);
	with_census(c, CENSUS_AT_END, 700256);
	text = report_of(c, 0, true);
	root = json_loads(text, 0, NULL);
	assert_non_null(root);
	census = json_object_get(root, "census");
	assert_true(json_is_null(json_object_get(census, "missing")));
	assert_int_equal(
		json_array_size(json_object_get(json_object_get(census, "start"), "caches")), 2);
	assert_int_equal(json_array_size(json_object_get(json_object_get(census, "end"), "pages")),
			 CENSUS_CLASSES);
	change = json_array_get(json_object_get(json_object_get(census, "changes"), "caches"), 0);
	assert_int_equal(json_unpack(change, "{s:s, s:F}", "name", &name, "delta_kb", &delta), 0);
	assert_string_equal(name, "dentry");
	assert_float_equal(delta, 1024, 0);
	json_decref(root);
	free(text);
}

/* ---- changes ---- */

static const struct census_change *change_of(const struct census_changes *list, const char *name)
{
	for (size_t i = 0; i < list->nr; i++)
		if (!strcmp(list->items[i].name, name))
			return &list->items[i];
	return NULL;
}

/* Of a sample, a change within its interval is chance; the same change of whole censuses is not. */
static void a_change_within_the_interval_is_chance(void **state)
{
	struct census_sheet before = {0}, after = {0};
	struct census_delta d = {0};
	struct census a, b;

	(void)state;
	sample_census(&a, 700000);
	sample_census(&b, 700100);
	assert_int_equal(census_sheet_build(&a, &before), 0);
	assert_int_equal(census_sheet_build(&b, &after), 0);
	assert_int_equal(census_delta_build(&before, &after, &d), 0);
	assert_true(change_of(&d.caches, "dentry")->surely);
	assert_float_equal(change_of(&d.caches, "dentry")->kb.kb, 400, 0);
	assert_false(change_of(&d.caches, "kmalloc-64")->surely); /* it did not change */
	census_delta_free(&d);
	census_sheet_free(&before);
	census_sheet_free(&after);

	a.counted = b.counted = 16384;
	a.caches.items[0].pages.squares = b.caches.items[0].pages.squares = 1e6;
	assert_int_equal(census_sheet_build(&a, &before), 0);
	assert_int_equal(census_sheet_build(&b, &after), 0);
	assert_int_equal(census_delta_build(&before, &after, &d), 0);
	assert_float_equal(change_of(&d.caches, "dentry")->kb.kb, 800, 0);
	assert_true(change_of(&d.caches, "dentry")->kb.low_kb < 0);
	assert_true(change_of(&d.caches, "dentry")->kb.high_kb > 800);
	assert_false(change_of(&d.caches, "dentry")->surely);
	census_delta_free(&d);
	census_sheet_free(&before);
	census_sheet_free(&after);
	census_free(&a);
	census_free(&b);
}

/* What is only in one census came, or went. Several removed cgroups of one path are one row. */
static void rows_of_one_census_only_are_kept(void **state)
{
	struct census_sheet before = {0}, after = {0};
	struct census_delta d = {0};
	struct census a, b;

	(void)state;
	sample_census(&a, 700000);
	sample_census(&b, 700000);
	sample_census_cache(&b, "msg_msg-1k", 1024, 25600, 100000);
	sample_census_cgroup(&b, "/\033[31mdead", 8, true);
	sample_census_charge(&b, CENSUS_NO_CACHE, CENSUS_FILE, 2, 1000);
	assert_int_equal(census_sheet_build(&a, &before), 0);
	assert_int_equal(census_sheet_build(&b, &after), 0);
	assert_int_equal(census_delta_build(&before, &after, &d), 0);
	assert_string_equal(d.caches.items[0].name, "msg_msg-1k"); /* the largest change first */
	assert_float_equal(d.caches.items[0].kb.kb, 102400, 0);
	assert_float_equal(d.caches.items[0].before.kb, 0, 0);
	assert_int_equal(d.cgroups.nr, 2);
	assert_float_equal(change_of(&d.cgroups, "/\033[31mdead")->kb.kb, 4000, 0);
	census_delta_free(&d);
	census_sheet_free(&before);
	census_sheet_free(&after);
	census_free(&a);
	census_free(&b);
}

/* Lines move from one kernel to the next, functions do not. */
static void call_sites_that_grew_are_named_with_their_growth(void **state)
{
	struct census_sheet before = {0}, after = {0};
	struct census_delta d = {0};
	const struct census_change *c;
	struct alloc_site *site;
	struct census a, b;

	(void)state;
	sample_census(&a, 700000);
	sample_census(&b, 700000);
	sample_records(&a, 4 << 20);
	sample_records(&b, 5 << 20);
	b.records.sites.items[0].line = 24;
	b.records.sites.items[0].calls = 1110;
	site = ARRAY_PUSH(&b.records.sites);
	assert_non_null(site);
	*site = b.records.sites.items[0];
	site->line = 99;
	assert_int_equal(census_sheet_build(&a, &before), 0);
	assert_int_equal(census_sheet_build(&b, &after), 0);
	assert_int_equal(census_delta_build(&before, &after, &d), 0);
	assert_int_equal(d.sites.nr, 2);
	c = change_of(&d.sites, "example_ring_new\033[31m (drivers/net/example/ring.c) [example]");
	assert_non_null(c);
	assert_ptr_equal(c, &d.sites.items[0]);
	assert_float_equal(c->before.kb, 4096, 0);
	assert_float_equal(c->after.kb, 10240, 0);
	assert_float_equal(c->objects, 1210, 0);
	assert_true(c->surely);
	assert_false(d.sites.items[1].surely); /* it did not change */
	census_delta_free(&d);
	census_sheet_free(&after);

	/* of a kernel without it, nothing went away */
	alloc_records_free(&b.records);
	assert_int_equal(census_sheet_build(&b, &after), 0);
	assert_int_equal(census_delta_build(&before, &after, &d), 0);
	assert_int_equal(d.sites.nr, 0);
	census_delta_free(&d);
	census_sheet_free(&before);
	census_sheet_free(&after);
	census_free(&a);
	census_free(&b);
}

static void a_report_shows_what_the_kernel_says_and_how_it_changed(void **state)
{
	static const char *const words[] = {
		"ALLOCATIONS BY LINE OF SOURCE",
		"drivers/net/example/ring.c:20",
		"8.0M in 1,024 allocations",
		"function (allocinfo)",
		"4.0M 6.0M +2.0M",
	};
	struct capture *c = recorded(8 << 20, 0);
	char *text;

	(void)state;
	sample_records(with_census(c, CENSUS_AT_START, 700000), 4 << 20);
	sample_records(with_census(c, CENSUS_AT_END, 700000), 6 << 20);
	text = report_of(c, section_parse("census", strlen("census")), false);
	assert_null(strchr(text, '\033'));
	unwrapped(text);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strstr(text, words[i]))
			fail_msg("\"%s\" is not in %s", words[i], text);
	free(text);
}

/* ---- a census without a recording ---- */

static char census_path[] = "/tmp/kmemtrace-census-report.XXXXXX";

static struct capture *kept(double pages)
{
	struct capture *c = sample_new(MODE_CENSUS);
	struct snapshot *s = sample_snapshot(c, 0);

	sample_meminfo(s, "MemTotal", 8 << 20);
	sample_meminfo(s, "MemFree", 1 << 20);
	sample_meminfo(s, "MemAvailable", 4 << 20);
	sample_meminfo(s, "Slab", 3174400);
	sample_meta(c, META_CENSUS, "ok");
	sample_meta(c, META_START, "1700000000");
	with_census(c, CENSUS_AT_START, pages);
	return c;
}

static void keep(struct capture *c, const char *suffix, char path[64])
{
	snprintf(path, 64, "%s%s", census_path, suffix);
	write_capture(c, path);
	capture_free(c);
}

/* What a command prints. */
static char *printed(int (*command)(int argc, char **argv), char *const *args, int nr)
{
	char *argv[8] = {(char *)"kmemtrace x"}, out[64], *text;
	int status;
	pid_t pid;

	memcpy(argv + 1, args, (size_t)nr * sizeof(*args));
	snprintf(out, sizeof(out), "%s.out", census_path);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		setenv("LC_ALL", "C.UTF-8", 1);
		unsetenv("COLUMNS");
		if (!freopen(out, "w", stdout))
			_exit(EXIT_FAILED);
		_exit(command(nr + 1, argv));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EXIT_OK);
	text = read_file(out);
	unlink(out);
	return text;
}

static void a_kept_census_says_what_it_has_and_has_not(void **state)
{
	char path[64], *text;

	(void)state;
	keep(kept(700000), ".kmt", path);
	text = unwrapped(printed(cmd_report, (char *[]){path}, 1));
	assert_non_null(strstr(
		text, "CENSUS A census without a recording: where memory was, not what grew. Of "
		      "8.0 GiB, "));
	assert_non_null(strstr(text, "TRUST high: every page frame was counted."));
	assert_non_null(strstr(text, "HELD The largest slab caches: dentry (2.7 GiB,"));
	assert_non_null(strstr(text, "only levels and the census are shown."));
	expect_not(text, "older than this recording");
	text = unwrapped(printed(cmd_report, (char *[]){(char *)"--show=census", path}, 2));
	assert_non_null(strstr(text, "SLAB CACHES"));
	expect(text, "CENSUS 8.0 GiB of memory, all of the page frames counted");
	text = unwrapped(printed(cmd_balance, (char *[]){path}, 1));
	assert_null(strstr(text, "start and end"));
	expect(text, "a census without a recording");
	unlink(path);
}

static void a_sampled_census_says_how_much_was_counted(void **state)
{
	struct capture *c = kept(700000);
	char path[64];

	(void)state;
	c->census[CENSUS_AT_START]->counted = 3277;
	keep(c, ".kmt", path);
	expect(printed(cmd_report, (char *[]){path}, 1),
	       "TRUST fair: 10% of the page frames were counted, a random sample;");
	unlink(path);
}

static void two_kept_censuses_are_compared(void **state)
{
	struct capture *c = kept(700000);
	char base[64], new_[64], *text;

	(void)state;
	keep(kept(700000), "1.kmt", base);
	sample_census_charge(c->census[CENSUS_AT_START], CENSUS_NO_CACHE, CENSUS_FILE, 0, 65536);
	sample_census_cache(c->census[CENSUS_AT_START], "msg_msg-1k", 1024, 25600, 100000);
	keep(c, "2.kmt", new_);
	text = unwrapped(printed(cmd_diff,
				 (char *[]){(char *)"--show=verdict,notes,census", base, new_}, 3));
	assert_non_null(strstr(text, "a census without a recording"));
	assert_non_null(
		strstr(text, "By the censuses, memory charged to /pod grew by 256.0 MiB, from "));
	expect(text, "msg_msg-1k 0 100.0M +100.0M +100,000 objects");
	text = printed(cmd_diff, (char *[]){(char *)"-fjson", base, new_}, 3);
	expect(text, "\"name\": \"msg_msg-1k\", \"before_kb\": 0, \"after_kb\": 102400,");
	unlink(base);
	unlink(new_);
}

static void a_capture_without_a_census_is_not_compared(void **state)
{
	struct capture *c = recorded(8 << 20, 0);
	char base[64], new_[64];

	(void)state;
	keep(c, "1.kmt", base);
	keep(kept(700000), "2.kmt", new_);
	expect(printed(cmd_diff, (char *[]){(char *)"--show=census", base, new_}, 3),
	       "Not compared: one of the captures has no census.");
	unlink(base);
	unlink(new_);
}

/* The page has the tables, and a hostile path becomes no markup in them. */
static void a_page_has_the_census(void **state)
{
	struct capture *c = recorded(8 << 20, 0);
	struct census *before = with_census(c, CENSUS_AT_START, 700000);
	struct report r = {0};
	struct view v;
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	(void)state;
	with_census(c, CENSUS_AT_END, 702560);
	snprintf(before->cgroups.items[1].path, sizeof(before->cgroups.items[1].path),
		 "/</script><b>x");
	for (int i = 0; i < 5000; i++) /* of which the page shows the largest */
		sample_census_cgroup(before, "/many", (uint64_t)i, false);
	view_whole(c, &v);
	assert_int_equal(report_build(&v, GROWTH_BY_STACK, &r), 0);
	assert_int_equal(report_html(&r, f), 0);
	assert_int_equal(fclose(f), 0);
	assert_non_null(strstr(text, "<dt>OLDER</dt><dd>3.0 GiB of Slab are older"));
	assert_non_null(strstr(text, "id=\"table-census-pages\""));
	assert_non_null(strstr(text, "id=\"table-census-caches\""));
	assert_non_null(strstr(text, "id=\"table-census-changes\""));
	assert_non_null(strstr(text, "The table has the 40 largest of 5002 cgroups"));
	assert_null(strstr(text, "<b>x"));
	assert_true(size < 300000);
	report_free(&r);
	capture_free(c);
	free(text);
}

static int setup(void **state)
{
	(void)state;
	return mkstemp(census_path) < 0;
}

static int teardown(void **state)
{
	(void)state;
	return unlink(census_path);
}

/* ---- what the objects are ---- */

static struct capture *with_lenses(void)
{
	struct capture *c = recorded(8 << 20, 0);

	sample_lenses(with_census(c, CENSUS_AT_START, 700000), 1e6);
	sample_lenses(with_census(c, CENSUS_AT_END, 700000), 1.5e6);
	c->census[CENSUS_AT_END]->lenses.rows.items[1].objects.value = 20500;
	c->census[CENSUS_AT_END]->lenses.rows.items[1].kb.value = 49200;
	return c;
}

static void the_census_of_a_recording_says_what_objects_are(void **state)
{
	static const char *const words[] = {
		"DENTRIES (1,000,000 objects, 183.1 MiB, estimated from 50% of their slabs)",
		"ext4 (sda1), negative",
		"TCP CLOSE-WAIT 500 1.2M 62.5M",
		"dentries: ext4 (sda1), negative 183.1M 274.7M +91.6M",
		"sockets: TCP CLOSE-WAIT 1.2M 48.0M +46.9M +20,000 objects",
		"/srv/\\x1b[31mmissing",
	};
	char *text = report_of(with_lenses(), section_parse("census", strlen("census")), false);

	(void)state;
	assert_null(strchr(text, '\033'));
	unwrapped(text);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strstr(text, words[i])) {
			puts(text);
			fail_msg("\"%s\" is not in the text above", words[i]);
		}
	free(text);
	text = report_of(with_lenses(), 0, true);
	assert_null(strchr(text, '\033'));
	unwrapped(text);
	assert_non_null(strstr(text, "\"lens\": \"sockets\""));
	assert_non_null(strstr(text, "\"state\": \"CLOSE-WAIT\""));
	assert_non_null(strstr(text, "\"process\": \"web\""));
	free(text);
}

/* At the end of a recording, the privilege to see all processes may be gone. */
static void a_namespace_is_not_called_empty_if_processes_are_hidden(void **state)
{
	struct capture *c = recorded(8 << 20, 0);
	struct census *end = with_census(c, CENSUS_AT_END, 700000);
	struct lens_row *row;

	(void)state;
	sample_lenses(end, 1e6);
	row = ARRAY_PUSH(&end->lenses.rows);
	assert_non_null(row);
	*row = (struct lens_row){.lens = LENS_NET_NAMESPACES,
				 .space = 99,
				 .cgroup = LENS_NO_CGROUP,
				 .objects = {1, 0, 0},
				 .kb = {90, 0, 0}};
	end->lenses.spaces_whole = false;
	expect(report_of(c, section_parse("census", strlen("census")), false),
	       "with or without processes 1 90.0K");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_held_before_is_named),
		cmocka_unit_test(a_cgroup_is_named_only_if_it_holds_most),
		cmocka_unit_test(removed_cgroups_are_called_so),
		cmocka_unit_test(little_that_is_older_is_not_said),
		cmocka_unit_test(unlisted_pages_are_older_too),
		cmocka_unit_test(a_census_at_the_end_is_not_older),
		cmocka_unit_test(the_section_shows_the_start_and_the_changes),
		cmocka_unit_test(why_there_is_no_census_is_said),
		cmocka_unit_test(json_has_both_censuses),
		cmocka_unit_test(a_change_within_the_interval_is_chance),
		cmocka_unit_test(rows_of_one_census_only_are_kept),
		cmocka_unit_test(call_sites_that_grew_are_named_with_their_growth),
		cmocka_unit_test(a_report_shows_what_the_kernel_says_and_how_it_changed),
		cmocka_unit_test(a_page_has_the_census),
		cmocka_unit_test(a_kept_census_says_what_it_has_and_has_not),
		cmocka_unit_test(a_sampled_census_says_how_much_was_counted),
		cmocka_unit_test(two_kept_censuses_are_compared),
		cmocka_unit_test(a_capture_without_a_census_is_not_compared),
		cmocka_unit_test(the_census_of_a_recording_says_what_objects_are),
		cmocka_unit_test(a_namespace_is_not_called_empty_if_processes_are_hidden),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
