// SPDX-License-Identifier: GPL-2.0-only
/*
 * A capture that is removed, moved or replaced while it is recorded is never reported as written:
 * the recording fails, and says where the data is, or that it is gone. A file that is being
 * recorded is never replaced.
 */
#include "attacker.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "files.h"

/* What happens to the capture x.kmt in "way", and the required message. */
struct event {
	const char *what;
	const char *words[3];
	const char *data; /* where the data is then; NULL: gone */
};

static const struct event events[] = {
	{"rm way/x.kmt",
	 {"way/x.kmt was removed while it was recorded: the recording is lost"},
	 NULL},
	{"mv way/x.kmt way/y.kmt",
	 {"way/x.kmt was moved to", "/way/y.kmt while it was recorded", "kmemtrace report /"},
	 "way/y.kmt"},
	{"mv way/x.kmt elsewhere/", {"was moved to", "/elsewhere/x.kmt while"}, "elsewhere/x.kmt"},
	{"mv way/x.kmt y.kmt; echo other >way/x.kmt",
	 {"was moved to", "/y.kmt while", "another file is in its place"},
	 "y.kmt"},
	{"echo other >other; mv other way/x.kmt",
	 {"was replaced by another file while it was recorded: the recording is lost"},
	 NULL},
	{"rm way/x.kmt; ln -s /etc/passwd way/x.kmt", {"was replaced by another file"}, NULL},
	{"mv way old", {"was moved to", "/old/x.kmt while"}, "old/x.kmt"},
	{"mv way old; mkdir way; echo other >way/x.kmt",
	 {"was moved to", "another file"},
	 "old/x.kmt"},
	{"ln way/x.kmt z.kmt; rm way/x.kmt", {"was moved while", "find / -xdev -inum"}, "z.kmt"},
};

static void shell(const char *commands)
{
	char line[512];

	snprintf(line, sizeof(line), "cd '%s' && %s", dir, commands);
	assert_int_equal(system(line), 0);
}

static struct capture_writer *begin(void)
{
	struct capture_writer *w;

	shell("rm -rf way elsewhere old *.kmt && mkdir way elsewhere");
	assert_int_equal(capture_writer_new(in_dir("way/x.kmt"), false, &w), 0);
	assert_int_equal(put_snapshot(w, 0), 0);
	assert_int_equal(capture_commit(w), 0);
	return w;
}

static void check_said(const struct event *e)
{
	for (int i = 0; i < 3 && e->words[i]; i++)
		assert_said(e->words[i]);
}

/* The next commit finds it, and the recording ends. */
static void test_a_capture_lost_on_the_way_ends_the_recording(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		struct capture_writer *w = begin();

		print_message("%s\n", events[i].what);
		shell(events[i].what);
		said_begin();
		assert_int_equal(put_snapshot(w, 1), 0);
		assert_int_equal(capture_commit(w), -ESTALE);
		assert_int_equal(put_snapshot(w, 2), -ESTALE);
		assert_int_equal(capture_finish(w), -ESTALE);
		said_end();
		check_said(&events[i]);
		if (events[i].data)
			assert_reads(in_dir(events[i].data), false, 2);
	}
}

/* It is found at the end; the data is complete where it is. */
static void test_a_capture_lost_before_the_end_is_no_success(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		struct capture_writer *w = begin();

		print_message("%s\n", events[i].what);
		shell(events[i].what);
		said_begin();
		assert_int_equal(capture_finish(w), -ESTALE);
		said_end();
		check_said(&events[i]);
	}
}

/* Files that others created there meanwhile stay. */
static void test_the_end_removes_nobody_elses_file(void **state)
{
	struct capture_writer *w = begin();

	(void)state;
	shell("rm way/x.kmt; echo other >way/x.kmt; echo other >way/x.kmt-journal");
	said_begin();
	capture_finish(w);
	said_end();
	assert_file(in_dir("way/x.kmt"), "other\n");
	assert_file(in_dir("way/x.kmt-journal"), "other\n");
	w = begin();
	shell("rm way/x.kmt; echo other >way/x.kmt");
	said_begin();
	capture_writer_discard(w);
	said_end();
	assert_file(in_dir("way/x.kmt"), "other\n");
}

/* ---- killed ---- */

/* Record, report each commit, and die at the given write. Returns the number of commits; −1: it
 * completed. */
static int record_killed(int at)
{
	int told[2], status, n = 0;
	struct capture_writer *w;
	char byte = 0;
	pid_t pid;

	assert_int_equal(pipe(told), 0);
	fflush(NULL);
	pid = fork();
	if (!pid) {
		kill_at = at;
		if (capture_writer_new(in_dir("x.kmt"), false, &w))
			_exit(1);
		for (int t = 0; t < 6; t++)
			if (put_snapshot(w, t) || capture_commit(w) ||
			    write(told[1], &byte, 1) != 1)
				_exit(1);
		_exit(capture_finish(w) ? 1 : 0);
	}
	close(told[1]);
	while (read(told[0], &byte, 1) == 1)
		n++;
	close(told[0]);
	waitpid(pid, &status, 0);
	if (WIFEXITED(status)) {
		assert_int_equal(WEXITSTATUS(status), 0);
		return -1;
	}
	return n;
}

