// SPDX-License-Identifier: GPL-2.0-only
/* The diff as text: see diff.h. Each section is a function, in the order of printing. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "render/census_parts.h"
#include "render/diff_internal.h"
#include "render/path.h"
#include "render/section.h"
#include "render/table.h"
#include "render/witness.h"

#define NAME_COLUMNS 24
#define CELL_MAX     (PAGE_CELL + 8)

struct diff_page {
	struct page page;
	const struct diff *d;
	const struct diff_findings *f;
	const struct diff_options *o;
};

/* "12.3M/s" */
static const char *rate(const struct page *p, char buf[CELL_MAX], double bytes_per_s, bool sign)
{
	char bytes[PAGE_CELL];

	if (isnan(bytes_per_s))
		return p->glyphs->none;
	snprintf(buf, CELL_MAX, "%s/s", page_bytes(p, bytes, bytes_per_s, sign));
	return buf;
}

static const char *relative(const struct page *p, char buf[CELL_MAX], const struct diff_figure *f)
{
	double percent = 100 * diff_relative(f);

	if (isnan(percent))
		return p->glyphs->none;
	if (diff_times(f) >= 10)
		snprintf(buf, CELL_MAX, "x%.0f", diff_times(f));
	else if (fabs(percent) < 0.05) /* avoid a sign before 0 */
		snprintf(buf, CELL_MAX, "0.0%%");
	else
		snprintf(buf, CELL_MAX, "%+.1f%%", percent);
	return buf;
}

/* ---- what is compared ---- */

/* What a directory with copies of /proc says of its machine. */
static void text_copy_side(struct diff_page *t, const char *which, const struct view *v)
{
	const char *release = capture_meta(v->c, META_RELEASE),
		   *host = capture_meta(v->c, META_HOST);
	char memory[UNITS_MAX];

	page_paragraph(&t->page, 2, "%s: a copy of /proc in %s: host %s, Linux %s, %s.", which,
		       capture_meta(v->c, META_COPY), host[0] ? host : "unknown",
		       release[0] ? release : "unknown",
		       units_bytes(memory, view_mem_total_kb(v) * 1024));
}

static const char *mode_words(const struct capture *c)
{
	return capture_is_census(c) ? "a census without a recording" : capture_meta(c, META_MODE);
}

static void text_side(struct diff_page *t, const char *which, const struct view *v)
{
	const struct capture *c = v->c;
	char when[UNITS_MAX], duration[UNITS_MAX], memory[UNITS_MAX], uptime[UNITS_MAX];

	if (capture_meta(c, META_COPY)[0]) {
		text_copy_side(t, which, v);
		return;
	}
	page_paragraph(
		&t->page, 2,
		"%s: host %s, Linux %s %s, %.0f CPUs, %s; %s for %s, %s%s; up %s then.", which,
		capture_meta(c, META_HOST)[0] ? capture_meta(c, META_HOST) : "unknown",
		capture_meta(c, META_RELEASE), capture_meta(c, META_ARCH), v->cpus,
		units_bytes(memory, view_mem_total_kb(v) * 1024),
		units_time(when, "%Y-%m-%d %H:%M:%S UTC", view_wall_s(v)) ?: "at an unknown time",
		units_duration(duration, v->duration_s), mode_words(c),
		v->complete ? "" : ", incomplete", units_duration(uptime, view_uptime_s(v)));
}

static void text_compared(struct diff_page *t)
{
	page_heading(&t->page, PAGE_BOLD, "COMPARED");
	if (t->d->in.base_view)
		text_side(t, "base", t->d->in.base_view);
	else
		page_paragraph(&t->page, 2,
			       "base: a set of %zu captures; \"usual\" is their median and range.",
			       baseline_captures(t->d->in.set));
	text_side(t, "new", t->d->in.new_view);
	for (size_t i = 0; i < t->f->notes.nr; i++)
		page_paragraph(&t->page, 2, "%s", t->f->notes.items[i]);
}

/* ---- levels ---- */

