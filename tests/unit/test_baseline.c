// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many captures as one baseline. Normal variation is not reported, however large; unusual values
 * are. A bad capture in the set is left out. A thousand captures are read one after the other, in
 * little memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "cmd.h"
#include "golden.h"
#include "diff/diff.h"
#include "findings/diff_findings.h"
#include "recorded.h"
#include "render/diff.h"
#include "scratch.h"
#include "workload.h"

#define MANY 1000

/* Limit the freed memory that the sanitizer keeps: it would be most of what is measured here. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "quarantine_size_mb=1:thread_local_quarantine_size_kb=64";
}

static void stats_are_those_of_all_captures(void **state)
{
	float values[] = {5, 1, 3}, one[] = {7}, negative[] = {-4, 8};
	struct baseline_stat s;

	(void)state;
	baseline_stat_of(values, 3, 3, 3, &s);
	assert_true(s.median == 3 && s.low == 1 && s.high == 5);
	assert_true(fabs(s.sd - 2 * 1.4826) < 1e-6);
	/* in one of four captures, so usually it is not there */
	baseline_stat_of(one, 1, 1, 4, &s);
	assert_true(s.median == 0 && s.low == 0 && s.high == 7 && s.sd == 0);
	baseline_stat_of(negative, 2, 2, 3, &s);
	assert_true(s.median == 0 && s.low == -4 && s.high == 8);
	baseline_stat_of(NULL, 0, 0, 3, &s);
	assert_true(s.median == 0 && s.high == 0);
	baseline_stat_of(NULL, 0, 0, 0, &s);
	assert_true(isnan(s.median));
}

/* ---- in memory ---- */

struct set {
	struct baseline *b;
	struct capture *new_;
	struct view view;
	struct match *match;
	struct profile profile;
	struct diff d;
	struct diff_findings said;
};

static void set_add(struct baseline *b, struct capture *new_, const struct workload *w)
{
	struct capture *c = workload_record(w);
	struct match *match;
	struct profile p;
	struct view v;

	view_whole(c, &v);
	assert_int_equal(match_new(new_, c, false, &match), 0);
	assert_int_equal(profile_build(&v, match, GROWTH_BY_STACK, true, &p), 0);
	assert_int_equal(baseline_add(b, &p), 0);
	profile_free(&p);
	match_free(match);
	capture_free(c);
}

/* Compare new_ with `nr` recordings of `base`, whose leak varies from capture to capture by `vary`.
 */
static void compare(struct set *s, const struct workload *base, int nr, double vary,
		    struct capture *new_)
{
	struct diff_input in;

	memset(s, 0, sizeof(*s));
	s->new_ = new_;
	view_whole(new_, &s->view);
	assert_int_equal(match_new(new_, new_, false, &s->match), 0);
	assert_int_equal(profile_build(&s->view, s->match, GROWTH_BY_STACK, false, &s->profile), 0);
	assert_int_equal(baseline_new(GROWTH_BY_STACK, &s->b), 0);
	for (int i = 0; i < nr; i++) {
		struct workload w = *base;

		w.seed = 1000 + (uint64_t)i;
		w.leak = base->leak * (1 + vary * sin(i));
		set_add(s->b, new_, &w);
	}
	assert_int_equal(baseline_finish(s->b), 0);
	in = (struct diff_input){
		.set = s->b, .new_view = &s->view, .new_ = &s->profile, .match = s->match};
	assert_int_equal(diff_build(&in, &s->d), 0);
	assert_int_equal(diff_findings_build(&s->d, &s->said), 0);
}

static void set_free(struct set *s)
{
	diff_findings_free(&s->said);
	diff_free(&s->d);
	profile_free(&s->profile);
	match_free(s->match);
	baseline_free(s->b);
	capture_free(s->new_);
}

static void usual_values_are_not_reported(void **state)
{
	int alarms = 0;

	(void)state;
	for (int i = 0; i < 40; i++) {
		struct workload w = {.period = 65536,
				     .seconds = 10,
				     .paths = 60,
				     .churn = 20e6,
				     .leak = 2e6,
				     .other_kernel = true};
		struct capture *new_;
		struct set s;

		w.seed = (uint64_t)i;
		new_ = workload_record(&w);
		w.other_kernel = false;
		compare(&s, &w, 12, 0.5, new_);
		for (int k = 0; k < PROFILE_SECTIONS; k++)
			if (s.d.sections[k].changed) {
				alarms++;
				break;
			}
		set_free(&s);
	}
	print_message("%d of 40 comparisons with a set of their like report a change\n", alarms);
	assert_true(alarms <= 2);
}

static void unusual_values_are_found(void **state)
{
	struct workload w = {.period = 65536,
			     .seconds = 10,
			     .paths = 60,
			     .churn = 20e6,
			     .leak = 10e6,
			     .seed = 5};
	struct workload usual = w;
	const struct diff_row *top;
	struct set s;

	(void)state;
	usual.leak = 2e6;
	compare(&s, &usual, 12, 0.5, workload_record(&w));
	top = &s.d.sections[PROFILE_GROWTH].items[0];
	assert_non_null(strstr(diff_row_key(top), "site_1000000"));
	assert_int_equal(top->growth.status, DIFF_GROWN);
	assert_true(fabs(top->growth.delta / 8e6 - 1) < 0.25);
	set_free(&s);
	usual.leak = 0;
	compare(&s, &usual, 12, 0, workload_record(&w));
	assert_int_equal(s.d.sections[PROFILE_GROWTH].items[0].growth.status, DIFF_NEW);
	set_free(&s);
}

