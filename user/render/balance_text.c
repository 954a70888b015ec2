// SPDX-License-Identifier: GPL-2.0-only
/* The balance sheet as a first screen and sections: see balance.h. */
#include <math.h>
#include <string.h>

#include "findings/balance_notes.h"
#include "render/balance.h"
#include "render/bpf_use.h"
#include "render/finding.h"
#include "render/node_use.h"
#include "render/section.h"
#include "render/table.h"
#include "render/witness.h"

#define BAR_COLUMNS 8

/* Sections, in the order of printing. */
static const char *const section_names[] = {"lines", "findings", "unaccounted", "overlaps",
					    "nodes", "counters", "bpf",         "notes"};
#define NR_SECTIONS  (sizeof(section_names) / sizeof(section_names[0]))
#define SECTIONS_ALL ((1U << NR_SECTIONS) - 1)

struct sheet {
	struct page page;
	const struct balance_sheet *s;
	const struct balance_text_options *o;
	unsigned int sections; /* to be printed */
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

/* The lines of a group, below its sum. `rows` has those to print. */
static void group_lines(const struct sheet *t, struct table *table, size_t group, const bool *rows)
{
	for (size_t i = 0; i < BALANCE_LINES; i++) {
		char label[64];

		if (balance_defs[i].group != group || !rows[i])
			continue;
		snprintf(label, sizeof(label), "  %s", balance_defs[i].label);
		row(t, table, label, &t->s->lines[i], balance_defs[i].source);
	}
}

static void print_table(struct sheet *t, const bool *rows)
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
			group_lines(t, &table, g, rows);
	}
	row(t, &table, "Sum", &t->s->total, "MemTotal");
	table_print(&table);
}

static void text_table(struct sheet *t)
{
	bool rows[BALANCE_LINES];

	for (size_t i = 0; i < BALANCE_LINES; i++)
		rows[i] = t->o->explain || t->s->lines[i].shown;
	if (!t->o->explain)
		page_heading(&t->page, PAGE_BOLD, "LINES  (K, M, G: KiB, MiB, GiB)");
	print_table(t, rows);
}

/* ---- the first screen ---- */

static void screen_memory(struct sheet *t)
{
	const struct balance_sheet *s = t->s;
	double available = s->pair ? NAN : beliefs_kb(&s->end.beliefs, FIGURE_MEM_AVAILABLE);
	char a[UNITS_MAX], b[UNITS_MAX], c[UNITS_MAX];

	page_item(&t->page, &(struct page_label){"MEMORY", PAGE_BOLD, 1}, "%s, %s%s%s%s%s%s%s",
		  units_bytes(a, s->total.end_kb * 1024), s->pair ? "start and end of " : s->moment,
		  s->pair ? units_duration(b, s->duration_s) : "", isnan(available) ? "" : ", ",
		  isnan(available) ? "" : units_bytes(c, available * 1024),
		  isnan(available) ? "" : " available", s->kernel[0] ? "; Linux " : "", s->kernel);
}

/* The line of Unaccounted is known by the name of its group. */
static const char *line_label(enum balance_id line)
{
	return line == BALANCE_REST ? balance_group_label(BALANCE_UNACCOUNTED)
				    : balance_defs[line].label;
}

static void screen_change(struct sheet *t)
{
	const struct balance_screen *screen = &t->s->screen;
	struct page_words words;
	char size[PAGE_CELL + UNITS_MAX];

	if (!page_words_begin(&t->page, &words))
		return;
	for (size_t i = 0; i < screen->nr_changed; i++) {
		double kb = t->s->lines[screen->changed[i]].delta_kb;

		units_bytes(size, fabs(kb) * 1024);
		fprintf(words.f, "%s%s %c%s", i ? "; " : "", line_label(screen->changed[i]),
			kb < 0 ? '-' : '+', size);
	}
	fputs(screen->nr_changed ? "." : "no line changed by more than noise.", words.f);
	page_words_item(&t->page, &words, &(struct page_label){"CHANGE", PAGE_BOLD, 2});
}

static void screen_largest(struct sheet *t)
{
	const struct balance_screen *screen = &t->s->screen;
	struct page_words words;
	char size[UNITS_MAX], share[UNITS_MAX];

	if (!page_words_begin(&t->page, &words))
		return;
	for (size_t i = 0; i < screen->nr_largest; i++) {
		const struct balance_figure *line = &t->s->lines[screen->largest[i]];

		fprintf(words.f, "%s%s %s (%s)", i ? "; " : "", line_label(screen->largest[i]),
			units_bytes(size, line->end_kb * 1024), percent(share, line->share));
	}
	page_words_item(&t->page, &words, &(struct page_label){"LARGEST", PAGE_BOLD, 2});
}

static void screen_finding(struct sheet *t, const char *word, size_t lines, const struct finding *f)
{
	if (f)
		page_item(&t->page, &(struct page_label){word, PAGE_BOLD, lines}, "%s", f->text);
}

