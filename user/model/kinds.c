// SPDX-License-Identifier: GPL-2.0-only
/* Shares of kinds: see kinds.h. */
#include "model/kinds.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define DEVIATE_95 1.959964

void share_interval(double share, double nr, double all, double *low, double *high)
{
	double z = DEVIATE_95, correction, middle, half, scale;

	if (nr < 1 || all <= nr) {
		*low = nr < 1 ? 0 : share;
		*high = nr < 1 ? 1 : share;
		return;
	}
	correction = all > 1 ? (all - nr) / (all - 1) : 1;
	z *= sqrt(correction);
	scale = 1 / (1 + z * z / nr);
	middle = (share + z * z / (2 * nr)) * scale;
	half = z * scale * sqrt(share * (1 - share) / nr + z * z / (4 * nr * nr));
	*low = fmax(middle - half, 0);
	*high = fmin(middle + half, 1);
}

static void kind_row_fill(const struct kind_cache_row *c, double share, double effective,
			  struct kind_row *row)
{
	row->share = share;
	share_interval(share, effective, c->objects, &row->share_low, &row->share_high);
	row->objects = share * c->objects;
	row->kb = share * c->kb;
}

/* Who most of it is charged to. */
static void kind_row_charge(const struct census *c, struct kind_row *row)
{
	const struct census_kind *k = row->kind;

	/* of blocks that were drawn, the objects of one are mostly charged to one cgroup */
	if (k->cgroup >= c->cgroups.nr || !k->charged || !census_is_whole(c))
		return;
	row->cgroup = &c->cgroups.items[k->cgroup];
	row->cgroup_share = fmin((double)k->charged / k->objects, 1);
	share_interval(row->cgroup_share, fmin(k->objects, k->effective), SHARE_OF_MANY,
		       &row->cgroup_low, &row->cgroup_high);
}

static const struct kind_sample *sample_of(const struct census_kinds *k, uint32_t cache)
{
	for (size_t i = 0; i < k->samples.nr; i++)
		if (k->samples.items[i].cache == cache)
			return &k->samples.items[i];
	return NULL;
}

/* The kinds of one cache, which are in order of frequency. */
static void kind_cache_fill(const struct census *c, struct kind_cache_row *row)
{
	const struct census_kinds *k = &c->kinds;
	double rest = 1, effective = row->live;

	for (size_t i = 0; i < k->nr && row->nr < KINDS_OF_CACHE; i++) {
		const struct census_kind *kind = &k->items[i];
		double share;

		if (kind->cache != row->cache || !kind->objects)
			continue;
		share = fmin((double)kind->objects / row->live, rest);
		row->rows[row->nr].kind = kind;
		kind_row_charge(c, &row->rows[row->nr]);
		kind_row_fill(row, share, kind->effective, &row->rows[row->nr]);
		row->nr++;
		rest -= share;
		effective = fmin(effective, kind->effective);
	}
	if (rest * row->live < 0.5)
		return;
	row->rows[row->nr].kind = NULL;
	kind_row_fill(row, rest, effective, &row->rows[row->nr]);
	row->nr++;
}

static int compare_tops(const void *x, const void *y)
{
	const struct kind_top *a = x, *b = y;

	if (a->row->kb != b->row->kb)
		return a->row->kb < b->row->kb ? 1 : -1;
	return a->cache < b->cache ? -1 : a->cache > b->cache;
}

static int tops_build(struct kinds_sheet *s)
{
	for (size_t i = 0; i < s->nr; i++) {
		for (size_t r = 0; r < s->items[i].nr; r++) {
			struct kind_top *top;

			if (!s->items[i].rows[r].kind)
				continue;
			top = ARRAY_PUSH(&s->top);
			if (!top)
				return -ENOMEM;
			*top = (struct kind_top){s->items[i].cache, &s->items[i].rows[r]};
		}
	}
	if (s->top.nr)
		qsort(s->top.items, s->top.nr, sizeof(*s->top.items), compare_tops);
	return 0;
}

int kinds_sheet_build(const struct census *c, const double *objects, struct kinds_sheet *out)
{
	struct kinds_sheet sheet = {0};
	int err = 0;

	for (uint32_t i = 0; i < c->caches.nr && !err; i++) {
		const struct kind_sample *sample = sample_of(&c->kinds, i);
		struct kind_cache_row *row;

		if (!sample || !sample->live)
			continue;
		row = ARRAY_PUSH(&sheet);
		if (!row) {
			err = -ENOMEM;
			break;
		}
		row->cache = i;
		row->live = sample->live;
		row->objects = objects[i];
		row->kb = row->objects * c->caches.items[i].object_bytes / 1024.0;
		kind_cache_fill(c, row);
	}
	err = err ?: tops_build(&sheet);
	if (err)
		kinds_sheet_free(&sheet);
	else
		*out = sheet;
	return err;
}

void kinds_sheet_free(struct kinds_sheet *k)
{
	ARRAY_FREE(&k->top);
	ARRAY_FREE(k);
}

const struct kind_cache_row *kinds_sheet_find(const struct kinds_sheet *k, uint32_t cache)
{
	for (size_t i = 0; i < k->nr; i++)
		if (k->items[i].cache == cache)
			return &k->items[i];
	return NULL;
}
