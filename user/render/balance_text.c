// SPDX-License-Identifier: GPL-2.0-only
/* The balance sheet as one table, what is counted once, and what Unaccounted may be: see balance.h.
 */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "base/units.h"
#include "render/balance.h"
#include "render/table.h"
#include "render/wrap.h"

#define BAR_COLUMNS 8

struct text {
	const struct balance_sheet *s;
	const struct balance_text_options *o;
	FILE *out;
	bool failed;
};

static void heading(const struct text *t, const char *title)
{
	fprintf(t->out, "%s%s%s\n", t->o->colour ? "\033[1m" : "", title,
		t->o->colour ? "\033[0m" : "");
}

__attribute__((format(printf, 3, 4))) static void paragraph(struct text *t, unsigned int indent,
							    const char *fmt, ...)
{
	_cleanup_free_ char *words = NULL, *safe = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&words, fmt, ap) < 0)
		words = NULL;
	va_end(ap);
	safe = words ? escape_terminal(words, t->o->utf8) : NULL;
	if (safe)
		wrap_print(t->out, indent, safe);
	t->failed |= !safe;
}

static const char *kb(const struct text *t, char buf[UNITS_MAX], double value)
{
	if (isnan(value))
		return t->o->utf8 ? "–" : "-";
	return units_bytes_short(buf, value * 1024);
}

/* BAR_COLUMNS wide for all of MemTotal. */
static void bar(const struct text *t, char *buf, size_t size, double share)
{
	static const char *const parts[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
	int eighths = (int)(fmin(fmax(share, 0), 1) * BAR_COLUMNS * 8 + 0.5);
	size_t at = 0;

	buf[0] = '\0';
	for (int i = 0; i < (t->o->utf8 ? eighths / 8 : (eighths + 4) / 8); i++)
		at += (size_t)snprintf(buf + at, size - at, "%s", t->o->utf8 ? "█" : "#");
	if (t->o->utf8)
		snprintf(buf + at, size - at, "%s", parts[eighths % 8]);
}

/* "94.5%", "0.07%", "" for nothing */
static const char *percent(char buf[UNITS_MAX], double share)
{
	double p = 100 * share;

	snprintf(buf, UNITS_MAX, fabs(p) >= 0.1 || p == 0 ? "%.1f%%" : "%.2f%%", p);
	return buf;
}

static void row(struct text *t, struct table *table, const char *label, double start, double end,
		const char *source)
{
	double share = end / t->s->end->total_kb;
	char a[UNITS_MAX], b[4 * BAR_COLUMNS + 1];

	table_cell(table, "%s", label);
	if (t->s->start) {
		table_cell(table, "%s", kb(t, a, start));
		table_cell(table, "%s", kb(t, a, end));
		table_cell(table, "%s%s", end > start ? "+" : "", kb(t, a, end - start));
	} else {
		table_cell(table, "%s", kb(t, a, end));
		table_cell(table, "%s", isnan(share) ? "" : percent(a, share));
		bar(t, b, sizeof(b), share);
		table_cell(table, "%s", b);
	}
	table_cell(table, "%s", source);
}

static double start_kb(const struct text *t, size_t line)
{
	return t->s->start ? t->s->start->kb[line] : 0;
}

static bool line_shown(const struct text *t, size_t line)
{
	double start = start_kb(t, line), end = t->s->end->kb[line];

	return t->o->explain || line == BALANCE_REST || start != 0 || end != 0;
}

static void text_table(struct text *t)
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
	struct table table = {.columns = t->s->start ? two : one,
			      .nr_columns = 5,
			      .ellipsis = t->o->utf8 ? "…" : "~"};
	const struct balance *start = t->s->start, *end = t->s->end;

	for (size_t g = 0; g < BALANCE_GROUPS; g++) {
		double group_start = start ? balance_group_kb(start, g) : 0,
		       group_end = balance_group_kb(end, g);
		bool alone = g == BALANCE_UNACCOUNTED;

		if (!alone && group_start == 0 && group_end == 0 && !t->o->explain)
			continue;
		row(t, &table, balance_group_label(g), group_start, group_end,
		    alone ? balance_defs[BALANCE_REST].source : "");
		for (size_t i = 0; i < BALANCE_LINES && !alone; i++) {
			char label[64];

			if (balance_defs[i].group != g || !line_shown(t, i))
				continue;
			snprintf(label, sizeof(label), "  %s", balance_defs[i].label);
			row(t, &table, label, start_kb(t, i), end->kb[i], balance_defs[i].source);
		}
	}
	row(t, &table, "Sum", start ? start->total_kb : 0, end->total_kb, "MemTotal");
	t->failed |= table_print(&table, t->out, 2) < 0;
}

static void text_lines(struct text *t)
{
	fputc('\n', t->out);
	heading(t, t->o->explain ? "THE LINES" : "COUNTED ONCE");
	for (size_t i = 0; i < BALANCE_LINES; i++) {
		const struct balance_def *def = &balance_defs[i];

		if (!line_shown(t, i))
			continue;
		if (t->o->explain)
			paragraph(t, 2, "%s: %s%s%s%s", def->label, def->explain,
				  def->overlaps[0] ? " Counted once: " : "", def->overlaps,
				  def->overlaps[0] ? "." : "");
		else if (def->overlaps[0])
			paragraph(t, 2, "%s: %s.", def->label, def->overlaps);
	}
}

static void text_rest(struct text *t)
{
	const struct balance *b = t->s->end;
	char a[UNITS_MAX], p[UNITS_MAX];

	fputc('\n', t->out);
	heading(t, "UNACCOUNTED");
	paragraph(t, 2, "%s, %s of MemTotal. %s", units_bytes(a, b->kb[BALANCE_REST] * 1024),
		  percent(p, b->kb[BALANCE_REST] / b->total_kb),
		  balance_defs[BALANCE_REST].explain);
	for (size_t i = 0; i < b->nr_suspects; i++)
		paragraph(t, 2, "%s %s: %s (%s).", b->suspects[i].at_most ? "At most" : "In it:",
			  units_bytes(a, b->suspects[i].kb * 1024), b->suspects[i].explain,
			  b->suspects[i].source);
	paragraph(t, 2, "`kmemtrace record` names the call paths that take such pages.");
}

int balance_text(const struct balance_sheet *s, const struct balance_text_options *o, FILE *out)
{
	struct text t = {.s = s, .o = o, .out = out};
	char a[UNITS_MAX], b[UNITS_MAX];

	heading(&t, "BALANCE  (K, M, G: KiB, MiB, GiB)");
	paragraph(&t, 2, "MemTotal %s%s%s%s%s.", units_bytes(a, s->end->total_kb * 1024),
		  s->kernel[0] ? ", Linux " : "", s->kernel,
		  s->start ? ", start and end of " : ", now",
		  s->start ? units_duration(b, s->duration_s) : "");
	if (!isnan(s->end->total_kb)) {
		text_table(&t);
		text_rest(&t);
		text_lines(&t);
	}
	fputc('\n', out);
	heading(&t, "NOTES");
	for (size_t i = 0; i < s->notes->nr; i++)
		paragraph(&t, 2, "%s", s->notes->items[i]);
	return t.failed ? -ENOMEM : 0;
}
