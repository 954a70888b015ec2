// SPDX-License-Identifier: GPL-2.0-only
/* Chooses objects, drives bpf/audit.bpf.c, adds up verdicts. See audit.h. */
#include "live/audit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "live/choice.h"

#define FIRST_NS 1000.0	      /* guess of what one object takes, until it is known */
#define MOST	 (1u << 21)
#define LATE	 2	      /* times the limit, after which a run that takes longer than planned is ended */
#define CACHE_RUNS 16	      /* of audit_caches: 4096 caches, more than there are rows */
#define APART_NS 1000000000ull /* between two looks that count as two */
#define BESIDE	 16	      /* of what there is time for, a part: pages that are looked up beside the sample */
#define BARREN	 64	      /* pages of a path, none of them a page table: its others are none */

/* An object to be looked up. */
struct suspect {
	uint64_t key;
	uint32_t row, born_ms;
	uint32_t path, owner;
	uint16_t cache;
	uint8_t looked; /* as in struct kmt_object */
	bool sampled;	/* else it is here for a second look, or beside: for itself alone */
	bool resting;
	uint8_t verdict;
	bool evicted;
};

struct suspects {
	ARRAY_OF(struct suspect);
};

struct audit {
	struct tracer *tracer;
	const struct tracer_tables *tables;
	const char *state;
	struct choice *choice;
	uint64_t *sampled; /* a bit for each row of the live table: of the last run's sample, and live */
	uint64_t page_size;
	uint8_t *no_table; /* by path: pages looked at that were no page tables, up to BARREN */
	ARRAY_OF(struct audit_ghosts) ghosts;
	struct {
		ARRAY_OF(uint64_t);
		uint64_t partial_free; /* in partial slabs of CPUs, besides: how many */
		bool incomplete;
	} rest; /* of the cache in hand, sorted */
	struct audit_counts counts;
	double object_ns;
	uint64_t last_ns; /* when the last run began */
	bool apart;	  /* the one at hand is far enough from it */
	uint32_t first_cache; /* where a run begins, so that a time limit does not always hit the
				 same ones */
};

static size_t sampled_words(const struct audit *a)
{
	return ((size_t)a->tables->nr_buckets * KMT_KEYS + 63) / 64;
}

int audit_new(struct tracer *t, struct audit **out)
{
	struct audit *a = calloc(1, sizeof(*a));
	uint64_t seed;
	int err;

	if (!a)
		return -ENOMEM;
	a->tracer = t;
	a->tables = tracer_tables(t);
	a->object_ns = FIRST_NS;
	a->page_size = sysconf(_SC_PAGESIZE);
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
		seed = clock_ns();
	a->choice = choice_new(seed);
	a->sampled = calloc(sampled_words(a), sizeof(*a->sampled));
	a->no_table = calloc(a->tables->nr_paths, sizeof(*a->no_table));
	if (!a->choice || !a->sampled || !a->no_table) {
		audit_free(a);
		return -ENOMEM;
	}
	err = tracer_learn_layout(t);
	a->state = !err		     ? "ok"
		   : err == -ENOTSUP ? "this kernel does not lay slab pages out as expected"
				     : "the kernel refuses to run its programs";
	if (err)
		log_debug("no liveness audit: %s", a->state);
	*out = a;
	return 0;
}

void audit_free(struct audit *a)
{
	if (!a)
		return;
	ARRAY_FREE(&a->ghosts);
	ARRAY_FREE(&a->rest);
	choice_free(a->choice);
	free(a->sampled);
	free(a->no_table);
	free(a);
}

const char *audit_state(const struct audit *a)
{
	return a->state;
}

bool audit_sampled(const struct audit *a, uint32_t row)
{
	return a->sampled[row / 64] >> (row % 64) & 1;
}

size_t audit_ghosts(const struct audit *a, const struct audit_ghosts **out)
{
	*out = a->ghosts.items;
	return a->ghosts.nr;
}

const struct audit_counts *audit_counts(const struct audit *a)
{
	return &a->counts;
}

/* ---- the choice ---- */

