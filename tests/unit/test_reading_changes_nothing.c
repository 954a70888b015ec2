// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading a capture, whatever is beside it, does not hang, fill a disk, leave a file or write
 * anywhere. A journal can change neither the kind of the file nor any other file.
 */
#include "attacker.h"

#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>

#include <cmocka.h>

#include "capture/vfs.h"
#include "files.h"

#define NOBODY     65534
#define SECONDS    15 /* after which a read is said to hang */
#define PAGE_BYTES 4096

static int setup(void **state)
{
	int err = files_setup(state);

	if (!err && (mkdir(in_dir("tmp"), 0700) || setenv("TMPDIR", in_dir("tmp"), 1)))
		err = -1;
	return err;
}

static int read_it(const char *name)
{
	struct capture *c = NULL;
	int err;

	said_begin();
	err = capture_read(in_dir(name), &c);
	said_end();
	if (!err)
		capture_free(c);
	assert_int_equal(names_in(in_dir("tmp")), 0);
	return err;
}

static void expect(const char *name, int err, const char *words)
{
	int got = read_it(name);

	if (got != err)
		fail_msg("%d, not %d: %s", got, err, said);
	if (words)
		assert_said(words);
}

/* ---- journals, as https://sqlite.org/fileformat2.html#the_rollback_journal has them ---- */

static void put_u32(uint8_t *at, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* A journal that says that the file had `pages` pages, and that the first was `page` (NULL: none).
 * */
static void put_journal(const char *path, uint32_t pages, const uint8_t *page)
{
	static uint8_t bytes[512 + 8 + PAGE_BYTES];
	uint8_t *record = bytes + 512;
	uint32_t sum = 0;

	memset(bytes, 0, sizeof(bytes));
	memcpy(bytes, "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", 8);
	put_u32(bytes + 8, page ? 1 : 0);
	put_u32(bytes + 16, pages);
	put_u32(bytes + 20, 512);
	put_u32(bytes + 24, PAGE_BYTES);
	if (page) {
		for (int i = PAGE_BYTES - 200; i > 0; i -= 200)
			sum += page[i];
		put_u32(record, 1);
		memcpy(record + 4, page, PAGE_BYTES);
		put_u32(record + 4 + PAGE_BYTES, sum);
	}
	put_file(path, bytes, page ? sizeof(bytes) : 512);
}

/* A capture with a journal that changes `len` bytes at `at` of its first page. */
static void put_capture_with_journal(const char *name, size_t at, const void *bytes, size_t len)
{
	char journal[64];
	_cleanup_free_ uint8_t *file = NULL;
	size_t size;

	assert_int_equal(record(in_dir(name), false), 0);
	file = get_file(in_dir(name), &size);
	memcpy(file + at, bytes, len);
	snprintf(journal, sizeof(journal), "%s-journal", name);
	put_journal(in_dir(journal), (uint32_t)(size / PAGE_BYTES), file);
}

static void test_a_journal_cannot_make_it_another_kind_of_file(void **state)
{
	(void)state;
	put_capture_with_journal("same.kmt", 0, "SQLite format 3", 16);
	expect("same.kmt", 0, NULL);
	put_capture_with_journal("wal.kmt", 18, "\2\2", 2);
	expect("wal.kmt", -EBADMSG, "is damaged");
	put_capture_with_journal("newer.kmt", 60, "\0\0\0\x63", 4);
	expect("newer.kmt", -ENOTSUP, "newer kmemtrace");
	put_capture_with_journal("older.kmt", 60, "\0\0\0\0", 4);
	expect("older.kmt", -EBADMSG, "is damaged");
	put_capture_with_journal("other.kmt", 68, "abcd", 4);
	expect("other.kmt", -EBADMSG, "is not a capture");
	put_capture_with_journal("text.kmt", 0, "<html>", 6);
	expect("text.kmt", -EBADMSG, "is not a capture");
	put_capture_with_journal("utf16.kmt", 56, "\0\0\0\2", 4);
	expect("utf16.kmt", -EBADMSG, "is damaged");
	assert_int_equal(names_in(dir), 2 * 7 + 1);
}

/* During the first commit, the journal says that the file was empty. */
static void test_killed_in_its_first_commit_is_killed_before_it_began(void **state)
{
	_cleanup_free_ uint8_t *file = NULL;
	size_t size;

	(void)state;
	assert_int_equal(record(in_dir("x.kmt"), false), 0);
	file = get_file(in_dir("x.kmt"), &size);
	put_journal(in_dir("x.kmt-journal"), 0, NULL);
	for (size_t cut = 0; cut <= size; cut += cut < 4096 ? 1024 : 4096) {
		put_file(in_dir("x.kmt"), file, cut);
		expect("x.kmt", -EBADMSG, "killed before it began");
	}
}

/* ---- what is not a regular file ---- */

static void not_regular_child(void)
{
	static const char *const made[] = {
		"mkfifo x.kmt-journal",          "ln -s x.kmt x.kmt-journal", "mkdir x.kmt-journal",
		"ln -s /dev/zero x.kmt-journal", "ln -s fifo x.kmt-journal",
	};
	char line[256];

	assert_int_equal(record(in_dir("x.kmt"), false), 0);
	snprintf(line, sizeof(line), "cd '%s' && mkfifo fifo", dir);
	assert_int_equal(system(line), 0);
	for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
		snprintf(line, sizeof(line), "cd '%s' && rm -rf x.kmt-journal && %s", dir, made[i]);
		assert_int_equal(system(line), 0);
		expect("x.kmt", -EBADMSG, "is not a regular file");
	}
	expect("fifo", -EBADMSG, "not a regular file");
}

