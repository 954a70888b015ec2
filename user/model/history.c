// SPDX-License-Identifier: GPL-2.0-only
/* Computes a trend for each of the largest groups: see history.h. */
#include "model/history.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "data/class.h"

#define FLOOR_KB 64.0 /* name no pattern for a smaller change of a group */

/* The index, among the first `nr` groups, of each (pool, key); UINT32_MAX for others. malloc'ed;
 * NULL without memory. */
static uint32_t *history_index(const struct growth *g, size_t nr, size_t keys)
{
	uint32_t *index = malloc(POOLS * (keys + 1) * sizeof(*index));

	if (!index)
		return NULL;
	memset(index, 0xff, POOLS * (keys + 1) * sizeof(*index));
	for (size_t i = 0; i < nr; i++)
		index[g->groups[i].pool * keys + g->groups[i].key] = (uint32_t)i;
	return index;
}

/* Is the checkpoint within the view? */
static bool history_has(const struct view *v, const struct cap_checkpoint *at)
{
	return at->end_s >= v->start->t_s && at->end_s <= v->end->t_s + 1;
}

/* Does a pool show the objects itself, so that they are counted once? */
static bool history_counts(const struct cap_brief *h)
{
	return h->place != CLASS_SHARED && h->place != CLASS_OUTSIDE;
}

int history_build(const struct view *v, const struct growth *g, struct history *out)
{
	const struct capture *c = v->c;
	size_t nr = g->nr < HISTORY_GROUPS ? g->nr : HISTORY_GROUPS, keys = growth_keys(g, c),
	       points = 0;
	_cleanup_free_ uint32_t *index = history_index(g, nr, keys);
	_cleanup_free_ double *t = calloc(c->nr_checkpoints + 1, sizeof(*t));
	_cleanup_free_ double *y = calloc((c->nr_checkpoints + 1) * (nr + 1), sizeof(*y));
	_cleanup_free_ struct trend *trends = calloc(nr + 1, sizeof(*trends));

	if (!index || !t || !y || !trends)
		return -ENOMEM;
	for (size_t k = 0; k < c->nr_checkpoints; k++) {
		const struct cap_checkpoint *at = &c->checkpoints[k];

		if (!history_has(v, at))
			continue;
		for (size_t i = 0; i < checkpoint_briefs(at); i++) {
			struct cap_brief h = checkpoint_brief(at, i);
			uint32_t group = index[h.pool * keys + growth_brief_key(g, c, &h)];

			if (group != UINT32_MAX && history_counts(&h))
				y[group * (c->nr_checkpoints + 1) + points] += h.bytes / 1024;
		}
		t[points++] = at->end_s;
	}
	for (size_t i = 0; i < nr; i++)
		if (trend_of(t, y + i * (c->nr_checkpoints + 1), points, FLOOR_KB, &trends[i]))
			return -ENOMEM;
	*out = (struct history){.trends = TAKE_PTR(trends), .nr = nr};
	return 0;
}

const struct trend *history_trend(const struct history *h, size_t i)
{
	return i < h->nr ? &h->trends[i] : &trend_unknown;
}

void history_free(struct history *h)
{
	free(h->trends);
	*h = (struct history){0};
}

/* ---- levels of all groups, for pictures ---- */

/* The checkpoints to use. Returns how many. */
static size_t history_pick(const struct view *v, size_t max, const struct cap_checkpoint **picked)
{
	const struct capture *c = v->c;
	size_t first = 0, nr = 0, used;

	while (first < c->nr_checkpoints && !history_has(v, &c->checkpoints[first]))
		first++;
	while (first + nr < c->nr_checkpoints && history_has(v, &c->checkpoints[first + nr]))
		nr++;
	used = nr < max ? nr : max;
	for (size_t i = 0; i < used; i++)
		picked[i] =
			&c->checkpoints[first + (used > 1 ? i * (nr - 1) / (used - 1) : nr - 1)];
	return used;
}

int history_levels(const struct view *v, const struct growth *g, const uint32_t *row_of,
		   size_t nr_rows, size_t max, struct history_levels *out)
{
	size_t keys = growth_keys(g, v->c);
	_cleanup_free_ uint32_t *index = history_index(g, g->nr, keys);
	_cleanup_free_ const struct cap_checkpoint **picked = calloc(max + 1, sizeof(*picked));
	_cleanup_free_ double *t = calloc(max + 1, sizeof(*t));
	_cleanup_free_ double *bytes = calloc((max + 1) * (nr_rows + 1), sizeof(*bytes));
	size_t nr;

	if (!index || !picked || !t || !bytes)
		return -ENOMEM;
	nr = history_pick(v, max, picked);
	for (size_t k = 0; k < nr; k++) {
		t[k] = picked[k]->end_s;
		for (size_t i = 0; i < checkpoint_briefs(picked[k]); i++) {
			struct cap_brief h = checkpoint_brief(picked[k], i);
			uint32_t group = index[h.pool * keys + growth_brief_key(g, v->c, &h)],
				 row = group == UINT32_MAX ? (uint32_t)nr_rows : row_of[group];

			if (history_counts(&h))
				bytes[row * nr + k] += h.bytes;
		}
	}
	*out = (struct history_levels){.t = TAKE_PTR(t), .bytes = TAKE_PTR(bytes), .nr = nr};
	return 0;
}

void history_levels_free(struct history_levels *l)
{
	free(l->t);
	free(l->bytes);
	*l = (struct history_levels){0};
}
