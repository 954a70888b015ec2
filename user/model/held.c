// SPDX-License-Identifier: GPL-2.0-only
/* Applies the liveness audit to outstanding objects: see held.h. */
#include "model/held.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "capture/class.h"

static int compare_group(const void *a, const void *b)
{
	const struct cap_held *x = ((const struct held_row *)a)->h;
	const struct cap_held *y = ((const struct held_row *)b)->h;

	if (x->pool != y->pool)
		return x->pool < y->pool ? -1 : 1;
	if (x->cache != y->cache)
		return x->cache < y->cache ? -1 : 1;
	if (x->stack != y->stack)
		return x->stack < y->stack ? -1 : 1;
	return (x > y) - (x < y); /* rows keep their order: results do not depend on qsort */
}

static bool same_group(const struct cap_held *a, const struct cap_held *b)
{
	return a->pool == b->pool && a->cache == b->cache && a->stack == b->stack;
}

/* The share of a row's objects that was looked up and found live. */
static double known_share(const struct cap_held *h)
{
	return h->tracked > 0 ? fmin(1, (double)h->judged_live / (double)h->tracked) : 0;
}

/*
 * The audit looked up n of the group's objects and found x live; the n − x others left the table, so that
 * of the N in it N − x were not looked up. x/n of those live: the estimate is x + (N − x) x/n. The variance
 * of the share is that of the Agresti–Coull centre (x+2)/(n+4) (Agresti & Coull 1998: sound for small n and
 * for x = 0 or n). Nothing is left to chance where N = x.
 */
static void correct_group(struct held_row *rows, size_t nr)
{
	double judged = 0, live = 0, unknown = 0, share, centre, share_var;

	for (size_t i = 0; i < nr; i++) {
		judged += (double)rows[i].h->judged;
		live += (double)rows[i].h->judged_live;
	}
	if (judged <= 0)
		return;
	for (size_t i = 0; i < nr; i++)
		unknown += rows[i].h->bytes * (1 - known_share(rows[i].h));
	share = live / judged;
	centre = (live + 2) / (judged + 4);
	share_var = centre * (1 - centre) / (judged + 4);
	for (size_t i = 0; i < nr; i++) {
		struct held_row *r = &rows[i];
		double known = known_share(r->h), keep = known + (1 - known) * share;

		r->objects = r->h->objects * keep;
		r->bytes = r->h->bytes * keep;
		/* The share is one unknown for the whole group: the rows' parts must sum to
		 * unknown². */
		r->bytes_var = keep * r->h->bytes_var + share_var * r->h->bytes * (1 - known) * unknown;
	}
}

int held_correct(const struct view *v, struct held *out)
{
	struct held h = {0};
	size_t nr = v->at ? v->at->held.nr : 0;

	if (nr && array_grow((void **)&h.items, &h.cap, sizeof(*h.items), nr))
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++) {
		const struct cap_held *row = &v->at->held.items[i];

		if (class_place(row->pool, row->class_) == CLASS_OUTSIDE)
			continue;
		h.items[h.nr++] = (struct held_row){.h = row,
						    .objects = row->objects,
						    .bytes = row->bytes,
						    .bytes_var = row->bytes_var};
	}
	if (h.nr)
		qsort(h.items, h.nr, sizeof(*h.items), compare_group);
	for (size_t from = 0, to; from < h.nr; from = to) {
		for (to = from + 1; to < h.nr && same_group(h.items[from].h, h.items[to].h);)
			to++;
		correct_group(h.items + from, to - from);
	}
	*out = h;
	return 0;
}

void held_free(struct held *h)
{
	ARRAY_FREE(h);
}
