// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opening a capture that anyone may have made. SQLite is told to trust nothing in it; the tables
 * must be the very ones of schema.sql, to the letter, so no view, trigger, generated column or
 * virtual table can stand in for one; each is checked by quick_check before a row is read; time and
 * memory are bounded.
 *
 * A recording killed in mid-commit leaves a journal beside the file. SQLite will not roll it back
 * on a read-only connection, and should not: a forged journal can name files to delete. It is
 * rolled back in a private copy, after a look at its end, where such a name would be.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "capture/reader_internal.h"
#include "capture/reader_cost.h"

#define READ_SECONDS 20 /* of CPU time: a host in trouble takes long for anything */
#define SQLITE_BYTES (64LL << 20)
#define PROGRESS_STEPS                                                            \
	20000 /* virtual machine steps between two looks at the clock: about 1 ms \
	       */

/* ---- the file itself ---- */

static int header_error(const char *path, enum capture_header header)
{
	switch (header) {
	case HEADER_CAPTURE:
		return 0;
	case HEADER_EMPTY:
		return log_error(
			EBADMSG,
			"%s is empty: its recording was killed before it began; record anew", path);
	case HEADER_NOT_SQLITE:
	case HEADER_NO_CAPTURE:
		return log_error(
			EBADMSG,
			"%s is not a capture: give a file that kmemtrace record has written", path);
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

static int check_file(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	uint8_t head[100];
	struct stat st;
	ssize_t len;

	if (fd < 0 || fstat(fd, &st))
		return log_error(errno, "cannot read %s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return log_error(EBADMSG, "%s is not a capture: it is no regular file", path);
	len = pread(fd, head, sizeof(head), 0);
	if (len < 0)
		return log_error(errno, "cannot read %s: %s", path, strerror(errno));
	return header_error(path, capture_header_check(head, len));
}

/* ---- a connection that trusts nothing ---- */

static int out_of_time(void *arg)
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
	sqlite3_progress_handler(r->db, PROGRESS_STEPS, out_of_time, r);
}

/* Open and touch the file: from here on one read transaction holds. Returns SQLite's code. */
static int open_database(struct reader *r, const char *path, int flags)
{
	_cleanup_free_ char *safe = capture_sqlite_path(path);
	int rc = safe ? sqlite3_open_v2(safe, &r->db, flags | SQLITE_OPEN_NOMUTEX, NULL)
		      : SQLITE_NOMEM;

	if (rc != SQLITE_OK)
		return rc;
	distrust(r);
	return sqlite3_exec(
		r->db,
		"PRAGMA cell_size_check=ON; PRAGMA mmap_size=0; BEGIN; SELECT 1 FROM sqlite_master",
		NULL, NULL, NULL);
}

static void close_database(struct reader *r)
{
	sqlite3_close(r->db);
	r->db = NULL;
}

/* ---- a killed recording's journal ---- */

/*
 * Does the journal end in the name of a super-journal, which rolling back would have SQLite delete?
 */
static bool names_another_file(int fd)
{
	static const uint8_t magic[8] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};
	uint8_t tail[8];
	off_t size = lseek(fd, 0, SEEK_END);

	return size >= 8 && (pread(fd, tail, 8, size - 8) != 8 || !memcmp(tail, magic, 8));
}

static int copy_file(const char *from, const char *to)
{
	_cleanup_close_ int in = open(from, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	_cleanup_close_ int out = -1;
	struct stat st;
	off_t at = 0;
	ssize_t n;

	if (in < 0 || fstat(in, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EBADMSG;
	out = open(to, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0)
		return -errno;
	while ((n = sendfile(out, in, &at, 64 << 20)) > 0)
		;
	if (n < 0)
		return -errno;
	return names_another_file(out) ? -EBADMSG : 0;
}

static int copy_and_open(struct reader *r, const char *copy, const char *copy_journal)
{
	_cleanup_free_ char *journal = capture_journal_path(r->path);
	int err = journal ? copy_file(r->path, copy) : -ENOMEM;

	if (!err)
		err = copy_file(journal, copy_journal);
	if (err == -EBADMSG)
		return reader_damaged(r, "the journal beside it is not one of a recording");
	if (err)
		return log_error(-err,
				 "cannot read %s: its recording was killed in mid-write, and to "
				 "roll that back the file "
				 "and its -journal are copied to $TMPDIR: %s",
				 r->path, strerror(-err));
	if (open_database(r, copy, SQLITE_OPEN_READWRITE) != SQLITE_OK)
		return reader_sqlite_error(r, "rolling back its journal");
	return 0;
}

static int open_rolled_back(struct reader *r)
{
	const char *tmp = secure_getenv("TMPDIR");
	char dir[PATH_MAX], copy[PATH_MAX + 8], journal[PATH_MAX + 16];
	int err;

	snprintf(dir, sizeof(dir), "%s/kmemtrace.XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(dir))
		return log_error(errno, "cannot make a temporary directory %s: %s; set TMPDIR", dir,
				 strerror(errno));
	snprintf(copy, sizeof(copy), "%s/copy", dir);
	snprintf(journal, sizeof(journal), "%s-journal", copy);
	err = copy_and_open(r, copy, journal);
	unlink(copy); /* what is open stays readable */
	unlink(journal);
	rmdir(dir);
	return err;
}

static int open_capture(struct reader *r)
{
	char wal[PATH_MAX];
	int rc;

	if ((size_t)snprintf(wal, sizeof(wal), "%s-wal", r->path) < sizeof(wal) &&
	    !access(wal, F_OK))
		return reader_damaged(
			r,
			"a -wal file lies beside it, which no recording leaves: remove that first");
	rc = open_database(r, r->path, SQLITE_OPEN_READONLY);
	if (rc == SQLITE_OK)
		return 0;
	if (rc == SQLITE_READONLY_ROLLBACK) {
		close_database(r);
		return open_rolled_back(r);
	}
	return r->db ? reader_sqlite_error(r, "opening it")
		     : log_error(ENOMEM, "cannot read %s: not enough memory", r->path);
}

/* ---- is it what schema.sql says, and whole? ---- */

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
		err = check_table(r, tables);
	if (!err && rc != SQLITE_DONE)
		err = log_error(ENOMEM, "cannot read %s: not enough memory", r->path);
	return err;
}

static int read_capture(struct reader *r, struct capture **out)
{
	sqlite3_int64 heap;
	int err = check_file(r->path);

	if (err)
		return err;
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
	close_database(r);
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
			   .budget = READER_BUDGET,
			   .text = READER_TEXT_BUDGET,
			   .from_s = from_s,
			   .to_s = to_s};

	return read_capture(&r, out);
}
