// SPDX-License-Identifier: GPL-2.0-only
/* The balance sheet as one table, with notes on double counting and on Unaccounted: see
 * balance.h. */
#include <math.h>
#include <string.h>

#include "render/balance.h"
#include "render/node_use.h"
#include "render/table.h"
#include "render/witness.h"

#define BAR_COLUMNS 8

struct sheet {
	struct page page;
	const struct balance_sheet *s;
	const struct balance_text_options *o;
};

/* BAR_COLUMNS wide for all of MemTotal. */
static void bar(struct table *table, double share)
{
	static const char *const parts[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
	double columns = fmin(fmax(share, 0), 1) * BAR_COLUMNS;
	int eighths = (int)(columns * 8 + 0.5);

	if (table->page->utf8)
		table_words(table, "%.*s%s", eighths / 8 * (int)strlen("█"), "████████",
			    parts[eighths % 8]);
	else
		table_words(table, "%.*s", (eighths + 4) / 8, "########");
}

/* "94.5%", "0.07%", or "" if unknown */
static const char *percent(char buf[UNITS_MAX], double share)
{
	double p = 100 * share;

	snprintf(buf, UNITS_MAX, fabs(p) >= 0.1 || p == 0 ? "%.1f%%" : "%.2f%%", p);
	return buf;
}

static void row(const struct sheet *t, struct table *table, const char *label,
		const struct balance_figure *figure, const char *source)
{
	char a[UNITS_MAX];

	table_words(table, "%s", label);
	if (t->s->pair) {
		table_bytes(table, figure->start_kb * 1024, false);
		table_bytes(table, figure->end_kb * 1024, false);
		table_bytes(table, figure->delta_kb * 1024, true);
	} else {
		table_bytes(table, figure->end_kb * 1024, false);
		table_words(table, "%s", isnan(figure->share) ? "" : percent(a, figure->share));
		bar(table, figure->share);
	}
	table_words(table, "%s", source);
}

/* The lines of a group, below its sum. */
static void group_lines(const struct sheet *t, struct table *table, size_t group)
{
	for (size_t i = 0; i < BALANCE_LINES; i++) {
		char label[64];

		if (balance_defs[i].group != group || !(t->o->explain || t->s->lines[i].shown))
			continue;
		snprintf(label, sizeof(label), "  %s", balance_defs[i].label);
		row(t, table, label, &t->s->lines[i], balance_defs[i].source);
	}
}

static void text_table(struct sheet *t)
{
	static const struct table_column one[] = {{"", 26, false},
						  {"size", 0, true},
						  {"share", 0, true},
						  {"", 0, false},
						  {"from", 0, false}};
	static const struct table_column two[] = {{"", 26, false},
						  {"start", 0, true},
						  {"end", 0, true},
						  {"change", 0, true},
						  {"from", 0, false}};
	struct table table = TABLE_INIT(&t->page, one);

	table.columns = t->s->pair ? two : one;
	for (size_t g = 0; g < BALANCE_GROUPS; g++) {
		bool alone = g == BALANCE_UNACCOUNTED; /* it has only one line */

		if (!t->o->explain && !t->s->groups[g].shown)
			continue;
		row(t, &table, balance_group_label(g), &t->s->groups[g],
		    alone ? balance_defs[BALANCE_REST].source : "");
		if (!alone)
			group_lines(t, &table, g);
	}
	row(t, &table, "Sum", &t->s->total, "MemTotal");
	table_print(&table);
}

static void text_lines(struct sheet *t)
{
	page_heading(&t->page, PAGE_BOLD, "%s",
		     t->o->explain ? "THE LINES" : "OTHER COUNTERS OF THE SAME PAGES");
	for (size_t i = 0; i < BALANCE_LINES; i++) {
		const struct balance_def *def = &balance_defs[i];

		if (t->o->explain)
			page_paragraph(&t->page, 2, "%s: %s%s%s%s", def->label, def->explain,
				       def->overlaps[0] ? " Other counters: " : "", def->overlaps,
				       def->overlaps[0] ? "." : "");
		else if (t->s->lines[i].shown && def->overlaps[0])
			page_paragraph(&t->page, 2, "%s: %s.", def->label, def->overlaps);
	}
}

static void text_candidate(struct sheet *t, const struct balance_candidate *c)
{
	char size[UNITS_MAX];

	if (isnan(c->kb))
		page_paragraph(&t->page, 2, "May be in it, size unknown: %s (%s).", c->explain,
			       c->source);
	else
		page_paragraph(&t->page, 2, "%s %s: %s%s%s (%s).",
			       c->at_most ? "At most" : "In it:", units_bytes(size, c->kb * 1024),
			       c->explain, c->detail[0] ? ", " : "", c->detail, c->source);
}

static void text_rest(struct sheet *t)
{
	const struct balance *b = &t->s->end;
	const struct balance_figure *rest = &t->s->lines[BALANCE_REST];
	char a[UNITS_MAX], p[UNITS_MAX];

	page_heading(&t->page, PAGE_BOLD, "UNACCOUNTED");
	page_paragraph(&t->page, 2, "%s, %s of MemTotal. %s", units_bytes(a, rest->end_kb * 1024),
		       percent(p, rest->share), balance_defs[BALANCE_REST].explain);
	for (size_t i = 0; i < b->nr_candidates; i++)
		text_candidate(t, &b->candidates[i]);
	page_paragraph(&t->page, 2,
		       "`kmemtrace record` names the call paths that take such pages.");
}

static void text_findings(struct sheet *t)
{
	const struct balance_findings *findings = &t->s->findings;

	if (!findings->nr)
		return;
	page_heading(&t->page, PAGE_BOLD, "FINDINGS  (rules: docs/interpretation.md)");
	for (size_t i = 0; i < findings->nr; i++) {
		const struct balance_finding *f = &findings->items[i];

		page_paragraph(&t->page, 2, "%s%s%s%s%s",
			       f->severity == FINDING_CAUTION ? "Caution: " : "", f->text,
			       f->next[0] ? " Next: `" : "", f->next, f->next[0] ? "`" : "");
	}
}

int balance_text(const struct balance_sheet *s, const struct balance_text_options *o, FILE *out)
{
	struct sheet t = {.s = s, .o = o};
	char a[UNITS_MAX], b[UNITS_MAX];

	page_begin(&t.page, out, o->colour, o->utf8);
	page_heading(&t.page, PAGE_BOLD, "BALANCE  (K, M, G: KiB, MiB, GiB)");
	page_paragraph(&t.page, 2, "MemTotal %s%s%s, %s%s.", units_bytes(a, s->total.end_kb * 1024),
		       s->kernel[0] ? ", Linux " : "", s->kernel,
		       s->pair ? "start and end of " : s->moment,
		       s->pair ? units_duration(b, s->duration_s) : "");
	if (!isnan(s->total.end_kb)) {
		text_table(&t);
		text_findings(&t);
		text_rest(&t);
		text_lines(&t);
	}
	node_use_text(&t.page, &s->nodes);
	witnesses_text(&t.page, &s->witnesses, s->pair);
	if (s->notes.nr)
		page_heading(&t.page, PAGE_BOLD, "NOTES");
	for (size_t i = 0; i < s->notes.nr; i++)
		page_paragraph(&t.page, 2, "%s", s->notes.items[i]);
	return page_end(&t.page);
}
