/* SPDX-License-Identifier: GPL-2.0-only */
/* The balance sheet for people (80 columns) and for programs (docs/schema). */
#ifndef KMEMTRACE_RENDER_BALANCE_H
#define KMEMTRACE_RENDER_BALANCE_H

#include <stdbool.h>
#include <stdio.h>

#include "findings/balance_sheet.h"

#define BALANCE_SECTION_WORDS \
	"lines, findings, unaccounted, overlaps, nodes, counters, bpf, notes or all"
/* The bit of the section of that name, all bits for "all", 0: there is none. */
unsigned int balance_section_parse(const char *name, size_t len);

struct balance_text_options {
	unsigned int sections; /* as bits, after the first screen */
	bool colour;           /* ANSI colours */
	bool utf8;             /* the terminal shows UTF-8 */
	bool explain; /* no first screen, and every line explained; without `sections`, all of them
		       */
};

/* Returns 0, −ENOMEM, or −EIO. */
int balance_text(const struct balance_sheet *s, const struct balance_text_options *o, FILE *out);
int balance_json(const struct balance_sheet *s, FILE *out);

#endif
