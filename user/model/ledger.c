// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measures the terms of the ledger: see ledger.h. Each pool is a row of one table, with a function
 * for each term; NULL means that nothing measures the term.
 */
#include "model/ledger.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "data/class.h"
#include "model/balance.h"
#include "model/confidence.h"
#include "model/sampling.h"

#define TREND_FLOOR    256.0  /* kB: name no pattern for a smaller change of a pool */
#define RESIDUAL_KB    1024.0 /* a smaller residual does not matter, */
#define RESIDUAL_SHARE 0.1    /* nor does a smaller share of the change */

struct source {
	const struct view *v;
	const struct outstanding *outstanding;
	const struct caches *caches;
	const struct holders *holders;
};

struct pool_def {
	const char *name;
	double (*level_kb)(const struct view *v, const struct snapshot *s, const char *name);
	enum pool pool; /* of the traced objects */
	bool untraced;  /* no event shows who takes these pages */
	bool secondary; /* true: only objects of class CLASS_SECONDARY; false: all others */
	double (*preexisting_kb)(const struct source *s); /* NULL: no source, see remark */
	double (*overhead_kb)(const struct source *s);    /* NULL: there is none */
	const char *remark;
};

static double level_meminfo(const struct view *v, const struct snapshot *s, const char *name)
{
	return view_level_kb(v, s, name);
}

static double level_unaccounted(const struct view *v, const struct snapshot *s, const char *name)
{
	struct balance b;

	(void)name;
	balance_build(s, &v->hint, NULL, &b);
	/* Without zoneinfo, tens of MB on per-CPU lists would look unaccounted. */
	return b.placed ? b.kb[BALANCE_REST] : NAN;
}

static double level_unmapped_lru(const struct view *v, const struct snapshot *s, const char *name)
{
	struct balance b;

	(void)name;
	balance_build(s, &v->hint, NULL, &b);
	return balance_line_kb(&b, BALANCE_OTHER_LRU);
}

static double slab_preexisting(const struct source *s)
{
	double bytes = 0;

	if (!s->v->slab_start)
		return NAN;
	for (size_t i = 0; i < s->caches->nr; i++)
		bytes += s->caches->items[i].preexisting_freed_bytes;
	return bytes / 1024;
}

static double slab_overhead(const struct source *s)
{
	double kb = 0;

	if (!s->v->slab_start)
		return NAN;
	for (size_t i = 0; i < s->caches->nr; i++)
		kb += s->caches->items[i].end_free_kb - s->caches->items[i].start_free_kb;
	return kb;
}

/* Without events, use the change of each caller in vmallocinfo: the growth (sign 1) or the
 * shrinkage (sign −1) of all callers. */
static double vmalloc_growth(const struct source *s, double sign)
{
	double kb = 0;

	for (size_t i = 0; i < s->holders->callers.nr; i++)
		kb += fmax(sign * (s->holders->callers.items[i].kb.end -
				   s->holders->callers.items[i].kb.start),
			   0);
	return kb;
}

static double vmalloc_preexisting(const struct source *s)
{
	double kb = 0;

	if (!s->holders->callers_known)
		return NAN;
	if (!view_traces(s->v, POOL_VMALLOC))
		return vmalloc_growth(s, -1);
	for (size_t i = 0; i < s->holders->callers.nr; i++)
		kb += s->holders->callers.items[i].preexisting_freed_kb;
	return kb;
}

static double vmalloc_overhead(const struct source *s)
{
	if (!view_traces(s->v, POOL_VMALLOC)) /* vmallocinfo counts whole pages: no overhead */
		return s->holders->callers_known ? 0 : NAN;
	return s->holders->vmalloc_end.rounding_kb - s->holders->vmalloc_start.rounding_kb;
}

static double stacks_preexisting(const struct source *s)
{
	return s->holders->stacks_lost_kb;
}

static double pgtables_preexisting(const struct source *s)
{
	return s->holders->pgtables_lost_kb;
}

static double held_kb(const struct source *s, const struct pool_def *def, double *var)
{
	double bytes = 0;

	*var = 0;
	for (size_t i = 0; i < s->outstanding->nr; i++) {
		const struct outstanding_row *row = &s->outstanding->items[i];

		if (row->h->pool != def->pool || (class_place(row->h->pool, row->h->class_) ==
						  CLASS_SECONDARY) != def->secondary)
			continue;
		bytes += row->bytes;
		*var += row->bytes_var / (1024 * 1024);
	}
	return bytes / 1024;
}

static const struct pool_def pool_defs[LEDGER_POOLS];

