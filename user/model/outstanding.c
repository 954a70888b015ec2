// SPDX-License-Identifier: GPL-2.0-only
/* Applies the liveness audit to outstanding objects: see outstanding.h. */
#include "model/outstanding.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "data/class.h"

/* The audit must check this many objects of a cache before its share applies to unchecked call
 * paths of that cache. */
#define CACHE_MIN 30

static int compare_group(const void *a, const void *b)
{
	const struct cap_held *x = ((const struct outstanding_row *)a)->h;
	const struct cap_held *y = ((const struct outstanding_row *)b)->h;

	if (x->pool != y->pool)
		return x->pool < y->pool ? -1 : 1;
	if (x->cache != y->cache)
		return x->cache < y->cache ? -1 : 1;
	if (x->stack != y->stack)
		return x->stack < y->stack ? -1 : 1;
	return (x > y) - (x < y); /* rows keep their order: results do not depend on qsort */
}

static bool same_cache(const struct cap_held *a, const struct cap_held *b)
{
	return a->pool == b->pool && a->cache == b->cache;
}

/* The share of a row's objects that the audit checked and found live. */
static double known_share(const struct cap_held *h)
{
	return h->tracked > 0 ? fmin(1, (double)h->verified_live / (double)h->tracked) : 0;
}

/* The estimated share of live objects among those the audit did not check, and its variance. */
struct share {
	double live, var;
};

/* Objects of some rows that the audit checked, and those of them it found live. */
struct tally {
	double verified, live;
};

static void tally_add(struct tally *t, const struct cap_held *h)
{
	t->verified += (double)h->verified;
	t->live += (double)h->verified_live;
}

/*
 * The audit checked n of a group's objects and found x live; the n − x others left the live table.
 * Of the N still in it, N − x were not checked. Assume that x/n of these live: the estimate is x +
 * (N − x) x/n. The variance of the share is that of the Agresti–Coull centre (x+2)/(n+4) (Agresti &
 * Coull 1998: sound for small n and for x = 0 or n). When N = x, nothing is uncertain.
 *
 * A group without checked objects (usually all are too young) gets the share of its cache, if
 * enough of that was checked. The variance is that of a single draw, because call paths differ.
 * Page tables have no cache; page tables of some levels cannot be checked at all.
 */
static struct share share_of(const struct tally *group, const struct tally *cache)
{
	double centre = (group->live + 2) / (group->verified + 4);
	double rest = cache->verified > 0 ? cache->live / cache->verified : 1;

	if (group->verified > 0)
		return (struct share){.live = group->live / group->verified,
				      .var = centre * (1 - centre) / (group->verified + 4)};
	if (cache->verified < CACHE_MIN)
		return (struct share){.live = 1};
	return (struct share){.live = rest, .var = rest * (1 - rest)};
}

static void correct_group(struct outstanding_row *rows, size_t nr, const struct tally *cache)
{
	struct tally group = {0};
	struct share share;
	double unknown = 0;

	for (size_t i = 0; i < nr; i++) {
		tally_add(&group, rows[i].h);
		unknown += rows[i].h->bytes * (1 - known_share(rows[i].h));
	}
	share = share_of(&group, cache);
	for (size_t i = 0; i < nr; i++) {
		struct outstanding_row *r = &rows[i];
		double known = known_share(r->h), keep = known + (1 - known) * share.live;

		r->objects = r->h->objects * keep;
		r->bytes = r->h->bytes * keep;
		/* All rows share one unknown, so their variances must add up to share.var ×
		 * unknown². */
		r->bytes_var =
			keep * r->h->bytes_var + share.var * r->h->bytes * (1 - known) * unknown;
	}
}

/* The rows of one pool and cache, group by group. */
static void correct_cache(struct outstanding_row *rows, size_t nr)
{
	struct tally cache = {0};

	for (size_t i = 0; i < nr && rows[0].h->cache; i++)
		tally_add(&cache, rows[i].h);
	for (size_t from = 0, to; from < nr; from = to) {
		for (to = from + 1; to < nr && rows[to].h->stack == rows[from].h->stack;)
			to++;
		correct_group(rows + from, to - from, &cache);
	}
}

int outstanding_correct(const struct cap_checkpoint *at, struct outstanding *out)
{
	struct outstanding h = {0};
	size_t nr = at ? at->held.nr : 0;

	if (nr && array_grow((void **)&h.items, &h.cap, sizeof(*h.items), nr))
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++) {
		const struct cap_held *row = &at->held.items[i];

		if (class_place(row->pool, row->class_) == CLASS_OUTSIDE)
			continue;
		h.items[h.nr++] = (struct outstanding_row){.h = row,
							   .objects = row->objects,
							   .bytes = row->bytes,
							   .bytes_var = row->bytes_var};
	}
	if (h.nr)
		qsort(h.items, h.nr, sizeof(*h.items), compare_group);
	for (size_t from = 0, to; from < h.nr; from = to) {
		for (to = from + 1; to < h.nr && same_cache(h.items[from].h, h.items[to].h);)
			to++;
		correct_cache(h.items + from, to - from);
	}
	*out = h;
	return 0;
}

void outstanding_free(struct outstanding *h)
{
	ARRAY_FREE(h);
}
