// SPDX-License-Identifier: GPL-2.0-only
/* Subtracts one checkpoint from another; both count from the start: see time_range.h. */
#include "model/time_range.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/outstanding.h"

/* The snapshot nearest to t_s, searching from `first`. */
static size_t snapshot_near(const struct capture *c, double t_s, size_t first)
{
	size_t best = first;

	for (size_t i = first; i < c->nr_snapshots; i++)
		if (fabs(c->snapshots[i].t_s - t_s) < fabs(c->snapshots[best].t_s - t_s))
			best = i;
	return best;
}

/* ---- held rows: sort both checkpoints, subtract the early rows from the late ones ---- */

/* A row corrected by its checkpoint's audit, and the variance that the audit adds. */
struct corrected {
	struct cap_held h;
	double audit_var;
};

static int compare_held(const void *a, const void *b)
{
	const struct cap_held *x = &((const struct corrected *)a)->h,
			      *y = &((const struct corrected *)b)->h;

	if (x->pool != y->pool)
		return x->pool < y->pool ? -1 : 1;
	if (x->stack != y->stack)
		return x->stack < y->stack ? -1 : 1;
	if (x->cache != y->cache)
		return x->cache < y->cache ? -1 : 1;
	if (x->process != y->process)
		return x->process < y->process ? -1 : 1;
	return strncmp(x->class_, y->class_, sizeof(x->class_));
}

static void held_scale(struct corrected *c, const struct outstanding_row *by)
{
	double keep = c->h.objects > 0 ? by->objects / c->h.objects : 1;

	for (size_t b = 0; b < AGE_BUCKETS; b++)
		c->h.age_hist[b] *= keep;
	c->h.objects = by->objects;
	c->h.bytes = by->bytes;
	c->h.bytes_var *= keep;
	c->audit_var = fmax(0, by->bytes_var - c->h.bytes_var);
	/* The audit is applied here; clear it, so that nobody applies it again. */
	c->h.verified = c->h.verified_live = c->h.verified_twice = 0;
}

/* All rows of a checkpoint, corrected by its audit and sorted; NULL without memory. */
static struct corrected *held_sorted(const struct cap_checkpoint *at)
{
	_cleanup_(outstanding_free) struct outstanding outstanding = {0};
	struct corrected *rows = calloc(at->held.nr + 1, sizeof(*rows));

	if (!rows || outstanding_correct(at, &outstanding)) {
		free(rows);
		return NULL;
	}
	for (size_t i = 0; i < at->held.nr; i++)
		rows[i].h = at->held.items[i];
	for (size_t i = 0; i < outstanding.nr; i++)
		held_scale(&rows[outstanding.items[i].h - at->held.items], &outstanding.items[i]);
	if (at->held.nr)
		qsort(rows, at->held.nr, sizeof(*rows), compare_held);
	return rows;
}

/* The share of a row's objects younger than `seconds`; removes the others from the ages. */
static double keep_young(struct cap_held *h, double seconds)
{
	double all = 0, young = 0;

	for (size_t b = 0; b < AGE_BUCKETS; b++) {
		double low = b ? ldexp(1, (int)b - 1) : 0, high = ldexp(1, (int)b);

		all += h->age_hist[b];
		h->age_hist[b] *= fmin(1, fmax(0, (seconds - low) / (high - low)));
		young += h->age_hist[b];
	}
	h->oldest_s = fmin(h->oldest_s, seconds);
	return all > 0 ? young / all : 1;
}

/*
 * Objects in both checkpoints are the same samples, so their sampling errors cancel. What remains
 * uncertain is what was allocated or freed in between, and what either audit did not check. Freed
 * objects are those of the early checkpoint that the late one no longer has.
 */
static void held_subtract(struct corrected *late, const struct corrected *early, double seconds)
{
	struct cap_held *h = &late->h;
	double share = keep_young(h, seconds),
	       freed_var = early->h.bytes_var - h->bytes_var * (1 - share);

	h->bytes_var = h->bytes_var * share + fmax(0, freed_var);
	late->audit_var += early->audit_var;
	h->bytes -= early->h.bytes;
	h->objects -= early->h.objects;
	h->tracked -= early->h.tracked;
}

static void held_negate(struct cap_held *h)
{
	h->bytes = -h->bytes;
	h->objects = -h->objects;
	h->tracked = -h->tracked;
	memset(h->age_hist, 0, sizeof(h->age_hist));
	h->oldest_s = 0;
}

static int time_range_held(const struct cap_checkpoint *early, const struct cap_checkpoint *late,
			   double seconds, struct cap_checkpoint *out)
{
	_cleanup_free_ struct corrected *a = held_sorted(early), *b = held_sorted(late);
	size_t i = 0, k = 0;

	if (!a || !b)
		return -ENOMEM;
	while (i < early->held.nr || k < late->held.nr) {
		int order = i == early->held.nr  ? 1
			    : k == late->held.nr ? -1
						 : compare_held(&a[i], &b[k]);
		struct cap_held *row = ARRAY_PUSH(&out->held);
		struct corrected *from = order < 0 ? &a[i] : &b[k];

		if (!row)
			return -ENOMEM;
		if (order < 0)
			held_negate(&from->h);
		else if (!order)
			held_subtract(from, &a[i], seconds);
		i += order <= 0;
		k += order >= 0;
		*row = from->h;
		row->bytes_var += from->audit_var;
	}
	return 0;
}