static void level_row(struct table *table, const struct diff_row *row)
{
	char change[CELL_MAX];

	table_words(table, "%s", diff_row_name(row));
	table_bytes(table, row->level.base, false);
	table_bytes(table, row->level.new_, false);
	table_bytes(table, row->level.delta, true);
	table_words(table, "%s", relative(table->page, change, &row->level));
	table_bytes(table, row->growth.base, true);
	table_bytes(table, row->growth.new_, true);
	table_words(table, "%s",
		    row->level.status == DIFF_SAME ? table->page->glyphs->none
						   : diff_status_name(row->level.status));
	table_words(table, "%s",
		    row->new_ && row->new_->pattern != PATTERN_UNKNOWN
			    ? pattern_name(row->new_->pattern)
			    : "");
}

/* "Slab: per CPU 12M to 10M, per GiB …", if the machines have different sizes. */
static void text_scaled(struct diff_page *t, const struct diff_row *row)
{
	const struct profile *base = t->d->in.base, *new_ = t->d->in.new_;
	char a[4][UNITS_MAX];

	if (!(row->level.base > 0 || row->level.new_ > 0))
		return;
	page_paragraph(&t->page, 4, "%s: per CPU %s to %s, per GiB of memory %s to %s",
		       diff_row_name(row),
		       units_bytes_short(a[0], profile_per_cpu(base, row->level.base)),
		       units_bytes_short(a[1], profile_per_cpu(new_, row->level.new_)),
		       units_bytes_short(a[2], profile_per_gib(base, row->level.base)),
		       units_bytes_short(a[3], profile_per_gib(new_, row->level.new_)));
}

/* A section that was asked for says why it has no rows. */
static bool text_is_empty(struct diff_page *t, bool comparable, size_t nr)
{
	if (!comparable)
		page_paragraph(&t->page, 2, "Not compared: at most one side has this.");
	else if (!nr)
		page_paragraph(&t->page, 2, "Nothing changed beyond noise.");
	return !comparable || !nr;
}

static void text_levels(struct diff_page *t, enum profile_section section, const char *title)
{
	const struct table_column columns[] = {
		{"", NAME_COLUMNS, false},
		{"base", 0, true},
		{"new", 0, true},
		{"change", 0, true},
		{"", 0, true},
		{"base/s", 0, true},
		{"new/s", 0, true},
		{"", 0, false},
		{section <= PROFILE_CACHES ? "shape" : "", 0,
		 false}, /* only these are read each second */
	};
	const struct diff_rows *rows = &t->d->sections[section];
	struct table table = TABLE_INIT(&t->page, columns);
	size_t nr = section_rows(t->d, section, t->o), shown = section_shown(t->d, section, t->o);

	page_heading(&t->page, PAGE_BOLD, "%s", title);
	if (text_is_empty(t, rows->comparable, nr))
		return;
	for (size_t i = 0; i < shown; i++)
		if (diff_row_shown(&rows->items[i]))
			level_row(&table, &rows->items[i]);
	table_print(&table);
	if (nr > shown)
		page_paragraph(&t->page, 2, "%zu more changed: --top %zu shows them.", nr - shown,
			       nr);
	for (size_t i = 0; diff_sizes_differ(&t->d->in) && i < shown; i++)
		text_scaled(t, &rows->items[i]);
}

/* ---- growth and churn ---- */

/* The path, one frame per line: with offsets if a capture has it, otherwise from its identity. */
static void text_path(struct diff_page *t, const struct diff_row *row)
{
	const struct profile_row *side = diff_row_side(row);
	const struct view *v = diff_row_view(t->d, row);
	_cleanup_free_ char *label = NULL;

	if (side && v && side->stack && v->c->stacks[side->stack].nr_frames) {
		path_print(&t->page, v->c, side->stack);
		return;
	}
	label = diff_row_label(row);
	page_paragraph(&t->page, 6, "%s", label && label[0] ? label : "(no call path recorded)");
}

