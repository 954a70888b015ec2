// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opens a capture that anyone may have made. SQLite trusts nothing in it. The tables must match
 * schema.sql to the letter, so that no view, trigger, generated column or virtual table can replace
 * one. Each table passes quick_check before a row is read. Time and memory are bounded.
 *
 * A recording killed during a commit leaves a journal beside the file. It is rolled back without
 * writing to either, and SQLite can reach no other file (vfs.c). The file's header is checked after
 * the rollback, because a journal can change every page.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "capture/reader_internal.h"
#include "capture/reader_cost.h"

#define READ_SECONDS   20 /* CPU time, not wall time: an overloaded host is slow */
#define SQLITE_BYTES   (64LL << 20)
#define PROGRESS_STEPS 20000 /* virtual machine steps between clock checks: about 1 ms \ */

/* ---- the file itself ---- */

static int header_error(const char *path, enum capture_header header)
{
	switch (header) {
	case HEADER_CAPTURE:
		return 0;
	case HEADER_EMPTY:
		return log_error(
			EBADMSG,
			"%s is empty: its recording was killed before it began; record again",
			path);
	case HEADER_NOT_SQLITE:
	case HEADER_NO_CAPTURE:
		return log_error(EBADMSG,
				 "%s is not a capture: give a file written by kmemtrace record",
				 path);
	case HEADER_NEWER:
		return log_error(ENOTSUP,
				 "%s was made by a newer kmemtrace: use a newer one to read it",
				 path);
	case HEADER_DAMAGED:
		break;
	}
	return log_error(
		EBADMSG,
		"%s is damaged (its header is not a capture's): copy it again, or record anew",
		path);
}

/* Print "cannot read", and what to do if only another user may read the file. */
static int cannot_read(const char *path, int err)
{
	struct passwd *owner;
	struct stat st;

	if (err == -EMEDIUMTYPE)
		return log_error(EBADMSG, "%s is not a capture: it is not a regular file", path);
	if (err != -EACCES || stat(path, &st) || st.st_uid == geteuid())
		return log_error(-err, "cannot read %s: %s", path, strerror(-err));
	owner = getpwuid(st.st_uid);
	return log_error(EACCES,
			 "cannot read %s: Permission denied; it belongs to %s: read it with sudo, "
			 "or make it yours: sudo chown %u '%s'",
			 path, owner ? owner->pw_name : "another user", geteuid(), path);
}

static int open_file(struct reader *r)
{
	int err = place_find(r->path, PLACE_READ, &r->place);
	struct stat st;

	if (!err) {
		r->fd = place_open(&r->place, "", O_RDONLY);
		err = r->fd < 0 ? r->fd : 0;
	}
	if (err == -EISDIR)
		err = -EMEDIUMTYPE;
	if (!err && fstat(r->fd, &st))
		err = -errno;
	if (err)
		return cannot_read(r->path, err);
	if (st.st_size > VFS_CAPTURE_MAX)
		return log_error(
			EFBIG,
			"%s has %lld GiB, but no capture has more than %lld: give a file written by kmemtrace record",
			r->path, (long long)st.st_size >> 30, (long long)VFS_CAPTURE_MAX >> 30);
	if (vfs_has_beside(&r->place, VFS_WAL))
		return reader_damaged(
			r,
			"a -wal file lies beside it, which no recording leaves: remove that first");
	return 0;
}

static int check_header(struct reader *r)
{
	uint8_t head[100];
	ssize_t len = vfs_head(r->vfs, head, sizeof(head));

	if (len < 0)
		return log_error((int)-len, "cannot read %s: %s", r->path, strerror((int)-len));
	if (len == sizeof(head))
		r->version = head[63]; /* the last byte of user_version */
	return header_error(r->path, capture_header_check(head, (size_t)len));
}

/* ---- a connection that trusts nothing ---- */

static int reader_out_of_time(void *arg)
{
	const struct reader *r = arg;
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec > r->deadline.tv_sec ||
	       (now.tv_sec == r->deadline.tv_sec && now.tv_nsec > r->deadline.tv_nsec);
}