static void test_a_fifo_beside_a_capture_does_not_hang_it(void **state)
{
	(void)state;
	in_child(not_regular_child, SECONDS);
}

static void test_links_to_captures_are_looked_at_where_they_lead(void **state)
{
	(void)state;
	assert_int_equal(mkdir(in_dir("store"), 0700), 0);
	assert_int_equal(record(in_dir("store/x.kmt"), false), 0);
	assert_int_equal(symlink("store/x.kmt", in_dir("latest.kmt")), 0);
	assert_int_equal(symlink(in_dir("latest.kmt"), in_dir("store/again.kmt")), 0);
	put_file(in_dir("latest.kmt-wal"), "x", 1); /* beside the link: it belongs to no capture */
	put_file(in_dir("latest.kmt-journal"), "x", 1);
	expect("latest.kmt", 0, NULL);
	expect("store/again.kmt", 0, NULL);
	put_file(in_dir("store/x.kmt-wal"), "x", 1);
	expect("latest.kmt", -EBADMSG, "a -wal file lies beside it");
	expect("store/again.kmt", -EBADMSG, "a -wal file lies beside it");
	unlink(in_dir("store/x.kmt-wal"));
	put_journal(in_dir("store/x.kmt-journal"), 0, NULL);
	expect("latest.kmt", -EBADMSG, "killed before it began");
	assert_int_equal(symlink("loop", in_dir("loop")), 0);
	expect("loop", -ELOOP, "loop");
	expect("store", -EBADMSG, "not a regular file");
}

/* /proc/PID/root leads to another place than its text says. */
static void test_links_of_procfs_lead_where_the_kernel_says(void **state)
{
	_cleanup_close_ int fd = -1;
	char path[300];

	(void)state;
	assert_int_equal(record(in_dir("x.kmt"), false), 0);
	snprintf(path, sizeof(path), "/proc/self/root/%s", in_dir("x.kmt"));
	assert_reads(path, true, 3);
	fd = open(in_dir("x.kmt"), O_RDONLY);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_reads(path, true, 3);
	close(fd);
	fd = open(dir, O_RDONLY);
	snprintf(path, sizeof(path), "/proc/self/fd/%d/x.kmt", fd);
	assert_reads(path, true, 3);
}

static void test_the_journal_of_another_user_is_refused(void **state)
{
	(void)state;
	put_capture_with_journal("x.kmt", 0, "SQLite format 3", 16);
	if (chown(in_dir("x.kmt-journal"), NOBODY, NOBODY))
		skip();
	expect("x.kmt", -EBADMSG, "belongs to another user");
	assert_int_equal(chown(in_dir("x.kmt"), NOBODY, NOBODY), 0);
	expect("x.kmt", 0, NULL); /* both are his */
	assert_int_equal(chown(in_dir("x.kmt-journal"), 0, 0), 0);
	expect("x.kmt", 0, NULL);
}

/* ---- size and time ---- */

static bool small_tmpdir(const char *size)
{
	char options[32];

	snprintf(options, sizeof(options), "size=%s", size);
	return !unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	       !mount("tmpfs", in_dir("tmp"), "tmpfs", 0, options);
}

static void large_child(void)
{
	if (!small_tmpdir("8m"))
		_exit(77);
	put_capture_with_journal("x.kmt", 0, "SQLite format 3", 16);
	assert_int_equal(truncate(in_dir("x.kmt"), 15LL << 30),
			 0); /* its own few pages are not copied */
	read_it("x.kmt");
	assert_int_equal(truncate(in_dir("x.kmt"), 200LL << 30), 0);
	expect("x.kmt", -EFBIG, "has 200 GiB, but no capture has more than 16");
	put_capture_with_journal("y.kmt", 0, "SQLite format 3", 16);
	assert_int_equal(truncate(in_dir("y.kmt-journal"), 200LL << 30), 0);
	expect("y.kmt", -EBADMSG, "larger than any recording's");
	assert_int_equal(truncate(in_dir("y.kmt-journal"), 5 << 20),
			 0); /* there is enough space once, but not twice */
	expect("y.kmt", -ENOSPC, "set TMPDIR");
	assert_int_equal(truncate(in_dir("y.kmt-journal"), 3 << 20), 0);
	expect("y.kmt", 0, NULL);
}

