// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checked access to the values of a hostile database: checks type, range and length of each value
 * before use, and keeps a budget on what all rows together may allocate. See reader_internal.h.
 */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bounds.h"
#include "base/log.h"
#include "capture/census_tables_internal.h"
#include "capture/proof_internal.h"
#include "capture/reader_internal.h"
#include "capture/reader_cost.h"

int reader_damaged(struct reader *r, const char *fmt, ...)
{
	char what[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return log_error(
		EBADMSG,
		"%s is damaged (%s): copy it again from where it was recorded, or record anew",
		r->path, what);
}

int reader_no_memory(struct reader *r)
{
	return log_error(ENOMEM, "cannot read %s: not enough memory%s", r->path,
			 bounds_memory_hint());
}

int reader_sqlite_error(struct reader *r, const char *doing)
{
	int rc = sqlite3_extended_errcode(r->db);

	switch (rc & 0xff) {
	case SQLITE_INTERRUPT:
		return reader_damaged(r, "reading it takes far longer than any capture should");
	case SQLITE_NOMEM:
		return reader_no_memory(r);
	case SQLITE_BUSY:
		return log_error(EBUSY,
				 "%s is being recorded now: read it when the recording has ended",
				 r->path);
	case SQLITE_IOERR:
		return log_error(EIO, "cannot read %s: %s", r->path, sqlite3_errstr(rc));
	default:
		return reader_damaged(r, "%s: %s", doing, sqlite3_errstr(rc));
	}
}

static int one_row(struct reader *r, int (*row)(struct reader *r, void *arg), void *arg)
{
	int err;

	if (r->row++ >= r->max_rows)
		return log_error(
			EFBIG,
			"%s has more than %llu rows in table %s, which no recording makes: copy it again "
			"from where it was recorded, or record anew",
			r->path, (unsigned long long)r->max_rows, r->table);
	r->bad = NULL;
	r->bad_column = -1;
	err = row(r, arg);
	if (!err && r->too_large)
		return reader_too_large(r);
	if (err || !r->bad)
		return err;
	return reader_damaged(r, "table %s, row %llu%s%s: %s", r->table, (unsigned long long)r->row,
			      r->bad_column < 0 ? "" : ", ",
			      r->bad_column < 0 ? "" : sqlite3_column_name(r->stmt, r->bad_column),
			      r->bad);
}

/*
 * Row limits. Tables that are long in a long recording use little or no memory per row; the budget
 * bounds those.
 */
static uint64_t rows_max(const char *table)
{
	static const char *const many[] = {"held",      "held_missed", "churn",
					   "churn_var", "cache_churn", "loss"},
				 *const few[] = {"meta", "hook"};
	const struct census_form *form = census_form_of(table);

	if (!strcmp(table, "proof"))
		return PROOFS_MAX;
	if (!strncmp(table, "proof_", strlen("proof_")))
		return (uint64_t)PROOFS_MAX * PROOF_ROWS_MAX;
	if (!strcmp(table, "census") || !strcmp(table, "census_lenses"))
		return CENSUS_MOMENTS;
	if (!strcmp(table, "census_lens"))
		return (uint64_t)CENSUS_MOMENTS * LENSES;
	if (!strcmp(table, "census_line") || !strcmp(table, "census_page"))
		return (uint64_t)CENSUS_MOMENTS * CENSUS_LINES_MAX;
	if (form)
		return CENSUS_MOMENTS * form->rows_max;
	for (size_t i = 0; i < sizeof(few) / sizeof(few[0]); i++)
		if (!strcmp(table, few[i]))
			return CAPTURE_FACTS_MAX;
	for (size_t i = 0; i < sizeof(many) / sizeof(many[0]); i++)
		if (!strcmp(table, many[i]))
			return 64ULL * CAPTURE_ROWS_MAX;
	return strstr(table, "_level") ? 64ULL * CAPTURE_ROWS_MAX : CAPTURE_ROWS_MAX;
}

bool reader_has(struct reader *r, const char *table)
{
	return !sqlite3_table_column_metadata(r->db, "main", table, NULL, NULL, NULL, NULL, NULL,
					      NULL);
}

int reader_each(struct reader *r, const char *table, int (*row)(struct reader *r, void *arg),
		void *arg)
{
	char sql[128];
	int rc = SQLITE_OK, err = 0;

	snprintf(sql, sizeof(sql), "SELECT * FROM main.%s NOT INDEXED", table);
	if (sqlite3_prepare_v2(r->db, sql, -1, &r->stmt, NULL) != SQLITE_OK)
		return reader_sqlite_error(r, table);
	r->table = table;
	r->row = 0;
	r->max_rows = rows_max(table);
	while (!err && (rc = sqlite3_step(r->stmt)) == SQLITE_ROW)
		err = one_row(r, row, arg);
	if (!err && rc != SQLITE_DONE)
		err = reader_sqlite_error(r, table);
	sqlite3_finalize(r->stmt);
	r->stmt = NULL;
	return err;
}

void reader_bad(struct reader *r, int column, const char *why)
{
	if (r->bad)
		return;
	r->bad = why;
	r->bad_column = column;
}

/*
 * Get a value once, and then its type and content: half the time of the two sqlite3_column_…()
 * calls that do the same. SQLite allows this only without mutexes (see "protected" sqlite3_value),
 * and vfs_open() switches them off.
 */
int64_t reader_int(struct reader *r, int column, int64_t min, int64_t max)
{
	sqlite3_value *value = sqlite3_column_value(r->stmt, column);
	int64_t v = sqlite3_value_int64(value);

	if (sqlite3_value_type(value) != SQLITE_INTEGER)
		reader_bad(r, column, "not an integer");
	else if (v < min || v > max)
		reader_bad(r, column, "out of range");
	else
		return v;
	return min;
}

double reader_real(struct reader *r, int column, double min, double max)
{
	sqlite3_value *value = sqlite3_column_value(r->stmt, column);
	double v = sqlite3_value_double(value);

	if (sqlite3_value_type(value) != SQLITE_FLOAT)
		reader_bad(r, column, "not a real number");
	else if (!(v >= min && v <= max))
		reader_bad(r, column, "out of range");
	else
		return v;
	return 0;
}

bool reader_bool(struct reader *r, int column)
{
	return reader_int(r, column, 0, 1);
}

bool reader_null(struct reader *r, int column)
{
	return sqlite3_column_type(r->stmt, column) == SQLITE_NULL;
}

/* The text and its length, or NULL. The text belongs to SQLite. */
static const char *checked_text(struct reader *r, int column, size_t *len)
{
	const char *text;

	if (sqlite3_column_type(r->stmt, column) != SQLITE_TEXT) {
		reader_bad(r, column, "not a text");
		return NULL;
	}
	text = (const char *)sqlite3_column_text(r->stmt, column);
	*len = sqlite3_column_bytes(r->stmt, column);
	if (!text || *len > CAPTURE_TEXT_MAX)
		reader_bad(r, column, "too long");
	else if (strlen(text) != *len)
		reader_bad(r, column, "holds a NUL");
	else
		return text;
	return NULL;
}

static char *copy_text(struct reader *r, int column, size_t max)
{
	const char *text;
	char *copy;
	size_t len;

	if (r->bad || r->too_large)
		return NULL;
	text = checked_text(r, column, &len);
	if (!text)
		return NULL;
	if (len > max) {
		reader_bad(r, column, "too long");
		return NULL;
	}
	reader_spend(r, len + COST_STRING);
	if (r->too_large)
		return NULL;
	copy = strdup(text);
	if (!copy)
		reader_bad(r, column, "not enough memory for it");
	return copy;
}

char *reader_text(struct reader *r, int column)
{
	return copy_text(r, column, CAPTURE_NAME_MAX);
}

char *reader_long_text(struct reader *r, int column)
{
	return copy_text(r, column, CAPTURE_TEXT_MAX);
}

void reader_text_into(struct reader *r, int column, char *buf, size_t size)
{
	size_t len = 0;
	const char *text = checked_text(r, column, &len);

	if (text && len < size)
		memcpy(buf, text, len + 1);
	else
		reader_bad(r, column, "too long");
}

enum pool reader_pool(struct reader *r, int column)
{
	enum pool pool = POOL_SLAB;
	char name[16] = "";

	reader_text_into(r, column, name, sizeof(name));
	if (!r->bad && pool_parse(name, &pool))
		reader_bad(r, column, "no such pool");
	return pool;
}

enum census_class reader_class(struct reader *r, int column)
{
	enum census_class class = CENSUS_FREE;
	char name[32] = "";

	reader_text_into(r, column, name, sizeof(name));
	if (!r->bad && census_class_parse(name, &class))
		reader_bad(r, column, "no such class of pages");
	return class;
}

void reader_next_id(struct reader *r, int column, size_t expected)
{
	if (reader_int(r, column, 1, INT64_MAX) != (int64_t)expected)
		reader_bad(r, column, "not the next id");
}

int reader_too_large(struct reader *r)
{
	bool text = !r->text;

	return log_error(
		EFBIG,
		"%s needs more than the %d MiB of %s that kmemtrace allows one capture, far "
		"more than a recording of the largest hosts (at row %llu of table %s): look "
		"into it with sqlite3, or record anew with a smaller --max-size",
		r->path, (text ? READER_TEXT_BUDGET : READER_BUDGET) >> 20,
		text ? "names and call paths to print" : "memory", (unsigned long long)r->row,
		r->table ? r->table : "?");
}

static void spend(struct reader *r, size_t *from, size_t n)
{
	r->too_large |= n > *from;
	*from -= n > *from ? *from : n;
}

void reader_spend(struct reader *r, size_t n)
{
	spend(r, &r->budget, n);
}

void reader_spend_text(struct reader *r, size_t n)
{
	spend(r, &r->text, n);
}

void *reader_push(struct reader *r, void **items, size_t *nr, size_t *cap, size_t size)
{
	size_t before = *cap;
	char *p;

	if (*nr >= *cap) {
		if (r->budget < (before + 16) * size) {
			r->too_large = true;
			return NULL;
		}
		if (array_grow(items, cap, size, *nr + 1)) {
			reader_bad(r, -1, "not enough memory for it");
			return NULL;
		}
		reader_spend(r, (*cap - before) * size);
	}
	p = (char *)*items + (*nr)++ * size;
	memset(p, 0, size);
	return p;
}
