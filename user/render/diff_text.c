// SPDX-License-Identifier: GPL-2.0-only
/* The diff as text: see diff.h. One function a section, in the order they are printed. */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "base/units.h"
#include "render/diff.h"
#include "render/table.h"
#include "render/wrap.h"

#define NAME_COLUMNS 24
#define CELL_MAX     (UNITS_MAX + 8)

struct text {
	const struct diff *d;
	const struct diff_options *o;
	FILE *out;
	bool failed;
};

static const char *none(const struct text *t)
{
	return t->o->utf8 ? "–" : "-";
}

static void heading(struct text *t, const char *fmt, const char *arg)
{
	fprintf(t->out, "\n%s", t->o->colour ? "\033[1m" : "");
	fprintf(t->out, "%s%s", fmt, arg);
	fprintf(t->out, "%s\n", t->o->colour ? "\033[0m" : "");
}

__attribute__((format(printf, 3, 4))) static void paragraph(struct text *t, unsigned int indent, const char *fmt,
							    ...)
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

/* One cell with a name in it. */
static void cell_name(struct text *t, struct table *table, const char *name)
{
	_cleanup_free_ char *safe = escape_terminal(name, t->o->utf8);

	t->failed |= !safe;
	table_cell(table, "%s", safe ?: "");
}

static const char *size_cell(const struct text *t, char buf[CELL_MAX], double bytes, bool sign)
{
	if (isnan(bytes))
		return none(t);
	buf[0] = '+';
	units_bytes_short(buf + 1, bytes);
	return sign && bytes > 0 && strcmp(buf + 1, "0") ? buf : buf + 1;
}

/* "12.3M/s" */
static const char *rate_cell(const struct text *t, char buf[CELL_MAX], double rate, bool sign)
{
	char cell[CELL_MAX];

	if (isnan(rate))
		return none(t);
	snprintf(buf, CELL_MAX, "%.*s/s", CELL_MAX - 3, size_cell(t, cell, rate, sign));
	return buf;
}

static const char *percent_cell(const struct text *t, char buf[CELL_MAX], const struct diff_figure *f)
{
	if (!(f->base > 0) || isnan(f->delta))
		return none(t);
	if (f->new_ >= 10 * f->base)
		snprintf(buf, CELL_MAX, "x%.0f", f->new_ / f->base);
	else
		snprintf(buf, CELL_MAX, "%+.1f%%", 100 * f->delta / f->base);
	return buf;
}

static const char *status_cell(const struct text *t, enum diff_status s)
{
	return s == DIFF_SAME ? none(t) : diff_status_name(s);
}

/* ---- what is compared ---- */

static void text_verdict(struct text *t)
{
	_cleanup_free_ char *all = NULL;
	size_t size;
	FILE *f = open_memstream(&all, &size);

	if (!f) {
		t->failed = true;
		return;
	}
	for (size_t i = 0; i < t->d->verdict.nr; i++)
		fprintf(f, "%s%s", i ? " " : "", t->d->verdict.items[i]);
	t->failed |= fclose(f) != 0;
	fprintf(t->out, "%sVERDICT%s\n", t->o->colour ? "\033[1m" : "", t->o->colour ? "\033[0m" : "");
	paragraph(t, 2, "%s", all ?: "");
	if (t->d->next)
		paragraph(t, 2, "Next: %s", t->d->next);
}

