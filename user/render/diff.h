/* SPDX-License-Identifier: GPL-2.0-only */
/* A diff for people (80 columns, the first screen first) and for programs (docs/schema). Every name
 * is escaped. */
#ifndef KMEMTRACE_RENDER_DIFF_H
#define KMEMTRACE_RENDER_DIFF_H

#include <stdbool.h>
#include <stdio.h>

#include "diff/diff.h"
#include "findings/diff_findings.h"
#include "findings/witness.h"

/* Sections of the text beyond the first screen. */
enum diff_section {
	DIFF_SECTION_VERDICT = 1 << 0,
	DIFF_SECTION_NOTES = 1 << 1,
	DIFF_SECTION_POOLS = 1 << 2,
	DIFF_SECTION_CACHES = 1 << 3,
	DIFF_SECTION_VMALLOC = 1 << 4,
	DIFF_SECTION_STACKS = 1 << 5, /* and page tables */
	DIFF_SECTION_COUNTERS = 1 << 6,
	DIFF_SECTION_GROWTH = 1 << 7,
	DIFF_SECTION_CHURN = 1 << 8,
	DIFF_SECTION_CENSUS = 1 << 9,
	DIFF_SECTIONS_ALL = (1 << 10) - 1
};
#define DIFF_SECTION_WORDS \
	"verdict, notes, pools, caches, vmalloc, stacks, counters, growth, churn, census or all"
/* Sections with rows that --top limits. */
#define DIFF_SECTIONS_OF_ROWS                                                                     \
	(DIFF_SECTION_CACHES | DIFF_SECTION_VMALLOC | DIFF_SECTION_STACKS | DIFF_SECTION_GROWTH | \
	 DIFF_SECTION_CHURN | DIFF_SECTION_CENSUS)
/* The section of that name, DIFF_SECTIONS_ALL for "all", 0: there is none. */
unsigned int diff_section_parse(const char *name, size_t len);

struct diff_options {
	unsigned int sections;            /* of enum diff_section, beside the first screen */
	size_t top;                       /* rows of each section, 0 for all */
	bool all;                         /* also rows that did not change */
	const struct witnesses *counters; /* from base to new; NULL: of a set */
	bool colour;                      /* ANSI colours */
	bool utf8;                        /* the terminal shows UTF-8 */
};

/* Returns 0 or −ENOMEM. Write errors set the error flag of `out`. */
int diff_text(const struct diff *d, const struct diff_findings *f,
	      const struct diff_options *options, FILE *out);
/* One HTML page. Returns 0 or −ENOMEM. Write errors set the error flag of `out`. */
int diff_html(const struct diff *d, const struct diff_findings *f, FILE *out);
/* Returns 0, −ENOMEM or −EIO. */
int diff_json(const struct diff *d, const struct diff_findings *f,
	      const struct diff_options *options, FILE *out);

#endif