static void test_large_files_are_refused_before_they_fill_the_disk(void **state)
{
	(void)state;
	in_child(large_child, SECONDS);
}

/* A rollback that takes too long ends like a read that does. Here no time is left. */
static void test_an_endless_rollback_is_given_up(void **state)
{
	_cleanup_place_ struct place place = PLACE_NONE;
	_cleanup_close_ int fd = -1;
	struct timespec past = {0};
	struct vfs *v;
	sqlite3 *db;

	(void)state;
	put_capture_with_journal("x.kmt", 0, "SQLite format 3", 16);
	assert_int_equal(place_find(in_dir("x.kmt"), PLACE_READ, &place), 0);
	fd = place_open(&place, "", O_RDONLY);
	assert_int_equal(vfs_new_reader(&place, fd, &past, &v), 0);
	assert_int_equal(vfs_open(v, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "SELECT 1 FROM sqlite_master", NULL, NULL, NULL),
			 SQLITE_IOERR);
	assert_int_equal(vfs_refusal(v), VFS_TOO_SLOW);
	sqlite3_close(db);
	vfs_free(v);
}

/* ---- nothing is left behind ---- */

static int watched;

static void nothing_has_a_name(int step)
{
	(void)step;
	watched++;
	if (names_in(in_dir("tmp")))
		fail_msg("a kill -9 now would leave a file");
}

static void test_a_kill_at_any_step_leaves_nothing(void **state)
{
	struct capture *c = NULL;

	(void)state;
	put_capture_with_journal("x.kmt", 0, "SQLite format 3", 16);
	attack_step = watched = 0;
	attack = nothing_has_a_name;
	assert_int_equal(capture_read(in_dir("x.kmt"), &c), 0);
	attack = NULL;
	capture_free(c);
	assert_true(watched > 5);
	assert_int_equal(names_in(in_dir("tmp")), 0);
}

/* Not even if the directory is writable. */
static void test_neither_capture_nor_journal_changes(void **state)
{
	_cleanup_free_ uint8_t *file = NULL, *journal = NULL, *file_after = NULL,
			       *journal_after = NULL;
	size_t size, size_journal, after;

	(void)state;
	put_capture_with_journal("x.kmt", 92, "\0\0\0\1", 4);
	file = get_file(in_dir("x.kmt"), &size);
	journal = get_file(in_dir("x.kmt-journal"), &size_journal);
	expect("x.kmt", 0, NULL);
	file_after = get_file(in_dir("x.kmt"), &after);
	assert_int_equal(after, size);
	assert_memory_equal(file, file_after, size);
	journal_after = get_file(in_dir("x.kmt-journal"), &after);
	assert_int_equal(after, size_journal);
	assert_memory_equal(journal, journal_after, size_journal);
	assert_int_equal(names_in(dir), 3);
}

/* ---- what to do when it is somebody else's ---- */

static void not_mine_child(void)
{
	assert_int_equal(record(in_dir("x.kmt"), false), 0);
	assert_int_equal(chmod(dir, 0711), 0);
	if (setgid(NOBODY) || setuid(NOBODY))
		_exit(77);
	said_begin();
	assert_int_equal(capture_read(in_dir("x.kmt"), &(struct capture *){NULL}), -EACCES);
	said_end();
	assert_said("it belongs to root: read it with sudo, or make it yours: sudo chown 65534");
}

static void test_a_refusal_says_whose_it_is(void **state)
{
	(void)state;
	if (geteuid())
		skip();
	in_child(not_mine_child, SECONDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, files_teardown)
		TEST(test_a_journal_cannot_make_it_another_kind_of_file),
		TEST(test_killed_in_its_first_commit_is_killed_before_it_began),
		TEST(test_a_fifo_beside_a_capture_does_not_hang_it),
		TEST(test_links_to_captures_are_looked_at_where_they_lead),
		TEST(test_links_of_procfs_lead_where_the_kernel_says),
		TEST(test_the_journal_of_another_user_is_refused),
		TEST(test_large_files_are_refused_before_they_fill_the_disk),
		TEST(test_an_endless_rollback_is_given_up),
		TEST(test_a_kill_at_any_step_leaves_nothing),
		TEST(test_neither_capture_nor_journal_changes),
		TEST(test_a_refusal_says_whose_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
