// SPDX-License-Identifier: GPL-2.0-only
/* What points to the objects of call paths: see refs_prove.h. */
#include "trace/refs_prove.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "trace/background.h"
#include "trace/refs_look.h"

#define OTHERS_OF_PATH 24

_Static_assert(3 * REFS_OBJECTS + 2 * REFS_CONTROL_WANTED < KMT_REFS_TARGETS,
	       "a scan must have room for the samples of three large paths, and both controls");

/* ---- which objects ---- */

static bool prove_fits(const void *arg, const struct tracer_tables *t, const struct kmt_object *o)
{
	(void)arg;
	return !t->cache_info[o->cache].reclaimable;
}

static int prove_compare_bytes(const void *x, const void *y)
{
	const struct tracked_path *a = *(const struct tracked_path *const *)x,
				  *b = *(const struct tracked_path *const *)y;

	return a->bytes < b->bytes ? 1 : a->bytes > b->bytes ? -1 : 0;
}

/* Mark the paths that are worth a proof, the largest first. Returns 0 or −ENOMEM. */
static int prove_paths_choose(const struct tracked_objects *t, bool *chosen)
{
	_cleanup_free_ const struct tracked_path **by_bytes =
		calloc(t->paths.nr + 1, sizeof(*by_bytes));
	_cleanup_free_ uint32_t *drawn = calloc(t->paths.nr + 1, sizeof(*drawn));
	size_t nr = 0;

	if (!by_bytes || !drawn)
		return -ENOMEM;
	for (size_t i = 0; i < t->nr; i++)
		drawn[t->items[i].path]++;
	for (size_t i = 0; i < t->paths.nr; i++)
		if (drawn[i] >= PROVE_OBJECTS_LEAST && t->paths.items[i].bytes >= PROVE_PATH_BYTES)
			by_bytes[nr++] = &t->paths.items[i];
	qsort(by_bytes, nr, sizeof(*by_bytes), prove_compare_bytes);
	for (size_t i = 0; i < nr && i < PROVE_PATHS_MOST; i++)
		chosen[by_bytes[i] - t->paths.items] = true;
	return 0;
}

/* Keep the chosen paths, and their objects. */
static int prove_paths_keep(struct tracked_objects *t)
{
	_cleanup_free_ bool *chosen = calloc(t->paths.nr + 1, sizeof(*chosen));
	_cleanup_free_ uint32_t *number = calloc(t->paths.nr + 1, sizeof(*number));
	size_t paths = 0, objects = 0;
	int err = chosen && number ? prove_paths_choose(t, chosen) : -ENOMEM;

	if (err)
		return err;
	for (size_t i = 0; i < t->paths.nr; i++) {
		number[i] = (uint32_t)paths;
		if (chosen[i])
			t->paths.items[paths++] = t->paths.items[i];
	}
	for (size_t i = 0; i < t->nr; i++) {
		struct tracked_object o = t->items[i];

		if (!chosen[o.path])
			continue;
		o.path = number[o.path];
		t->items[objects++] = o;
	}
	t->paths.nr = paths;
	t->nr = objects;
	return 0;
}

/* Is it an object of another path, in a cache of one that is asked about? */
static bool prove_is_other(const void *arg, const struct tracer_tables *t,
			   const struct kmt_object *o)
{
	const struct tracked_objects *asked = arg;
	uint64_t cache = t->cache_keys[o->cache].ptr;
	bool same = false;

	for (size_t i = 0; i < asked->paths.nr; i++) {
		const struct tracked_path *path = &asked->paths.items[i];

		if (path->cache == cache && path->stack == o->stack)
			return false;
		same |= path->cache == cache;
	}
	return same;
}

int prove_objects_draw(const struct tracer_tables *t, const struct audit *a,
		       struct prove_objects *out)
{
	const struct tracked_wish largest = {
		.objects = 3 * REFS_OBJECTS, .of_path = REFS_OBJECTS, .fits = prove_fits};
	struct prove_objects p = {0};
	const struct tracked_wish others = {.objects = REFS_CONTROL_WANTED,
					    .of_path = OTHERS_OF_PATH,
					    .fits = prove_is_other,
					    .arg = &p.paths};
	int err = tracked_objects_draw(t, a, &largest, &p.paths);

	err = err ?: prove_paths_keep(&p.paths);
	if (!err && p.paths.nr)
		err = tracked_objects_draw(t, a, &others, &p.others);
	if (err) {
		prove_objects_free(&p);
		return err;
	}
	*out = p;
	return 0;
}

void prove_objects_free(struct prove_objects *p)
{
	tracked_objects_free(&p->paths);
	tracked_objects_free(&p->others);
}

/* ---- looking for what points to them ---- */

/* Add the live ones of these objects, each path as a part. */
static int prove_add(struct refs_looking *l, const struct tracked_objects *from,
		     enum refs_control as, struct refs_objects *out)
{
	size_t first = l->parts.nr;
	int err = 0;

	for (size_t i = 0; i < from->paths.nr; i++) {
		struct refs_cache *cache = refs_slabs_want(l->slabs, from->paths.items[i].cache);

		if (!cache || refs_part_add(l, cache, as) < 0)
			return -ENOMEM;
	}
	for (size_t i = 0; i < from->nr && !err; i++) {
		size_t part = first + from->items[i].path;
		const struct refs_cache *cache = l->parts.items[part].cache;
		struct refs_object *o;

		if (!cache->known)
			continue;
		o = refs_objects_add(l->slabs, cache, from->items[i].address, out);
		err = o ? 0 : -ENOMEM;
		if (o)
			o->part = (uint32_t)part;
	}
	refs_objects_sort(out);
	err = err ?: refs_objects_check(l->slabs, out);
	refs_objects_keep_live(out);
	return err;
}

struct prove_work {
	const struct plan *plan;
	const struct refs_options *options;
	const struct prove_objects *objects;
	struct refs *out;
};

static int prove_look(struct refs_looking *l, const struct prove_work *w)
{
	int err = prove_add(l, &w->objects->paths, REFS_CONTROL_NONE, &l->sample);

	err = err ?: prove_add(l, &w->objects->others, REFS_CONTROL_PATHS, &l->control);
	err = err ?: refs_slabs_find(l->slabs);
	l->all.found_all = true; /* no slabs were needed to find the objects */
	err = err ?: refs_look_first(l);
	err = err ?: refs_control_others(l);
	return err ?: refs_look_second(l, w->options->levels);
}

static int prove_work_do(void *arg)
{
	_cleanup_(refs_looking_end) struct refs_looking l = {0};
	const struct prove_work *w = arg;
	const struct tracked_objects *asked = &w->objects->paths;
	int err = refs_looking_begin(&l, w->plan, w->options);

	err = err ?: prove_look(&l, w);
	for (size_t i = 0; i < asked->paths.nr && !err; i++) {
		const struct tracked_path *path = &asked->paths.items[i];
		struct refs *out = &w->out[i];

		err = refs_look_sum(&l, (uint32_t)i, out);
		out->in_use = (uint64_t)llround(path->objects);
		out->all_objects =
			out->sample.checked >= path->tracked && path->objects < path->tracked + 0.5;
	}
	return err;
}

int refs_prove(const struct plan *plan, const struct refs_options *options,
	       const struct prove_objects *objects, struct refs *out)
{
	struct prove_work w = {.plan = plan, .options = options, .objects = objects, .out = out};
	int err;

	memset(out, 0, objects->paths.paths.nr * sizeof(*out));
	err = background_run(prove_work_do, &w);
	for (size_t i = 0; i < objects->paths.paths.nr && err; i++)
		refs_free(&out[i]);
	return err;
}