/* ---- traffic ---- */

static double since(double late, double early)
{
	return fmax(0, late - early);
}

/* The index + 1 of the row of each (pool, stack); 0: none. malloc'ed; NULL without memory. */
static uint32_t *churn_index(const struct capture *c, const struct cap_checkpoint *at)
{
	uint32_t *index = calloc(POOLS * c->nr_stacks, sizeof(*index));

	for (size_t i = 0; index && i < at->churn.nr; i++)
		index[at->churn.items[i].pool * c->nr_stacks + at->churn.items[i].stack] =
			(uint32_t)i + 1;
	return index;
}

/* Finds the early row of each late row's (pool, stack) by an index. */
static int time_range_churn(const struct capture *c, const struct cap_checkpoint *early,
			    const struct cap_checkpoint *late, struct cap_checkpoint *out)
{
	_cleanup_free_ uint32_t *index = churn_index(c, early);

	if (!index)
		return -ENOMEM;
	for (size_t i = 0; i < late->churn.nr; i++) {
		struct cap_churn *row = ARRAY_PUSH(&out->churn);
		const struct cap_churn *h, none = {0};
		uint32_t had;

		if (!row)
			return -ENOMEM;
		*row = late->churn.items[i];
		had = index[row->pool * c->nr_stacks + row->stack];
		h = had ? &early->churn.items[had - 1] : &none;
		row->allocs = since(row->allocs, h->allocs);
		row->alloc_bytes = since(row->alloc_bytes, h->alloc_bytes);
		row->frees = since(row->frees, h->frees);
		row->free_bytes = since(row->free_bytes, h->free_bytes);
		row->unseen_frees = since(row->unseen_frees, h->unseen_frees);
		row->unseen_free_bytes = since(row->unseen_free_bytes, h->unseen_free_bytes);
	}
	return 0;
}

static int time_range_cache_churn(const struct capture *c, const struct cap_checkpoint *early,
				  const struct cap_checkpoint *late, struct cap_checkpoint *out)
{
	_cleanup_free_ struct cap_cache_churn *had = calloc(c->nr_caches, sizeof(*had));

	if (!had)
		return -ENOMEM;
	for (size_t i = 0; i < early->cache_churn.nr; i++)
		had[early->cache_churn.items[i].cache] = early->cache_churn.items[i];
	for (size_t i = 0; i < late->cache_churn.nr; i++) {
		struct cap_cache_churn *row = ARRAY_PUSH(&out->cache_churn);

		if (!row)
			return -ENOMEM;
		*row = late->cache_churn.items[i];
		row->allocs = since(row->allocs, had[row->cache].allocs);
		row->frees = since(row->frees, had[row->cache].frees);
		row->unseen_frees = since(row->unseen_frees, had[row->cache].unseen_frees);
	}
	return 0;
}

/* The names stay owned by the capture. */
static int time_range_losses(const struct cap_checkpoint *early, const struct cap_checkpoint *late,
			     struct cap_checkpoint *out)
{
	for (size_t i = 0; i < late->losses.nr; i++) {
		struct cap_count *row = ARRAY_PUSH(&out->losses);

		if (!row)
			return -ENOMEM;
		*row = late->losses.items[i];
		for (size_t k = 0; k < early->losses.nr; k++)
			if (!strcmp(early->losses.items[k].name, row->name) &&
			    early->losses.items[k].value <= row->value)
				row->value -= early->losses.items[k].value;
	}
	return 0;
}

static int time_range_subtract(const struct capture *c, const struct cap_checkpoint *early,
			       const struct cap_checkpoint *late, struct cap_checkpoint *out)
{
	out->start_s = early->end_s;
	out->end_s = late->end_s;
	return time_range_held(early, late, late->end_s - early->end_s, out) ||
			       time_range_churn(c, early, late, out) ||
			       time_range_cache_churn(c, early, late, out) ||
			       time_range_losses(early, late, out)
		       ? -ENOMEM
		       : 0;
}

int time_range_build(const struct capture *c, double from_s, double to_s, struct time_range *out)
{
	struct time_range p = {0};
	const struct cap_checkpoint *early = NULL, *late;
	size_t first = 0, last;
	int err;

	view_whole(c, &p.view);
	if (!isnan(from_s))
		early = capture_checkpoint_near(c, from_s);
	late = isnan(to_s) ? p.view.at : capture_checkpoint_near(c, to_s);
	last = p.view.last;
	if (!isnan(from_s))
		first = snapshot_near(c, early ? early->end_s : c->nr_checkpoints ? 0 : from_s, 0);
	if (!isnan(to_s))
		last = snapshot_near(c, late ? late->end_s : to_s, 0);
	if (first >= last || (c->nr_checkpoints && late == early) ||
	    (early && late && early > late))
		return -ERANGE;
	view_span(&p.view, first, last);
	p.view.at = late;
	if (early && late) {
		err = time_range_subtract(c, early, late, &p.own);
		if (err) {
			time_range_free(&p);
			return err;
		}
	}
	*out = p;
	if (early && late)
		out->view.at = &out->own;
	return 0;
}

void time_range_free(struct time_range *p)
{
	ARRAY_FREE(&p->own.held);
	ARRAY_FREE(&p->own.churn);
	ARRAY_FREE(&p->own.cache_churn);
	ARRAY_FREE(&p->own.losses);
}
