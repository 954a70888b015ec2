/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the fuzzers share: a file of hostile bytes, documents that are checked after they are
 * rendered, and reports, comparisons and balance sheets made as the commands make them. A document
 * that breaks a promise ends the program, as a crash does: docs/fuzzing.md lists the promises.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "model/balance.h"
#include "model/growth.h"
#include "model/view.h"

/* Messages of the tool go nowhere from here on; those of the sanitizers stay. */
void fuzz_quiet(void);
/* Print why, and abort. */
__attribute__((noreturn, format(printf, 1, 2))) void fuzz_die(const char *fmt, ...);

/* Between the two no more CPU time may pass than FUZZ_SECONDS: time on the clock says nothing on a
 * busy machine. */
#define FUZZ_SECONDS 20
void fuzz_clock_start(void);
void fuzz_clock_check(void);

/* A file in $TMPDIR (or /tmp) that is removed at exit. The path lives as long as the program. */
const char *fuzz_file(const char *name);
void fuzz_write(const char *path, const void *data, size_t size);

/* A document in memory: write to the stream, then let one of the checks close it. */
struct fuzz_document {
	FILE *f;
	char *text;
	size_t size;
};
FILE *fuzz_document_open(struct fuzz_document *d);
/* No figure is NaN or infinite, nothing but text and newlines (and colours, and UTF-8, if asked
 * for). */
void fuzz_check_text(struct fuzz_document *d, bool colour, bool utf8);
/*
 * Valid JSON in ASCII, and no size, count or duration below 0. With FUZZ_KEEP=DIR it is kept as
 * DIR/COMMAND-N, for scripts/check-json.py.
 */
void fuzz_check_json(struct fuzz_document *d, const char *command);

/* How documents are shown: from a byte of the input. */
struct fuzz_show {
	enum growth_by by;
	bool colour, utf8, all;
	size_t top;
};
struct fuzz_show fuzz_show_of(uint8_t a, uint8_t b);

/* All that the commands do with a view, text and JSON. */
void fuzz_report(const struct view *v, const struct fuzz_show *show);
void fuzz_balance(const struct view *v, const struct fuzz_show *show);
/* `set`: compare with a base set of which `base` is the one capture. */
void fuzz_diff(const struct view *base, const struct view *new_, const struct fuzz_show *show,
	       bool set);
/* The sheet of one moment, as `balance` makes it of /proc. */
void fuzz_balance_now(const struct snapshot *s, const struct unlisted *unlisted,
		      const struct fuzz_show *show);

#endif
