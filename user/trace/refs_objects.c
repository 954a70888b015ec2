// SPDX-License-Identifier: GPL-2.0-only
/* Slabs, and live objects in them: see refs_objects.h. */
#include "trace/refs_objects.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM          1
#define uthash_nonfatal_oom(entry) ((entry)->lost = true)
#include "base/hash.h"
#include "base/log.h"
#include "base/random.h"

#define FIND_SHARE      0.25   /* of the budget, at most, to find slabs */
#define SLABS_MOST      262144 /* kept: if there are more, a random part of them */
#define DRAWS_MOST      20     /* rounds of drawing objects, if many turn out to be free */
#define GATHER_TRIES    3
#define OTHERS_EACH     24 /* objects of one cache among those of other caches */
#define CACHES_ROOM     4096
#define OF_MOST         65536 /* objects of caches that are asked for by name */
#define SLAB_ORDER_MOST 10

struct refs_cache_entry {
	struct refs_cache c;
	uint32_t drawn; /* objects drawn for the control */
	bool lost;
	UT_hash_handle hh;
};

/* A random part of all slabs of a kind. */
struct refs_slab_sample {
	struct {
		ARRAY_OF(struct kmt_refs_slab);
	} slabs;
	uint64_t limit; /* slabs whose random number is at most this are kept */
	uint64_t used;  /* objects in use in all of them */
};

struct refs_slabs {
	struct refs_run *run;
	const char *name;
	struct refs_cache_entry *caches;
	const struct refs_cache *wanted; /* one of them; NULL: not met */
	struct refs_slab_sample mine, others;
	uint64_t frames; /* looked at */
	uint32_t round;
};

struct refs_slabs *refs_slabs_new(struct refs_run *run, const char *name)
{
	struct refs_slabs *s = calloc(1, sizeof(*s));

	if (s) {
		s->run = run;
		s->name = name;
		s->mine.limit = s->others.limit = UINT64_MAX;
	}
	return s;
}

void refs_slabs_free(struct refs_slabs *s)
{
	struct refs_cache_entry *e, *next;

	if (!s)
		return;
	HASH_ITER (hh, s->caches, e, next) {
		HASH_DEL(s->caches, e);
		ARRAY_FREE(&e->c.cpu_free);
		free(e);
	}
	ARRAY_FREE(&s->mine.slabs);
	ARRAY_FREE(&s->others.slabs);
	free(s);
}

/* ---- caches ---- */

/* Ask the kernel about a cache. Around a slab that is being freed, the pointer may lead elsewhere.
 */
static void refs_cache_ask(struct refs_run *run, struct refs_cache *c)
{
	const struct kmt_census_cache *info = &run->census->cache;

	if (refs_run_program(run, REFS_CACHE, (uint64_t[3]){c->address}))
		return;
	c->known = info->size && info->object_size <= info->size && info->order >> 16 <= 16 &&
		   info->order & 0xffff && info->name[0];
	if (!c->known)
		return;
	c->size = info->size;
	c->object_size = info->object_size;
	memcpy(c->name, info->name, sizeof(c->name));
	c->name[sizeof(c->name) - 1] = '\0';
	c->merged = refs_run_program(run, REFS_MERGED, (uint64_t[3]){c->address}) ||
		    run->refs->cache_merged;
}

static struct refs_cache_entry *refs_cache_entry(struct refs_slabs *s, uint64_t address)
{
	struct refs_cache_entry *e;

	HASH_FIND(hh, s->caches, &address, sizeof(address), e);
	if (e)
		return e;
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	e->c.address = address;
	if (HASH_COUNT(s->caches) < CACHES_ROOM)
		refs_cache_ask(s->run, &e->c);
	e->c.wanted = e->c.known && s->name && !strcmp(e->c.name, s->name);
	HASH_ADD(hh, s->caches, c.address, sizeof(e->c.address), e);
	if (e->lost) {
		free(e);
		return NULL;
	}
	if (e->c.wanted)
		s->wanted = &e->c;
	return e;
}