static void text_side(struct text *t, const char *which, const struct view *v)
{
	const struct capture *c = v->c;
	double wall = capture_meta_number(c, META_START, NAN) + v->start->t_s;
	char when[40] = "at an unknown time", duration[UNITS_MAX], memory[UNITS_MAX], uptime[UNITS_MAX];
	time_t seconds = (time_t)wall;
	struct tm tm;

	if (wall > 0 && wall < 253402300800.0 && gmtime_r(&seconds, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S UTC", &tm);
	paragraph(t, 2, "%s: host %s, Linux %s %s, %.0f CPUs, %s; %s for %s, %s%s; up %s then.", which,
		  capture_meta(c, META_HOST)[0] ? capture_meta(c, META_HOST) : "unknown",
		  capture_meta(c, META_RELEASE), capture_meta(c, META_ARCH), v->cpus,
		  units_bytes(memory, snapshot_meminfo(v->end, "MemTotal") * 1024), when,
		  units_duration(duration, v->duration_s), capture_meta(c, META_MODE), v->complete ? "" : ", incomplete",
		  units_duration(uptime, capture_meta_number(c, META_UPTIME, NAN) + v->start->t_s));
}

static void text_compared(struct text *t)
{
	heading(t, "COMPARED", "");
	if (t->d->in.base_view)
		text_side(t, "base", t->d->in.base_view);
	else
		paragraph(t, 2, "base: a set of %zu captures; what is usual is their median, and what was seen in them.",
			  baseline_captures(t->d->in.set));
	text_side(t, "new", t->d->in.new_view);
	for (size_t i = 0; i < t->d->notes.nr; i++)
		paragraph(t, 2, "%s", t->d->notes.items[i].text);
}

/* ---- levels ---- */

static void level_row(struct text *t, struct table *table, const struct diff_row *row)
{
	char a[6][CELL_MAX];

	cell_name(t, table, diff_row_name(row));
	table_cell(table, "%s", size_cell(t, a[0], row->level.base, false));
	table_cell(table, "%s", size_cell(t, a[1], row->level.new_, false));
	table_cell(table, "%s", size_cell(t, a[2], row->level.delta, true));
	table_cell(table, "%s", percent_cell(t, a[3], &row->level));
	table_cell(table, "%s", size_cell(t, a[4], row->growth.base, true));
	table_cell(table, "%s", size_cell(t, a[5], row->growth.new_, true));
	table_cell(table, "%s", status_cell(t, row->level.status));
}

static bool sizes_differ(const struct diff *d)
{
	return d->in.base && (d->in.base->cpus != d->in.new_->cpus ||
			      fabs(d->in.base->mem_total_kb / d->in.new_->mem_total_kb - 1) > 0.1);
}

/* "Slab per CPU 12M to 10M, per GiB …" of machines that are not alike. */
static void text_scaled(struct text *t, const struct diff_row *row)
{
	const struct profile *base = t->d->in.base, *new_ = t->d->in.new_;
	char a[4][UNITS_MAX];

	if (!(row->level.base > 0 || row->level.new_ > 0))
		return;
	paragraph(t, 4, "%s: per CPU %s to %s, per GiB of memory %s to %s", diff_row_name(row),
		  units_bytes_short(a[0], row->level.base / base->cpus),
		  units_bytes_short(a[1], row->level.new_ / new_->cpus),
		  units_bytes_short(a[2], row->level.base / base->mem_total_kb * 1048576),
		  units_bytes_short(a[3], row->level.new_ / new_->mem_total_kb * 1048576));
}

static void text_levels(struct text *t, enum profile_section section, const char *title)
{
	static const struct table_column columns[] = {
		{"", NAME_COLUMNS, false}, {"base", 0, true}, {"new", 0, true},	    {"change", 0, true},
		{"", 0, true},		   {"base/s", 0, true}, {"new/s", 0, true}, {"", 0, false},
	};
	const struct diff_rows *rows = &t->d->sections[section];
	struct table table = {.columns = columns, .nr_columns = 8, .ellipsis = t->o->utf8 ? "…" : "~"};
	bool all = section == PROFILE_POOLS || t->o->all;
	size_t nr = all ? rows->nr : rows->changed, shown = nr;

	if (t->o->top && shown > t->o->top && section != PROFILE_POOLS)
		shown = t->o->top;
	if (!rows->comparable || !nr)
		return;
	heading(t, title, "");
	for (size_t i = 0; i < shown; i++)
		level_row(t, &table, &rows->items[i]);
	t->failed |= table_print(&table, t->out, 2) < 0;
	if (nr > shown)
		paragraph(t, 2, "%zu more changed: --top %zu shows them.", nr - shown, nr);
	for (size_t i = 0; sizes_differ(t->d) && i < shown; i++)
		text_scaled(t, &rows->items[i]);
}

/* ---- growth and churn ---- */

/* The path, one frame a line: from a capture where there is one, with offsets; else from its identity. */
static void text_path(struct text *t, const struct diff_row *row)
{
	const struct profile_row *side = row->new_ ?: row->base;
	const struct view *v = row->new_ ? t->d->in.new_view : t->d->in.base_view;
	const struct cap_stack *s = side && v && side->stack ? &v->c->stacks[side->stack] : NULL;
	_cleanup_free_ char *label = NULL;

	for (uint32_t i = 0; s && i < s->nr_frames; i++) {
		const struct cap_frame *f = &v->c->frames[s->frames[i]];
		bool module = f->module[0] && strcmp(f->module, "vmlinux");
		_cleanup_free_ char *symbol = escape_terminal(f->symbol, t->o->utf8);
		_cleanup_free_ char *name = escape_terminal(f->module, t->o->utf8);

		if (!symbol || !name) {
			t->failed = true;
			return;
		}
		fprintf(t->out, "      %.*s+0x%llx%s%.*s%s\n", (int)utf8_fit(symbol, module ? 34 : 56), symbol,
			(unsigned long long)f->offset, module ? " [" : "", module ? (int)utf8_fit(name, 20) : 0,
			name, module ? "]" : "");
	}
	if (s && s->nr_frames)
		return;
	label = diff_row_label(row);
	paragraph(t, 6, "%s", label && label[0] ? label : "(no call path recorded)");
}

static void text_growth_row(struct text *t, const struct diff_row *row, size_t rank)
{
	const struct diff_figure *f = &row->growth;
	const struct profile_row *side = row->new_ ?: row->base;
	char a[6][CELL_MAX], held[UNITS_MAX], was[UNITS_MAX];

	fputc('\n', t->out);
	paragraph(t, 2, "#%zu %s %s (%s to %s): %s%s%s%s%s%s%s", rank,
		  f->status == DIFF_SAME ? "not beyond noise" : diff_status_name(f->status),
		  rate_cell(t, a[0], f->delta, true), size_cell(t, a[1], f->low, true),
		  size_cell(t, a[2], f->high, true), pool_name(diff_row_pool(row)), side && side->cache[0] ? " " : "",
		  side ? side->cache : "", side && side->class_[0] ? " " : "", side ? side->class_ : "",
		  side && side->who[0] ? ", most of it by " : "", side ? side->who : "");
	if (row->set)
		paragraph(t, 4, "usual: %s, %s to %s in %zu captures, present in %zu; new: %s",
			  rate_cell(t, a[3], f->base, false), size_cell(t, a[4], f->base_low, false),
			  size_cell(t, a[5], f->base_high, false), row->set->stat[BASELINE_CHANGE].n,
			  row->set->stat[BASELINE_CHANGE].present, rate_cell(t, a[0], f->new_, false));
	else
		paragraph(t, 4, "base: %s (%s held); new: %s (%s held)", rate_cell(t, a[3], f->base, false),
			  units_bytes(was, row->base ? row->base->held : 0), rate_cell(t, a[4], f->new_, false),
			  units_bytes(held, row->new_ ? row->new_->held : 0));
	if (!isnan(row->churn.delta))
		paragraph(t, 4, "allocated: %s before, %s now", rate_cell(t, a[3], row->churn.base, false),
			  rate_cell(t, a[4], row->churn.new_, false));
	if (row->similar)
		paragraph(t, 4, "(the two paths only begin and end alike)");
	if (t->d->in.new_->by == GROWTH_BY_STACK)
		text_path(t, row);
	else
		paragraph(t, 6, "%s", diff_row_name(row)[0] ? diff_row_name(row) : "(not known)");
}

static void text_growth(struct text *t)
{
	const struct diff_rows *rows = &t->d->sections[PROFILE_GROWTH];
	size_t nr = t->o->all ? rows->nr : rows->changed;
	size_t shown = t->o->top && t->o->top < nr ? t->o->top : nr;

	if (!rows->comparable)
		return;
	heading(t, "GROWTH, by ", growth_by_name(t->d->in.new_->by));
	if (!nr)
		paragraph(t, 2, "What is held grows as it did, as far as sampling lets one tell, in all %zu rows.",
			  rows->nr);
	for (size_t i = 0; i < shown; i++)
		text_growth_row(t, &rows->items[i], i + 1);
	if (nr > shown)
		paragraph(t, 2, "%zu more changed: --top %zu shows them.", nr - shown, nr);
}

static void text_churn(struct text *t)
{
	static const struct table_column columns[] = {
		{"base", 0, true}, {"new", 0, true}, {"change", 0, true}, {"", 0, false}, {"", 44, false},
	};
	struct table table = {.columns = columns, .nr_columns = 5, .ellipsis = t->o->utf8 ? "…" : "~"};
	size_t shown = t->o->top && t->o->top < t->d->nr_churn ? t->o->top : t->d->nr_churn;

	if (!shown)
		return;
	heading(t, "TRAFFIC  (allocated, whatever became of it)", "");
	for (size_t i = 0; i < shown; i++) {
		const struct diff_row *row = &t->d->sections[PROFILE_GROWTH].items[t->d->churn_order[i]];
		_cleanup_free_ char *label = diff_row_label(row);
		char a[3][CELL_MAX];

		table_cell(&table, "%s", rate_cell(t, a[0], row->churn.base, false));
		table_cell(&table, "%s", rate_cell(t, a[1], row->churn.new_, false));
		table_cell(&table, "%s", rate_cell(t, a[2], row->churn.delta, true));
		table_cell(&table, "%s", pool_name(diff_row_pool(row)));
		cell_name(t, &table, label ?: "");
	}
	t->failed |= table_print(&table, t->out, 2) < 0;
}

int diff_text(const struct diff *d, const struct diff_options *options, FILE *out)
{
	struct text t = {.d = d, .o = options, .out = out};

	text_verdict(&t);
	text_compared(&t);
	text_levels(&t, PROFILE_POOLS, "POOLS  (levels at the end of each recording, and what they change by a second)");
	text_levels(&t, PROFILE_CACHES, "SLAB CACHES  (pages)");
	text_levels(&t, PROFILE_VMALLOC, "VMALLOC CALLERS");
	text_levels(&t, PROFILE_STACKS, d->in.new_->by == GROWTH_BY_CGROUP ? "KERNEL STACKS BY CGROUP"
									  : "KERNEL STACKS BY PROCESS NAME");
	text_levels(&t, PROFILE_PAGE_TABLES, d->in.new_->by == GROWTH_BY_CGROUP ? "PAGE TABLES BY CGROUP"
									       : "PAGE TABLES BY PROCESS NAME");
	text_growth(&t);
	text_churn(&t);
	return t.failed ? -ENOMEM : 0;
}
