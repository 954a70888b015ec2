/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The inside of a capture writer, shared by writer.c (the file), writer_rows.c and writer_levels.c
 * (the rows).
 */
#ifndef KMEMTRACE_CAPTURE_WRITER_INTERNAL_H
#define KMEMTRACE_CAPTURE_WRITER_INTERNAL_H

#include <sqlite3.h>

#include "capture/format_internal.h"
#include "capture/intern.h"
#include "capture/writer_file.h"

/* One INSERT, prepared once. The levels' own follow after the last. */
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
	INSERT_CHURN,
	INSERT_CACHE_CHURN,
	INSERT_LOSS,
	INSERT_LEVEL_NAME,
	INSERT_LEVEL_ROW = INSERT_LEVEL_NAME + LEVEL_PARTS,
	INSERTS = INSERT_LEVEL_ROW + LEVEL_PARTS
};

/* What a part's name had when it was last written, to store only what changed. */
struct level_last {
	int64_t values[LEVEL_VALUES];
	uint32_t seen; /* the last snapshot it was in */
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
	bool waited; /* a reader kept a commit from happening, and the user was told */
	int failed;  /* −errno of the first failure; nothing is written after it */
	struct intern frames, stacks, caches, cgroups, processes;
	struct level_state levels[LEVEL_PARTS];
	uint32_t nr_snapshots, nr_checkpoints;
	double last_t_s; /* of the last snapshot */
};

/* Say once that writing failed, by SQLite's own last error, and remember it. Returns −errno. */
int writer_fail(struct capture_writer *w);
/* The same for memory. */
int writer_no_memory(struct capture_writer *w);

/* Run SQL that gives no rows. 0 or −errno, which has been said. */
int writer_exec(struct capture_writer *w, const char *sql);

/*
 * Insert one row, in a transaction opened if none is. `types` has a letter a column: i int64_t, t
 * const char * (cut at CAPTURE_NAME_MAX, NULL is ""), T the same cut at CAPTURE_TEXT_MAX, r double,
 * 0 NULL, A const double[AGE_BUCKETS].
 */
int writer_insert(struct capture_writer *w, int insert, const char *types, ...);

#endif