static void test_killed_at_the_nth_write_all_that_was_committed_is_there(void **state)
{
	int at, committed, with_journal = 0;

	(void)state;
	for (at = 0; at < 1000; at++) {
		committed = record_killed(at);
		if (committed < 0)
			break;
		if (!committed) { /* nothing, not even a name */
			assert_int_equal(names_in(dir), 0);
			continue;
		}
		with_journal += exists(in_dir("x.kmt-journal"));
		assert_int_equal(names_in(dir), 1 + exists(in_dir("x.kmt-journal")));
		assert_reads(in_dir("x.kmt"), false, (size_t)committed);
		assert_int_equal(record(in_dir("x.kmt"), true), 0);
		assert_reads(in_dir("x.kmt"), true, 3);
		assert_int_equal(names_in(dir), 1);
		unlink(in_dir("x.kmt"));
	}
	print_message("killed at %d writes, %d of them with a journal to roll back\n", at,
		      with_journal);
	assert_true(at > 50 && with_journal > 20);
	assert_reads(in_dir("x.kmt"), true, 6);
}

/* ---- two recordings ---- */

static void expect_busy(bool overwrite)
{
	struct capture_writer *w = NULL;

	said_begin();
	assert_int_equal(capture_writer_new(in_dir("way/x.kmt"), overwrite, &w), -EBUSY);
	said_end();
	assert_null(w);
	assert_said("is being recorded by another kmemtrace: end that first, or give another name");
}

static void other_child(void)
{
	expect_busy(true);
}

static void test_a_file_that_is_recorded_is_not_replaced(void **state)
{
	struct capture_writer *w = begin();

	(void)state;
	expect_busy(false);
	expect_busy(true);
	in_child(other_child, 20);
	assert_int_equal(put_snapshot(w, 1), 0); /* also in the middle of a transaction, */
	expect_busy(true);
	assert_int_equal(capture_commit(w), 0);
	assert_reads(in_dir("way/x.kmt"), false, 2); /* and reading is allowed */
	expect_busy(true);
	assert_int_equal(capture_finish(w), 0);
	assert_reads(in_dir("way/x.kmt"), true, 2);
	assert_int_equal(record(in_dir("way/x.kmt"), true), 0);
}

/* The lock ends with its process, however that ends. */
static void killed_child(void)
{
	begin();
	raise(SIGKILL);
}

static void test_a_killed_recordings_file_is_replaced(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	fflush(NULL);
	pid = fork();
	if (!pid)
		killed_child();
	waitpid(pid, &status, 0);
	assert_true(WIFSIGNALED(status));
	assert_reads(in_dir("way/x.kmt"), false, 1);
	assert_int_equal(record(in_dir("way/x.kmt"), true), 0);
}

/* Both checked, and there was no file: the first one that writes gets the name. */
static void test_of_two_that_begin_at_once_one_fails(void **state)
{
	for (int overwrite = 0; overwrite < 2; overwrite++) {
		struct capture_writer *a, *b;

		(void)state;
		unlink(in_dir("x.kmt"));
		if (overwrite)
			assert_int_equal(record(in_dir("x.kmt"), false), 0);
		assert_int_equal(capture_writer_new(in_dir("x.kmt"), overwrite, &a), 0);
		assert_int_equal(capture_writer_new(in_dir("x.kmt"), overwrite, &b), 0);
		assert_int_equal(put_snapshot(a, 0), 0);
		assert_int_equal(put_snapshot(b, 0), 0);
		assert_int_equal(capture_commit(b), 0);
		said_begin();
		assert_int_equal(capture_commit(a), -EEXIST);
		said_end();
		assert_said("another file was put there meanwhile");
		capture_writer_discard(a);
		assert_int_equal(capture_finish(b), 0);
		assert_reads(in_dir("x.kmt"), true, 1);
		assert_int_equal(names_in(dir), 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, files_setup, files_teardown)
		TEST(test_a_capture_lost_on_the_way_ends_the_recording),
		TEST(test_a_capture_lost_before_the_end_is_no_success),
		TEST(test_the_end_removes_nobody_elses_file),
		TEST(test_killed_at_the_nth_write_all_that_was_committed_is_there),
		TEST(test_a_file_that_is_recorded_is_not_replaced),
		TEST(test_a_killed_recordings_file_is_replaced),
		TEST(test_of_two_that_begin_at_once_one_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