/* Do page tables come along the path? */
static bool path_of_tables(const struct audit *a, uint32_t path)
{
	return __atomic_load_n(&a->tables->paths[path].flags, __ATOMIC_RELAXED) & KMT_PATH_TABLE;
}

/* A slab object whose cache is known, or a page that may be a page table or a compound block. */
static bool can_be_judged(const struct audit *a, const struct kmt_object *o)
{
	if (o->pool == KMT_SLAB)
		return o->cache && o->cache < a->tables->nr_caches;
	return o->pool == KMT_PAGE && o->path && o->path < a->tables->nr_paths &&
	       (path_of_tables(a, o->path) || o->size > a->page_size || a->no_table[o->path] < BARREN);
}

/*
 * A page that is no page table, or not known to be one: nothing finds it live, so it says nothing of others, and is looked up
 * beside the sample.
 */
static bool is_beside(const struct audit *a, const struct kmt_object *o)
{
	return o->pool == KMT_PAGE && !path_of_tables(a, o->path);
}

/* The object in a row of the live table, when it is one that can be judged. */
static bool suspect_read(const struct audit *a, uint32_t bucket, uint32_t i, uint32_t born_until_ms,
			 struct kmt_object *o, uint64_t *key)
{
	const struct tracer_tables *t = a->tables;

	*key = __atomic_load_n(&t->live[bucket].key[i], __ATOMIC_ACQUIRE);
	if (*key <= KMT_EVICTING)
		return false;
	*o = t->live[bucket].object[i];
	return can_be_judged(a, o) && o->born_ms <= born_until_ms &&
	       __atomic_load_n(&t->live[bucket].key[i], __ATOMIC_ACQUIRE) == *key;
}

/* Is it worth a second look, to see whether it is still live? */
static bool looked_live(const struct kmt_object *o)
{
	return o->looked == KMT_LOOKED_ONCE || o->looked == KMT_LOOKED_TWICE;
}

static int suspect_add(struct suspects *out, const struct kmt_object *o, uint64_t key, uint32_t row,
		       bool sampled)
{
	struct suspect *s = ARRAY_PUSH(out);

	if (!s)
		return -ENOMEM;
	*s = (struct suspect){.key = key,
			      .row = row,
			      .born_ms = o->born_ms,
			      .path = o->path,
			      .owner = o->owner,
			      .cache = o->cache,
			      .looked = o->looked,
			      .sampled = sampled};
	return 0;
}

/*
 * Read the table once: count what can be judged, and keep it all as long as there is no more than `room`.
 * *total is how much there is, without the pages beside.
 */
static int suspects_read(struct audit *a, uint32_t born_until_ms, uint64_t room,
			 struct suspects *out, uint64_t *total)
{
	uint64_t key, beside = 0;
	struct kmt_object o;
	int err = 0;

	choice_begin(a->choice);
	*total = 0;
	for (uint32_t b = 0; b < a->tables->nr_buckets; b++)
		for (uint32_t i = 0; i < KMT_KEYS && !err; i++) {
			if (!suspect_read(a, b, i, born_until_ms, &o, &key))
				continue;
			if (is_beside(a, &o)) {
				if (beside++ < room / BESIDE)
					err = suspect_add(out, &o, key, b * KMT_KEYS + i, false);
				continue;
			}
			choice_count(a->choice, o.path, o.cache, o.size, looked_live(&o));
			if (++*total <= room)
				err = suspect_add(out, &o, key, b * KMT_KEYS + i, true);
		}
	return err;
}

/* Drop all that is of the sample. */
static void suspects_keep_beside(struct suspects *s)
{
	size_t nr = 0;

	for (size_t i = 0; i < s->nr; i++)
		if (!s->items[i].sampled)
			s->items[nr++] = s->items[i];
	s->nr = nr;
}

/* Read it again, and keep what is chosen, beside the pages that were kept. */
static int suspects_choose(struct audit *a, uint32_t born_until_ms, struct suspects *out)
{
	struct kmt_object o;
	uint64_t key;
	int err = 0;

	for (uint32_t b = 0; b < a->tables->nr_buckets; b++)
		for (uint32_t i = 0; i < KMT_KEYS && !err; i++) {
			enum chosen chosen;

			if (!suspect_read(a, b, i, born_until_ms, &o, &key) || is_beside(a, &o))
				continue;
			chosen = choice_take(a->choice, o.path, o.cache, looked_live(&o));
			if (chosen)
				err = suspect_add(out, &o, key, b * KMT_KEYS + i,
						  chosen == CHOSEN_SAMPLE);
		}
	return err;
}

