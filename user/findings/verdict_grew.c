// SPDX-License-Identifier: GPL-2.0-only
/* What grew beyond noise, and how to add a sentence: verdict.c and verdict_where.c need both. */
#include <math.h>

#include "findings/verdict_internal.h"

#define UNACCOUNTED_KB 16384.0 /* Unaccounted includes pages between lists and users */

struct finding *verdict_said(struct writer *w, struct finding *f)
{
	size_t *slot = f ? ARRAY_PUSH(&w->said) : NULL;

	if (slot)
		*slot = (size_t)(f - w->list->items);
	else
		w->failed = true;
	return f;
}

struct finding *verdict_last(struct writer *w)
{
	return w->said.nr ? &w->list->items[w->said.items[w->said.nr - 1]] : NULL;
}

void verdict_quote(struct writer *w, enum finding_part part)
{
	for (size_t i = 0; i < w->list->nr; i++)
		if (w->list->items[i].part == part &&
		    w->list->items[i].severity <= FINDING_WARNING) {
			verdict_said(w, &w->list->items[i]);
			return;
		}
}

/* How far a level went back and forth beside its change: 0 if it only rose, or only fell. */
static double wandering_kb(const struct ledger_row *row)
{
	double way = 0, before = NAN;

	for (size_t i = 0; i < row->nr_series; i++) {
		if (isnan(row->series[i]))
			continue;
		way += isnan(before) ? 0 : fabs(row->series[i] - before);
		before = row->series[i];
	}
	return fmax(way - fabs(row->delta_kb), 0);
}

/* The smallest change that is beyond noise. With too few readings to measure the noise, a level
 * must have changed by more than it went back and forth, and by more than a cautious guess. */
double verdict_limit_kb(const struct ledger_row *row)
{
	if (isnan(row->trend.noise))
		return fmax(row->pool == POOL_PAGE ? UNACCOUNTED_KB : 4 * GREW_KB,
			    wandering_kb(row));
	return fmax(GREW_KB, 4 * row->trend.noise);
}

/* Growth that is traced is not noise, even if it is small or sudden. Only the low end of the traced
 * bytes counts, because one sample may stand for more than the whole change. */
bool verdict_row_grew(const struct ledger_row *row)
{
	bool traced = row->attributed_kb - 1.96 * row->attributed_sd_kb >= row->delta_kb / 2;

	return row->delta_kb > (traced ? GREW_KB : verdict_limit_kb(row));
}

/* Where memory comes and goes, the first reading may be high by chance, or the last one low. So the
 * change must be beyond noise without either of them, too. */
bool verdict_row_shrank(const struct ledger_row *row)
{
	double limit = verdict_limit_kb(row), first[2] = {NAN, NAN}, last[2] = {NAN, NAN};
	size_t known = 0;

	if (!(-row->delta_kb > limit))
		return false;
	for (size_t i = 0; i < row->nr_series; i++) {
		if (isnan(row->series[i]))
			continue;
		if (known < 2)
			first[known] = row->series[i];
		last[0] = last[1];
		last[1] = row->series[i];
		known++;
	}
	return known < 3 || (first[1] - last[1] > limit && first[0] - last[0] > limit);
}

/* A cache can grow while Slab does not: other caches may shrink. */
bool verdict_cache_grew(const struct cache_row *cache)
{
	return cache && cache->trend.pattern == PATTERN_GROWING && cache->delta_kb > GREW_KB;
}

/* The row of the ledger that holds the objects of a pool. */
static const struct ledger_row *row_of_pool(const struct writer *w, enum pool pool)
{
	static const enum ledger_pool rows[POOLS] = {
		[POOL_SLAB] = LEDGER_SLAB,
		[POOL_VMALLOC] = LEDGER_VMALLOC,
		[POOL_PERCPU] = LEDGER_PERCPU,
		[POOL_KSTACK] = LEDGER_KERNEL_STACK,
		[POOL_PAGETABLE] = LEDGER_PAGE_TABLES,
		[POOL_PAGE] = LEDGER_UNACCOUNTED,
	};

	return &w->f->ledger->rows[rows[pool]];
}

bool verdict_group_grew(const struct writer *w, const struct growth_group *g)
{
	if (growth_is_contradicted(g, w->f->caches))
		return false;
	return verdict_row_grew(row_of_pool(w, g->pool)) ||
	       verdict_cache_grew(growth_cache(g, w->f->caches));
}
