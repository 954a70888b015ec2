// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes a capture: creation, transactions, the end. writer_rows.c and writer_levels.c write the
 * rows, writer_file.c handles the file itself.
 *
 * It uses a rollback journal, not WAL: between two commits, the capture is one complete file.
 * Nothing is written into it before COMMIT (cache_spill off), and a COMMIT takes milliseconds. Only
 * if kill -9 falls into a COMMIT, a journal is left; the reader can roll it back in a copy. With
 * synchronous=OFF, a killed process loses nothing that was committed, but a power cut can lose it.
 * capture_finish() syncs.
 *
 * SQLite obeys a journal that lies beside the file, and a forged one can make it delete files. Here
 * it sees no journal but the one it made itself, in the directory where the file was made: see
 * vfs.c.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/vformat.h"
#include "capture/writer_internal.h"

#define TICK_WAIT_MS   200   /* wait this long for a reader if another commit follows soon */
#define FINISH_WAIT_MS 30000 /* wait this long if none follows */

static const struct {
	const char *table;
	int columns;
} insert_forms[INSERT_LEVEL_NAME] = {
	[INSERT_META] = {"meta", 2},
	[INSERT_SNAPSHOT] = {"snapshot", 10},
	[INSERT_FRAME] = {"frame", 5},
	[INSERT_STACK] = {"stack", 2},
	[INSERT_STACK_FRAME] = {"stack_frame", 3},
	[INSERT_CGROUP] = {"cgroup", 2},
	[INSERT_PROCESS] = {"process", 5},
	[INSERT_CACHE] = {"cache", 7},
	[INSERT_CACHE_ALIAS] = {"cache_alias", 2},
	[INSERT_HOOK] = {"hook", 5},
	[INSERT_INTERVAL] = {"interval", 3},
	[INSERT_HELD] = {"held", 14 + AGE_BUCKETS},
	[INSERT_HELD_MISSED] = {"held_missed", 3},
	[INSERT_CHURN] = {"churn", 9},
	[INSERT_CHURN_VAR] = {"churn_var", 3},
	[INSERT_CACHE_CHURN] = {"cache_churn", 5},
	[INSERT_LOSS] = {"loss", 3},
	[INSERT_CENSUS] = {"census", 17},
	[INSERT_PROOF] = {"proof", 30},
	[INSERT_PROOF_REFERRER] = {"proof_referrer", 9},
	[INSERT_PROOF_HOLDER] = {"proof_holder", 8},
};

static int sqlite_errno(sqlite3 *db)
{
	int sys = 0;

	/* Use the file's last errno first: a rollback may already have changed the connection's. */
	sqlite3_file_control(db, "main", SQLITE_FCNTL_LAST_ERRNO, &sys);
	if (!sys)
		sys = sqlite3_system_errno(db);
	switch (sqlite3_errcode(db)) {
	case SQLITE_FULL:
		return ENOSPC;
	case SQLITE_NOMEM:
		return ENOMEM;
	case SQLITE_BUSY:
		return EBUSY;
	case SQLITE_READONLY:
		return EROFS;
	default:
		return sys > 0 ? sys : EIO;
	}
}

int writer_fail(struct capture_writer *w)
{
	int err = sqlite_errno(w->db);

	if (w->failed)
		return w->failed;
	w->failed = -err;
	if (err == EFBIG)
		return log_error(
			err,
			"cannot write %s: it would exceed the limit on file size; raise it with ulimit -f, or record less",
			w->file.path);
	if (err == ENOSPC || err == EDQUOT)
		return log_error(
			err,
			"cannot write %s: %s; free some space or record to another place with -o",
			w->file.path, strerror(err));
	if (err == EBUSY)
		return log_error(err,
				 "cannot write %s: another program keeps it open; close that and "
				 "record anew",
				 w->file.path);
	return log_error(err, "cannot write %s: %s (%s); record to another place with -o",
			 w->file.path, strerror(err),
			 sqlite3_errstr(sqlite3_extended_errcode(w->db)));
}

int writer_no_memory(struct capture_writer *w)
{
	if (!w->failed)
		w->failed = log_error(ENOMEM, "cannot write %s: not enough memory", w->file.path);
	return w->failed;
}

