// SPDX-License-Identifier: GPL-2.0-only
/* The first screen of a diff as text: see findings/diff_screen.h and diff.h. */
#include <math.h>
#include <string.h>

#include "render/diff_internal.h"

#define CGROUP_COLUMNS  28
#define CMDLINE_COLUMNS 48
#define BAR_POINTS      20 /* columns of a sparkline */

static void print_text(struct page *p, const char *label, size_t lines, const char *words)
{
	page_item(p, &(struct page_label){label, PAGE_BOLD, lines}, "%s", words);
}

/* Two lines at most, so the command line is cut in the middle to fit. */
static void print_row(struct page *p, const struct diff_screen_row *r)
{
	page_item(p, &(struct page_label){r->label, PAGE_BOLD, 2}, "%s%s%s%s%s%s", r->words,
		  r->cgroup[0] ? "; cgroup " : "",
		  r->cgroup[0] ? page_fit_middle(p, r->cgroup, CGROUP_COLUMNS) : "",
		  r->cmdline[0] ? "; \"" : "",
		  r->cmdline[0] ? page_fit_middle(p, r->cmdline, CMDLINE_COLUMNS) : "",
		  r->cmdline[0] ? "\"" : "");
	if (r->what[0])
		print_text(p, "WHAT", 2, r->what);
	if (r->how[0])
		print_text(p, "HOW", 1, r->how);
}

static void print_caution(struct page *p, const struct diff_screen *s)
{
	char others[64] = "";

	if (!s->caution)
		return;
	if (s->more)
		snprintf(others, sizeof(others), "(%zu more: --show notes) ", s->more);
	page_item(p, &(struct page_label){"CAUTION", PAGE_BOLD, 2}, "%s%s", others, s->caution);
}

/* ---- pools ---- */

/* The level in the new capture over time. */
static void print_bars(struct page *p, const struct diff *d, const struct diff_row *row)
{
	double y[BAR_POINTS] = {0};
	struct profile_series series;
	size_t nr;

	profile_pool_series(d->in.new_view, d->in.new_, diff_row_name(row), &series);
	nr = series.nr < BAR_POINTS ? series.nr : BAR_POINTS;
	for (size_t i = 0; i < nr; i++)
		y[i] = series.y[nr > 1 ? i * (series.nr - 1) / (nr - 1) : 0];
	page_bars(p, y, nr, false);
	fputc(' ', p->out);
}

static void print_diff_pool(struct page *p, const struct diff *d, const struct diff_row *row)
{
	const struct diff_figure *f = &row->level;
	enum pattern pattern = row->new_ ? row->new_->pattern : PATTERN_UNKNOWN;
	bool notable = pattern != PATTERN_STEADY && pattern != PATTERN_UNKNOWN;
	bool named = notable || (pattern == PATTERN_STEADY && f->status != DIFF_SAME);
	char base[PAGE_CELL], new_[PAGE_CELL], change[PAGE_CELL];

	fprintf(p->out, "  %-13s %7s %7s %8s  ", diff_row_name(row),
		page_bytes(p, base, f->base, false), page_bytes(p, new_, f->new_, false),
		page_bytes(p, change, f->delta, true));
	/* each sparkline has its own scale, so noise would look like a change */
	if (notable)
		print_bars(p, d, row);
	fprintf(p->out, "%s%s%s\n",
		f->status == DIFF_SAME ? "within noise"
		: f->delta > 0         ? "higher"
				       : "lower",
		named ? ", " : "", named ? pattern_name(pattern) : "");
}

static bool has_level(const struct diff_row *row)
{
	return row->level.base > 0 || row->level.new_ > 0;
}

static void print_diff_pools(struct page *p, const struct diff *d)
{
	const struct diff_rows *pools = &d->sections[PROFILE_POOLS];

	page_heading(p, PAGE_BOLD, "%-15s %7s %7s %8s  %s", "POOLS", d->in.set ? "usual" : "base",
		     "new", "change", "(K, M, G: KiB, MiB, GiB)");
	for (size_t i = 0; i < pools->nr; i++)
		if (has_level(&pools->items[i]))
			print_diff_pool(p, d, &pools->items[i]);
}

/* All pools in a few lines, if nothing differs. */
static void print_equal_pools(struct page *p, const struct diff *d)
{
	const struct diff_rows *pools = &d->sections[PROFILE_POOLS];
	struct page_words words;
	char new_[PAGE_CELL];
	bool first = true;

	if (!page_words_begin(p, &words))
		return;
	for (size_t i = 0; i < pools->nr; i++) {
		if (!has_level(&pools->items[i]))
			continue;
		fprintf(words.f, "%s%s %s", first ? "" : ", ", diff_row_name(&pools->items[i]),
			page_bytes(p, new_, pools->items[i].level.new_, false));
		first = false;
	}
	page_words_item(p, &words, &(struct page_label){"POOLS", PAGE_BOLD, 3});
}

void diff_screen(struct page *p, const struct diff *d, const struct diff_screen *s)
{
	bool quiet = s->state <= DIFF_QUIET;

	print_text(p, diff_state_name(s->state), quiet ? 2 : 4, s->headline);
	for (size_t i = 0; i < s->nr_rows; i++)
		print_row(p, &s->rows[i]);
	if (s->state >= DIFF_GREW && !s->nr_rows)
		print_text(p, "WHO", 1, "unknown: no process or call path stands out.");
	if (s->since[0])
		print_text(p, "SINCE", 2, s->since);
	if (s->sure[0])
		print_text(p, "TRUST", 2, s->sure);
	print_caution(p, s);
	if (s->next)
		page_command(p, "NEXT", s->next);
	if (quiet)
		print_equal_pools(p, d);
	else
		print_diff_pools(p, d);
}