/* Pages allocated for per-CPU chunks while tracing, from page events. */
static double percpu_pages_kb(const struct source *s, double *var)
{
	double bytes = 0;

	*var = 0;
	for (size_t i = 0; i < s->v->at->held.nr; i++) {
		const struct cap_held *h = &s->v->at->held.items[i];

		if (h->pool != POOL_PAGE || strcmp(h->class_, CLASS_PERCPU_BACKING))
			continue;
		bytes += h->bytes;
		*var += h->bytes_var / (1024 * 1024);
	}
	return bytes / 1024;
}

/* As for slab caches, but with pages: if more pages were allocated than Percpu grew by, and the
 * difference is beyond the sampling error, older pages were freed. */
static double percpu_preexisting(const struct source *s)
{
	double var, came, grew;

	if (!view_traces(s->v, POOL_PAGE))
		return NAN;
	came = percpu_pages_kb(s, &var);
	grew = view_level_kb(s->v, s->v->end, "Percpu") -
	       view_level_kb(s->v, s->v->start, "Percpu");
	return came - grew > NOISE_SD * sqrt(var) ? came - grew : 0;
}

/* Pages of per-CPU chunks that hold no live object. */
static double percpu_overhead(const struct source *s)
{
	double var;

	if (!view_traces(s->v, POOL_PAGE))
		return NAN;
	return percpu_pages_kb(s, &var) - held_kb(s, &pool_defs[LEDGER_PERCPU], &var);
}

static const struct pool_def pool_defs[LEDGER_POOLS] = {
	[LEDGER_SLAB] = {"Slab", level_meminfo, POOL_SLAB, false, false, slab_preexisting,
			 slab_overhead, ""},
	[LEDGER_VMALLOC] = {"VmallocUsed", level_meminfo, POOL_VMALLOC, false, false,
			    vmalloc_preexisting, vmalloc_overhead,
			    "includes thread stacks where they are vmalloc areas"},
	[LEDGER_KERNEL_STACK] = {"KernelStack", level_meminfo, POOL_KSTACK, false, false,
				 stacks_preexisting, NULL, ""},
	[LEDGER_PAGE_TABLES] = {"PageTables", level_meminfo, POOL_PAGETABLE, false, false,
				pgtables_preexisting, NULL, ""},
	[LEDGER_SEC_PAGE_TABLES] =
		{"SecPageTables", level_meminfo, POOL_PAGETABLE, false, true, NULL, NULL,
		 "the residual includes older pages that were freed: no source shows them"},
	[LEDGER_PERCPU] =
		{"Percpu", level_meminfo, POOL_PERCPU, false, false, percpu_preexisting,
		 percpu_overhead,
		 "the overhead includes older objects that were freed while their pages stay"},
	[LEDGER_UNMAPPED_LRU] =
		{.name = "UnmappedLRU",
		 .level_kb = level_unmapped_lru,
		 .pool = POOL_PAGE,
		 .untraced = true,
		 .remark = "pages on LRU lists that no process maps and no cache has: pinned, or "
			   "leaked"},
	[LEDGER_UNACCOUNTED] =
		{"Unaccounted", level_unaccounted, POOL_PAGE, false, false, NULL, NULL,
		 "the residual includes older pages that were freed: no source shows them"},
};

static void row_attribute(const struct source *s, const struct pool_def *def,
			  struct ledger_row *row)
{
	double var;

	row->attributed_kb = row->attributed_sd_kb = NAN;
	row->attributed_from = "";
	if (def->untraced)
		return;
	if (view_traces(s->v, def->pool)) {
		row->attributed_kb = held_kb(s, def, &var);
		row->attributed_sd_kb = sqrt(var);
		row->attributed_from = "events";
	} else if (def->pool == POOL_VMALLOC && s->holders->callers_known) {
		row->attributed_kb = vmalloc_growth(s, 1);
		row->attributed_sd_kb = 0;
		row->attributed_from = "vmallocinfo";
		row->from_levels = true;
	}
}