int writer_exec(struct capture_writer *w, const char *sql)
{
	return sqlite3_exec(w->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : writer_fail(w);
}

static int writer_begin(struct capture_writer *w)
{
	int err;

	if (w->failed || w->open)
		return w->failed;
	err = writer_exec(w, "BEGIN");
	w->open = !err;
	return err;
}

struct insert_row insert_begin_with(struct capture_writer *w, sqlite3_stmt *stmt)
{
	return (struct insert_row){.w = w, .stmt = stmt, .err = writer_begin(w)};
}

struct insert_row insert_begin(struct capture_writer *w, int insert)
{
	return insert_begin_with(w, w->inserts[insert]);
}

static void insert_bound(struct insert_row *row, int rc)
{
	if (rc != SQLITE_OK && !row->err)
		row->err = writer_fail(row->w);
}

void insert_int(struct insert_row *row, int64_t value)
{
	insert_bound(row, sqlite3_bind_int64(row->stmt, ++row->column, value));
}

void insert_real(struct insert_row *row, double value)
{
	insert_bound(row, sqlite3_bind_double(row->stmt, ++row->column, value));
}

void insert_null(struct insert_row *row)
{
	insert_bound(row, sqlite3_bind_null(row->stmt, ++row->column));
}

static void insert_cut(struct insert_row *row, const char *text, size_t max)
{
	size_t len = text ? strnlen(text, max) : 0;

	insert_bound(row, sqlite3_bind_text(row->stmt, ++row->column, text ? text : "", (int)len,
					    SQLITE_STATIC));
}

void insert_copy(struct insert_row *row, const char *text)
{
	insert_bound(row, sqlite3_bind_text(row->stmt, ++row->column, text, -1, SQLITE_TRANSIENT));
}

void insert_name(struct insert_row *row, const char *name)
{
	insert_cut(row, name, CAPTURE_NAME_MAX);
}

void insert_text(struct insert_row *row, const char *text)
{
	insert_cut(row, text, CAPTURE_TEXT_MAX);
}

int insert_end(struct insert_row *row)
{
	int columns = sqlite3_bind_parameter_count(row->stmt);

	/* All columns must be given: for a missing one, SQLite would use the value of the previous
	 * row. */
	if (!row->err && row->column != columns)
		row->err = row->w->failed =
			log_error(EINVAL, "a row of %d columns has %d (a bug in kmemtrace)",
				  columns, row->column);
	if (!row->err && sqlite3_step(row->stmt) != SQLITE_DONE)
		row->err = writer_fail(row->w);
	sqlite3_reset(row->stmt);
	return row->err;
}

/*
 * Commit. If a reader blocks it and `last` is false, returns 0 without committing; w->open then
 * stays true.
 */
static int commit_rows(struct capture_writer *w, int wait_ms, bool last)
{
	if (w->failed || !w->open)
		return w->failed;
	sqlite3_busy_timeout(w->db, wait_ms);
	if (sqlite3_exec(w->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK) {
		w->open = false;
		return 0;
	}
	if (sqlite3_errcode(w->db) != SQLITE_BUSY || last)
		return writer_fail(w);
	/*
	 * A reader blocks the commit: the transaction stays open and the next commit includes it.
	 */
	if (!w->waited)
		log_warn("%s is being read by another program: writing to it waits", w->file.path);
	w->waited = true;
	return 0;
}

/* The same, then name the file if it has no name yet, and check that it is still at its path. */
static int commit_within(struct capture_writer *w, int wait_ms, bool last)
{
	int err = commit_rows(w, wait_ms, last);

	if (err || w->open)
		return err;
	w->failed = writer_file_publish(&w->file) ?: writer_file_check(&w->file, false);
	return w->failed;
}

int capture_put_meta(struct capture_writer *w, const char *key, const char *value)
{
	struct insert_row row = insert_begin(w, INSERT_META);

	insert_name(&row, key);
	insert_text(&row, value);
	return insert_end(&row);
}

int capture_put_metaf(struct capture_writer *w, const char *key, const char *fmt, ...)
{
	_cleanup_free_ char *value = NULL;
	va_list ap;

	va_start(ap, fmt);
	value = vformat(fmt, ap);
	va_end(ap);
	return value ? capture_put_meta(w, key, value) : writer_no_memory(w);
}

int capture_commit(struct capture_writer *w)
{
	return commit_within(w, TICK_WAIT_MS, false);
}

int capture_commit_unnamed(struct capture_writer *w)
{
	return commit_rows(w, TICK_WAIT_MS, false);
}

/* ---- creation ---- */

int writer_prepare(struct capture_writer *w, const char *table, int columns, sqlite3_stmt **stmt)
{
	char sql[256];
	size_t len;

	len = snprintf(sql, sizeof(sql), "%s INTO %s VALUES (?",
		       strcmp(table, "meta") ? "INSERT" : "REPLACE", table);
	for (int c = 1; c < columns; c++)
		len += snprintf(sql + len, sizeof(sql) - len, ",?");
	snprintf(sql + len, sizeof(sql) - len, ")");
	return sqlite3_prepare_v3(w->db, sql, -1, SQLITE_PREPARE_PERSISTENT, stmt, NULL) ==
			       SQLITE_OK
		       ? 0
		       : writer_fail(w);
}

static int prepare_inserts(struct capture_writer *w)
{
	char table[64];
	int err = 0;

	for (int i = 0; i < INSERT_LEVEL_NAME && !err; i++)
		err = writer_prepare(w, insert_forms[i].table, insert_forms[i].columns,
				     &w->inserts[i]);
	for (int part = 0; part < LEVEL_PARTS && !err; part++) {
		const struct level_form *form = &level_forms[part];

		snprintf(table, sizeof(table), "%s_name", form->name);
		err = writer_prepare(w, table, 2 + form->nr_dims,
				     &w->inserts[INSERT_LEVEL_NAME + part]);
		snprintf(table, sizeof(table), "%s_level", form->name);
		if (!err)
			err = writer_prepare(w, table, 1 + form->nr_values,
					     &w->inserts[INSERT_LEVEL_ROW + part]);
	}
	return err;
}

static int writer_open_database(struct capture_writer *w)
{
	char pragmas[256];
	int err;

	if (vfs_open(w->file.vfs, &w->db) != SQLITE_OK)
		return w->db ? writer_fail(w) : writer_no_memory(w);
	sqlite3_extended_result_codes(w->db, 1);
	snprintf(pragmas, sizeof(pragmas),
		 "PRAGMA synchronous=OFF; PRAGMA cache_spill=OFF; BEGIN;"
		 "PRAGMA application_id=%d; PRAGMA user_version=%d",
		 CAPTURE_APPLICATION_ID, CAPTURE_SCHEMA_VERSION);
	err = writer_exec(w, pragmas);
	if (!err)
		err = writer_exec(w, capture_schema);
	if (!err)
		err = writer_exec(w, "INSERT INTO meta VALUES ('" META_COMPLETE "', '0'); COMMIT");
	if (!err)
		err = prepare_inserts(w);
	return err;
}

static void writer_close_database(struct capture_writer *w)
{
	for (int i = 0; i < INSERTS; i++)
		sqlite3_finalize(w->inserts[i]);
	sqlite3_close(w->db); /* rolls back what is open */
	w->db = NULL;
}

static void writer_free(struct capture_writer *w)
{
	writer_file_close(&w->file);
	intern_free(&w->frames);
	intern_free(&w->stacks);
	intern_free(&w->caches);
	intern_free(&w->cgroups);
	intern_free(&w->processes);
	for (int part = 0; part < LEVEL_PARTS; part++) {
		intern_free(&w->levels[part].names);
		ARRAY_FREE(&w->levels[part].last);
	}
	free(w);
}

int capture_writer_new(const char *path, bool overwrite, struct capture_writer **out)
{
	struct capture_writer *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return log_error(ENOMEM, "cannot write %s: not enough memory", path);
	err = writer_file_new(path, overwrite, &w->file);
	if (!err)
		err = writer_open_database(w);
	if (err)
		capture_writer_discard(w);
	else
		*out = w;
	return err;
}

/* ---- the end ---- */

static int writer_finish(struct capture_writer *w)
{
	int err = commit_within(w, FINISH_WAIT_MS, true);

	if (!err)
		err = writer_exec(w, "PRAGMA synchronous=FULL");
	if (!err)
		err = capture_put_meta(w, META_COMPLETE, "1");
	return err ? err : commit_rows(w, FINISH_WAIT_MS, true);
}

int capture_finish(struct capture_writer *w)
{
	int err = writer_finish(w);

	writer_close_database(w);
	if (!err)
		err = writer_file_check(&w->file, true);
	if (err != -ESTALE)
		writer_file_hand_over(&w->file);
	writer_free(w);
	return err;
}

void capture_writer_free(struct capture_writer *w)
{
	if (!w)
		return;
	commit_within(w, TICK_WAIT_MS, true);
	writer_close_database(w);
	if (w->failed != -ESTALE)
		writer_file_hand_over(&w->file);
	writer_free(w);
}

void capture_writer_discard(struct capture_writer *w)
{
	if (!w)
		return;
	writer_close_database(w);
	writer_file_remove(&w->file);
	writer_free(w);
}
