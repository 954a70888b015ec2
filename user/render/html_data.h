/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The data of an HTML page as JSON, for its script: docs/html-report.md describes it. The figures
 * are those of the report's JSON, and so are the names. To keep a page below 1 MB, rows are lists
 * under common columns, each string is stored once, and the smallest rows are added up.
 */
#ifndef KMEMTRACE_RENDER_HTML_DATA_H
#define KMEMTRACE_RENDER_HTML_DATA_H

#include <jansson.h>

#include "diff/diff.h"
#include "findings/report_findings.h"
#include "render/html_rows.h"

/* Held memory in the two ways that pictures show it, whatever the report groups it by. */
struct html_held {
	const struct growth *by_path, *by_process;
};

/* As much of it as fits a page, as html_end() takes it. malloc'ed; NULL without memory. */
char *html_report_data(struct html *h, const struct report *r, const struct html_held *held,
		       struct html_cut *cut);
char *html_diff_data(struct html *h, const struct diff *d, struct html_cut *cut);

#endif