static void distrust(struct reader *r)
{
	static const struct {
		int op, on;
	} config[] = {
		{SQLITE_DBCONFIG_DEFENSIVE, 1},
		{SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
		{SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
		{SQLITE_DBCONFIG_ENABLE_VIEW, 0},
		{SQLITE_DBCONFIG_DQS_DML, 0},
		{SQLITE_DBCONFIG_DQS_DDL, 0},
		{SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0},
		{SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
		{SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0},
	};
	static const struct {
		int id, value;
	} limits[] = {
		{SQLITE_LIMIT_LENGTH, 256 << 10},   {SQLITE_LIMIT_SQL_LENGTH, 64 << 10},
		{SQLITE_LIMIT_COLUMN, 100},         {SQLITE_LIMIT_EXPR_DEPTH, 50},
		{SQLITE_LIMIT_COMPOUND_SELECT, 4},  {SQLITE_LIMIT_VDBE_OP, 25000},
		{SQLITE_LIMIT_FUNCTION_ARG, 8},     {SQLITE_LIMIT_ATTACHED, 0},
		{SQLITE_LIMIT_TRIGGER_DEPTH, 1},    {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 100},
		{SQLITE_LIMIT_VARIABLE_NUMBER, 10}, {SQLITE_LIMIT_WORKER_THREADS, 0},
	};

	for (size_t i = 0; i < sizeof(config) / sizeof(config[0]); i++)
		sqlite3_db_config(r->db, config[i].op, config[i].on, NULL);
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		sqlite3_limit(r->db, limits[i].id, limits[i].value);
	sqlite3_extended_result_codes(r->db, 1);
	sqlite3_busy_timeout(r->db, 2000);
	sqlite3_progress_handler(r->db, PROGRESS_STEPS, reader_out_of_time, r);
}

/* Open the file and start a read transaction, which lasts until the end. Returns SQLite's code. */
static int reader_open_database(struct reader *r)
{
	int rc = vfs_open(r->vfs, &r->db);

	if (rc != SQLITE_OK)
		return rc;
	distrust(r);
	return sqlite3_exec(
		r->db,
		"PRAGMA cell_size_check=ON; PRAGMA mmap_size=0; PRAGMA query_only=ON; BEGIN; "
		"SELECT 1 FROM sqlite_master",
		NULL, NULL, NULL);
}

static int journal_refused(struct reader *r)
{
	switch (vfs_refusal(r->vfs)) {
	case VFS_NOT_REGULAR:
		return reader_damaged(r, "the -journal beside it is not a regular file: "
					 "no recording leaves that, remove it");
	case VFS_FOREIGN:
		return reader_damaged(r, "the -journal beside it belongs to another user: no "
					 "recording leaves that, remove it");
	case VFS_TOO_LARGE:
		return reader_damaged(r, "the -journal beside it is larger than any recording's");
	case VFS_NAMES_FILES:
		return reader_damaged(r, "the journal beside it is not one of a recording");
	case VFS_TOO_SLOW:
		return reader_damaged(r, "rolling back its -journal takes far longer than any "
					 "should");
	case VFS_NO_ROOM:
	case VFS_NO_TEMPORARY:
		return log_error(
			vfs_errno(r->vfs),
			"cannot read %s: its recording was killed while writing, and rolling that back needs twice the size of its -journal in %s: %s; set TMPDIR to another directory",
			r->path, place_temporary_dir(), strerror(vfs_errno(r->vfs)));
	case VFS_FINE:
		break;
	}
	return 0;
}

static int open_capture(struct reader *r)
{
	int rc, err = open_file(r);

	if (!err) {
		err = vfs_new_reader(&r->place, r->fd, &r->deadline, &r->vfs);
		if (err)
			return log_error(ENOMEM, "cannot read %s: not enough memory", r->path);
		/* With a journal, the header of the file alone means nothing yet. */
		if (!vfs_has_beside(&r->place, VFS_JOURNAL))
			err = check_header(r);
	}
	if (err)
		return err;
	rc = reader_open_database(r);
	if (rc != SQLITE_OK && vfs_refusal(r->vfs))
		return journal_refused(r);
	if (rc == SQLITE_OK || (rc & 0xff) == SQLITE_NOTADB || (rc & 0xff) == SQLITE_CORRUPT)
		err = check_header(r);
	if (err || rc == SQLITE_OK)
		return err;
	return r->db ? reader_sqlite_error(r, "opening it")
		     : log_error(ENOMEM, "cannot read %s: not enough memory", r->path);
}

static void close_capture(struct reader *r)
{
	sqlite3_close(r->db);
	vfs_free(r->vfs);
	if (r->fd >= 0)
		close(r->fd);
	place_close(&r->place);
}

/* ---- does it match schema.sql, undamaged? ---- */

static void cleanup_stmt(sqlite3_stmt **stmt)
{
	sqlite3_finalize(*stmt);
}

static void cleanup_db(sqlite3 **db)
{
	sqlite3_close(*db);
}

static bool same_text(sqlite3_stmt *a, int column_a, sqlite3_stmt *b, int column_b)
{
	const char *text_a = (const char *)sqlite3_column_text(a, column_a);
	const char *text_b = (const char *)sqlite3_column_text(b, column_b);

	return text_a && text_b && !strcmp(text_a, text_b);
}

static int check_table(struct reader *r, sqlite3_stmt *wanted)
{
	_cleanup_(cleanup_stmt) sqlite3_stmt *found = NULL, *check = NULL;
	const char *name = (const char *)sqlite3_column_text(wanted, 0);
	char pragma[64];

	if (sqlite3_prepare_v2(r->db, "SELECT type, sql FROM sqlite_master WHERE name = ?1", -1,
			       &found, NULL) != SQLITE_OK ||
	    sqlite3_bind_text(found, 1, name, -1, SQLITE_STATIC) != SQLITE_OK)
		return reader_sqlite_error(r, "reading its schema");
	switch (sqlite3_step(found)) {
	case SQLITE_ROW:
		break;
	case SQLITE_DONE:
		if (capture_table_optional(name))
			return 0;
		return reader_damaged(r, "it has no table %s", name);
	default:
		return reader_sqlite_error(r, "reading its schema");
	}
	if (strcmp((const char *)sqlite3_column_text(found, 0) ?: "", "table") ||
	    !same_text(wanted, 1, found, 1))
		return reader_damaged(r, "%s is not the table a capture has", name);

	snprintf(pragma, sizeof(pragma), "PRAGMA quick_check('%s')", name);
	if (sqlite3_prepare_v2(r->db, pragma, -1, &check, NULL) != SQLITE_OK ||
	    sqlite3_step(check) != SQLITE_ROW)
		return reader_sqlite_error(r, name);
	if (strcmp((const char *)sqlite3_column_text(check, 0) ?: "", "ok"))
		return reader_damaged(r, "table %s: %.150s", name,
				      (const char *)sqlite3_column_text(check, 0) ?: "");
	return 0;
}

static int check_tables(struct reader *r)
{
	_cleanup_(cleanup_db) sqlite3 *reference = NULL;
	_cleanup_(cleanup_stmt) sqlite3_stmt *tables = NULL;
	int rc = SQLITE_DONE, err = 0;

	if (sqlite3_open_v2(":memory:", &reference, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
			    NULL) != SQLITE_OK ||
	    sqlite3_exec(reference, capture_schema, NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(reference,
			       "SELECT name, sql FROM sqlite_master WHERE type = 'table'", -1,
			       &tables, NULL) != SQLITE_OK)
		return log_error(ENOMEM, "cannot read %s: not enough memory", r->path);
	while (!err && (rc = sqlite3_step(tables)) == SQLITE_ROW)
		if (capture_table_since((const char *)sqlite3_column_text(tables, 0)) <= r->version)
			err = check_table(r, tables);
	if (!err && rc != SQLITE_DONE)
		err = log_error(ENOMEM, "cannot read %s: not enough memory", r->path);
	return err;
}

static int read_capture(struct reader *r, struct capture **out)
{
	sqlite3_int64 heap;
	int err;

	r->c = calloc(1, sizeof(*r->c));
	if (!r->c)
		return reader_no_memory(r);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &r->deadline);
	r->deadline.tv_sec += READ_SECONDS;
	heap = sqlite3_hard_heap_limit64(SQLITE_BYTES);
	err = open_capture(r);
	if (!err)
		err = check_tables(r);
	if (!err)
		err = reader_rows(r);
	if (!err)
		err = reader_levels(r);
	if (!err)
		err = reader_censuses(r);
	if (!err)
		err = reader_proofs(r);
	close_capture(r);
	sqlite3_hard_heap_limit64(heap);
	free(r->stack_text);
	if (err)
		capture_free(r->c);
	else
		*out = TAKE_PTR(r->c);
	return err;
}

int capture_read(const char *path, struct capture **out)
{
	struct reader r = {.path = path,
			   .place = PLACE_NONE,
			   .fd = -1,
			   .budget = READER_BUDGET,
			   .text = READER_TEXT_BUDGET,
			   .whole = true,
			   .from_s = NAN,
			   .to_s = NAN};

	return read_capture(&r, out);
}

int capture_read_part(const char *path, double from_s, double to_s, struct capture **out)
{
	struct reader r = {.path = path,
			   .place = PLACE_NONE,
			   .fd = -1,
			   .budget = READER_BUDGET,
			   .text = READER_TEXT_BUDGET,
			   .from_s = from_s,
			   .to_s = to_s};

	return read_capture(&r, out);
}
