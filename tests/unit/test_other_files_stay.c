// SPDX-License-Identifier: GPL-2.0-only
/*
 * A recording writes only its own file: not through a link that another user creates between two
 * steps, and not into a swapped directory. It removes no file of others. Also: who owns the file in
 * the end.
 */
#include "attacker.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "files.h"

#define STEPS_MAX 400
#define NOBODY    65534

/* ---- a link in place of the file, at any step ---- */

static int attack_at;           /* the step to act at; */
static const char *attack_name; /* on this file of `dir`, … */
static bool attacked;

/* … which becomes a link to the victim. */
static void put_link(int step)
{
	const char *path = in_dir(attack_name);

	if (step != attack_at)
		return;
	attacked = true;
	unlink(path);
	if (symlink(in_dir("victim"), path))
		abort();
}

/* Whatever the recording makes of it, the victim stays. Returns false when there is no such step.
 */
static bool record_attacked(int at, const char *name, bool overwrite)
{
	put_file(in_dir("victim"), "precious", 8);
	unlink(in_dir("x.kmt-journal"));
	unlink(in_dir("x.kmt"));
	if (overwrite)
		assert_int_equal(record(in_dir("x.kmt"), false), 0);
	attack_at = at;
	attack_name = name;
	attacked = false;
	attack_step = 0;
	said_begin();
	attack = put_link;
	record(in_dir("x.kmt"), overwrite);
	attack = NULL;
	said_end();
	assert_file(in_dir("victim"), "precious");
	return attacked;
}

static void test_a_link_put_there_at_any_step_is_not_followed(void **state)
{
	static const char *const names[] = {"x.kmt", "x.kmt-journal"};
	int steps = 0;

	(void)state;
	for (int how = 0; how < 4; how++)
		for (int n = 0; n < 2; n++)
			for (int at = 0; at < STEPS_MAX; at++) {
				attack_tmpfile = how & 2;
				if (!record_attacked(at, names[n], how & 1))
					break;
				steps++;
			}
	attack_tmpfile = false;
	print_message("attacked at %d steps\n", steps);
	assert_true(steps > 40);
}

/* ---- another directory in place of the directory ---- */

static void swap_directory(int step)
{
	if (step != attack_at)
		return;
	attacked = true;
	if (rename(in_dir("way"), in_dir("moved")) || symlink(in_dir("system"), in_dir("way")))
		abort();
	if (lchown(in_dir("way"), NOBODY, NOBODY))
		_exit(77);
}

static void swapped_directory_child(void)
{
	char command[512];

	for (int at = 0; at < STEPS_MAX; at++) {
		snprintf(command, sizeof(command),
			 "cd '%s' && rm -rf way moved system && mkdir way system", dir);
		assert_int_equal(system(command), 0);
		attack_at = at;
		attacked = false;
		attack_step = 0;
		said_begin();
		attack = swap_directory;
		record(in_dir("way/x.kmt"), false);
		attack = NULL;
		said_end();
		assert_int_equal(names_in(in_dir("system")), 0);
		if (!attacked)
			return;
	}
}

static void test_a_directory_swapped_at_any_step_gets_no_file(void **state)
{
	(void)state;
	in_child(swapped_directory_child, 120);
}

static void test_a_link_of_another_user_on_the_way_is_refused(void **state)
{
	(void)state;
	assert_int_equal(mkdir(in_dir("there"), 0700), 0);
	assert_int_equal(symlink("there", in_dir("way")), 0);
	assert_int_equal(record(in_dir("way/x.kmt"), false), 0); /* our own */
	if (lchown(in_dir("way"), NOBODY, NOBODY))
		skip();
	said_begin();
	assert_int_equal(record(in_dir("way/y.kmt"), false), -EPERM);
	said_end();
	assert_said("belongs to another user; give the path");
	assert_int_equal(names_in(in_dir("there")), 1);
	assert_reads(in_dir("way/x.kmt"), true, 3); /* reading may follow it */
}

/* ---- what lies beside it ---- */

static void expect_refused(const char *name, bool overwrite, const char *words)
{
	said_begin();
	assert_int_equal(record(in_dir(name), overwrite), -EEXIST);
	said_end();
	assert_said(words);
}

static void test_unrelated_files_are_not_removed(void **state)
{
	(void)state;
	put_file(in_dir("y-journal"), "my diary", 8);
	expect_refused("y", false, "y-journal exists but does not belong to this capture");
	expect_refused("y", true, "y-journal exists but does not belong to this capture");
	assert_file(in_dir("y-journal"), "my diary");
	put_file(in_dir("z-wal"), "my diary", 8);
	expect_refused("z", false, "z-wal exists, but kmemtrace never writes such a file");
	assert_file(in_dir("z-wal"), "my diary");
	put_file(in_dir("s-shm"), "my diary", 8); /* means nothing to a capture */
	assert_int_equal(record(in_dir("s"), false), 0);
	assert_file(in_dir("s-shm"), "my diary");
	assert_int_equal(names_in(dir), 4);
}

