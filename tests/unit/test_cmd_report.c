// SPDX-License-Identifier: GPL-2.0-only
/*
 * `kmemtrace report` from file to output: a capture that goes through writer and reader must give
 * the same report as in memory. Also exit statuses and messages of the command, each run in a
 * child.
 */
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cmd.h"
#include "golden.h"
#include "model/time_range.h"
#include "findings/report_findings.h"
#include "render/report.h"
#include "sample_capture.h"
#include "report_text.h"
#include "run_command.h"
#include "scratch.h"
#include "write_capture.h"

static char *json_of(const struct capture *c)
{
	return report_text_of(c, GROWTH_BY_STACK, report_all_json);
}

/* Run `kmemtrace report ARGS`: see run_command(). */
#define RUN(out, ...) \
	run_command(cmd_report, out, (char *[]){(char *)"kmemtrace report", __VA_ARGS__, NULL})

/* Print the first line that differs: all of it would be too long for cmocka. */
static void assert_same_lines(const char *a, const char *b)
{
	size_t line = 0;

	for (size_t i = 0; a[i] == b[i]; i++) {
		if (!a[i])
			return;
		if (a[i] == '\n')
			line = i + 1;
	}
	fail_msg("%.*s\nis not\n%.*s", (int)strcspn(a + line, "\n"), a + line,
		 (int)strcspn(b + line, "\n"), b + line);
}

static void a_file_gives_the_same_report_as_memory(void **state)
{
	struct capture *c = sample_whole(), *back = NULL;
	char *path = path_of("sample.kmt"), *json, *json_back;

	(void)state;
	write_capture(c, path);
	assert_int_equal(capture_read(path, &back), 0);
	json = json_of(c);
	json_back = json_of(back);
	assert_same_lines(json, json_back);
	free(json);
	free(json_back);
	free(path);
	capture_free(c);
	capture_free(back);
}

static void command_prints_both_formats(void **state)
{
	char *path = path_of("sample.kmt"), *out = path_of("out"), *text;

	(void)state;
	assert_int_equal(RUN(out, path), EXIT_OK);
	text = read_file(out);
	assert_non_null(strstr(text, "POOLS"));
	assert_null(strstr(text, "\033[")); /* not a terminal: no colour */
	free(text);
	assert_int_equal(RUN(out, (char *)"--format=json", (char *)"--by", (char *)"site", path),
			 EXIT_OK);
	text = read_file(out);
	assert_int_equal(text[0], '{');
	assert_non_null(strstr(text, "\"growth_by\": \"site\""));
	free(text);
	assert_int_equal(RUN(out, (char *)"--help"), EXIT_OK);
	text = read_file(out);
	assert_non_null(strstr(text, "Examples:"));
	free(text);
	free(path);
	free(out);
}

/* -o must write the whole page or nothing, and never replace a capture. */
static void a_page_is_written_to_its_file(void **state)
{
	char *path = path_of("sample.kmt"), *page = path_of("page.html"), *absent = path_of("none"),
	     *err = path_of("stderr"), *text, *before;

	(void)state;
	assert_int_equal(RUN("/dev/null", (char *)"--format=html", (char *)"-o", page, path),
			 EXIT_OK);
	before = read_file(page);
	assert_memory_equal(before, "<!DOCTYPE html>", 15);
	assert_non_null(strstr(before, "</html>\n"));
	assert_int_equal(RUN("/dev/null", (char *)"--format=html", (char *)"-o", page, absent),
			 EXIT_FAILED);
	text = read_file(page);
	assert_string_equal(text, before);
	free(text);
	free(before);
	before = read_file(path);
	assert_int_equal(RUN("/dev/null", (char *)"--format=html", (char *)"-o", path, path),
			 EXIT_FAILED);
	text = read_file(err);
	assert_non_null(strstr(text, "is a capture"));
	free(text);
	text = read_file(path);
	assert_memory_equal(text, before, strlen(before) + 1);
	free(text);
	free(before);
	assert_int_equal(RUN("/dev/null", (char *)"--format=html", (char *)"--show=all", path),
			 EXIT_USAGE);
	text = read_file(err);
	assert_non_null(strstr(text, "an HTML page has all sections"));
	free(text);
	free(path);
	free(page);
	free(absent);
	free(err);
}

/* A file that is named with -o gets no colours, even if the command runs on a terminal. */
static void a_file_gets_no_colours_of_the_terminal(void **state)
{
	char *path = path_of("sample.kmt"), *file = path_of("text"), *text;
	int terminal = posix_openpt(O_RDWR | O_NOCTTY);

	(void)state;
	assert_true(terminal >= 0);
	assert_int_equal(grantpt(terminal), 0);
	assert_int_equal(unlockpt(terminal), 0);
	unsetenv("NO_COLOR");
	assert_int_equal(RUN(ptsname(terminal), (char *)"-o", file, path), EXIT_OK);
	text = read_file(file);
	assert_non_null(strstr(text, "POOLS"));
	assert_null(strstr(text, "\033["));
	free(text);
	assert_int_equal(RUN(ptsname(terminal), (char *)"--format=html", path), EXIT_USAGE);
	close(terminal);
	free(path);
	free(file);
}