struct refs_cache *refs_slabs_want(struct refs_slabs *s, uint64_t address)
{
	struct refs_cache_entry *e = refs_cache_entry(s, address);

	if (!e)
		return NULL;
	e->c.wanted = true;
	return &e->c;
}

struct refs_cache *refs_slabs_cache(struct refs_slabs *s, uint64_t address)
{
	struct refs_cache_entry *e = refs_cache_entry(s, address);

	return e ? &e->c : NULL;
}

/* ---- free objects on CPUs' lists ---- */

static int refs_compare_places(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

	return a < b ? -1 : a > b;
}

/* Read the lists once. Returns 0 or −errno. */
static int refs_cpu_free_try(struct refs_run *run, struct refs_cache *c)
{
	uint32_t node = 0;

	c->cpu_free.nr = 0;
	c->cpu_free.incomplete = false;
	for (uint32_t cpu = 0; cpu < run->cpus || node < run->nodes;
	     cpu += KMT_AUDIT_CPUS, node++) {
		int err = refs_run_program(run, REFS_GATHER, (uint64_t[3]){c->address, cpu, node});
		uint32_t nr = run->audit->on_cpu_freelist_nr;

		if (err)
			return err;
		c->cpu_free.incomplete |= run->audit->incomplete > 0;
		for (uint32_t i = 0; i < nr && i < KMT_ON_CPU_FREELIST; i++) {
			uint64_t *place = ARRAY_PUSH(&c->cpu_free);

			if (!place)
				return -ENOMEM;
			*place = run->audit->on_cpu_freelist[i] - run->direct;
		}
	}
	if (c->cpu_free.nr)
		qsort(c->cpu_free.items, c->cpu_free.nr, sizeof(uint64_t), refs_compare_places);
	return 0;
}

static void refs_cpu_free_read(struct refs_slabs *s, struct refs_cache *c)
{
	c->cpu_free.round = s->round;
	for (int try = 0; try < GATHER_TRIES; try++) {
		if (refs_cpu_free_try(s->run, c))
			c->cpu_free.incomplete = true;
		if (!c->cpu_free.incomplete)
			break;
	}
}

void refs_slabs_round(struct refs_slabs *s)
{
	s->round++;
}

bool refs_slabs_cpu_free(struct refs_slabs *s, struct refs_cache *c, uint64_t start)
{
	if (c->cpu_free.round != s->round)
		refs_cpu_free_read(s, c);
	return c->cpu_free.nr && bsearch(&start, c->cpu_free.items, c->cpu_free.nr,
					 sizeof(uint64_t), refs_compare_places);
}

/* ---- slabs ---- */

/* A random number that is always the same for a frame. */
static uint64_t refs_frame_random(uint64_t pfn)
{
	uint64_t state = (pfn + 1) * 0x9E3779B97F4A7C15ull;

	random_next(&state);
	return random_next(&state);
}

/* Halve the part that is kept. */
static void refs_sample_thin(struct refs_slab_sample *s)
{
	size_t nr = 0;

	s->limit /= 2;
	for (size_t i = 0; i < s->slabs.nr; i++)
		if (refs_frame_random(s->slabs.items[i].pfn) <= s->limit)
			s->slabs.items[nr++] = s->slabs.items[i];
	s->slabs.nr = nr;
}

static int refs_sample_add(struct refs_slab_sample *s, const struct kmt_refs_slab *slab)
{
	struct kmt_refs_slab *kept;

	s->used += slab->used;
	if (refs_frame_random(slab->pfn) > s->limit)
		return 0;
	if (s->slabs.nr >= SLABS_MOST)
		refs_sample_thin(s);
	kept = ARRAY_PUSH(&s->slabs);
	if (!kept)
		return -ENOMEM;
	*kept = *slab;
	return 0;
}