static void text_growth_row(struct diff_page *t, const struct diff_row *row, size_t rank)
{
	const struct diff_figure *f = &row->growth;
	const struct profile_row *side = diff_row_side(row);
	char a[6][CELL_MAX], held[UNITS_MAX], was[UNITS_MAX];

	fputc('\n', t->page.out);
	page_paragraph(&t->page, 2, "#%zu %s %s (%s to %s): %s%s%s%s%s%s%s", rank,
		       f->status == DIFF_SAME ? "not beyond noise" : diff_status_name(f->status),
		       rate(&t->page, a[0], f->delta, true),
		       page_bytes(&t->page, a[1], f->low, true),
		       page_bytes(&t->page, a[2], f->high, true), pool_name(diff_row_pool(row)),
		       side && side->cache[0] ? " " : "", side ? side->cache : "",
		       side && side->class_[0] ? " " : "", side ? side->class_ : "",
		       side && side->who[0] ? ", most of it by " : "", side ? side->who : "");
	if (row->set)
		page_paragraph(
			&t->page, 4, "usual: %s, %s to %s in %zu captures, present in %zu; new: %s",
			rate(&t->page, a[3], f->base, false),
			page_bytes(&t->page, a[4], f->base_low, false),
			page_bytes(&t->page, a[5], f->base_high, false),
			row->set->stat[BASELINE_CHANGE].n, row->set->stat[BASELINE_CHANGE].present,
			rate(&t->page, a[0], f->new_, false));
	else
		page_paragraph(&t->page, 4, "base: %s (%s held); new: %s (%s held)",
			       rate(&t->page, a[3], f->base, false),
			       units_bytes(was, row->base ? row->base->held : 0),
			       rate(&t->page, a[4], f->new_, false),
			       units_bytes(held, row->new_ ? row->new_->held : 0));
	if (!isnan(row->churn.delta))
		page_paragraph(&t->page, 4, "allocated: %s before, %s now",
			       rate(&t->page, a[3], row->churn.base, false),
			       rate(&t->page, a[4], row->churn.new_, false));
	if (row->similar)
		page_paragraph(&t->page, 4,
			       "(only the beginnings and ends of the two paths match)");
	if (t->d->in.new_->by == GROWTH_BY_STACK)
		text_path(t, row);
	else if (t->d->in.new_->by != GROWTH_BY_POOL) /* the heading already says it */
		page_paragraph(&t->page, 6, "%s",
			       diff_row_name(row)[0] ? diff_row_name(row) : "(not known)");
}

static void text_growth(struct diff_page *t)
{
	const struct diff_rows *rows = &t->d->sections[PROFILE_GROWTH];
	size_t nr = section_rows(t->d, PROFILE_GROWTH, t->o);
	size_t shown = section_shown(t->d, PROFILE_GROWTH, t->o);

	page_heading(&t->page, PAGE_BOLD, "GROWTH, by %s", growth_by_name(t->d->in.new_->by));
	if (text_is_empty(t, rows->comparable, 1))
		return;
	if (!nr)
		page_paragraph(&t->page, 2,
			       "In all %zu rows, held memory grows as before, within sampling "
			       "error.",
			       rows->nr);
	for (size_t i = 0; i < shown; i++)
		text_growth_row(t, &rows->items[i], i + 1);
	if (nr > shown)
		page_paragraph(&t->page, 2, "%zu more changed: --top %zu shows them.", nr - shown,
			       nr);
}

static void text_churn(struct diff_page *t)
{
	static const struct table_column columns[] = {
		{"base", 0, true}, {"new", 0, true}, {"change", 0, true},
		{"", 0, false},    {"", 44, false},
	};
	struct table table = TABLE_INIT(&t->page, columns);
	size_t shown = rows_shown(t->o->top, t->d->nr_churn);

	page_heading(&t->page, PAGE_BOLD, "CHURN  (traffic: all allocations, freed or not)");
	if (text_is_empty(t, t->d->sections[PROFILE_GROWTH].comparable, shown))
		return;
	for (size_t i = 0; i < shown; i++) {
		const struct diff_row *row =
			&t->d->sections[PROFILE_GROWTH].items[t->d->churn_order[i]];
		_cleanup_free_ char *label = diff_row_label(row);
		char rates[3][CELL_MAX];

		table_words(&table, "%s", rate(&t->page, rates[0], row->churn.base, false));
		table_words(&table, "%s", rate(&t->page, rates[1], row->churn.new_, false));
		table_words(&table, "%s", rate(&t->page, rates[2], row->churn.delta, true));
		table_words(&table, "%s", pool_name(diff_row_pool(row)));
		table_words(&table, "%s", label ?: "");
	}
	table_print(&table);
}

