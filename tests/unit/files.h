/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests of what record and report do with files: a new directory for each test, the printed
 * messages, small captures, and an attacker who acts before any system call that names a file.
 * Include after cmocka.h.
 */
#ifndef TESTS_UNIT_FILES_H
#define TESTS_UNIT_FILES_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "capture/capture.h"
#include "said.h"

#define FILES_UNUSED __attribute__((unused))

static char dir[64]; /* of the test that runs */

static int files_setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/kmemtrace-test.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int files_teardown(void **state)
{
	char command[256];

	(void)state;
	snprintf(command, sizeof(command), "chmod -R u+rwx '%s'; rm -rf '%s'", dir, dir);
	return system(command);
}

/* "DIR/NAME", in one of eight buffers in turn. */
static const char *in_dir(const char *name)
{
	static char paths[8][256];
	static unsigned int turn;
	char *path = paths[turn++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

FILES_UNUSED static void put_file(const char *path, const void *bytes, size_t len)
{
	_cleanup_fclose_ FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
}

FILES_UNUSED static void *get_file(const char *path, size_t *len)
{
	_cleanup_fclose_ FILE *f = fopen(path, "r");
	char *bytes;

	if (!f)
		fail_msg("cannot open %s", path);
	fseek(f, 0, SEEK_END);
	*len = (size_t)ftell(f);
	rewind(f);
	bytes = malloc(*len + 1);
	assert_int_equal(fread(bytes, 1, *len, f), *len);
	bytes[*len] = '\0';
	return bytes;
}

FILES_UNUSED static bool exists(const char *path)
{
	struct stat st;

	return !lstat(path, &st);
}

FILES_UNUSED static void assert_file(const char *path, const char *text)
{
	size_t len;
	_cleanup_free_ char *bytes = get_file(path, &len);

	assert_string_equal(bytes, text);
}

/* How many names the directory has. */
FILES_UNUSED static int names_in(const char *path)
{
	_cleanup_closedir_ DIR *d = opendir(path);
	int n = -2; /* "." and ".." */

	assert_non_null(d);
	while (readdir(d))
		n++;
	return n;
}

/* One more snapshot: enough rows to change several pages. */
FILES_UNUSED static int put_snapshot(struct capture_writer *w, int t)
{
	struct snapshot s = {.kind = t ? SNAPSHOT_TICK : SNAPSHOT_START, .t_s = t};
	int err;

	for (int i = 0; i < 300; i++) {
		struct named_value *v = ARRAY_PUSH(&s.meminfo);

		snprintf(v->name, sizeof(v->name), "Line%d", i);
		v->value = 1000 * t + i;
	}
	err = capture_put_snapshot(w, &s);
	snapshot_free(&s);
	return err;
}

/* Do a complete recording. Returns 0 or the error. */
FILES_UNUSED static int record(const char *path, bool overwrite)
{
	struct capture_writer *w;
	int err = capture_writer_new(path, overwrite, &w);

	for (int t = 0; !err && t < 3; t++) {
		err = put_snapshot(w, t);
		if (!err)
			err = capture_commit(w);
		if (err)
			capture_writer_free(w);
	}
	return err ? err : capture_finish(w);
}

FILES_UNUSED static void assert_reads(const char *path, bool complete, size_t snapshots)
{
	_cleanup_capture_ struct capture *c = NULL;

	if (capture_read(path, &c))
		fail_msg("%s cannot be read", path);
	assert_int_equal(c->complete, complete);
	assert_int_equal(c->nr_snapshots_stored, snapshots);
}

/* Run `what` in a child, and end it after `seconds` if it hangs. */
FILES_UNUSED static void in_child(void (*what)(void), unsigned int seconds)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		setenv("CMOCKA_TEST_ABORT", "1", 1); /* a failed assertion ends the child */
		alarm(seconds);
		what();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		fail_msg("it hangs");
	assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
}

#endif
