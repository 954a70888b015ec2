// SPDX-License-Identifier: GPL-2.0-only
/* Sums of references by where they come from: see refs_referrers.h. */
#include "trace/refs_referrers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define OFFSETS_MOST 4 /* of a cache without a struct that are told apart */

/* An object that a referrer points to. */
struct refs_pair {
	uint32_t row, object;
};

struct refs_referrers_work {
	const struct refs_types *types;
	const struct refs_counted *objects;
	struct refs *out;
	struct {
		ARRAY_OF(struct refs_pair);
	} pairs;
};

static int refs_compare_number(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int refs_compare_sources(const void *x, const void *y)
{
	const struct refs_place *a = x, *b = y;

	return refs_compare_number(a->class, b->class)
		       ?: refs_compare_number((uintptr_t)a->cache, (uintptr_t)b->cache)
		       ?: refs_compare_number(a->offset, b->offset)
		       ?: refs_compare_number(a->object, b->object);
}

static int refs_compare_pairs(const void *x, const void *y)
{
	const struct refs_pair *a = x, *b = y;

	return refs_compare_number(a->row, b->row) ?: refs_compare_number(a->object, b->object);
}

static int refs_compare_referrers(const void *x, const void *y)
{
	const struct refs_referrer *a = x, *b = y;

	return refs_compare_number(b->objects, a->objects)
		       ?: refs_compare_number(b->references, a->references)
		       ?: strcmp(a->cache, b->cache)
		       ?: strcmp(a->field, b->field);
}

/* The row of a referrer; a new one if it is new. Returns its number, or −ENOMEM. */
static int refs_row_of(struct refs *out, const struct refs_referrer *like)
{
	struct refs_referrer *row;

	for (size_t i = 0; i < out->referrers.nr; i++) {
		row = &out->referrers.items[i];
		if (row->class == like->class && !strcmp(row->cache, like->cache) &&
		    !strcmp(row->type, like->type) && !strcmp(row->field, like->field) &&
		    !strcmp(row->where, like->where))
			return (int)i;
	}
	row = ARRAY_PUSH(&out->referrers);
	if (!row)
		return -ENOMEM;
	*row = *like;
	return (int)out->referrers.nr - 1;
}

/* The task on whose kernel stack the word is, or what else it is in; "": not known. */
static void refs_where(const struct refs_counted *o, const struct refs_place *p,
		       char where[REFS_FIELD])
{
	uint64_t page = p->at >> o->page_shift << o->page_shift;
	const struct refs_root *found;
	size_t nr = 0;

	snprintf(where, REFS_FIELD, "%s", o->names ? refs_names_at(o->names, p->at) : "");
	if (!o->roots || p->class != CENSUS_REST)
		return;
	found = refs_roots_find(o->roots, page, page + 1, &nr);
	for (size_t i = 0; i < nr; i++) {
		const struct refs_process *owner = &o->roots->processes.items[found[i].process];

		if (found[i].how != REFS_ROOT_STACK)
			continue;
		snprintf(where, REFS_FIELD, "kernel stack of %s[%u]", owner->comm, owner->tgid);
		return;
	}
}

/* How many different offsets do the places of a cache have? They are sorted. */
static size_t refs_offsets(const struct refs_place *p, size_t nr)
{
	size_t different = 0;

	for (size_t i = 0; i < nr; i++)
		different += !i || p[i].offset != p[i - 1].offset;
	return different;
}

/* Add the places of one cache, or of one class of pages. */
static int refs_group_add(struct refs_referrers_work *w, const struct refs_place *p, size_t nr)
{
	const struct refs_cache *cache = p->cache;
	struct refs_referrer like = {.class = p->class,
				     .own_kind = cache && cache == w->objects->own};
	bool apart = cache && refs_offsets(p, nr) <= OFFSETS_MOST;
	const char *name = "";
	int type = 0, row = 0;

	if (cache)
		snprintf(like.cache, sizeof(like.cache), "%s", cache->name);
	if (cache && !cache->merged)
		type = refs_types_struct(w->types, cache->name, cache->object_size, &name);
	for (size_t i = 0; i < nr; i++) {
		struct refs_pair *pair = ARRAY_PUSH(&w->pairs);

		if (!pair)
			return -ENOMEM;
		if (!cache)
			refs_where(w->objects, &p[i], like.where);
		if (!cache || !i || p[i].offset != p[i - 1].offset) {
			like.type[0] = like.field[0] = '\0';
			if (type && p[i].offset != REFS_NO_OFFSET &&
			    refs_types_field(w->types, type, p[i].offset, like.field,
					     sizeof(like.field)))
				snprintf(like.type, sizeof(like.type), "%s", name);
			else if (apart && p[i].offset != REFS_NO_OFFSET)
				snprintf(like.field, sizeof(like.field), "+%u", p[i].offset);
			row = refs_row_of(w->out, &like);
			if (row < 0)
				return row;
		}
		w->out->referrers.items[row].references++;
		*pair = (struct refs_pair){(uint32_t)row, p[i].object};
	}
	return 0;
}

/* Count the objects of each row, and those of any row. */
static int refs_pairs_count(struct refs_referrers_work *w, size_t nr_objects)
{
	_cleanup_free_ bool *seen = calloc(nr_objects + 1, sizeof(*seen));

	if (!seen)
		return -ENOMEM;
	if (w->pairs.nr)
		qsort(w->pairs.items, w->pairs.nr, sizeof(*w->pairs.items), refs_compare_pairs);
	for (size_t i = 0; i < w->pairs.nr; i++) {
		const struct refs_pair *p = &w->pairs.items[i];

		if (i && !refs_compare_pairs(p, p - 1))
			continue;
		w->out->referrers.items[p->row].objects++;
		w->out->referenced += !seen[p->object];
		seen[p->object] = true;
	}
	return 0;
}

int refs_referrers_build(const struct refs_places *places, const struct refs_counted *objects,
			 const struct refs_types *types, struct refs *out)
{
	_cleanup_free_ struct refs_place *p = calloc(places->nr + 1, sizeof(*p));
	struct refs_referrers_work w = {.types = types, .objects = objects, .out = out};
	size_t nr = 0;
	int err = p ? 0 : -ENOMEM;

	out->referenced = 0;
	for (size_t i = 0; i < places->nr && !err; i++)
		if (places->items[i].object < objects->nr &&
		    objects->counts[places->items[i].object])
			p[nr++] = places->items[i];
	if (nr)
		qsort(p, nr, sizeof(*p), refs_compare_sources);
	for (size_t i = 0, same; i < nr && !err; i += same) {
		for (same = 1; i + same < nr && p[i + same].class == p[i].class &&
			       p[i + same].cache == p[i].cache;)
			same++;
		err = refs_group_add(&w, p + i, same);
	}
	err = err ?: refs_pairs_count(&w, objects->nr);
	if (!err && out->referrers.nr)
		qsort(out->referrers.items, out->referrers.nr, sizeof(*out->referrers.items),
		      refs_compare_referrers);
	ARRAY_FREE(&w.pairs);
	return err;
}