/* ---- sections ---- */

static void text_verdict(struct diff_page *t)
{
	page_verdict(&t->page, false, t->f->verdict.items, t->f->verdict.nr, t->f->next);
}

static void text_pools(struct diff_page *t)
{
	bool copies = diff_is_copy(t->d->in.base_view) && diff_is_copy(t->d->in.new_view);

	text_levels(t, PROFILE_POOLS,
		    copies ? "POOLS  (K, M, G: KiB, MiB, GiB)"
			   : "POOLS  (levels at the end of each recording, and their "
			     "change per second)");
}

static void text_caches(struct diff_page *t)
{
	text_levels(t, PROFILE_CACHES, "SLAB CACHES  (pages)");
}

static void text_vmalloc(struct diff_page *t)
{
	text_levels(t, PROFILE_VMALLOC, "VMALLOC CALLERS");
}

static void text_stacks(struct diff_page *t)
{
	bool by_cgroup = t->d->in.new_->by == GROWTH_BY_CGROUP;

	text_levels(t, PROFILE_STACKS,
		    by_cgroup ? "KERNEL STACKS BY CGROUP" : "KERNEL STACKS BY PROCESS NAME");
	text_levels(t, PROFILE_PAGE_TABLES,
		    by_cgroup ? "PAGE TABLES BY CGROUP" : "PAGE TABLES BY PROCESS NAME");
}

static void text_counters(struct diff_page *t)
{
	if (t->o->counters && t->o->counters->nr) {
		witnesses_text(&t->page, t->o->counters, true);
		return;
	}
	page_heading(&t->page, PAGE_BOLD, "COUNTED BY THE KERNEL");
	page_paragraph(&t->page, 2, "%s",
		       t->o->counters ? "Neither side has these counts."
				      : "Not compared with a set of captures.");
}

static void text_census(struct diff_page *t)
{
	const struct diff *d = t->d;

	page_heading(&t->page, PAGE_BOLD, "CENSUS  (what was counted page by page; before: base)");
	if (diff_has_census(d)) {
		census_changes_text(&t->page, &d->census_delta, t->o->top ?: SIZE_MAX);
		return;
	}
	page_paragraph(&t->page, 2, "%s",
		       d->in.base_view ? "Not compared: one of the captures has no census."
				       : "Not compared with a set of captures.");
}

/* The sections, in the order of printing, which is that of enum diff_section. */
static const char *const diff_section_names[] = {"verdict", "notes",  "pools",    "caches",
						 "vmalloc", "stacks", "counters", "growth",
						 "churn",   "census"};
#define NR_DIFF_SECTIONS (sizeof(diff_section_names) / sizeof(diff_section_names[0]))

static void (*const diff_sections[NR_DIFF_SECTIONS])(struct diff_page *t) = {
	text_verdict, text_compared, text_pools,  text_caches, text_vmalloc,
	text_stacks,  text_counters, text_growth, text_churn,  text_census,
};

unsigned int diff_section_parse(const char *name, size_t len)
{
	return section_bit(diff_section_names, NR_DIFF_SECTIONS, name, len);
}

int diff_text(const struct diff *d, const struct diff_findings *f,
	      const struct diff_options *options, FILE *out)
{
	struct diff_page t = {.d = d, .f = f, .o = options};

	page_begin(&t.page, out, options->colour, options->utf8);
	diff_screen(&t.page, d, &f->screen);
	if (!options->sections)
		section_more(&t.page, diff_section_names, NR_DIFF_SECTIONS);
	for (size_t i = 0; i < NR_DIFF_SECTIONS; i++)
		if (options->sections >> i & 1)
			diff_sections[i](&t);
	return page_end(&t.page);
}
