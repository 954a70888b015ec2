// SPDX-License-Identifier: GPL-2.0-only
/* Who holds objects: see refs_holders.h. */
#include "trace/refs_holders.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEEPEST      16   /* pointers from a part to the whole, one after the other */
#define EACH_MOST    64   /* holders of one object */
#define EDGES_MOST   8    /* objects that point to one object, and are looked at */
#define LEVEL_EACH   2    /* … and of these, looked for in the next level */
#define LEVEL_MOST   1500 /* objects of a level */
#define LEVEL_SHARE  20   /* a level needs this part of the objects of the one before */
#define HOLDERS_MOST 4096
#define WORDS_MOST   64   /* of an object that are read, to see what it points to */
#define HEADS_MOST   256  /* of lists */
#define HEADS_TRIED  2048 /* words that may be of a head: 0.2 s at 64 reads each */

struct refs_holders_work {
	const struct refs_holding *how;
	struct refs *out;
	struct refs_places heads; /* of lists of the sample's cache, in objects of others */
};

/* On the way from one object to its holders. */
struct refs_way {
	char through[REFS_FIELD];
	bool certain;
	bool pointed; /* through something that points to it, not only through what it belongs to */
	uint32_t object;
	struct refs_claims *claims;
	size_t first; /* claim of this object */
};

/* ---- rows ---- */

/* The number of a holder's row; a new one if it is new. −ENOMEM; −E2BIG if there are too many. */
static int refs_holder_row(struct refs *out, const struct refs_holder *like)
{
	struct refs_holder *row;

	for (size_t i = 0; i < out->holders.nr; i++) {
		row = &out->holders.items[i];
		if (row->kind == like->kind && row->pid == like->pid &&
		    row->certain == like->certain && !strcmp(row->name, like->name) &&
		    !strcmp(row->through, like->through))
			return (int)i;
	}
	if (out->holders.nr >= HOLDERS_MOST)
		return -E2BIG;
	row = ARRAY_PUSH(&out->holders);
	if (!row)
		return -ENOMEM;
	*row = *like;
	return (int)out->holders.nr - 1;
}

/* Words on the way: one more pointer, the nearest to the object first. */
static void refs_words_join(char out[REFS_FIELD], const char *through, const char *last)
{
	snprintf(out, REFS_FIELD, "%.90s%s%s", through, through[0] && last[0] ? ", " : "", last);
}

static int refs_claim_add(struct refs_holders_work *w, struct refs_way *way,
			  struct refs_holder *holder, const char *last)
{
	struct refs_claim *claim;
	int row;

	if (way->claims->nr - way->first >= EACH_MOST)
		return 0;
	holder->certain = way->certain;
	refs_words_join(holder->through, way->through, last);
	row = refs_holder_row(w->out, holder);
	if (row < 0)
		return row == -E2BIG ? 0 : row;
	for (size_t i = way->first; i < way->claims->nr; i++)
		if (way->claims->items[i].row == (uint32_t)row)
			return 0;
	claim = ARRAY_PUSH(way->claims);
	if (!claim)
		return -ENOMEM;
	*claim = (struct refs_claim){way->object, (uint32_t)row};
	return 0;
}

/* ---- from an object on ---- */

/* The processes that have the object: by their file tables, or else by their tasks. */
static int refs_claim_roots(struct refs_holders_work *w, struct refs_way *way, uint64_t start,
			    uint64_t end)
{
	const struct refs_roots *roots = w->how->roots;
	const struct refs_root *found;
	uint8_t kind = UINT8_MAX;
	size_t nr;
	int err = 0;

	found = refs_roots_find(roots, start, end, &nr);
	for (size_t i = 0; i < nr; i++)
		if (found[i].how != REFS_ROOT_STACK && found[i].kind < kind)
			kind = found[i].kind;
	for (size_t i = 0; i < nr && !err; i++) {
		const struct refs_process *p = &roots->processes.items[found[i].process];
		struct refs_holder holder = {.kind = (enum refs_holder_kind)kind,
					     .pid = (int32_t)p->tgid,
					     .cgroup = p->cgroup};

		if (found[i].kind != kind || found[i].how == REFS_ROOT_STACK)
			continue;
		snprintf(holder.name, sizeof(holder.name), "%s", p->comm);
		err = refs_claim_add(w, way, &holder, refs_root_words(&found[i]));
	}
	return err;
}

