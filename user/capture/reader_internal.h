/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The inside of the capture reader: reader.c opens and checks the file, reader_columns.c fetches
 * checked values, reader_rows.c and reader_levels.c turn tables into struct capture. Everything
 * here is hostile.
 */
#ifndef KMEMTRACE_CAPTURE_READER_INTERNAL_H
#define KMEMTRACE_CAPTURE_READER_INTERNAL_H

#include <sqlite3.h>
#include <time.h>

#include "capture/format_internal.h"
#include "capture/vfs.h"

struct reader {
	const char *path;
	struct place place; /* of the file itself, where `path` is a symbolic link to it */
	int fd;
	struct vfs *vfs;
	sqlite3 *db;
	struct capture *c; /* being filled; its arrays' capacities follow */
	size_t frames_cap, stacks_cap, caches_cap, processes_cap, cgroups_cap, hooks_cap,
		intervals_cap;
	struct timespec deadline;
	size_t budget;        /* bytes that what is read may still take, here and in the model: see
				 reader_cost.h */
	size_t text;          /* bytes that may still be printed for rows */
	uint32_t *stack_text; /* bytes of each stack when it is printed */
	bool whole; /* all intervals are wanted whole, else those nearest to these times (NaN: none)
		     */
	double from_s, to_s;

	/* the row at hand */
	sqlite3_stmt *stmt;
	const char *table;
	uint64_t row; /* from 1 */
	uint64_t max_rows;
	const char *bad; /* what is wrong with it, NULL: nothing so far */
	int bad_column;
	bool too_large; /* it may be right, but is beyond the budget */

	/* frames of the stack at hand */
	uint32_t stack, nr_frames, frames[CAPTURE_FRAMES_MAX];
	size_t frames_text;
};

/* Print "PATH is damaged (…)" and return −EBADMSG. */
int reader_damaged(struct reader *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same for the error SQLite reports, which may also be want of time or memory. */
int reader_sqlite_error(struct reader *r, const char *doing);

/*
 * Call `row` for each row of `table` in its order; it returns 0 or −errno, and may just set r->bad.
 */
int reader_each(struct reader *r, const char *table, int (*row)(struct reader *r, void *arg),
		void *arg);

/*
 * Values of the row at hand. A wrong type or a value outside sets r->bad and gives min, 0, false or
 * NULL.
 */
int64_t reader_int(struct reader *r, int column, int64_t min, int64_t max);
double reader_real(struct reader *r, int column, double min, double max);
bool reader_bool(struct reader *r, int column);
bool reader_null(struct reader *r, int column);
/* A copy the caller owns: a name, or what may be as long as CAPTURE_TEXT_MAX. */
char *reader_text(struct reader *r, int column);
char *reader_long_text(struct reader *r, int column);
/* Into a buffer; text that does not fit is bad. */
void reader_text_into(struct reader *r, int column, char *buf, size_t size);
enum pool reader_pool(struct reader *r, int column);
/* An id must be the next of a dense run: `expected`. */
void reader_next_id(struct reader *r, int column, size_t expected);

/* Print that memory is short, and return −ENOMEM. */
int reader_no_memory(struct reader *r);
/* Take n bytes from the budget; beyond it r->too_large is set. */
void reader_spend(struct reader *r, size_t n);
/* The same for what will be printed. */
void reader_spend_text(struct reader *r, size_t n);
/* Print that the capture is beyond the budget, and return −EFBIG. */
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

#endif