static int refs_slabs_take(struct refs_slabs *s)
{
	const struct kmt_refs *r = s->run->refs;

	for (uint32_t i = 0; i < r->slabs_nr && i < KMT_REFS_SLABS; i++) {
		const struct kmt_refs_slab *slab = &r->slabs[i];
		struct refs_cache_entry *e = refs_cache_entry(s, slab->cache);
		int err;

		if (!e)
			return -ENOMEM;
		if (!e->c.known || !slab->objects || slab->used > slab->objects)
			continue;
		err = refs_sample_add(e->c.wanted ? &s->mine : &s->others, slab);
		if (err)
			return err;
	}
	return 0;
}

bool refs_slabs_found_all(const struct refs_slabs *s)
{
	return s->frames >= s->run->memory.frames;
}

int refs_slabs_find(struct refs_slabs *s)
{
	const struct refs_memory *m = &s->run->memory;
	uint64_t began = refs_run_spent_ns(s->run);
	int err = 0;

	for (size_t i = 0; i < m->nr && !err; i++) {
		uint64_t at = m->items[i].first;

		while (at < m->items[i].end && !err) {
			err = refs_run_program(s->run, REFS_FIND,
					       (uint64_t[3]){at, m->items[i].end});
			err = err ?: refs_slabs_take(s);
			if (!err && s->run->refs->next_pfn <= at)
				err = -EIO;
			at = s->run->refs->next_pfn;
		}
		s->frames += m->items[i].end - m->items[i].first;
		if (refs_run_is_over(s->run, FIND_SHARE))
			break;
	}
	if (!err && s->name && !s->wanted)
		err = refs_slabs_found_all(s) ? -ENOENT : -ETIME;
	if (!err)
		log_debug("references: %zu slabs of %s, %zu of other caches, in %.3f s of CPU",
			  s->mine.slabs.nr, s->name ?: "call paths", s->others.slabs.nr,
			  (double)(refs_run_spent_ns(s->run) - began) / 1e9);
	return err;
}

uint64_t refs_slabs_used(const struct refs_slabs *s)
{
	return s->mine.used;
}

const struct refs_cache *refs_slabs_wanted(const struct refs_slabs *s)
{
	return s->wanted;
}

/* ---- objects ---- */

static int refs_compare_objects(const void *x, const void *y)
{
	const struct refs_object *a = x, *b = y;

	if (a->cache != b->cache)
		return a->cache->address < b->cache->address ? -1 : 1;
	return a->start < b->start ? -1 : a->start > b->start;
}

void refs_objects_sort(struct refs_objects *o)
{
	size_t nr = 0;

	if (o->nr)
		qsort(o->items, o->nr, sizeof(*o->items), refs_compare_objects);
	for (size_t i = 0; i < o->nr; i++)
		if (!nr || o->items[i].start != o->items[nr - 1].start)
			o->items[nr++] = o->items[i];
	o->nr = nr;
}

static int refs_object_add(struct refs_slabs *s, const struct kmt_refs_slab *slab, uint32_t index,
			   struct refs_objects *out)
{
	struct refs_cache_entry *e = refs_cache_entry(s, slab->cache);
	struct refs_object *o = e ? ARRAY_PUSH(out) : NULL;

	if (!o)
		return -ENOMEM;
	*o = (struct refs_object){.start = (slab->pfn << s->run->page_shift) +
					   (uint64_t)index * e->c.size,
				  .slab = slab->pfn,
				  .cache = &e->c};
	return 0;
}

struct refs_object *refs_objects_add(struct refs_slabs *s, const struct refs_cache *cache,
				     uint64_t address, struct refs_objects *out)
{
	struct refs_object *o = ARRAY_PUSH(out);

	if (o)
		*o = (struct refs_object){.start = address - s->run->direct,
					  .slab = (address - s->run->direct) >> s->run->page_shift,
					  .cache = cache};
	return o;
}