static int compare_place(const void *x, const void *y)
{
	const struct suspect *a = x, *b = y;

	if (a->cache != b->cache)
		return a->cache < b->cache ? -1 : 1;
	return a->key < b->key ? -1 : a->key > b->key;
}

/* ---- looking up ---- */

static int compare_address(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

	return a < b ? -1 : a > b;
}

static int rest_add(struct audit *a)
{
	const struct kmt_audit *found = a->tables->audit;
	uint32_t nr = found->resting_nr < KMT_RESTING ? found->resting_nr : KMT_RESTING;

	a->rest.incomplete |= found->incomplete;
	a->rest.partial_free += found->partial_free;
	if (!nr)
		return 0;
	if (array_grow((void **)&a->rest.items, &a->rest.cap, sizeof(*a->rest.items),
		       a->rest.nr + nr))
		return -ENOMEM;
	memcpy(a->rest.items + a->rest.nr, found->resting, nr * sizeof(*a->rest.items));
	a->rest.nr += nr;
	return 0;
}

/* Read what rests on the per-CPU lists and in the barns of a cache. */
static int rest_read(struct audit *a, uint64_t cache)
{
	uint32_t nodes = tracer_nodes(a->tracer), node = 0;
	int err = 0;

	a->rest.nr = 0;
	a->rest.partial_free = 0;
	a->rest.incomplete = false;
	for (uint32_t cpu = 0; (cpu < a->tables->nr_cpus || node < nodes) && !err;
	     cpu += KMT_AUDIT_CPUS, node++) {
		const uint64_t args[3] = {cache, cpu, node};

		err = tracer_run(a->tracer, TRACER_AUDIT_GATHER, args, -1);
		err = err ?: rest_add(a);
	}
	if (!err && a->rest.nr)
		qsort(a->rest.items, a->rest.nr, sizeof(*a->rest.items), compare_address);
	return err;
}

int audit_list_caches(struct audit *a)
{
	const struct kmt_audit *found = a->tables->audit;
	uint64_t args[3] = {found->seed, found->seed};
	int err = 0;

	if (strcmp(a->state, "ok"))
		return 0;
	/* if the first of all is destroyed meanwhile, the list does not lead back to it */
	for (int run = 0; run < CACHE_RUNS && args[0] && !err; run++) {
		err = tracer_run(a->tracer, TRACER_AUDIT_CACHES, args, -1);
		args[0] = found->next;
	}
	if (!err)
		tracer_focus(a->tracer);
	return err;
}

/* The line of a cache, whose name the row may have cut short. */
static struct slab_level *level_of(struct slab_levels *slabs, const char *name)
{
	for (size_t i = 0; i < slabs->nr; i++)
		if (!strncmp(slabs->items[i].name, name, KMT_NAME))
			return &slabs->items[i];
	return NULL;
}

int audit_count_free(struct audit *a, struct slab_levels *slabs)
{
	int err;

	if (strcmp(a->state, "ok"))
		return 0;
	err = audit_list_caches(a);
	for (uint32_t row = 1; row < a->tables->nr_caches && !err; row++) {
		uint64_t cache = a->tables->cache_keys[row].ptr;
		struct slab_level *s;

		if (!cache || cache == KMT_CACHE_LARGE)
			continue;
		err = rest_read(a, cache);
		s = err || a->rest.incomplete ? NULL : level_of(slabs, a->tables->cache_info[row].name);
		if (s)
			s->cpu_free = (s->cpu_free < 0 ? 0 : s->cpu_free) +
				      (int64_t)(a->rest.nr + a->rest.partial_free);
	}
	return err;
}

