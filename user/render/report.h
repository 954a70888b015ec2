/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A report for people (80 columns, verdict first) and for programs (docs/schema). Every name is
 * escaped; what was not measured is "–" in the text and null in the JSON, never 0.
 */
#ifndef KMEMTRACE_RENDER_REPORT_H
#define KMEMTRACE_RENDER_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "findings/report.h"

struct report_options {
	size_t top;  /* rows of caches and of growth, 0 for all */
	bool colour; /* ANSI colours, in the text */
	bool utf8;   /* the terminal shows UTF-8: dashes, sparklines, names outside ASCII */
};

/* 0 or −ENOMEM. Write errors are left in out's error flag. */
int report_text(const struct report *r, const struct report_options *options, FILE *out);
/* `top` growth groups at most, 0 for all. 0, −ENOMEM, or −EIO when out cannot be written. */
int report_json(const struct report *r, size_t top, FILE *out);

#endif
