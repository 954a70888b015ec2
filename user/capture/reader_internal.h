/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Internals of the capture reader: reader.c opens and checks the file, reader_columns.c fetches
 * checked values, reader_rows.c and reader_levels.c turn tables into struct capture. All input is
 * hostile: no value may be used unchecked.
 */
#ifndef KMEMTRACE_CAPTURE_READER_INTERNAL_H
#define KMEMTRACE_CAPTURE_READER_INTERNAL_H

#include <sqlite3.h>
#include <time.h>

#include "capture/format_internal.h"
#include "capture/vfs.h"

struct reader {
	const char *path;
	struct place place; /* place of the file itself, even if `path` is a symbolic link */
	int fd;
	struct vfs *vfs;
	sqlite3 *db;
	struct capture *c; /* being filled; the capacities of its arrays follow */
	size_t frames_cap, stacks_cap, caches_cap, processes_cap, cgroups_cap, hooks_cap,
		intervals_cap;
	int version; /* of the file's schema */
	struct timespec deadline;
	size_t budget;        /* bytes still available for what is read, here and in the model; see
				 reader_cost.h */
	size_t text;          /* bytes of text that rows may still print */
	uint32_t *stack_text; /* printed size of each stack */
	bool whole; /* read all intervals completely; else only those nearest to these times (NaN:
		       none) */
	double from_s, to_s;

	/* the current row */
	sqlite3_stmt *stmt;
	const char *table;
	uint64_t row; /* from 1 */
	uint64_t max_rows;
	const char *bad; /* its first fault; NULL: none so far */
	int bad_column;
	bool too_large; /* it may be valid, but exceeds the budget */

	/* frames of the current stack */
	uint32_t stack, nr_frames, frames[CAPTURE_FRAMES_MAX];
	size_t frames_text;
};

/* Print "PATH is damaged (…)" and return −EBADMSG. */
int reader_damaged(struct reader *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same for SQLite's own error, which may also be lack of time or memory. */
int reader_sqlite_error(struct reader *r, const char *doing);

/* Does the file have this table? Only for those that a capture may lack. */
bool reader_has(struct reader *r, const char *table);

/* Call `row` for each row of `table` in order. It returns 0 or −errno, or sets r->bad. */
int reader_each(struct reader *r, const char *table, int (*row)(struct reader *r, void *arg),
		void *arg);

/* Remember the first fault of the row; column −1: of the row as a whole. */
void reader_bad(struct reader *r, int column, const char *why);

/*
 * Values of the current row. A wrong type or a value out of range sets r->bad and returns min, 0,
 * false or NULL.
 */
int64_t reader_int(struct reader *r, int column, int64_t min, int64_t max);
double reader_real(struct reader *r, int column, double min, double max);
bool reader_bool(struct reader *r, int column);
bool reader_null(struct reader *r, int column);
/* A copy the caller owns: a name, or what may be as long as CAPTURE_TEXT_MAX. */
char *reader_text(struct reader *r, int column);
char *reader_long_text(struct reader *r, int column);
/* Copy into a buffer; text that does not fit sets r->bad. */
void reader_text_into(struct reader *r, int column, char *buf, size_t size);
enum pool reader_pool(struct reader *r, int column);
enum census_class reader_class(struct reader *r, int column);
/* An id must be the next of a dense run: `expected`. */
void reader_next_id(struct reader *r, int column, size_t expected);

/* Print that memory ran out, and return −ENOMEM. */
int reader_no_memory(struct reader *r);
/* Take n bytes from the budget; beyond it r->too_large is set. */
void reader_spend(struct reader *r, size_t n);
/* The same for text that will be printed. */
void reader_spend_text(struct reader *r, size_t n);
/* A row refers to this stack: its text is printed with each, and a diff has one copy of it. */
void reader_refer_stack(struct reader *r, uint32_t stack);
/* Print that the capture exceeds the budget, and return −EFBIG. */
int reader_too_large(struct reader *r);
/*
 * A new zeroed element at the end of an array with its capacity beside it, within the budget; or
 * NULL.
 */
void *reader_push(struct reader *r, void **items, size_t *nr, size_t *cap, size_t size);
#define READER_PUSH(r, items, nr, cap) \
	((__typeof__(items))reader_push(r, (void **)&(items), &(nr), &(cap), sizeof(*(items))))

int reader_rows(struct reader *r);
int reader_levels(struct reader *r);
int reader_censuses(struct reader *r);
int reader_proofs(struct reader *r);

#endif