/* What one check answers for an object. */
static void refs_object_judge(struct refs_slabs *s, struct refs_object *o,
			      const struct kmt_refs_item *item)
{
	struct refs_cache *c = refs_slabs_cache(s, o->cache->address);
	bool on_cpu = !c || refs_slabs_cpu_free(s, c, o->start);

	o->live = item->verdict == KMT_LIVE && !on_cpu;
	if (item->verdict == KMT_LIVE)
		o->slab = item->slab;
	o->sure = item->verdict != KMT_UNSURE && c && !c->cpu_free.incomplete;
	if (!o->live)
		return;
	o->changed |= o->hash && o->hash != item->hash;
	o->hash = item->hash;
}

int refs_objects_check(struct refs_slabs *s, struct refs_objects *o)
{
	struct kmt_refs_item *items = s->run->refs->items;
	int err = 0;

	refs_slabs_round(s);
	for (size_t at = 0; at < o->nr && !err; at += KMT_REFS_ITEMS) {
		size_t nr = o->nr - at < KMT_REFS_ITEMS ? o->nr - at : KMT_REFS_ITEMS;

		for (size_t i = 0; i < nr; i++)
			items[i] = (struct kmt_refs_item){.start = o->items[at + i].start,
							  .cache = o->items[at + i].cache->address};
		err = refs_run_program(s->run, REFS_CHECK, (uint64_t[3]){nr});
		for (size_t i = 0; i < nr && !err; i++)
			refs_object_judge(s, &o->items[at + i], &items[i]);
	}
	return err;
}

void refs_objects_keep_live(struct refs_objects *o)
{
	size_t nr = 0;

	for (size_t i = 0; i < o->nr; i++)
		if (o->items[i].live && o->items[i].sure)
			o->items[nr++] = o->items[i];
	o->nr = nr;
}

/* Add all objects of all slabs of the sample. */
static int refs_draw_all(struct refs_slabs *s, const struct refs_slab_sample *from,
			 struct refs_objects *out)
{
	int err = 0;

	for (size_t i = 0; i < from->slabs.nr && !err; i++)
		for (uint32_t k = 0; k < from->slabs.items[i].objects && !err; k++)
			err = refs_object_add(s, &from->slabs.items[i], k, out);
	return err;
}

/* Has this cache given enough objects to the control? */
static bool refs_cache_is_drawn(struct refs_slabs *s, const struct kmt_refs_slab *slab)
{
	struct refs_cache_entry *e = refs_cache_entry(s, slab->cache);

	return !e || e->drawn++ >= OTHERS_EACH;
}

/*
 * Draw `nr` objects, live or not. A slab is drawn with a probability in proportion to the room in
 * it, so each object is as likely as every other.
 */
static int refs_draw_some(struct refs_slabs *s, const struct refs_slab_sample *from, bool others,
			  size_t nr, struct refs_objects *out)
{
	uint32_t most = 1;
	int err = 0;

	for (size_t i = 0; i < from->slabs.nr; i++)
		if (from->slabs.items[i].objects > most)
			most = from->slabs.items[i].objects;
	for (size_t tries = 0; nr && tries < 1000000 && !err; tries++) {
		const struct kmt_refs_slab *slab =
			&from->slabs.items[random_below(&s->run->random, from->slabs.nr)];
		/* drawing from as much room as the fullest slab has, and refusing the rest */
		uint32_t index = (uint32_t)random_below(&s->run->random, most);

		if (index >= slab->objects || (others && refs_cache_is_drawn(s, slab)))
			continue;
		err = refs_object_add(s, slab, index, out);
		nr--;
	}
	return err;
}

void refs_objects_thin(struct refs_slabs *s, struct refs_objects *o, size_t want)
{
	while (o->nr > want) {
		size_t dropped = random_below(&s->run->random, o->nr);

		o->items[dropped] = o->items[o->nr - 1];
		o->nr--;
	}
	refs_objects_sort(o);
}