/* What is at `place` is a holder itself. */
static int refs_claim_name(struct refs_holders_work *w, struct refs_way *way,
			   enum refs_holder_kind kind, uint64_t place)
{
	struct refs_holder holder = {.kind = kind};
	struct refs_way further = *way;

	if (!w->how->name(w->how->arg, kind, place, holder.name, sizeof(holder.name)))
		return 0;
	/* a file system does not hold all that its inodes point to */
	further.certain &= !way->pointed;
	return refs_claim_add(w, &further, &holder, "");
}

/* The kind of holder that a struct is by itself; REFS_HOLDER_KINDS: none. */
static enum refs_holder_kind refs_kind_of(const char *type)
{
	static const char *const types[REFS_HOLDER_KINDS] = {
		[REFS_HOLDER_SUPER_BLOCK] = "super_block",
		[REFS_HOLDER_NET_NAMESPACE] = "net",
		[REFS_HOLDER_MNT_NAMESPACE] = "mnt_namespace",
		[REFS_HOLDER_IPC_NAMESPACE] = "ipc_namespace",
		[REFS_HOLDER_USER] = "key_user",
	};
	int kind = 0;

	while (kind < REFS_HOLDER_KINDS && (!types[kind] || strcmp(types[kind], type) != 0))
		kind++;
	return (enum refs_holder_kind)kind;
}

static int refs_claim_object(struct refs_holders_work *w, struct refs_way *way, int type,
			     uint64_t start, uint64_t end, int depth);

/* Follow one pointer from the part at `start` to the whole. */
static int refs_claim_whole(struct refs_holders_work *w, struct refs_way *way,
			    const struct refs_belongs *row, uint64_t at, int depth)
{
	uint64_t place = w->how->follow(w->how->arg, at);
	enum refs_holder_kind kind = refs_kind_of(row->to);
	struct refs_way further = *way;

	if (place >= KMT_ROOT_NOWHERE)
		return 0;
	if (row->tags && (place & 1) != row->tag)
		return 0;
	place &= ~(uint64_t)row->tags;
	if (place < row->inside_offset)
		return 0;
	place -= row->inside_offset;
	/* the nodes of a tree are one step */
	if (strcmp(row->type, row->to))
		snprintf(further.through, sizeof(further.through), "%.80s%s%s.%s", way->through,
			 way->through[0] ? ", " : "", row->type, row->field);
	/* the tasks in a namespace are no more its holders than others */
	if (kind < REFS_HOLDER_KINDS)
		return refs_claim_name(w, &further, kind, place);
	return refs_claim_object(w, &further, refs_types_named(w->how->types, row->to), place,
				 place + 1, depth + 1);
}

/* Find the holders of the object: struct number `type` (0: not known), at these places. */
static int refs_claim_object(struct refs_holders_work *w, struct refs_way *way, int type,
			     uint64_t start, uint64_t end, int depth)
{
	const struct refs_belongs_type *belongs;
	int err = refs_claim_roots(w, way, start, end);

	if (err || way->claims->nr > way->first || !type || depth > DEEPEST)
		return err;
	belongs = refs_belongs_of(w->how->belongs, type);
	if (!belongs)
		return -ENOMEM;
	for (uint32_t i = 0; i < w->how->belongs->nr && !err; i++) {
		const struct refs_belongs *row = &w->how->belongs->rows[i];

		/* the list of what is known may move while it grows */
		belongs = refs_belongs_of(w->how->belongs, type);
		if (!belongs)
			return -ENOMEM;
		if (belongs->at[i] < 0 || !row->to)
			continue;
		err = refs_claim_whole(w, way, row, start + (uint64_t)belongs->at[i], depth);
		if (way->claims->nr > way->first)
			break;
	}
	return err;
}

/* The struct of a cache's objects: known if no other caches were merged into it. */
static int refs_type_of(const struct refs_holders_work *w, const struct refs_cache *cache)
{
	const char *name;

	return cache->merged
		       ? 0
		       : refs_types_struct(w->how->types, cache->name, cache->object_size, &name);
}

/*
 * The same for an object of a merged cache, which is of one of the structs that share it. Each is
 * tried: what leads to a holder is likely the right one, since few words are pointers to just that.
 */
static int refs_claim_merged(struct refs_holders_work *w, struct refs_way *way,
			     const struct refs_cache *cache, uint64_t start)
{
	size_t nr;
	const char *const *names = slab_aliases_of(w->how->aliases, cache->name, &nr);
	int err = 0;

	way->certain = false;
	for (size_t i = 0; i < (nr ?: 1) && way->claims->nr == way->first && !err; i++) {
		const char *name = nr ? names[i] : cache->name;
		int type = refs_types_merged(w->how->types, name, cache->object_size);

		if (type)
			err = refs_claim_object(w, way, type, start, start + cache->size, 0);
	}
	return err;
}

