// SPDX-License-Identifier: GPL-2.0-only
/* Lists and trees of one cache, as a whole: see refs_closure.h. */
#include "trace/refs_closure.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/log.h"

#define OBJECTS_MOST 65536
#define BATCH        (KMT_REFS_TARGETS - 1) /* objects that one scan looks for */

/* One object of the cache points to another. */
struct refs_link {
	uint32_t from, to;
};

struct refs_links {
	ARRAY_OF(struct refs_link);
};

void refs_closure_free(struct refs_closure *c)
{
	ARRAY_FREE(&c->all);
	ARRAY_FREE(&c->outside);
	free(c->held);
	free(c->group);
	c->held = NULL;
	c->group = NULL;
}

/* ---- which objects are reached ---- */

static int refs_compare_starts(const void *x, const void *y)
{
	const struct refs_object *a = x, *b = y;

	return a->start < b->start ? -1 : a->start > b->start;
}

/* They are sorted by cache, and of a recording there may be several. */
static void refs_sort_starts(struct refs_objects *o)
{
	if (o->nr)
		qsort(o->items, o->nr, sizeof(*o->items), refs_compare_starts);
}

int64_t refs_closure_number(const struct refs_closure *c, uint64_t start)
{
	const struct refs_object key = {.start = start}, *found = NULL;

	if (c->all.nr)
		found = bsearch(&key, c->all.items, c->all.nr, sizeof(key), refs_compare_starts);
	return found ? found - c->all.items : -1;
}

static int refs_compare_links(const void *x, const void *y)
{
	const struct refs_link *a = x, *b = y;

	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	return a->to < b->to ? -1 : a->to > b->to;
}

/* Sort the words into those in objects of the cache, and others. */
static int refs_links_build(struct refs_closure *c, const struct refs_places *places,
			    struct refs_links *links)
{
	for (size_t i = 0; i < places->nr; i++) {
		const struct refs_place *p = &places->items[i];
		bool own = p->cache && p->cache == c->all.items[p->object].cache &&
			   p->offset != REFS_NO_OFFSET;
		int64_t from = own ? refs_closure_number(c, p->at - p->offset) : -1;

		if (from < 0) {
			struct refs_place *outside = ARRAY_PUSH(&c->outside);

			if (!outside)
				return -ENOMEM;
			*outside = *p;
		} else {
			struct refs_link *link = ARRAY_PUSH(links);

			if (!link)
				return -ENOMEM;
			*link = (struct refs_link){(uint32_t)from, p->object};
		}
	}
	if (links->nr)
		qsort(links->items, links->nr, sizeof(*links->items), refs_compare_links);
	refs_places_sort(&c->outside);
	return 0;
}

/* The first link from this object or a later one. */
static size_t refs_links_of(const struct refs_links *links, uint32_t from)
{
	size_t first;

	SORTED_FIRST(first, links->nr, links->items[first].from < from);
	return first;
}

/*
 * Something outside the cache leads to the object `first`: mark it, and all that links lead to from
 * there, as held. `stack` has room for all objects.
 */
static void refs_closure_spread(struct refs_closure *c, const struct refs_links *links,
				uint32_t first, uint32_t *stack)
{
	size_t depth = 0;

	if (c->held[first])
		return;
	c->held[first] = true;
	stack[depth++] = first;
	while (depth) {
		uint32_t from = stack[--depth];

		for (size_t i = refs_links_of(links, from);
		     i < links->nr && links->items[i].from == from; i++) {
			uint32_t to = links->items[i].to;

			if (c->held[to])
				continue;
			c->held[to] = true;
			stack[depth++] = to;
		}
	}
}

/* The number of the group of an object, in a tree of numbers that gets flatter by the way. */
static uint32_t refs_group_of(uint32_t *group, uint32_t i)
{
	while (group[i] != i)
		i = group[i] = group[group[i]];
	return i;
}

static void refs_groups_join(struct refs_closure *c, const struct refs_links *links)
{
	for (uint32_t i = 0; i < c->all.nr; i++)
		c->group[i] = i;
	for (size_t i = 0; i < links->nr; i++)
		c->group[refs_group_of(c->group, links->items[i].from)] =
			refs_group_of(c->group, links->items[i].to);
	for (uint32_t i = 0; i < c->all.nr; i++)
		c->group[i] = refs_group_of(c->group, i);
}