static void test_force_replaces_a_capture_and_what_is_not_its_own_stays(void **state)
{
	static const char journal[16] = {'\xd9', '\xd5', 5, '\xf9', ' ', '\xa1', 'c', '\xd7'};

	(void)state;
	assert_int_equal(record(in_dir("y"), false), 0);
	put_file(in_dir("y-journal"), "my diary", 8);
	expect_refused("y", true, "y-journal exists but does not belong to this capture");
	assert_file(in_dir("y-journal"), "my diary");
	unlink(in_dir("y-journal"));
	assert_int_equal(symlink("y", in_dir("y-journal")), 0);
	expect_refused("y", true, "y-journal exists but does not belong to this capture");
	unlink(in_dir("y-journal"));
	put_file(in_dir("y-wal"), "", 0);
	expect_refused("y", true, "y-wal exists");
	unlink(in_dir("y-wal"));
	assert_reads(in_dir("y"), true, 3);
	put_file(in_dir("y-journal"), journal, sizeof(journal)); /* a killed recording's */
	assert_int_equal(record(in_dir("y"), true), 0);
	assert_reads(in_dir("y"), true, 3);
	assert_int_equal(names_in(dir), 1);
}

/* A journal that somebody creates during the recording is neither used nor removed. */
static void test_a_journal_put_beside_a_recording_is_left_alone(void **state)
{
	struct capture_writer *w;

	(void)state;
	assert_int_equal(capture_writer_new(in_dir("x.kmt"), false, &w), 0);
	assert_int_equal(put_snapshot(w, 0), 0);
	assert_int_equal(capture_commit(w), 0);
	put_file(in_dir("x.kmt-journal"), "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7 forged", 15);
	said_begin();
	assert_int_equal(put_snapshot(w, 1), 0);
	assert_int_equal(capture_commit(w), 0);
	assert_int_equal(put_snapshot(w, 2), 0);
	assert_int_equal(capture_finish(w), 0);
	said_end();
	assert_said("x.kmt-journal exists but does not belong to this recording");
	assert_true(exists(in_dir("x.kmt-journal")));
	unlink(in_dir("x.kmt-journal"));
	assert_reads(in_dir("x.kmt"), true, 3);
}

/* If the file system has no unnamed files, the capture has its name from the start. */
static void test_a_file_system_without_unnamed_files_will_do(void **state)
{
	struct capture_writer *w;

	(void)state;
	attack_tmpfile = true;
	assert_int_equal(record(in_dir("x.kmt"), false), 0);
	assert_int_equal(record(in_dir("x.kmt"), true), 0);
	assert_reads(in_dir("x.kmt"), true, 3);
	assert_int_equal(capture_writer_new(in_dir("y.kmt"), false, &w), 0);
	assert_int_equal(put_snapshot(w, 0), 0);
	capture_writer_discard(w);
	assert_int_equal(names_in(dir), 1);
	attack_tmpfile = false;
}

static void test_a_recording_that_does_not_start_changes_nothing(void **state)
{
	struct capture_writer *w;

	(void)state;
	assert_int_equal(record(in_dir("x.kmt"), false), 0);
	for (int overwrite = 0; overwrite < 2; overwrite++) {
		assert_int_equal(
			capture_writer_new(in_dir(overwrite ? "x.kmt" : "new.kmt"), overwrite, &w),
			0);
		assert_int_equal(put_snapshot(w, 0), 0);
		assert_int_equal(capture_commit_unnamed(w), 0);
		capture_writer_discard(w);
	}
	assert_int_equal(names_in(dir), 1);
	assert_reads(in_dir("x.kmt"), true, 3);
}

/* ---- whose it is in the end ---- */

static void expect_owner(const char *name, uid_t uid)
{
	struct stat st;

	assert_int_equal(record(in_dir(name), false), 0);
	assert_int_equal(stat(in_dir(name), &st), 0);
	assert_int_equal(st.st_uid, uid);
	assert_int_equal(st.st_gid, uid);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void handed_over_child(void)
{
	if (geteuid())
		_exit(77);
	assert_int_equal(mkdir(in_dir("his"), 0755), 0);
	assert_int_equal(mkdir(in_dir("roots"), 0755), 0);
	assert_int_equal(mkdir(in_dir("all"), 0700), 0);
	assert_int_equal(chmod(in_dir("all"), 01777), 0);
	assert_int_equal(chown(in_dir("his"), 1234, 1234), 0);
	expect_owner("his/root.kmt", 0); /* not through sudo */
	setenv("SUDO_UID", "1234", 1);
	expect_owner("his/half.kmt", 0);
	setenv("SUDO_GID", "1234", 1);
	expect_owner("his/x.kmt", 1234);
	expect_owner("all/x.kmt", 1234);
	expect_owner("roots/x.kmt", 0); /* the user could not have created it there */
	setenv("SUDO_UID", "12x", 1);
	expect_owner("his/bad.kmt", 0);
	setenv("SUDO_UID", "-1", 1);
	expect_owner("his/minus.kmt", 0);
	setenv("SUDO_UID", "4294967295", 1); /* "leave it" to chown() */
	expect_owner("his/all-ones.kmt", 0);
}

static void test_a_capture_made_through_sudo_is_the_users(void **state)
{
	(void)state;
	in_child(handed_over_child, 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, files_setup, files_teardown)
		TEST(test_a_link_put_there_at_any_step_is_not_followed),
		TEST(test_a_directory_swapped_at_any_step_gets_no_file),
		TEST(test_a_link_of_another_user_on_the_way_is_refused),
		TEST(test_unrelated_files_are_not_removed),
		TEST(test_force_replaces_a_capture_and_what_is_not_its_own_stays),
		TEST(test_a_journal_put_beside_a_recording_is_left_alone),
		TEST(test_a_file_system_without_unnamed_files_will_do),
		TEST(test_a_recording_that_does_not_start_changes_nothing),
		TEST(test_a_capture_made_through_sudo_is_the_users),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