/* The same for an object of a cache. */
static int refs_claim_own(struct refs_holders_work *w, struct refs_way *way,
			  const struct refs_cache *cache, uint64_t start)
{
	struct refs_way further = *way;
	int err = refs_claim_roots(w, way, start, start + cache->size);

	if (err || way->claims->nr > way->first)
		return err;
	return cache->merged ? refs_claim_merged(w, &further, cache, start)
			     : refs_claim_object(w, &further, refs_type_of(w, cache), start,
						 start + cache->size, 0);
}

/* ---- from what points to an object on ---- */

/* An object that points to another one, which it holds. */
struct refs_edge {
	const struct refs_cache *cache;
	uint64_t start;
	int type;     /* 0: not known */
	bool certain; /* the pointer is known to hold what it points to */
	char words[REFS_FIELD];
};

/* Does the place hold the object? Only a pointer does, not a list, and not one from a part. */
static bool refs_edge_holds(const struct refs_holders_work *w, const struct refs_object *object,
			    const struct refs_place *p, struct refs_edge *out)
{
	const struct refs_cache *cache = p->cache;
	const char *name = "";
	uint64_t target;

	if (!cache || p->offset == REFS_NO_OFFSET)
		return false;
	/* objects of one kind are in lists and trees; a kmalloc cache has objects of many kinds */
	if (cache == object->cache && strncmp(cache->name, "kmalloc", strlen("kmalloc")) != 0)
		return false;
	*out = (struct refs_edge){.cache = cache, .start = p->at - p->offset};
	if (!cache->merged)
		out->type =
			refs_types_struct(w->how->types, cache->name, cache->object_size, &name);
	if (out->type) {
		char field[REFS_FIELD];

		if (!refs_types_is_pointer(w->how->types, out->type, p->offset) ||
		    refs_belongs_is_up(w->how->belongs, out->type, p->offset) ||
		    !refs_types_field(w->how->types, out->type, p->offset, field, sizeof(field)))
			return false;
		out->certain = refs_belongs_holds(name, field);
		snprintf(out->words, sizeof(out->words), "%.40s.%.80s", name, field);
		return true;
	}
	/* without a struct, it may be a list: but heads and links are rarely at the first byte */
	target = w->how->follow(w->how->arg, p->at);
	if ((target & ~UINT64_C(7)) != object->start)
		return false;
	snprintf(out->words, sizeof(out->words), "%s+%u", cache->name, p->offset);
	return true;
}

/* Objects that point to those of a level, and have no holder yet. */
struct refs_level {
	struct refs_objects objects;
	struct refs_claims from; /* .row: an object of this level that points to .object */
	char (*words)[REFS_FIELD];
};

static int refs_level_add(struct refs_level *next, const struct refs_edge *edge, uint32_t object)
{
	struct refs_claim *from;
	struct refs_object *o;
	size_t i;

	for (i = 0; i < next->objects.nr; i++)
		if (next->objects.items[i].start == edge->start)
			break;
	if (i == next->objects.nr) {
		if (i >= LEVEL_MOST)
			return 0;
		o = ARRAY_PUSH(&next->objects);
		if (!o)
			return -ENOMEM;
		*o = (struct refs_object){.start = edge->start, .cache = edge->cache};
		memcpy(next->words[i], edge->words, sizeof(next->words[i]));
	}
	from = ARRAY_PUSH(&next->from);
	if (!from)
		return -ENOMEM;
	*from = (struct refs_claim){object, (uint32_t)i};
	return 0;
}

/* Find the holders of what points to one object. `p`: the nr places that do. */
static int refs_claim_edges(struct refs_holders_work *w, const struct refs_object *object,
			    struct refs_way *way, const struct refs_place *p, size_t nr,
			    struct refs_level *next)
{
	struct refs_edge edges[EDGES_MOST];
	size_t found = 0;
	int err = 0;

