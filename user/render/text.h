/* SPDX-License-Identifier: GPL-2.0-only */
/* The report for people: 80 columns, verdict first. Every name is escaped; what was not measured is
 * "–". */
#ifndef KMEMTRACE_RENDER_TEXT_H
#define KMEMTRACE_RENDER_TEXT_H

#include <stdbool.h>
#include <stdio.h>

#include "model/report.h"

struct text_options {
	size_t top;  /* rows of caches and of growth, 0 for all */
	bool colour; /* ANSI colours */
	bool utf8;   /* the terminal shows UTF-8: dashes, sparklines, names outside ASCII */
};

/* 0 or −ENOMEM. Write errors are left in out's error flag. */
int text_render(const struct report *r, const struct text_options *options, FILE *out);

#endif