/* Which of the suspects, sorted by address, rest there? */
static void rest_mark(const struct audit *a, struct suspect *s, size_t nr)
{
	size_t r = 0;

	for (size_t i = 0; i < nr; i++) {
		while (r < a->rest.nr && a->rest.items[r] < s[i].key)
			r++;
		s[i].resting = r < a->rest.nr && a->rest.items[r] == s[i].key;
	}
}

/* What a suspect that is found live is marked with. */
static uint8_t suspect_looked(const struct audit *a, const struct suspect *s)
{
	if (s->looked == KMT_LOOKED_TWICE || (s->looked && a->apart))
		return KMT_LOOKED_TWICE;
	return KMT_LOOKED_ONCE;
}

/* Have up to KMT_AUDIT_CHUNK suspects of one cache judged. `mark`: leave one on those that live. */
static int chunk_judge(struct audit *a, uint64_t cache, struct suspect *s, size_t nr, bool mark)
{
	struct kmt_audit_item *items = a->tables->audit_items;
	const uint64_t args[3] = {nr};
	int err;

	for (size_t i = 0; i < nr; i++)
		items[i] = (struct kmt_audit_item){
			.key = s[i].key,
			.cache = cache,
			.row = s[i].row,
			.born_ms = s[i].born_ms,
			.resting = s[i].resting,
			.look = !mark || a->rest.incomplete ? 0 : suspect_looked(a, &s[i]),
			.pool = s[i].cache ? KMT_SLAB : KMT_PAGE,
		};
	err = tracer_run(a->tracer, TRACER_AUDIT_JUDGE, args, -1);
	for (size_t i = 0; i < nr && !err; i++) {
		s[i].verdict = items[i].verdict;
		s[i].evicted = items[i].evicted;
		if (s[i].verdict == KMT_LIVE && a->rest.incomplete)
			s[i].verdict = KMT_UNSURE;
	}
	return err;
}

static int look(struct audit *a, uint64_t cache, struct suspect *s, size_t nr, bool mark)
{
	int err = 0;

	a->rest.nr = 0;
	a->rest.incomplete = false;
	if (cache)
		err = rest_read(a, cache);
	rest_mark(a, s, nr);
	for (size_t i = 0; i < nr && !err; i += KMT_AUDIT_CHUNK)
		err = chunk_judge(a, cache, s + i,
				  nr - i < KMT_AUDIT_CHUNK ? nr - i : KMT_AUDIT_CHUNK, mark);
	return err;
}

/* A suspect that was found free; what was looked up for a second time says nothing of the others. */
static int ghost_count(struct audit *a, const struct suspect *s)
{
	struct audit_ghosts *g = a->ghosts.nr ? &a->ghosts.items[a->ghosts.nr - 1] : NULL;

	a->counts.judged++;
	a->counts.ghosts += s->looked != KMT_LEAVING;
	if (!s->sampled)
		return 0;
	if (!g || g->path != s->path || g->owner != s->owner || g->cache != s->cache) {
		g = ARRAY_PUSH(&a->ghosts);
		if (!g)
			return -ENOMEM;
		*g = (struct audit_ghosts){.path = s->path, .owner = s->owner, .cache = s->cache};
	}
	g->nr++;
	return 0;
}

/* No verdict. Of pages that are no page tables there is none to be had: they do not count. */
static void unsure_count(struct audit *a, const struct suspect *s)
{
	if (s->cache || path_of_tables(a, s->path))
		a->counts.unsure++;
	else if (a->no_table[s->path] < BARREN)
		a->no_table[s->path]++;
}

/*
 * Judge the suspects of one cache, or the pages. Those that seem live are looked up a second time at once: an
 * object that moved from one free list to another is missed once, hardly ever twice.
 */
