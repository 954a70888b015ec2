/* SPDX-License-Identifier: GPL-2.0-only */
/* The long sections of a text report, one file each. report_text.c prints the others and calls
 * these. */
#ifndef KMEMTRACE_RENDER_REPORT_INTERNAL_H
#define KMEMTRACE_RENDER_REPORT_INTERNAL_H

#include "findings/report_findings.h"
#include "render/page.h"
#include "render/rows.h"

void report_screen(struct page *p, const struct report *r);
/* Print `top` rows of each table; 0: all. */
void report_holders(struct page *p, const struct report *r, size_t top);
void report_caches(struct page *p, const struct report *r, size_t top);
void report_growth(struct page *p, const struct report *r, size_t top);
/* The censuses of the recording, or why there are none. */
void report_census(struct page *p, const struct report *r, size_t top);

#endif
