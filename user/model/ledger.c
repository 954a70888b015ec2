// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ledger: see ledger.h for the terms. Pools are rows of one table, each with its own measuring
 * functions; a NULL function is a term that nothing measures yet.
 */
#include "model/ledger.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define TREND_FLOOR 256.0 /* kB: a smaller change of a pool has no shape worth naming */

struct source {
	const struct view *v;
	const struct held *held;
	const struct caches *caches;
};

struct pool_def {
	const char *name;
	double (*level_kb)(const struct view *v, const struct snapshot *s, const char *name);
	enum pool pool; /* of the traced objects */
	bool traced;	/* … if they are all in this row and nothing else's are */
	double (*preexisting_kb)(const struct source *s);
	double (*overhead_kb)(const struct source *s);
};

static double level_meminfo(const struct view *v, const struct snapshot *s, const char *name)
{
	(void)v;
	return snapshot_meminfo(s, name);
}

static double optional_meminfo(const struct snapshot *s, const char *name)
{
	double kb = snapshot_meminfo(s, name);

	return isnan(kb) ? 0 : kb; /* the kernel has no such memory, or counts it elsewhere */
}

/* With CONFIG_VMAP_STACK thread stacks are vmalloc areas: their caller in vmallocinfo is fork's. */
static bool stacks_are_vmalloc(const struct snapshot *s)
{
	static const char *const callers[] = {"kernel_clone", "_do_fork", "copy_process",
					      "dup_task_struct", "alloc_thread_stack"};

	if (!s->vmallocs.nr) /* unreadable: the default of every large architecture */
		return true;
	for (size_t i = 0; i < s->vmallocs.nr; i++)
		for (size_t k = 0; k < sizeof(callers) / sizeof(callers[0]); k++)
			if (s->vmallocs.items[i].pages &&
			    !strncmp(s->vmallocs.items[i].caller, callers[k], strlen(callers[k])))
				return true;
	return false;
}

/*
 * MemTotal without everything that a line explains, each page once: free (per-CPU lists included),
 * user memory and page cache (the LRU lists), huge pages, and the kernel's pools.
 */
static double level_unaccounted(const struct view *v, const struct snapshot *s, const char *name)
{
	double pcp = 0, lru, kernel;

	(void)name;
	if (!s->zones.nr)
		return NAN; /* tens of MB on per-CPU lists would look lost */
	for (size_t i = 0; i < s->zones.nr; i++)
		pcp += (double)s->zones.items[i].pcp * v->page_bytes / 1024;
	lru = snapshot_meminfo(s, "Active") + snapshot_meminfo(s, "Inactive") +
	      optional_meminfo(s, "Unevictable");
	kernel = snapshot_meminfo(s, "Slab") + snapshot_meminfo(s, "PageTables") +
		 optional_meminfo(s, "SecPageTables") + optional_meminfo(s, "VmallocUsed") +
		 optional_meminfo(s, "Percpu") +
		 (stacks_are_vmalloc(s) ? 0 : snapshot_meminfo(s, "KernelStack"));
	return snapshot_meminfo(s, "MemTotal") - snapshot_meminfo(s, "MemFree") - pcp - lru -
	       kernel - optional_meminfo(s, "Hugetlb") - optional_meminfo(s, "Balloon");
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

static const struct pool_def pool_defs[LEDGER_POOLS] = {
	[LEDGER_SLAB] = {"Slab", level_meminfo, POOL_SLAB, true, slab_preexisting, slab_overhead},
	[LEDGER_VMALLOC] = {"VmallocUsed", level_meminfo, POOL_VMALLOC, true, NULL, NULL},
	[LEDGER_KERNEL_STACK] = {"KernelStack", level_meminfo, POOL_KSTACK, true, NULL, NULL},
	[LEDGER_PAGE_TABLES] = {"PageTables", level_meminfo, POOL_PAGETABLE, true, NULL, NULL},
	[LEDGER_SEC_PAGE_TABLES] = {"SecPageTables", level_meminfo, POOL_PAGETABLE, false, NULL,
				    NULL},
	[LEDGER_PERCPU] = {"Percpu", level_meminfo, POOL_PERCPU, true, NULL, NULL},
	[LEDGER_UNACCOUNTED] = {"Unaccounted", level_unaccounted, POOL_PAGE, true, NULL, NULL},
};

static void row_attribute(const struct source *s, const struct pool_def *def,
			  struct ledger_row *row)
{
	double bytes = 0, var = 0;

	row->attributed_kb = row->attributed_sd_kb = NAN;
	if (!def->traced || !view_traces(s->v, def->pool))
		return;
	for (size_t i = 0; i < s->held->nr; i++) {
		if (s->held->items[i].h->pool != def->pool)
			continue;
		bytes += s->held->items[i].bytes;
		var += s->held->items[i].bytes_var;
	}
	row->attributed_kb = bytes / 1024;
	row->attributed_sd_kb = sqrt(var) / 1024;
}

/* The level over time, thinned to SERIES_POINTS, and its trend. */
static int row_history(const struct view *v, const struct pool_def *def, struct ledger_row *row)
{
	size_t span = v->last - v->first,
	       points = span + 1 < SERIES_POINTS ? span + 1 : SERIES_POINTS, nr = 0;
	_cleanup_free_ double *t = calloc(2 * points, sizeof(*t)),
			      *series = calloc(points, sizeof(*series));
	double *y;

	if (!t || !series)
		return -ENOMEM;
	y = t + points;
	for (size_t i = 0; i < points; i++) {
		const struct snapshot *s =
			&v->c->snapshots[v->first + (points > 1 ? i * span / (points - 1) : 0)];

		series[i] = def->level_kb(v, s, def->name);
		if (isnan(series[i]))
			continue;
		t[nr] = s->t_s;
		y[nr++] = series[i];
	}
	if (trend_of(t, y, nr, TREND_FLOOR, &row->trend))
		return -ENOMEM;
	row->series = TAKE_PTR(series);
	row->nr_series = points;
	return 0;
}

static int row_build(const struct source *s, const struct pool_def *def, struct ledger_row *row)
{
	const struct view *v = s->v;

	row->name = def->name;
	row->start_kb = def->level_kb(v, v->start, def->name);
	row->end_kb = def->level_kb(v, v->end, def->name);
	/* One snapshot alone has measured no change. */
	row->delta_kb = v->first == v->last ? NAN : row->end_kb - row->start_kb;
	row_attribute(s, def, row);
	row->preexisting_freed_kb =
		def->preexisting_kb && !isnan(row->attributed_kb) ? def->preexisting_kb(s) : NAN;
	row->allocator_overhead_kb = def->overhead_kb ? def->overhead_kb(s) : NAN;
	row->residual_kb = row->delta_kb - row->attributed_kb + row->preexisting_freed_kb -
			   row->allocator_overhead_kb;
	return row_history(v, def, row);
}

int ledger_build(const struct view *v, const struct held *held, const struct caches *caches,
		 struct ledger *out)
{
	struct source s = {.v = v, .held = held, .caches = caches};
	struct ledger l = {0};

	for (size_t i = 0; i < LEDGER_POOLS; i++) {
		if (!row_build(&s, &pool_defs[i], &l.rows[i]))
			continue;
		ledger_free(&l);
		return -ENOMEM;
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