/* The level over time, at most SERIES_POINTS readings of it, and its trend. */
static int row_history(const struct view *v, const struct pool_def *def, struct ledger_row *row)
{
	size_t span = v->last - v->first,
	       points = span + 1 < SERIES_POINTS ? span + 1 : SERIES_POINTS, nr = 0;
	_cleanup_free_ double *t = calloc(2 * points, sizeof(*t)),
			      *series = calloc(2 * points, sizeof(*series));
	double *y;

	if (!t || !series)
		return -ENOMEM;
	y = t + points;
	for (size_t i = 0; i < points; i++) {
		const struct snapshot *s =
			&v->c->snapshots[v->first + (points > 1 ? i * span / (points - 1) : 0)];

		series[i] = def->level_kb(v, s, def->name);
		series[points + i] = s->t_s;
		if (isnan(series[i]))
			continue;
		t[nr] = s->t_s;
		y[nr++] = series[i];
	}
	if (trend_of(t, y, nr, TREND_FLOOR, &row->trend))
		return -ENOMEM;
	row->series_t = series + points;
	row->series = TAKE_PTR(series);
	row->nr_series = points;
	return 0;
}

/*
 * A term without a source is left out of the sum; the remark says which other term includes it. A
 * term that could not be measured this time is NaN and makes the residual NaN.
 */
static void row_terms(const struct source *s, const struct pool_def *def, struct ledger_row *row)
{
	bool attributed = !isnan(row->attributed_kb);

	row->preexisting_freed_kb =
		def->preexisting_kb && attributed ? def->preexisting_kb(s) : NAN;
	if (def->overhead_kb)
		row->allocator_overhead_kb = def->overhead_kb(s);
	else
		row->allocator_overhead_kb = attributed ? 0 : NAN;
	row->residual_kb = row->delta_kb - row->attributed_kb +
			   (def->preexisting_kb ? row->preexisting_freed_kb : 0) -
			   row->allocator_overhead_kb;
}

/*
 * The residual is as uncertain as the outstanding bytes. For Percpu, it is as uncertain as the
 * pages: the overhead subtracts the outstanding bytes, so these cancel. Slab and page allocations
 * may have missed every sample; other pools are tracked completely, or sampled more finely.
 */
static void row_interval(const struct source *s, const struct pool_def *def, struct ledger_row *row)
{
	double sum = row->attributed_kb, var = row->attributed_sd_kb * row->attributed_sd_kb, low,
	       high;
	struct sampling sampling = {0};

	row->residual_low_kb = row->residual_high_kb = row->residual_kb;
	if (isnan(row->residual_kb) ||
	    !(row->end_kb > 0)) /* in an empty pool, no sample can be missing */
		return;
	if (def->pool == POOL_PERCPU)
		sum = percpu_pages_kb(s, &var);
	else if (def->pool != POOL_KSTACK)
		sampling_of(s->v, def->pool, &sampling);
	interval_weighted_at(1.959964, sum, var, sampling.most / 1024, &low, &high);
	row->residual_low_kb += sum - high;
	row->residual_high_kb += sum - low;
}

static bool residual_matters(const struct ledger_row *row)
{
	bool error_alone = row->residual_low_kb <= 0 && row->residual_high_kb >= 0 &&
			   row->residual_low_kb < row->residual_high_kb;

	return fabs(row->residual_kb) > RESIDUAL_KB &&
	       fabs(row->residual_kb) > RESIDUAL_SHARE * fabs(row->delta_kb) && !error_alone;
}

static int row_build(const struct source *s, const struct pool_def *def, struct ledger_row *row)
{
	const struct view *v = s->v;

	row->name = def->name;
	row->pool = def->pool;
	row->start_kb = def->level_kb(v, v->start, def->name);
	row->end_kb = def->level_kb(v, v->end, def->name);
	/* One snapshot measures no change. */
	row->delta_kb = v->first == v->last ? NAN : row->end_kb - row->start_kb;
	row->remark = def->remark;
	row_attribute(s, def, row);
	row_terms(s, def, row);
	row_interval(s, def, row);
	row->residual_matters = residual_matters(row);
	row->empty = !(row->start_kb > 0 || row->end_kb > 0);
	return row_history(v, def, row);
}

int ledger_build(const struct view *v, const struct outstanding *outstanding,
		 const struct caches *caches, const struct holders *holders, struct ledger *out)
{
	struct source s = {
		.v = v, .outstanding = outstanding, .caches = caches, .holders = holders};
	struct ledger l = {0};

	for (size_t i = 0; i < LEDGER_POOLS; i++) {
		if (row_build(&s, &pool_defs[i], &l.rows[i])) {
			ledger_free(&l);
			return -ENOMEM;
		}
		l.rows[i].shown = i != LEDGER_UNMAPPED_LRU || !l.rows[i].empty;
	}
	*out = l;
	return 0;
}

void ledger_free(struct ledger *l)
{
	for (size_t i = 0; i < LEDGER_POOLS; i++)
		free(l->rows[i].series);
	memset(l, 0, sizeof(*l));
}