	for (size_t i = 0; i < nr && found < EDGES_MOST; i++)
		found += refs_edge_holds(w, object, &p[i], &edges[found]);
	/* those that are certain first */
	for (int certain = 1; certain >= 0 && way->claims->nr == way->first; certain--)
		for (size_t i = 0; i < found && !err; i++) {
			struct refs_way further = *way;

			if (edges[i].certain != (certain != 0))
				continue;
			further.certain = way->certain && certain;
			further.pointed = true;
			refs_words_join(further.through, way->through, edges[i].words);
			err = refs_claim_own(w, &further, edges[i].cache, edges[i].start);
		}
	for (size_t i = 0; i < found && i < LEVEL_EACH && !err; i++)
		if (way->claims->nr == way->first) {
			char words[REFS_FIELD];

			refs_words_join(words, way->through, edges[i].words);
			memcpy(edges[i].words, words, sizeof(words));
			err = refs_level_add(next, &edges[i], way->object);
		}
	return err;
}

/*
 * Does the object point back to the one that the word is in? The first of a list does, to the head,
 * but nothing does to a stale pointer.
 */
static bool refs_is_mutual(const struct refs_holders_work *w, const struct refs_object *object,
			   const struct refs_place *p)
{
	uint64_t holder = p->at - p->offset;
	uint32_t bytes =
		object->cache->size < WORDS_MOST * 8 ? object->cache->size : WORDS_MOST * 8;

	if (!p->cache || p->offset == REFS_NO_OFFSET)
		return false;
	for (uint32_t at = 0; at + 8 <= bytes; at += 8) {
		uint64_t to = w->how->follow(w->how->arg, object->start + at);

		if (to >= holder && to < holder + p->cache->size)
			return true;
	}
	return false;
}

/*
 * Find out which objects of other caches hold a list of the sample's cache. If very many words
 * point to the cache, only some of them are tried, evenly.
 */
static int refs_heads_find(struct refs_holders_work *w)
{
	const struct refs_closure *c = w->how->closure;
	size_t step = c ? c->outside.nr / HEADS_TRIED + 1 : 1;

	for (size_t i = 0; c && i < c->outside.nr && w->heads.nr < HEADS_MOST; i += step) {
		const struct refs_place *p = &c->outside.items[i];
		struct refs_place *head;

		if (!refs_is_mutual(w, &c->all.items[p->object], p))
			continue;
		head = ARRAY_PUSH(&w->heads);
		if (!head)
			return -ENOMEM;
		*head = *p;
	}
	return 0;
}

/* An object in a list of its own kind is held by what holds the list. */
static int refs_claim_listed(struct refs_holders_work *w, const struct refs_object *object,
			     struct refs_way *way, struct refs_level *next)
{
	const struct refs_closure *c = w->how->closure;
	int64_t number = c ? refs_closure_number(c, object->start) : -1;
	int err = 0;

	way->certain = false;
	snprintf(way->through, sizeof(way->through), "others of %.40s", object->cache->name);
	for (size_t i = 0; number >= 0 && i < w->heads.nr && !err; i++) {
		const struct refs_place *head = &w->heads.items[i];

		if (c->group[head->object] == c->group[number])
			err = refs_claim_edges(w, &c->all.items[head->object], way, head, 1, next);
	}
	return err;
}

static int refs_compare_claims(const void *x, const void *y)
{
	const struct refs_claim *a = x, *b = y;

	if (a->object != b->object)
		return a->object < b->object ? -1 : 1;
	return a->row < b->row ? -1 : a->row > b->row;
}

/* The same holder may have been found on several ways. */
static void refs_claims_sort(struct refs_claims *claims)
{
	size_t nr = 0;

	if (claims->nr)
		qsort(claims->items, claims->nr, sizeof(*claims->items), refs_compare_claims);
	for (size_t i = 0; i < claims->nr; i++)
		if (!nr || refs_compare_claims(&claims->items[i], &claims->items[nr - 1]))
			claims->items[nr++] = claims->items[i];
	claims->nr = nr;
}

static int refs_holders_level(struct refs_holders_work *w, const struct refs_objects *objects,
			      const struct refs_places *places, struct refs_claims *out,
			      uint32_t level);

/* One level more: give the holders of the objects of `next` to those that they point to. */
static int refs_holders_next(struct refs_holders_work *w, struct refs_level *next,
			     struct refs_claims *out, uint32_t level)
{
	struct refs_claims claims = {0};
	struct refs_places places = {0};
	int err = w->how->scan(w->how->scan_arg, &next->objects, &places);

