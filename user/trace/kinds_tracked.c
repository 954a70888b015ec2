// SPDX-License-Identifier: GPL-2.0-only
/* Draws tracked objects: see kinds_tracked.h. */
#include "trace/kinds_tracked.h"

#include <errno.h>
#include <stdlib.h>

#define HASH_NONFATAL_OOM          1
#define uthash_nonfatal_oom(entry) ((entry)->lost = true)
#include "base/clock.h"
#include "base/hash.h"
#include "trace/audit_sample.h"

const struct tracked_wish tracked_for_kinds = {
	.of_path = 40,   /* of one kind or not: enough to tell shares of a third apart */
	.objects = 4000, /* looking at one takes some microseconds */
};

/* A path in a cache, while it is drawn. */
struct drawn_path {
	uint64_t key; /* stack and row of the cache */
	uint32_t index, tracked;
	double objects, bytes;
	bool lost, used; /* used: it has an index, since one of its objects was drawn */
	UT_hash_handle hh;
};

struct drawing {
	const struct tracer_tables *t;
	const struct audit *a;
	const struct tracked_wish *wish;
	struct audit_sample *sample;
	struct drawn_path *paths;
};

static void drawing_end(struct drawing *d)
{
	HASH_FREE(d->paths);
	audit_sample_free(d->sample);
}

static uint64_t path_key(const struct kmt_object *o)
{
	return (uint64_t)o->stack << 16 | o->cache;
}

static struct drawn_path *drawn_find(struct drawing *d, uint64_t key)
{
	struct drawn_path *p;

	HASH_FIND(hh, d->paths, &key, sizeof(key), p);
	return p;
}

static struct drawn_path *drawn_get(struct drawing *d, uint64_t key)
{
	struct drawn_path *p = drawn_find(d, key);

	if (p)
		return p;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->key = key;
	HASH_ADD(hh, d->paths, key, sizeof(p->key), p);
	if (!p->lost)
		return p;
	free(p);
	return NULL;
}

/* Read a row of the live table. False if it has no object of a slab cache, or none that is wished.
 */
static bool row_read(const struct drawing *d, uint32_t row, uint64_t *key, struct kmt_object *o)
{
	const struct kmt_bucket *b = &d->t->live[row / KMT_KEYS];

	*key = __atomic_load_n(&b->key[row % KMT_KEYS], __ATOMIC_ACQUIRE);
	if (*key <= KMT_EVICTING)
		return false;
	*o = b->object[row % KMT_KEYS];
	return o->pool == KMT_SLAB && o->stack && o->stack < d->t->nr_stacks && o->cache &&
	       o->cache < d->t->nr_caches && d->t->cache_keys[o->cache].ptr != KMT_CACHE_LARGE &&
	       (!d->wish->fits || d->wish->fits(d->wish->arg, d->t, o)) &&
	       __atomic_load_n(&b->key[row % KMT_KEYS], __ATOMIC_ACQUIRE) == *key;
}

/* First pass: what each path holds, and how many of its objects may be drawn. */
static int paths_count(struct drawing *d)
{
	struct kmt_object o;
	uint64_t key;

	audit_sample_begin(d->sample);
	for (uint32_t row = 0; row < d->t->nr_buckets * KMT_KEYS; row++) {
		struct drawn_path *p;
		double objects;

		if (!row_read(d, row, &key, &o))
			continue;
		p = drawn_get(d, path_key(&o));
		if (!p)
			return -ENOMEM;
		p->tracked++;
		objects = (double)kmt_weight(o.size, o.period, d->t->weights) / KMT_ONE;
		p->objects += objects;
		p->bytes += objects * (double)o.size;
		if (audit_sampled(d->a, row))
			audit_sample_count(d->sample, o.stack, o.cache, o.size, false);
	}
	return 0;
}

static int path_use(struct drawn_path *p, const struct kmt_object *o, uint64_t cache,
		    struct tracked_objects *out)
{
	struct tracked_path *path;

	if (p->used)
		return 0;
	path = ARRAY_PUSH(&out->paths);
	if (!path)
		return -ENOMEM;
	*path = (struct tracked_path){.cache = cache,
				      .stack = o->stack,
				      .tracked = p->tracked,
				      .objects = p->objects,
				      .bytes = p->bytes};
	p->index = (uint32_t)out->paths.nr - 1;
	p->used = true;
	return 0;
}

/* Second pass. */
static int objects_draw(struct drawing *d, struct tracked_objects *out)
{
	struct kmt_object o;
	uint64_t key;

	for (uint32_t row = 0; row < d->t->nr_buckets * KMT_KEYS; row++) {
		struct tracked_object *to;
		struct drawn_path *p;
		uint64_t cache;

		if (!audit_sampled(d->a, row) || !row_read(d, row, &key, &o) ||
		    audit_sample_take(d->sample, o.stack, o.cache, false) != CHOSEN_SAMPLE)
			continue;
		p = drawn_find(d, path_key(&o));
		cache = d->t->cache_keys[o.cache].ptr;
		if (!p) /* it was not there a moment ago */
			continue;
		if (path_use(p, &o, cache, out))
			return -ENOMEM;
		to = ARRAY_PUSH(out);
		if (!to)
			return -ENOMEM;
		*to = (struct tracked_object){.cache = cache, .address = key, .path = p->index};
	}
	return 0;
}

static int compare_tracked(const void *x, const void *y)
{
	const struct tracked_object *a = x, *b = y;

	if (a->cache != b->cache)
		return a->cache < b->cache ? -1 : 1;
	return a->address < b->address ? -1 : a->address > b->address;
}

int tracked_objects_draw(const struct tracer_tables *t, const struct audit *a,
			 const struct tracked_wish *wish, struct tracked_objects *out)
{
	struct drawing d = {.t = t, .a = a, .wish = wish, .sample = audit_sample_new(clock_ns())};
	struct tracked_objects drawn = {0};
	int err = d.sample ? paths_count(&d) : -ENOMEM;

	err = err ?: audit_sample_plan(d.sample, wish->objects, wish->of_path);
	err = err ?: objects_draw(&d, &drawn);
	drawing_end(&d);
	if (err) {
		tracked_objects_free(&drawn);
		return err;
	}
	if (drawn.nr)
		qsort(drawn.items, drawn.nr, sizeof(*drawn.items), compare_tracked);
	*out = drawn;
	return 0;
}

void tracked_objects_free(struct tracked_objects *t)
{
	ARRAY_FREE(&t->paths);
	ARRAY_FREE(t);
}