static int cache_judge(struct audit *a, struct suspect *s, size_t nr)
{
	uint32_t row = s->cache;
	uint64_t cache = a->tables->cache_keys[row].ptr;
	size_t seem_live = 0;
	int err;

	if (cache == KMT_CACHE_LARGE)
		cache = 0;
	err = look(a, cache, s, nr, false);
	for (size_t i = 0; i < nr && !err; i++) {
		if (s[i].verdict >= KMT_FREED_PAGE) {
			err = s[i].evicted ? ghost_count(a, &s[i]) : 0;
		} else {
			s[seem_live++] = s[i];
		}
	}
	if (!err && seem_live)
		err = look(a, cache, s, seem_live, true);
	for (size_t i = 0; i < seem_live && !err; i++) {
		if (s[i].verdict >= KMT_FREED_PAGE) {
			err = s[i].evicted ? ghost_count(a, &s[i]) : 0;
		} else if (s[i].verdict == KMT_LIVE) {
			a->counts.judged++;
			a->counts.live++;
			if (s[i].sampled)
				a->sampled[s[i].row / 64] |= 1ull << (s[i].row % 64);
		} else {
			unsure_count(a, &s[i]);
		}
	}
	return err;
}

/* Judge cache by cache, as far as time allows: a cache is judged as chosen or not at all. *done: how many were. */
static int suspects_judge(struct audit *a, struct suspects *s, uint64_t until_ns, size_t *done)
{
	size_t first = 0, at;
	int err = 0;

	*done = 0;
	while (first < s->nr && s->items[first].cache < a->first_cache)
		first++;
	at = first < s->nr ? first : 0;
	while (*done < s->nr && !err && clock_ns() < until_ns) {
		size_t to = at + 1;

		while (to < s->nr && s->items[to].cache == s->items[at].cache)
			to++;
		a->first_cache = s->items[at].cache + 1;
		err = cache_judge(a, s->items + at, to - at);
		*done += to - at;
		at = to < s->nr ? to : 0;
	}
	return err;
}

static int compare_ghosts(const void *x, const void *y)
{
	const struct audit_ghosts *a = x, *b = y;

	if (a->path != b->path)
		return a->path < b->path ? -1 : 1;
	if (a->owner != b->owner)
		return a->owner < b->owner ? -1 : 1;
	return a->cache < b->cache ? -1 : a->cache > b->cache;
}

/* One entry for each (path, owner, cache). */
static void ghosts_merge(struct audit *a)
{
	size_t nr = 0;

	if (a->ghosts.nr)
		qsort(a->ghosts.items, a->ghosts.nr, sizeof(*a->ghosts.items), compare_ghosts);
	for (size_t i = 0; i < a->ghosts.nr; i++) {
		if (nr && !compare_ghosts(&a->ghosts.items[nr - 1], &a->ghosts.items[i]))
			a->ghosts.items[nr - 1].nr += a->ghosts.items[i].nr;
		else
			a->ghosts.items[nr++] = a->ghosts.items[i];
	}
	a->ghosts.nr = nr;
}

int audit_run(struct audit *a, uint32_t born_until_ms, double limit_s)
{
	uint64_t began = clock_ns(), limit_ns = limit_s * 1e9, judging, room, total;
	struct suspects s = {};
	size_t done = 0;
	int err;

	if (strcmp(a->state, "ok"))
		return 0;
	room = limit_ns / a->object_ns;
	room = room < MOST ? room : MOST;
	err = suspects_read(a, born_until_ms, room, &s, &total);
	if (!err && total > room) {
		suspects_keep_beside(&s);
		err = choice_plan(a->choice, room) ?: suspects_choose(a, born_until_ms, &s);
	}
	judging = clock_ns();
	if (s.nr)
		qsort(s.items, s.nr, sizeof(*s.items), compare_place);
	memset(a->sampled, 0, sampled_words(a) * sizeof(*a->sampled));
	a->ghosts.nr = 0;
	a->apart = began - a->last_ns >= APART_NS;
	a->last_ns = began;
	err = err ?: suspects_judge(a, &s, judging + LATE * limit_ns, &done);
	ghosts_merge(a);
	if (done > 10000) /* of few, what each cache costs would be most */
		a->object_ns = (clock_ns() - judging) / (double)done;
	a->counts.runs++;
	a->counts.ns += clock_ns() - began;
	log_debug("audit: %zu of %llu objects in %.1f ms (choosing %.1f ms), %zu groups of ghosts",
		  done, (unsigned long long)total, (clock_ns() - began) / 1e6,
		  (judging - began) / 1e6, a->ghosts.nr);
	ARRAY_FREE(&s);
	return err;
}