	if (err == -ETIME) {
		ARRAY_FREE(&places);
		return 0;
	}
	w->out->levels = level + 1;
	err = err ?: refs_holders_level(w, &next->objects, &places, &claims, level + 1);
	refs_claims_sort(&claims);
	for (size_t i = 0; i < next->from.nr && !err; i++) {
		const struct refs_claim *from = &next->from.items[i];
		struct refs_way way = {.object = from->object, .claims = out, .first = out->nr};
		size_t k;

		SORTED_FIRST(k, claims.nr, claims.items[k].object < from->row);
		for (; k < claims.nr && claims.items[k].object == from->row && !err; k++) {
			struct refs_holder holder;
			char last[REFS_FIELD];

			holder = w->out->holders.items[claims.items[k].row];
			memcpy(last, holder.through, sizeof(last));
			memcpy(way.through, next->words[from->row], sizeof(way.through));
			way.certain = false; /* so far away, it is not known for sure */
			err = refs_claim_add(w, &way, &holder, last);
		}
	}
	ARRAY_FREE(&claims);
	ARRAY_FREE(&places);
	return err;
}

static bool refs_level_pays(const struct refs_level *next, size_t objects)
{
	uint32_t last = UINT32_MAX;
	size_t nr = 0;

	for (size_t i = 0; i < next->from.nr; i++) {
		nr += next->from.items[i].object != last;
		last = next->from.items[i].object;
	}
	return nr && nr >= objects / LEVEL_SHARE;
}

static int refs_holders_level(struct refs_holders_work *w, const struct refs_objects *objects,
			      const struct refs_places *places, struct refs_claims *out,
			      uint32_t level)
{
	struct refs_level next = {.words = calloc(LEVEL_MOST, sizeof(*next.words))};
	size_t at = 0;
	int err = next.words ? 0 : -ENOMEM;

	for (uint32_t i = 0; i < objects->nr && !err; i++) {
		const struct refs_object *o = &objects->items[i];
		struct refs_way way = {
			.certain = true, .object = i, .claims = out, .first = out->nr};
		size_t nr = 0;

		while (at < places->nr && places->items[at].object < i)
			at++;
		while (at + nr < places->nr && places->items[at + nr].object == i)
			nr++;
		err = refs_claim_own(w, &way, o->cache, o->start);
		if (!err && way.claims->nr == way.first && nr)
			err = refs_claim_edges(w, o, &way, places->items + at, nr, &next);
		if (!err && way.claims->nr == way.first && !level)
			err = refs_claim_listed(w, o, &way, &next);
	}
	/* a scan for few objects that have no holder would say little */
	if (!err && refs_level_pays(&next, objects->nr) && level < w->how->levels)
		err = refs_holders_next(w, &next, out, level);
	free(next.words);
	ARRAY_FREE(&next.objects);
	ARRAY_FREE(&next.from);
	return err;
}

/* ---- all of it ---- */

static int refs_compare_holders(const void *x, const void *y)
{
	const struct refs_holder *a = x, *b = y;

	if (a->objects != b->objects)
		return a->objects < b->objects ? 1 : -1;
	return a->kind != b->kind ? (a->kind < b->kind ? -1 : 1)
				  : strcmp(a->name, b->name) ?: a->pid - b->pid;
}

int refs_holders_find(const struct refs_holding *how, const struct refs_objects *sample,
		      const struct refs_places *places, struct refs_claims *claims,
		      struct refs *out)
{
	struct refs_holders_work w = {.how = how, .out = out};
	int err = refs_heads_find(&w);

	err = err ?: refs_holders_level(&w, sample, places, claims, 0);
	ARRAY_FREE(&w.heads);
	return err;
}

/* Count the objects of each holder; those without any, on the way to others, are dropped. */
void refs_holders_count(struct refs_claims *claims, const bool *counts, struct refs *out)
{
	uint32_t last = UINT32_MAX;
	size_t nr = 0;

	refs_claims_sort(claims);
	for (size_t i = 0; i < claims->nr; i++) {
		const struct refs_claim *claim = &claims->items[i];

		if (!counts[claim->object])
			continue;
		out->holders.items[claim->row].objects++;
	}
	for (size_t i = 0; i < claims->nr; i++) {
		out->held += counts[claims->items[i].object] && claims->items[i].object != last;
		last = claims->items[i].object;
	}
	for (size_t i = 0; i < out->holders.nr; i++)
		if (out->holders.items[i].objects)
			out->holders.items[nr++] = out->holders.items[i];
	out->holders.nr = nr;
	if (nr)
		qsort(out->holders.items, nr, sizeof(*out->holders.items), refs_compare_holders);
}