static void wrong_use_and_failures_are_told_apart(void **state)
{
	char *path = path_of("sample.kmt"), *absent = path_of("absent.kmt"),
	     *err = path_of("stderr"), *text;

	(void)state;
	assert_int_equal(RUN("/dev/null", (char *)"--no-such-option", path), EXIT_USAGE);
	assert_int_equal(RUN("/dev/null", (char *)"--format=xml", path), EXIT_USAGE);
	assert_int_equal(RUN("/dev/null", (char *)"--by=colour", path), EXIT_USAGE);
	assert_int_equal(RUN("/dev/null", (char *)"--top=-1", path), EXIT_USAGE);
	assert_int_equal(RUN("/dev/null", (char *)"--top=99999999999999999999", path), EXIT_USAGE);
	assert_int_equal(RUN("/dev/null", (char *)"--top="), EXIT_USAGE);
	assert_int_equal(RUN("/dev/null", path, path), EXIT_USAGE);
	assert_int_equal(RUN("/dev/null", absent), EXIT_FAILED);
	assert_int_equal(RUN("/dev/full", path), EXIT_FAILED);
	text = read_file(err);
	assert_non_null(strstr(text, "No space left on device"));
	free(text);
	free(path);
	free(absent);
	free(err);
}

/* The sample with nine earlier checkpoints, each with its part of what is held in the end. */
static struct capture *sample_of_ten_checkpoints(void)
{
	struct capture *c = sample_whole();
	struct cap_checkpoint last = c->checkpoints[0];

	c->nr_checkpoints = 0;
	for (int k = 1; k < 10; k++) {
		struct cap_checkpoint *at = sample_interval(c, 3 * k);

		for (size_t i = 0; i < last.held.nr; i++) {
			struct cap_held *h = ARRAY_PUSH(&at->held);

			assert_non_null(h);
			*h = last.held.items[i];
			h->bytes *= k / 10.0;
			h->objects *= k / 10.0;
			h->tracked = h->verified = h->verified_live = h->verified_twice = 0;
		}
		sample_churn(at, 1, 130 * k, 10 * k, 0);
		sample_loss(at, "recursion_misses", k);
	}
	*SAMPLE_ADD(c->checkpoints, c->nr_checkpoints) = last;
	return c;
}

static char *json_of_part(const struct capture *c, double from_s, double to_s)
{
	struct time_range part;
	struct report r;
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	assert_int_equal(time_range_build(c, from_s, to_s, &part), 0);
	assert_int_equal(report_build(&part.view, GROWTH_BY_STACK, &r), 0);
	assert_int_equal(report_json(&r, 0, f), 0);
	fclose(f);
	report_free(&r);
	time_range_free(&part);
	return text;
}

/* Data that is shortened to save memory must not change the report. */
static void a_long_recording_read_in_brief_says_the_same(void **state)
{
	static const struct {
		double from_s, to_s;
	} parts[] = {{NAN, NAN}, {9, 21}, {14, NAN}, {NAN, 6}};
	struct capture *c = sample_of_ten_checkpoints(), *whole, *brief;
	char *path = path_of("ten.kmt");

	(void)state;
	write_capture(c, path);
	capture_free(c);
	assert_int_equal(capture_read(path, &whole), 0);
	assert_int_equal(whole->nr_checkpoints, 10);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		char *a = json_of_part(whole, parts[i].from_s, parts[i].to_s), *b;

		assert_int_equal(capture_read_part(path, parts[i].from_s, parts[i].to_s, &brief),
				 0);
		assert_true(brief->checkpoints[0].is_brief);
		assert_int_equal(brief->checkpoints[0].held.nr, 0);
		assert_true(brief->checkpoints[0].brief.nr > 0);
		b = json_of_part(brief, parts[i].from_s, parts[i].to_s);
		assert_string_equal(a, b);
		assert_non_null(strstr(a, "\"growth\": ["));
		free(a);
		free(b);
		capture_free(brief);
	}
	capture_free(whole);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_long_recording_read_in_brief_says_the_same),
		cmocka_unit_test(a_file_gives_the_same_report_as_memory),
		cmocka_unit_test(command_prints_both_formats),
		cmocka_unit_test(a_page_is_written_to_its_file),
		cmocka_unit_test(a_file_gets_no_colours_of_the_terminal),
		cmocka_unit_test(wrong_use_and_failures_are_told_apart),
	};

	return cmocka_run_group_tests(tests, scratch_new, scratch_remove);
}
