/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Internals of the capture writer, shared by writer.c (the file), writer_rows.c and writer_levels.c
 * (the rows). No other file may include it.
 */
#ifndef KMEMTRACE_CAPTURE_WRITER_INTERNAL_H
#define KMEMTRACE_CAPTURE_WRITER_INTERNAL_H

#include <sqlite3.h>

#include "capture/format_internal.h"
#include "capture/intern.h"
#include "capture/writer_file.h"

/* One prepared INSERT each. Those of the levels follow after the last. */
enum insert {
	INSERT_META,
	INSERT_SNAPSHOT,
	INSERT_FRAME,
	INSERT_STACK,
	INSERT_STACK_FRAME,
	INSERT_CGROUP,
	INSERT_PROCESS,
	INSERT_CACHE,
	INSERT_CACHE_ALIAS,
	INSERT_HOOK,
	INSERT_INTERVAL,
	INSERT_HELD,
	INSERT_HELD_MISSED,
	INSERT_CHURN,
	INSERT_CHURN_VAR,
	INSERT_CACHE_CHURN,
	INSERT_LOSS,
	INSERT_CENSUS,
	INSERT_PROOF,
	INSERT_PROOF_REFERRER,
	INSERT_PROOF_HOLDER,
	INSERT_LEVEL_NAME,
	INSERT_LEVEL_ROW = INSERT_LEVEL_NAME + LEVEL_PARTS,
	INSERTS = INSERT_LEVEL_ROW + LEVEL_PARTS
};

/* The values last written for a name, so that only changes are stored. */
struct level_last {
	int64_t values[LEVEL_VALUES];
	uint32_t seen; /* the last snapshot that had it */
	bool gone;
};

struct level_state {
	struct intern names;
	ARRAY_OF(struct level_last) last; /* by name id; 0 unused */
};

struct capture_writer {
	sqlite3 *db;
	struct writer_file file;
	sqlite3_stmt *inserts[INSERTS];
	bool open;   /* a transaction is open */
	bool waited; /* a reader blocked a commit and the user was told */
	int failed;  /* −errno of the first failure; nothing is written after it */
	struct intern frames, stacks, caches, cgroups, processes;
	struct level_state levels[LEVEL_PARTS];
	uint32_t nr_snapshots, nr_checkpoints, nr_censuses, nr_proofs;
	double last_t_s; /* time of the last snapshot */
};

/* Print SQLite's last error once, and remember that writing failed. Returns −errno. */
int writer_fail(struct capture_writer *w);
/* The same for lack of memory. */
int writer_no_memory(struct capture_writer *w);

/* Does the reader accept this as an amount? */
static inline bool real_fits(double v)
{
	return v >= 0 && v <= CAPTURE_REAL_MAX; /* false for NaN */
}

/* Run SQL without result rows. Returns 0, or −errno after printing why. */
int writer_exec(struct capture_writer *w, const char *sql);

/*
 * One row to insert. insert_begin() opens a transaction if none is open; then each column is given,
 * in the order of the table; insert_end() inserts the row. An error sticks: insert_end() returns
 * the first one. Texts are borrowed until then; NULL is "".
 */
struct insert_row {
	struct capture_writer *w;
	sqlite3_stmt *stmt;
	int column; /* columns given so far */
	int err;
};

struct insert_row insert_begin(struct capture_writer *w, int insert);
/* The same with a statement of writer_prepare(), which the caller finalizes. */
struct insert_row insert_begin_with(struct capture_writer *w, sqlite3_stmt *stmt);
int writer_prepare(struct capture_writer *w, const char *table, int columns, sqlite3_stmt **stmt);
void insert_int(struct insert_row *row, int64_t value);
void insert_real(struct insert_row *row, double value);
void insert_null(struct insert_row *row);
/* A name, cut at CAPTURE_NAME_MAX bytes. */
void insert_name(struct insert_row *row, const char *name);
/* A short text that does not live until insert_end(). */
void insert_copy(struct insert_row *row, const char *text);
/* A command line or a fact, cut at CAPTURE_TEXT_MAX bytes. */
void insert_text(struct insert_row *row, const char *text);
/* Insert the row. Returns 0, or −errno after printing why. */
int insert_end(struct insert_row *row);

#endif
