/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The report's sections of findings: exhaustion, correlation, unusual levels. report_text.c and
 * report_json.c call this. A text section without findings is left out, including its
 * heading.
 */
#ifndef KMEMTRACE_RENDER_REPORT_FINDINGS_H
#define KMEMTRACE_RENDER_REPORT_FINDINGS_H

#include "findings/report_findings.h"
#include "render/json_value.h"
#include "render/page.h"

/* Print the findings of a part; the heading, if it is not NULL, only if there is one. */
void findings_part_text(struct page *p, const struct findings *list, enum finding_part part,
			const char *heading);
void findings_text(struct page *p, const struct report *r);
/* Add exhaustion, correlation and unusual levels as "outlook", "follows" and "proportions". */
void findings_json(struct json_out *o);

#endif
