// SPDX-License-Identifier: GPL-2.0-only
/* A scan of memory, and the check of what it found: see refs_scan.h. */
#include "trace/refs_scan.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"

#define PENDING_MOST    2048 /* references that are checked together */
#define CHECK_MS        5    /* while the crew scans, what it finds waits at most about so long */
#define PROGRESS_CHUNKS 256
#define PROGRESS_CHECKS 50

/* An object's number, in order of place. */
struct refs_target_order {
	uint64_t start;
	uint32_t object;
};

struct refs_hits {
	ARRAY_OF(struct kmt_refs_hit);
};

struct refs_scanning {
	struct refs_slabs *slabs;
	struct refs_run *run;
	const struct refs_objects *objects;
	struct refs_target_order *order;
	struct refs_outcome *outcomes;
	struct refs_places *places;
	double budget_share;
	struct refs_hits checking; /* references that are being checked */
	pthread_mutex_t lock;      /* of what follows: each thread that scans changes it */
	struct refs_hits pending;  /* references that wait for a check */
	size_t next;               /* chunk of memory */
	uint64_t frames;           /* scanned */
};

static int refs_compare_order(const void *x, const void *y)
{
	const struct refs_target_order *a = x, *b = y;

	return a->start < b->start ? -1 : a->start > b->start;
}

static void refs_filter_set(struct kmt_refs *r, const struct kmt_refs_target *t, uint32_t shift)
{
	const uint64_t mask = KMT_REFS_FILTER - 1;

	for (uint64_t grain = t->start >> KMT_REFS_GRAIN; grain <= (t->end - 1) >> KMT_REFS_GRAIN;
	     grain++)
		r->filter[grain & mask] |= KMT_REFS_DIRECT;
	r->filter[t->start >> shift & mask] |= KMT_REFS_PAGE;
	r->filter[t->slab & mask] |= KMT_REFS_PAGE;
}

/* Write the targets where the programs of one thread find them. */
static void refs_targets_write(const struct refs_scanning *s, struct kmt_refs *r)
{
	const struct refs_objects *o = s->objects;

	memset(r->filter, 0, sizeof(r->filter));
	memset(r->refs, 0, sizeof(r->refs));
	memset(r->weak, 0, sizeof(r->weak));
	memset(r->scanned, 0, sizeof(r->scanned));
	r->faults = 0;
	for (size_t i = 0; i < KMT_REFS_TARGETS; i++)
		r->targets[i] = (struct kmt_refs_target){.start = KMT_REFS_NOWHERE,
							 .slab = KMT_REFS_NOWHERE};
	for (size_t i = 0; i < o->nr; i++) {
		const struct refs_object *object = &o->items[s->order[i].object];

		r->targets[i] = (struct kmt_refs_target){.start = object->start,
							 .end = object->start + object->cache->size,
							 .slab = object->slab};
		refs_filter_set(r, &r->targets[i], s->run->page_shift);
	}
	r->targets_nr = (uint32_t)o->nr;
}

/* Tell the programs what to look for. */
static int refs_targets_set(struct refs_scanning *s, bool pages)
{
	const struct refs_objects *o = s->objects;

	if (o->nr >= KMT_REFS_TARGETS)
		return -E2BIG;
	s->order = calloc(o->nr + 1, sizeof(*s->order));
	if (!s->order)
		return -ENOMEM;
	for (size_t i = 0; i < o->nr; i++)
		s->order[i] = (struct refs_target_order){o->items[i].start, (uint32_t)i};
	qsort(s->order, o->nr, sizeof(*s->order), refs_compare_order);
	for (size_t i = 0; i < refs_run_scanners(s->run); i++) {
		struct kmt_refs *r = refs_run_scanner(s->run, i)->refs;

		refs_targets_write(s, r);
		r->pages_bytes = pages ? s->run->pages_bytes : 0;
	}
	return 0;
}

/* ---- checking what was found ---- */

/* Is the object that has the word in use? If that is not known, the word counts. */
static bool refs_source_counts(struct refs_slabs *slabs, const struct kmt_refs_source *source,
			       struct refs_cache *cache)
{
	if (source->sheaf)
		return false;
	if (source->verdict == KMT_FREED_SLAB || source->verdict == KMT_FREED_PAGE)
		return false;
	return !source->start || !cache || !refs_slabs_cpu_free(slabs, cache, source->start);
}