int refs_closure_build(struct refs_closure *c, const struct refs_places *places,
		       const bool *reached)
{
	_cleanup_free_ uint32_t *stack = calloc(c->all.nr + 1, sizeof(*stack));
	struct refs_links links = {0};
	int err = stack ? refs_links_build(c, places, &links) : -ENOMEM;

	c->held = calloc(c->all.nr + 1, sizeof(*c->held));
	c->group = calloc(c->all.nr + 1, sizeof(*c->group));
	if (!c->held || !c->group)
		err = -ENOMEM;
	if (!err)
		refs_groups_join(c, &links);
	for (size_t i = 0; i < c->outside.nr && !err; i++)
		refs_closure_spread(c, &links, c->outside.items[i].object, stack);
	for (uint32_t i = 0; i < c->all.nr && !err; i++)
		if (reached[i])
			refs_closure_spread(c, &links, i, stack);
	ARRAY_FREE(&links);
	return err;
}

/* ---- looking for them ---- */

/* Look for objects `at` and those behind it. Adds the words that point to them. */
static int refs_batch_scan(struct refs_slabs *s, struct refs_run *run,
			   const struct refs_objects *all, size_t at, struct refs_places *places,
			   bool *reached)
{
	const struct refs_objects batch = {.items = all->items + at,
					   .nr = all->nr - at < BATCH ? all->nr - at : BATCH};
	const struct refs_scan_how how = {.budget_share = 1};
	_cleanup_free_ struct refs_outcome *outcomes = calloc(batch.nr, sizeof(*outcomes));
	struct refs_scanned scanned = {0};
	int err = outcomes ? refs_scan_memory(s, run, &batch, &how, outcomes, &scanned) : -ENOMEM;

	if (!err && !refs_scan_is_whole(&scanned.scan))
		err = -ETIME;
	for (size_t i = 0; i < scanned.places.nr; i++)
		scanned.places.items[i].object += (uint32_t)at;
	err = err ?: ARRAY_APPEND(places, scanned.places.items, scanned.places.nr);
	for (size_t i = 0; i < batch.nr && !err; i++)
		reached[at + i] |= outcomes[i].more;
	ARRAY_FREE(&scanned.places);
	return err;
}

static int refs_closure_scan(struct refs_slabs *s, struct refs_run *run, struct refs_closure *c)
{
	_cleanup_free_ bool *reached = calloc(c->all.nr + 1, sizeof(*reached));
	struct refs_places places = {0};
	int err = reached ? 0 : -ENOMEM;

	for (size_t at = 0; at < c->all.nr && !err; at += BATCH)
		err = refs_batch_scan(s, run, &c->all, at, &places, reached);
	err = err ?: refs_objects_check(s, &c->all);
	/* what changed while the scans ran is in use */
	for (size_t i = 0; i < c->all.nr && !err; i++) {
		const struct refs_object *o = &c->all.items[i];

		reached[i] |= !o->live || !o->sure || o->changed;
	}
	err = err ?: refs_closure_build(c, &places, reached);
	ARRAY_FREE(&places);
	return err;
}

int refs_closure_find(struct refs_slabs *s, struct refs_run *run, double scan_s,
		      struct refs_closure *out)
{
	uint64_t used = refs_slabs_used(s), scans = used / BATCH + 1;
	double cost_s = scan_s * (double)scans;
	struct refs_closure c = {0};
	bool all;
	int err;

	if (used > OBJECTS_MOST)
		return -E2BIG;
	if (run->budget_ns &&
	    (double)refs_run_spent_ns(run) + cost_s * 1e9 > (double)run->budget_ns)
		return -ETIME;
	err = refs_objects_draw(s, false, OBJECTS_MOST, &c.all, &all);
	if (!err && !all)
		err = -E2BIG;
	refs_sort_starts(&c.all);
	err = err ?: refs_closure_scan(s, run, &c);
	log_debug("references: looked for all %zu objects of the cache", c.all.nr);
	if (err) {
		refs_closure_free(&c);
		return err;
	}
	*out = c;
	return 0;
}
