// SPDX-License-Identifier: GPL-2.0-only
/* Puts a balance sheet together: see balance_sheet.h. */
#include "findings/balance_sheet.h"

#include <math.h>

static struct balance_figure figure_of(double start_kb, double end_kb, double total_kb)
{
	return (struct balance_figure){.start_kb = start_kb,
				       .delta_kb = end_kb - start_kb,
				       .end_kb = end_kb,
				       .share = end_kb / total_kb,
				       .shown = end_kb != 0 || (start_kb != 0 && !isnan(start_kb))};
}

/* `start` is NULL in a sheet of one moment. */
static void figures_fill(const struct balance *start, struct balance_sheet *sheet)
{
	const struct balance *end = &sheet->end;

	for (size_t i = 0; i < BALANCE_LINES; i++)
		sheet->lines[i] = figure_of(start ? balance_line_kb(start, i) : NAN,
					    balance_line_kb(end, i), end->total_kb);
	for (size_t g = 0; g < BALANCE_GROUPS; g++)
		sheet->groups[g] = figure_of(start ? balance_group_kb(start, g) : NAN,
					     balance_group_kb(end, g), end->total_kb);
	for (size_t i = 0; i < BALANCE_LINES; i++) /* an unknown line needs its group's heading */
		sheet->groups[balance_defs[i].group].shown |= sheet->lines[i].shown;
	sheet->total = figure_of(start ? start->total_kb : NAN, end->total_kb, end->total_kb);
	sheet->lines[BALANCE_REST].shown = sheet->groups[BALANCE_UNACCOUNTED].shown = true;
}

void balance_sheet_now(const struct snapshot *s, const struct balance_origin *origin,
		       struct balance_sheet *out)
{
	struct balance_findings_facts facts = {.input = origin->input,
					       .oom = origin->oom,
					       .reader_page_bytes = origin->reader_page_bytes,
					       .page_bytes_source = origin->page_bytes_source};

	*out = (struct balance_sheet){.levels = s, .kernel = "", .moment = "now"};
	balance_build(s, &origin->hint, origin->unlisted, &out->end);
	facts.b = &out->end;
	facts.s = s;
	balance_findings_build(&facts, &out->findings);
	balance_notes(s, &out->end, &out->notes);
	witnesses_build(NULL, s, &out->witnesses);
	node_use_build(NULL, s, origin->hint.page_bytes, &out->nodes);
	figures_fill(NULL, out);
}

void balance_sheet_view(const struct view *v, struct balance_sheet *out)
{
	struct balance start;

	*out = (struct balance_sheet){.pair = true,
				      .start_levels = v->start,
				      .levels = v->end,
				      .kernel = capture_meta(v->c, META_RELEASE),
				      .duration_s = v->duration_s,
				      .wall_s = v->end->wall_s};
	balance_pair(v->start, v->end, &v->hint, &start, &out->end);
	balance_findings_build(&(struct balance_findings_facts){.b = &out->end, .s = v->end},
			       &out->findings);
	balance_notes(v->end, &out->end, &out->notes);
	witnesses_build(v->start, v->end, &out->witnesses);
	node_use_build(v->start, v->end, v->page_bytes, &out->nodes);
	figures_fill(&start, out);
}