static int refs_source_add(struct refs_scanning *s, const struct kmt_refs_hit *hit,
			   const struct kmt_refs_source *source)
{
	uint32_t object = s->order[hit->target].object;
	const struct refs_cache *own = s->objects->items[object].cache;
	struct refs_outcome *outcome = &s->outcomes[object];
	struct refs_cache *cache = NULL;
	struct refs_place *place;

	if (hit->class == KMT_PAGE_SLAB && source->class == KMT_PAGE_SLAB && source->cache) {
		cache = refs_slabs_cache(s->slabs, source->cache);
		if (!cache)
			return -ENOMEM;
		if (!refs_source_counts(s->slabs, source, cache))
			return 0;
	} else if (hit->class == KMT_PAGE_SLAB && source->class <= KMT_PAGE_CPU_FREE) {
		return 0; /* the slab has been freed */
	}
	if (hit->weak) {
		outcome->weak++;
		return 0;
	}
	place = ARRAY_PUSH(s->places);
	if (!place)
		return -ENOMEM;
	*place = (struct refs_place){.object = object,
				     .class = (enum census_class)hit->class,
				     .cache = cache,
				     .offset = source->start ? (uint32_t)(hit->at - source->start)
							     : REFS_NO_OFFSET,
				     .at = hit->at};
	outcome->strong++;
	outcome->own += cache == own;
	return 0;
}

/* Check the references that wait for it. Only the run's own thread may do so. */
static int refs_pending_check(struct refs_scanning *s)
{
	struct kmt_refs_source *sources = s->run->refs->sources;
	struct refs_hits *hits = &s->checking, empty = *hits;
	int err = 0;

	pthread_mutex_lock(&s->lock);
	*hits = s->pending;
	s->pending = empty;
	pthread_mutex_unlock(&s->lock);
	refs_slabs_round(s->slabs);
	for (size_t at = 0; at < hits->nr && !err; at += KMT_REFS_ITEMS) {
		size_t left = hits->nr - at;
		size_t nr = left < KMT_REFS_ITEMS ? left : KMT_REFS_ITEMS;
		struct kmt_refs_source checked[KMT_REFS_ITEMS];

		for (size_t i = 0; i < nr; i++) {
			const struct kmt_refs_hit *hit = &hits->items[at + i];
			uint32_t object = s->order[hit->target].object;

			sources[i] = (struct kmt_refs_source){
				.at = hit->at,
				.target_cache = s->objects->items[object].cache->address};
		}
		err = refs_run_program(s->run, REFS_SOURCES, (uint64_t[3]){nr});
		memcpy(checked, sources, sizeof(checked));
		for (size_t i = 0; i < nr && !err; i++)
			err = refs_source_add(s, &hits->items[at + i], &checked[i]);
	}
	hits->nr = 0;
	return err;
}

/* ---- scanning ---- */

/* Take what a run of the program found. */
static int refs_pending_take(struct refs_scanning *s, const struct kmt_refs *r)
{
	int err = 0;

	pthread_mutex_lock(&s->lock);
	for (uint32_t i = 0; i < r->hits_nr && i < KMT_REFS_HITS && !err; i++) {
		struct kmt_refs_hit *hit;

		if (r->hits[i].target >= s->objects->nr)
			continue;
		hit = ARRAY_PUSH(&s->pending);
		err = hit ? 0 : -ENOMEM;
		if (hit)
			*hit = r->hits[i];
	}
	pthread_mutex_unlock(&s->lock);
	return err;
}

static int refs_chunk_scan(struct refs_scanning *s, struct refs_run *run,
			   const struct frame_range *chunk)
{
	uint64_t at = chunk->first;
	int err = 0;

	while (at < chunk->end && !err) {
		err = refs_run_program(run, REFS_SCAN, (uint64_t[3]){at, chunk->end});
		if (!err && run->refs->next_pfn <= at)
			err = -EIO;
		at = run->refs->next_pfn;
		err = err ?: refs_pending_take(s, run->refs);
		if (!err && run == s->run && s->pending.nr >= PENDING_MOST)
			err = refs_pending_check(s);
	}
	return err;
}

/* The next chunk that no thread has scanned; NULL at the end. */
static const struct frame_range *refs_chunk_next(struct refs_scanning *s)
{
	const struct refs_memory *m = &s->run->memory;
	const struct frame_range *chunk = NULL;

	pthread_mutex_lock(&s->lock);
	if (s->next < m->nr)
		chunk = &m->items[s->next++];
	pthread_mutex_unlock(&s->lock);
	return chunk;
}

/* Something failed: nobody scans more. */
static void refs_chunks_end(struct refs_scanning *s)
{
	pthread_mutex_lock(&s->lock);
	s->next = s->run->memory.nr;
	pthread_mutex_unlock(&s->lock);
}

