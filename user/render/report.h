/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A report for people (80 columns, verdict first) and for programs (docs/schema). Every name is
 * escaped; what was not measured is "–" in the text and null in the JSON, never 0.
 *
 * CONTRIBUTING.md, "An output format", lists the steps of adding one.
 */
#ifndef KMEMTRACE_RENDER_REPORT_H
#define KMEMTRACE_RENDER_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "findings/report_findings.h"

/* Sections of the text beyond the first screen. */
enum report_section {
	SECTION_VERDICT = 1 << 0,
	SECTION_HOST = 1 << 1,
	SECTION_POOLS = 1 << 2,
	SECTION_CACHES = 1 << 3,
	SECTION_STACKS = 1 << 4,
	SECTION_FINDINGS = 1 << 5,
	SECTION_HOLDERS = 1 << 6,
	SECTION_LOSSES = 1 << 7,
	SECTION_HOOKS = 1 << 8,
	SECTION_CENSUS = 1 << 9,
	SECTIONS_ALL = (1 << 10) - 1
};
#define SECTION_WORDS \
	"verdict, host, pools, caches, stacks, findings, holders, losses, hooks, census or all"
/* The section of that name, SECTIONS_ALL for "all", 0: there is none. */
unsigned int section_parse(const char *name, size_t len);

struct report_options {
	unsigned int sections; /* of enum report_section, beside the first screen */
	size_t top;            /* rows of caches and of growth, 0 for all */
	bool colour;           /* ANSI colours, in the text */
	bool utf8; /* the terminal shows UTF-8: dashes, sparklines, names outside ASCII */
};

/* 0 or −ENOMEM. Write errors are left in out's error flag. */
int report_text(const struct report *r, const struct report_options *options, FILE *out);
/* One HTML page (docs/html-report.md). 0 or −ENOMEM. Write errors are left in out's error flag. */
int report_html(const struct report *r, FILE *out);
/* `top` growth groups at most, 0 for all. 0, −ENOMEM, or −EIO when out cannot be written. */
int report_json(const struct report *r, size_t top, FILE *out);

#endif
