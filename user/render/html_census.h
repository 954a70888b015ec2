/* SPDX-License-Identifier: GPL-2.0-only */
/* The census on HTML pages: where memory was, and what changed between two. */
#ifndef KMEMTRACE_RENDER_HTML_CENSUS_H
#define KMEMTRACE_RENDER_HTML_CENSUS_H

#include "findings/report_findings.h"
#include "render/html.h"

/* The section of a report; nothing if there is no census. */
void html_census(struct html *h, const struct report *r);
/* The section of a diff; nothing if there are no changes. */
void html_census_diff(struct html *h, const struct census_delta *d);

#endif
