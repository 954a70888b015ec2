// SPDX-License-Identifier: GPL-2.0-only
/* The censuses of a recording, as a section of its report: see report_internal.h. */
#include <string.h>

#include "render/census_lenses.h"
#include "render/census_parts.h"
#include "render/finding.h"
#include "render/report_internal.h"

static void census_missing(struct page *p, const struct report *r)
{
	const char *why = capture_why(r->c, META_CENSUS);

	page_heading(p, PAGE_BOLD, "CENSUS");
	if (why)
		page_paragraph(p, 2, "There is none: %s.", why);
	else
		page_paragraph(p, 2, "There is none: this capture was made without one.");
}

void report_census(struct page *p, const struct report *r, size_t top)
{
	const struct census_sheet *start = &r->census[CENSUS_AT_START],
				  *end = &r->census[CENSUS_AT_END],
				  *shown = start->census ? start : end;
	const struct census_rows rows = {.caches = top ?: SIZE_MAX,
					 .cgroups = top ?: SIZE_MAX,
					 .kinds = top ?: SIZE_MAX,
					 .like = shown == start ? &r->like : NULL,
					 .nodes = true};

	if (!shown->census) {
		census_missing(p, r);
		return;
	}
	page_heading(p, PAGE_BOLD, "%s",
		     shown == end             ? "CENSUS AFTER TRACING"
		     : r->view.duration_s > 0 ? "CENSUS BEFORE TRACING"
					      : "CENSUS");
	census_counted_text(p, shown);
	for (size_t i = 0; i < r->findings.nr; i++)
		if (!strncmp(r->findings.items[i].kind, "census", strlen("census")))
			finding_text(p, &r->findings.items[i]);
	census_tables_text(p, shown, &rows);
	census_lenses_text(p, &shown->lenses, NULL);
	census_records_text(p, &shown->census->records, top ?: SIZE_MAX);
	if (!r->census_delta.pages.nr)
		return;
	page_heading(p, PAGE_BOLD, "CHANGES FROM THE CENSUS BEFORE TRACING TO THE ONE AFTER IT");
	census_changes_text(p, &r->census_delta, top ?: SIZE_MAX);
}
