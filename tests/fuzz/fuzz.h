/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Code that the fuzzers share: a file of hostile bytes, checks of rendered documents, and reports,
 * comparisons and balance sheets as the commands make them. A document that breaks a promise ends
 * the program like a crash; docs/fuzzing.md lists the promises.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "data/oom_report.h"
#include "model/balance.h"
#include "model/growth.h"
#include "model/view.h"

/* Discard messages of the tool from now on, but not those of the sanitizers. */
void fuzz_quiet(void);
/* Print the reason and abort. */
__attribute__((noreturn, format(printf, 1, 2))) void fuzz_die(const char *fmt, ...);

/* At most FUZZ_SECONDS of CPU time may pass between these two. Wall-clock time is useless on a busy
 * machine. */
#define FUZZ_SECONDS 20
void fuzz_clock_start(void);
void fuzz_clock_check(void);

/* Create a file in $TMPDIR (or /tmp), which is removed at exit. The path stays valid until then. */
const char *fuzz_file(const char *name);
void fuzz_write(const char *path, const void *data, size_t size);

/* A document in memory: write to the stream, then one of the checks closes it. */
struct fuzz_document {
	FILE *f;
	char *text;
	size_t size;
};
FILE *fuzz_document_open(struct fuzz_document *d);
/* Check that no figure is NaN or infinite, and that there is only text and newlines (and colours
 * and UTF-8, if requested). */
void fuzz_check_text(struct fuzz_document *d, bool colour, bool utf8);
/*
 * Check for valid JSON in ASCII, without a size, count or duration below 0. With FUZZ_KEEP=DIR,
 * keep it as DIR/COMMAND-N, for scripts/check-json.py.
 */
void fuzz_check_json(struct fuzz_document *d, const char *command);

/* Options of a document, taken from a byte of the input. */
struct fuzz_show {
	enum growth_by by;
	bool colour, utf8, all;
	size_t top;
};
struct fuzz_show fuzz_show_of(uint8_t a, uint8_t b);

/* Do all that the commands do with a view, as text and JSON. */
void fuzz_report(const struct view *v, const struct fuzz_show *show);
void fuzz_balance(const struct view *v, const struct fuzz_show *show);
/* `set`: compare with a base set whose only capture is `base`. */
void fuzz_diff(const struct view *base, const struct view *new_, const struct fuzz_show *show,
	       bool set);
/* The balance sheet of one snapshot, as `balance` makes it from /proc. */
void fuzz_balance_now(const struct snapshot *s, const struct unlisted *unlisted,
		      const struct fuzz_show *show);
void fuzz_balance_oom(const struct oom_report *report, const struct fuzz_show *show);

#endif