/* The first screen says what is usual, and compares with that. */
static void unusual_values_fit_a_terminal(void **state)
{
	const struct diff_options o = {.utf8 = true};
	struct workload w = {.period = 65536,
			     .seconds = 10,
			     .paths = 60,
			     .churn = 20e6,
			     .leak = 10e6,
			     .seed = 5};
	struct workload usual = w;
	char *text = NULL;
	struct set s;
	size_t size;
	FILE *f;

	(void)state;
	usual.leak = 2e6;
	compare(&s, &usual, 12, 0.5, workload_record(&w));
	f = open_memstream(&text, &size);
	assert_int_equal(diff_text(&s.d, &s.said, &o, f), 0);
	assert_int_equal(fclose(f), 0);
	compare_golden("diff-screen-set.txt", text);
	free(text);
	set_free(&s);
}

static void a_small_set_is_said_to_be_small(void **state)
{
	struct workload w = {.period = 0, .seconds = 10, .paths = 5, .churn = 1e5, .seed = 5};
	struct set s;
	bool said = false;

	(void)state;
	compare(&s, &w, 2, 0, workload_record(&w));
	for (size_t i = 0; i < s.said.verdict.nr; i++)
		said |= strstr(s.said.verdict.items[i], "too small") != NULL;
	assert_true(said);
	set_free(&s);
}

/* ---- a thousand files ---- */

/* Make a capture of another boot and hour: levels and rates differ by up to 4 %. */
static void vary(const char *path, int i)
{
	char sql[512];
	sqlite3 *db;

	snprintf(sql, sizeof(sql),
		 "UPDATE meta SET value = 'boot-%d' WHERE key = 'boot_id';"
		 "UPDATE meta SET value = value + %d WHERE key = 'start_wall_s';"
		 "UPDATE meminfo_level SET value = value + value * %d / 100;"
		 "UPDATE held SET objects = objects * 1.0%d, bytes = bytes * 1.0%d;",
		 i, 3600 * i, i % 5, i % 5, i % 5);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF;",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* Make `nr` captures of recorded ones, in the directory "set". */
static void write_set(int nr)
{
	for (int i = 0; i < nr; i++) {
		char name[32], *path;

		snprintf(name, sizeof(name), "set/%04d.kmt", i);
		path = path_of(name);
		recorded_unpack("6.12-boot1", path);
		vary(path, i);
		free(path);
	}
}

/* `kmemtrace diff` in a child; its exit status, CPU seconds and peak memory. */
static int run(char **argv, int argc, const char *out, double *seconds, double *megabytes)
{
	struct rusage usage;
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		int fd = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600),
		    err = open("/dev/null", O_WRONLY);

		dup2(fd, 1);
		dup2(err, 2);
		_exit(cmd_diff(argc, argv));
	}
	assert_int_equal(wait4(pid, &status, 0, &usage), pid);
	assert_true(WIFEXITED(status));
	*seconds = (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6 +
		   (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6;
	*megabytes = (double)usage.ru_maxrss / 1024;
	return WEXITSTATUS(status);
}

static void a_thousand_captures_are_a_baseline(void **state)
{
	char *set = path_of("set"), *new_ = path_of("new.kmt"), *out = path_of("out"),
	     *bad = path_of("set/bad.kmt");
	char *argv[] = {(char *)"kmemtrace diff",
			(char *)"--show=all",
			(char *)"--base-set",
			set,
			new_,
			NULL};
	double few_s, few_mb, s, mb;
	FILE *f;
	char *text;

	(void)state;
	assert_int_equal(mkdir(set, 0700), 0);
	recorded_unpack("6.12-boot2", new_); /* 9,000 messages were 3,000 */
	write_set(MANY / 10);
	assert_int_equal(run(argv, 5, out, &few_s, &few_mb), EXIT_OK);
	write_set(MANY);
	f = fopen(bad, "w"); /* not a capture: it is left out, and the others are compared */
	fputs("SQLite format 3", f);
	fclose(f);
	assert_int_equal(run(argv, 5, out, &s, &mb), EXIT_OK);
	print_message(
		"%d captures: %.1f s of CPU time, %.0f MB; %d captures: %.1f s, %.0f MB (with sanitizers)\n",
		MANY / 10, few_s, few_mb, MANY, s, mb);
	/* time grows with the number of captures, memory does not */
	assert_true(s < 15 * few_s);
	assert_true(mb < few_mb + 16);
	text = read_file(out);
	assert_non_null(strstr(text, "a set of 1000 captures"));
	assert_non_null(strstr(text, "load_msg"));
	assert_non_null(strstr(text, "#1 grown"));
	free(text);
	free(set);
	free(new_);
	free(out);
	free(bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stats_are_those_of_all_captures),
		cmocka_unit_test(usual_values_are_not_reported),
		cmocka_unit_test(unusual_values_are_found),
		cmocka_unit_test(unusual_values_fit_a_terminal),
		cmocka_unit_test(a_small_set_is_said_to_be_small),
		cmocka_unit_test(a_thousand_captures_are_a_baseline),
	};

	return cmocka_run_group_tests(tests, scratch_new, scratch_remove);
}
