/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A capture in a directory of this test program: pass capture_file_new() and capture_file_remove()
 * to cmocka_run_group_tests(). Include after cmocka.h.
 */
#ifndef TESTS_UNIT_CAPTURE_FILE_H
#define TESTS_UNIT_CAPTURE_FILE_H

#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

#include "capture/capture.h"
#include "said.h"
#include "scratch.h"

static char file[sizeof(scratch) + 8]; /* the capture under test */

static int capture_file_new(void **state)
{
	int err = scratch_new(state);

	snprintf(file, sizeof(file), "%s/c.kmt", scratch);
	return err;
}

/* Fails unless the capture is all that the tests left. */
__attribute__((unused)) static int capture_file_remove(void **state)
{
	(void)state;
	return unlink(file) ?: rmdir(scratch);
}

/* Change the capture as an attacker could. */
__attribute__((unused)) static void sql(const char *statements)
{
	char *why = NULL;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
	if (sqlite3_exec(db, statements, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", statements, why);
	sqlite3_close(db);
}

/* Read it. Returns what capture_read() does; `said` has what was printed. */
__attribute__((unused)) static int read_back(struct capture **c)
{
	int err;

	*c = NULL;
	said_begin();
	err = capture_read(file, c);
	said_end();
	return err;
}

#endif