int refs_objects_draw(struct refs_slabs *s, bool others, size_t want, struct refs_objects *out,
		      bool *all)
{
	const struct refs_slab_sample *from = others ? &s->others : &s->mine;
	struct refs_objects o = {0};
	int err = 0;

	*all = from->used <= want && from->limit == UINT64_MAX && !others;
	if (!from->slabs.nr)
		return 0;
	if (*all) {
		err = refs_draw_all(s, from, &o) ?: refs_objects_check(s, &o);
		refs_objects_keep_live(&o);
	}
	for (int draw = 0; !*all && draw < DRAWS_MOST && o.nr < want && !err; draw++) {
		err = refs_draw_some(s, from, others, want + want / 4, &o);
		refs_objects_sort(&o);
		err = err ?: refs_objects_check(s, &o);
		refs_objects_keep_live(&o);
		if (others)
			break;
	}
	if (err) {
		ARRAY_FREE(&o);
		return err;
	}
	refs_objects_thin(s, &o, want);
	for (size_t i = 0; i < o.nr; i++)
		o.items[i].changed = false;
	*out = o;
	return 0;
}

/* Add the free objects on CPUs' lists, which are used next. */
static int refs_draw_cpu_free(struct refs_slabs *s, struct refs_objects *out)
{
	const struct refs_cache *c = s->wanted;

	for (size_t i = 0; i < c->cpu_free.nr; i++) {
		struct refs_object *o = ARRAY_PUSH(out);

		if (!o)
			return -ENOMEM;
		*o = (struct refs_object){.start = c->cpu_free.items[i],
					  .slab = c->cpu_free.items[i] >> s->run->page_shift,
					  .cache = c};
	}
	return 0;
}

int refs_objects_free_now(struct refs_slabs *s, size_t want, struct refs_objects *out)
{
	struct refs_objects o = {0};
	size_t nr = 0;
	int err = 0;

	if (s->mine.slabs.nr)
		err = refs_draw_some(s, &s->mine, false, want * 4, &o);
	refs_objects_sort(&o);
	err = err ?: refs_objects_check(s, &o);
	for (size_t i = 0; i < o.nr; i++)
		if (!o.items[i].live && o.items[i].sure)
			o.items[nr++] = o.items[i];
	o.nr = nr;
	err = err ?: refs_draw_cpu_free(s, &o);
	if (err) {
		ARRAY_FREE(&o);
		return err;
	}
	refs_objects_sort(&o);
	refs_objects_thin(s, &o, want);
	*out = o;
	return 0;
}

/* Does the slab's cache have one of the names? */
static bool refs_slab_is_of(struct refs_slabs *s, const struct kmt_refs_slab *slab,
			    const char *const *names, size_t nr)
{
	const struct refs_cache_entry *e = refs_cache_entry(s, slab->cache);

	for (size_t i = 0; e && i < nr; i++)
		if (!strcmp(e->c.name, names[i]))
			return true;
	return false;
}

int refs_objects_of(struct refs_slabs *s, const char *const *names, size_t nr,
		    struct refs_objects *out)
{
	const struct refs_slab_sample *const samples[] = {&s->mine, &s->others};
	struct refs_objects o = {0};
	int err = 0;

	for (int k = 0; k < 2; k++)
		for (size_t i = 0; i < samples[k]->slabs.nr && !err; i++) {
			const struct kmt_refs_slab *slab = &samples[k]->slabs.items[i];

			if (!refs_slab_is_of(s, slab, names, nr))
				continue;
			for (uint32_t n = 0; n < slab->objects && o.nr < OF_MOST && !err; n++)
				err = refs_object_add(s, slab, n, &o);
		}
	err = err ?: refs_objects_check(s, &o);
	refs_objects_keep_live(&o);
	if (err) {
		ARRAY_FREE(&o);
		return err;
	}
	*out = o;
	return 0;
}