static void screen_odd(struct sheet *t)
{
	const struct balance_screen *screen = &t->s->screen;

	if (!screen->nr_odd)
		page_item(&t->page, &(struct page_label){"ODD", PAGE_BOLD, 1},
			  "nothing: no figure is out of the ordinary.");
	for (size_t i = 0; i < screen->nr_odd; i++)
		page_item(&t->page, &(struct page_label){"ODD", PAGE_BOLD, i ? 1 : 2}, "%s%s",
			  screen->all_odd > screen->nr_odd && i + 1 == screen->nr_odd
				  ? "(there are more: --show findings) "
				  : "",
			  screen->odd[i]->text);
	if (screen->caution)
		page_item(&t->page, &(struct page_label){"CAUTION", PAGE_BOLD, 1},
			  "(1 of %zu, --show findings) %s", screen->cautions,
			  screen->caution->text);
}

/* At most 40 lines, the answer in the first ten. */
static void text_screen(struct sheet *t)
{
	const struct balance_screen *screen = &t->s->screen;

	if (t->s->pair)
		screen_change(t);
	screen_memory(t);
	screen_largest(t);
	screen_odd(t);
	if (t->s->next)
		page_command(&t->page, "NEXT", t->s->next);
	screen_finding(t, "REPORT", 2, screen->report);
	screen_finding(t, "SLAB", 2, screen->caches);
	screen_finding(t, "CODE", 3, screen->sites);
	if (!(t->sections & 1)) {
		page_heading(&t->page, PAGE_BOLD,
			     "WHERE MEMORY IS  (the largest lines; K, M, G: KiB, MiB, GiB)");
		print_table(t, screen->rows);
	}
	if (!t->sections)
		section_more(&t->page, section_names, NR_SECTIONS);
}

/* ---- other sections ---- */

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

/* Notes that are no more than notes have their own section. */
static bool is_only_note(const struct finding *f)
{
	return f->severity == FINDING_NOTICE && balance_is_note(f);
}

/* The sections of counters, nodes and BPF print their findings themselves. */
static bool is_elsewhere(const struct finding *f)
{
	return f->part == PART_COUNTERS || f->part == PART_NODES || f->part == PART_BPF;
}

static void print_findings(struct sheet *t, bool notes, const char *heading)
{
	const struct findings *findings = &t->s->findings;
	bool any = false;

	for (size_t i = 0; i < findings->nr; i++) {
		if (is_only_note(&findings->items[i]) != notes || is_elsewhere(&findings->items[i]))
			continue;
		if (!any)
			page_heading(&t->page, PAGE_BOLD, "%s", heading);
		any = true;
		finding_text(&t->page, &findings->items[i]);
	}
}

static void text_findings(struct sheet *t)
{
	print_findings(t, false, "FINDINGS  (rules: docs/interpretation.md)");
}

static void text_notes(struct sheet *t)
{
	print_findings(t, true, "NOTES");
}

static void sheet_nodes(struct sheet *t)
{
	node_use_text(&t->page, &t->s->nodes);
}

static void sheet_counters(struct sheet *t)
{
	witnesses_text(&t->page, &t->s->witnesses, t->s->pair);
}

static void sheet_bpf(struct sheet *t)
{
	bpf_use_text(&t->page, &t->s->bpf, 0);
}

/* A section that somebody asked for by name, and that has nothing to show, says why. */
static const struct sheet_section {
	void (*print)(struct sheet *t);
	const char *empty; /* NULL: it is never empty */
} sections[NR_SECTIONS] = {
	{text_table, NULL},
	{text_findings, "FINDINGS: none."},
	{text_rest, NULL},
	{text_lines, NULL},
	{sheet_nodes, "NUMA NODES: one node has all memory, or the nodes are not known."},
	{sheet_counters, "COUNTERS: they could not be read, or were not recorded."},
	{sheet_bpf, "BPF: there are no maps and programs, or they could not be read (root only)."},
	{text_notes, "NOTES: none."},
};

static void print_section(struct sheet *t, size_t i)
{
	size_t before = t->page.headings;

	sections[i].print(t);
	if (t->page.headings == before && sections[i].empty && t->sections != SECTIONS_ALL)
		page_heading(&t->page, PAGE_BOLD, "%s", sections[i].empty);
}

unsigned int balance_section_parse(const char *name, size_t len)
{
	return section_bit(section_names, NR_SECTIONS, name, len);
}

static void text_title(struct sheet *t)
{
	const struct balance_sheet *s = t->s;
	char a[UNITS_MAX], b[UNITS_MAX];

	page_heading(&t->page, PAGE_BOLD, "BALANCE  (K, M, G: KiB, MiB, GiB)");
	page_paragraph(&t->page, 2, "MemTotal %s%s%s, %s%s.",
		       units_bytes(a, s->total.end_kb * 1024), s->kernel[0] ? ", Linux " : "",
		       s->kernel, s->pair ? "start and end of " : s->moment,
		       s->pair ? units_duration(b, s->duration_s) : "");
}

int balance_text(const struct balance_sheet *s, const struct balance_text_options *o, FILE *out)
{
	struct sheet t = {.s = s, .o = o, .sections = o->sections};
	bool known = !isnan(s->total.end_kb);

	page_begin(&t.page, out, o->colour, o->utf8);
	if (!known || (o->explain && !o->sections))
		t.sections = SECTIONS_ALL;
	if (o->explain || !known)
		text_title(&t);
	else
		text_screen(&t);
	for (size_t i = 0; i < NR_SECTIONS; i++)
		if (t.sections >> i & 1 && (known || sections[i].empty))
			print_section(&t, i);
	return page_end(&t.page);
}