static void refs_progress(struct refs_scanning *s)
{
	pthread_mutex_lock(&s->lock);
	log_progress("looking for pointers: %.0f%% of memory",
		     100.0 * (double)s->frames / (double)s->run->memory.frames);
	pthread_mutex_unlock(&s->lock);
}

/* One thread scans, until no chunk is left or the budget is used up. */
static int refs_chunks_scan(void *own, void *arg)
{
	struct refs_scanning *s = arg;
	struct refs_run *run = own;
	const struct frame_range *chunk;
	int err = 0;

	background_begin(&run->background);
	while (!err && (chunk = refs_chunk_next(s))) {
		err = refs_chunk_scan(s, run, chunk);
		pthread_mutex_lock(&s->lock);
		s->frames += chunk->end - chunk->first;
		pthread_mutex_unlock(&s->lock);
		if (run == s->run && s->next % PROGRESS_CHUNKS == 0)
			refs_progress(s);
		if (refs_run_is_over(s->run, s->budget_share))
			break;
	}
	if (err)
		refs_chunks_end(s);
	return err;
}

/* The crew scans, and this thread checks what it finds. */
static int refs_crew_scan(struct refs_scanning *s)
{
	int err = 0, crew_err = 0;

	crew_begin(s->run->crew, refs_chunks_scan, s);
	for (uint32_t checks = 0; !crew_wait(s->run->crew, CHECK_MS, &crew_err); checks++) {
		background_begin(&s->run->background); /* it waited for the crew, not for a CPU */
		err = err ?: refs_pending_check(s);
		if (err)
			refs_chunks_end(s);
		if (checks % PROGRESS_CHECKS == 0)
			refs_progress(s);
	}
	return err ?: crew_err;
}

static int refs_compare_place_objects(const void *x, const void *y)
{
	const struct refs_place *a = x, *b = y;

	return a->object < b->object ? -1 : a->object > b->object;
}

void refs_places_sort(struct refs_places *p)
{
	if (p->nr)
		qsort(p->items, p->nr, sizeof(*p->items), refs_compare_place_objects);
}

void refs_outcome_seen(struct refs_outcome *o, uint32_t strong, uint32_t weak)
{
	bool more = strong > KMT_REFS_KEPT;

	o->more |= more;
	/* if all that were kept do not count, others may */
	if (more && !o->strong)
		o->strong = 1;
	if (weak > KMT_REFS_KEPT && !o->weak)
		o->weak = 1;
}

/* What all threads found. */
static void refs_outcomes_finish(struct refs_scanning *s, struct refs_scan *scan)
{
	for (size_t n = 0; n < refs_run_scanners(s->run); n++) {
		const struct kmt_refs *r = refs_run_scanner(s->run, n)->refs;

		for (size_t i = 0; i < s->objects->nr; i++)
			refs_outcome_seen(&s->outcomes[s->order[i].object], r->refs[i], r->weak[i]);
		for (int class = 0; class < CENSUS_CLASSES; class ++)
			scan->pages[class] += r->scanned[class];
		scan->faults += r->faults;
	}
	scan->frames = s->frames;
}

int refs_scan_memory(struct refs_slabs *slabs, struct refs_run *run, const struct refs_objects *o,
		     const struct refs_scan_how *how, struct refs_outcome *outcomes,
		     struct refs_scanned *out)
{
	struct refs_scanning s = {.slabs = slabs,
				  .run = run,
				  .objects = o,
				  .outcomes = outcomes,
				  .places = &out->places,
				  .budget_share = how->budget_share,
				  .lock = PTHREAD_MUTEX_INITIALIZER};
	uint64_t began = refs_run_spent_ns(run);
	struct refs_scan *scan = &out->scan;
	int err;

	memset(outcomes, 0, o->nr * sizeof(*outcomes));
	*scan = (struct refs_scan){.frames_all = run->memory.frames};
	err = refs_targets_set(&s, how->pages);
	if (!err)
		err = run->crew ? refs_crew_scan(&s) : refs_chunks_scan(run, &s);
	log_progress_end();
	err = err ?: refs_pending_check(&s);
	if (!err) {
		refs_outcomes_finish(&s, scan);
		refs_places_sort(&out->places);
	}
	scan->cpu_s = (double)(refs_run_spent_ns(run) - began) / 1e9;
	free(s.order);
	ARRAY_FREE(&s.pending);
	ARRAY_FREE(&s.checking);
	return err;
}
