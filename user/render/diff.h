/* SPDX-License-Identifier: GPL-2.0-only */
/* A diff for people (80 columns, verdict first) and for programs (docs/schema). Every name is
 * escaped. */
#ifndef KMEMTRACE_RENDER_DIFF_H
#define KMEMTRACE_RENDER_DIFF_H

#include <stdbool.h>
#include <stdio.h>

#include "diff/diff.h"
#include "findings/witness.h"

struct diff_options {
	size_t top;                       /* rows of each section, 0 for all */
	bool all;                         /* also rows that did not change */
	const struct witnesses *counters; /* from base to new; NULL: of a set */
	bool colour;                      /* ANSI colours */
	bool utf8;                        /* the terminal shows UTF-8 */
};

/* Returns 0 or −ENOMEM. Write errors set the error flag of `out`. */
int diff_text(const struct diff *d, const struct diff_options *options, FILE *out);
/* Returns 0, −ENOMEM or −EIO. */
int diff_json(const struct diff *d, const struct diff_options *options, FILE *out);

#endif
