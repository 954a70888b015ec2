// SPDX-License-Identifier: GPL-2.0-only
/* Puts a balance sheet together: see balance_sheet.h. */
#include "findings/balance_sheet.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "findings/balance_notes.h"
#include "findings/level_findings.h"
#include "findings/oom_findings.h"

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

/* ---- the first screen ---- */

#define ROW_SHARE    0.005  /* of MemTotal: smaller lines are not in the table */
#define CHANGE_LEAST 1024.0 /* kB: a smaller change is noise */
#define CHANGE_SHARE 0.0005 /* of MemTotal: the same */

/* Which lines have the largest value, largest first; values of 0 and NaN are left out. Returns how
 * many. */
static size_t rank_lines(const double value[BALANCE_LINES], enum balance_id *out, size_t max)
{
	size_t nr = 0;

	for (size_t i = 0; i < BALANCE_LINES; i++) {
		size_t at;

		if (!(value[i] > 0))
			continue;
		if (nr < max)
			nr++;
		else if (!(value[i] > value[out[nr - 1]]))
			continue;
		for (at = nr - 1; at > 0 && value[i] > value[out[at - 1]]; at--)
			out[at] = out[at - 1];
		out[at] = i;
	}
	return nr;
}

static void screen_lines(const struct balance_sheet *sheet, struct balance_screen *screen)
{
	double size[BALANCE_LINES], change[BALANCE_LINES], matters[BALANCE_LINES];
	double total = sheet->total.end_kb, noise = fmax(CHANGE_LEAST, CHANGE_SHARE * total);
	enum balance_id rows[SCREEN_ROWS];
	size_t nr;

	for (size_t i = 0; i < BALANCE_LINES; i++) {
		const struct balance_figure *line = &sheet->lines[i];

		size[i] = line->end_kb;
		change[i] = fabs(line->delta_kb) >= noise ? fabs(line->delta_kb) : 0;
		/* a line that changed comes before all others */
		matters[i] = change[i] > 0                       ? total + change[i]
			     : line->end_kb >= ROW_SHARE * total ? line->end_kb
								 : 0;
	}
	screen->nr_largest = rank_lines(size, screen->largest, SCREEN_LARGEST);
	screen->nr_changed = rank_lines(change, screen->changed, SCREEN_LARGEST);
	matters[BALANCE_REST] = 0; /* its group has a row */
	nr = rank_lines(matters, rows, SCREEN_ROWS);
	for (size_t i = 0; i < nr; i++)
		screen->rows[rows[i]] = true;
}

/* The memory that a finding is about, in kB; 0 if it is about something else. */
static double finding_kb(const struct finding *f)
{
	const struct finding_figure *first = f->nr_figures ? &f->figures[0] : NULL;
	size_t len = first ? strlen(first->name) : 0;

	return len >= 2 && !strcmp(first->name + len - 2, "kb") ? first->value : 0;
}

/* The most severe come first, and of these the largest. */
static void odd_add(struct balance_screen *screen, const struct finding *f)
{
	size_t at = screen->nr_odd;

	screen->all_odd++;
	while (at > 0 && screen->odd[at - 1]->severity == f->severity &&
	       finding_kb(screen->odd[at - 1]) < finding_kb(f))
		at--;
	if (at == SCREEN_ODD)
		return;
	screen->nr_odd += screen->nr_odd < SCREEN_ODD;
	for (size_t i = screen->nr_odd - 1; i > at; i--)
		screen->odd[i] = screen->odd[i - 1];
	screen->odd[at] = f;
}

static void screen_findings(const struct findings *findings, double total_kb,
			    struct balance_screen *screen)
{
	for (size_t i = 0; i < findings->nr; i++) {
		const struct finding *f = &findings->items[i];

		if (f->severity <= FINDING_WARNING) {
			odd_add(screen, f);
		} else if (f->severity == FINDING_CAUTION) {
			if (!screen->cautions++)
				screen->caution = f;
		}
		if (!strcmp(f->kind, "oom-report"))
			screen->report = f;
		else if ((!strcmp(f->kind, "oom-slab") || !strcmp(f->kind, "slab-caches")) &&
			 finding_kb(f) >= ROW_SHARE * total_kb)
			screen->caches = f;
		else if (!strcmp(f->kind, "oom-allocations"))
			screen->sites = f;
	}
}

/* What the first finding of the screen needs, else the usual. 0 or −ENOMEM. */
static int next_fill(const char *usual, struct balance_sheet *sheet)
{
	const struct balance_screen *screen = &sheet->screen;

	for (size_t i = screen->nr_odd; i-- > 0;)
		usual = screen->odd[i]->next ?: usual;
	sheet->next = usual ? strdup(usual) : NULL;
	return usual && !sheet->next ? -ENOMEM : 0;
}

/* The end is built: add what is said about it. On failure, free the sheet. */
static int sheet_finish(const struct balance *start, double page_bytes, const char *usual,
			struct balance_sheet *sheet)
{
	const struct snapshot *before = sheet->start_levels, *s = sheet->levels;
	int err;

	if (!isnan(sheet->end.total_kb))
		level_findings_build(&sheet->end, s, &sheet->findings);
	balance_notes(s, &sheet->end, &sheet->findings);
	witnesses_build(before, s, &sheet->witnesses);
	witnesses_find(&sheet->witnesses, &sheet->findings);
	node_use_build(before, s, page_bytes, &sheet->nodes);
	node_use_find(&sheet->nodes, &sheet->findings);
	figures_fill(start, sheet);
	err = bpf_use_build(before, s, &sheet->bpf);
	if (!err) {
		bpf_use_find(&sheet->bpf, NULL, &sheet->findings);
		findings_sort(&sheet->findings);
		screen_lines(sheet, &sheet->screen);
		screen_findings(&sheet->findings, sheet->total.end_kb, &sheet->screen);
		err = next_fill(usual, sheet);
	}
	if (!err && sheet->findings.failed)
		err = -ENOMEM;
	if (err)
		balance_sheet_free(sheet);
	return err;
}

int balance_sheet_now(const struct snapshot *s, const struct balance_origin *origin,
		      struct balance_sheet *out)
{
	struct balance_findings_facts facts = {.b = &out->end,
					       .s = s,
					       .input = origin->input,
					       .oom = origin->oom,
					       .reader_page_bytes = origin->reader_page_bytes,
					       .page_bytes_source = origin->page_bytes_source};

	*out = (struct balance_sheet){.levels = s, .kernel = "", .moment = "now"};
	balance_build(s, &origin->hint, origin->unlisted, &out->end);
	balance_findings_build(&facts, &out->findings);
	if (origin->oom && !isnan(out->end.total_kb))
		oom_findings_build(&out->end, origin->oom, &out->findings);
	return sheet_finish(NULL, origin->hint.page_bytes,
			    origin->oom ? "sudo kmemtrace record --every 10m --for 24h"
					: "sudo kmemtrace record -d 60",
			    out);
}

int balance_sheet_view(const struct view *v, struct balance_sheet *out)
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
	return sheet_finish(&start, v->page_bytes, NULL, out);
}

void balance_sheet_free(struct balance_sheet *sheet)
{
	findings_free(&sheet->findings);
	bpf_use_free(&sheet->bpf);
	free(sheet->next);
	sheet->next = NULL;
}
