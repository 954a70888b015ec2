// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chooses objects, runs bpf/audit.bpf.c on them and adds up the verdicts. Which objects to choose
 * is decided by audit_sample.c. See audit.h.
 */
#include "trace/audit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "trace/audit_sample.h"

#define OBJECT_NS_GUESS 1000.0     /* time per object, until it is measured */
#define OBJECTS_MOST    (1u << 21) /* in one run */
#define OVERRUN_MOST    2          /* a run is stopped after this many times its time limit */
#define CACHE_RUNS      16 /* runs of audit_caches: enough for 4096 caches, more than there are rows */
#define CHECKS_APART_NS 1000000000ull /* two checks this far apart count as two */
#define EXTRA_SHARE \
	16 /* at most 1/EXTRA_SHARE of a run's objects are extra pages, outside the sample */
#define NO_TABLE_MOST 64 /* once so many pages of a stack were no page tables, skip its others */

/* An object to check. */
struct candidate {
	uint64_t key;
	uint32_t row, alloc_ms;
	uint32_t stack, process;
	uint16_t cache;
	uint8_t checked; /* as in struct kmt_object */
	bool sampled; /* false: a second check, or outside the sample; says nothing about its group
		       */
	bool on_cpu_freelist;
	uint8_t verdict;
	bool evicted;
};

struct candidates {
	ARRAY_OF(struct candidate);
};

struct audit {
	struct tracer *tracer;
	const struct tracer_tables *tables;
	const char *state;
	struct audit_sample *sample;
	uint64_t
		*sampled; /* one bit per row of the live table: sampled by the last run, and live */
	uint64_t page_size;
	uint8_t *no_table; /* by stack: checked pages that were no page tables, up to NO_TABLE_MOST
			    */
	ARRAY_OF(struct audit_unseen_frees) unseen_frees;
	struct {
		ARRAY_OF(uint64_t);
		uint64_t partial_free; /* how many more are free in CPUs' partial slabs */
		bool incomplete;
	} cpu_free; /* free objects on CPUs' lists of the current cache, sorted by address */
	struct audit_counts counts;
	double object_ns;
	uint64_t last_ns;     /* when the last run began */
	bool apart;           /* the current run is at least CHECKS_APART_NS later */
	uint32_t first_cache; /* first cache of the next run, so that a time limit does not always
				 skip the same caches */
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
	a->object_ns = OBJECT_NS_GUESS;
	a->page_size = sysconf(_SC_PAGESIZE);
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
		seed = clock_ns();
	a->sample = audit_sample_new(seed);
	a->sampled = calloc(sampled_words(a), sizeof(*a->sampled));
	a->no_table = calloc(a->tables->nr_stacks, sizeof(*a->no_table));
	if (!a->sample || !a->sampled || !a->no_table) {
		audit_free(a);
		return -ENOMEM;
	}
	err = tracer_learn_layout(t);
	a->state = !err              ? "ok"
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
	ARRAY_FREE(&a->unseen_frees);
	ARRAY_FREE(&a->cpu_free);
	audit_sample_free(a->sample);
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

size_t audit_unseen_frees(const struct audit *a, const struct audit_unseen_frees **out)
{
	*out = a->unseen_frees.items;
	return a->unseen_frees.nr;
}

const struct audit_counts *audit_counts(const struct audit *a)
{
	return &a->counts;
}

/* ---- choosing objects ---- */

/* Does this stack allocate page tables? */
static bool stack_allocates_tables(const struct audit *a, uint32_t stack)
{
	return __atomic_load_n(&a->tables->stacks[stack].flags, __ATOMIC_RELAXED) & KMT_STACK_TABLE;
}

/*
 * True for a slab object whose cache is known, and for a page that may be a page table or a
 * compound block.
 */
static bool can_be_verified(const struct audit *a, const struct kmt_object *o)
{
	if (o->pool == KMT_SLAB)
		return o->cache && o->cache < a->tables->nr_caches;
	return o->pool == KMT_PAGE && o->stack && o->stack < a->tables->nr_stacks &&
	       (stack_allocates_tables(a, o->stack) || o->size > a->page_size ||
		a->no_table[o->stack] < NO_TABLE_MOST);
}

/*
 * Is this a page not known to be a page table? Such pages can be proven freed, never live, so they
 * are checked outside the sample.
 */
static bool is_extra_page(const struct audit *a, const struct kmt_object *o)
{
	return o->pool == KMT_PAGE && !stack_allocates_tables(a, o->stack);
}

/* Read one row of the live table. False unless it holds an object that can be verified. */
static bool candidate_read(const struct audit *a, uint32_t bucket, uint32_t i,
			   uint32_t allocated_until_ms, struct kmt_object *o, uint64_t *key)
{
	const struct tracer_tables *t = a->tables;

	*key = __atomic_load_n(&t->live[bucket].key[i], __ATOMIC_ACQUIRE);
	if (*key <= KMT_EVICTING)
		return false;
	*o = t->live[bucket].object[i];
	return can_be_verified(a, o) && o->alloc_ms <= allocated_until_ms &&
	       __atomic_load_n(&t->live[bucket].key[i], __ATOMIC_ACQUIRE) == *key;
}

/* Was it found live before? Then it is worth a second check. */
static bool checked_live(const struct kmt_object *o)
{
	return o->checked == KMT_CHECKED_ONCE || o->checked == KMT_CHECKED_TWICE;
}

static int candidates_add(struct candidates *out, const struct kmt_object *o, uint64_t key,
			  uint32_t row, bool sampled)
{
	struct candidate *s = ARRAY_PUSH(out);

	if (!s)
		return -ENOMEM;
	*s = (struct candidate){.key = key,
				.row = row,
				.alloc_ms = o->alloc_ms,
				.stack = o->stack,
				.process = o->process,
				.cache = o->cache,
				.checked = o->checked,
				.sampled = sampled};
	return 0;
}

/*
 * First pass over the live table: count the objects that can be verified and keep the first `room`
 * of them. *total counts them all, without the pages outside the sample.
 */
static int candidates_read(struct audit *a, uint32_t allocated_until_ms, uint64_t room,
			   struct candidates *out, uint64_t *total)
{
	uint64_t key, extra = 0;
	struct kmt_object o;
	int err = 0;

	audit_sample_begin(a->sample);
	*total = 0;
	for (uint32_t b = 0; b < a->tables->nr_buckets; b++)
		for (uint32_t i = 0; i < KMT_KEYS && !err; i++) {
			if (!candidate_read(a, b, i, allocated_until_ms, &o, &key))
				continue;
			if (is_extra_page(a, &o)) {
				if (extra++ < room / EXTRA_SHARE)
					err = candidates_add(out, &o, key, b * KMT_KEYS + i, false);
				continue;
			}
			audit_sample_count(a->sample, o.stack, o.cache, o.size, checked_live(&o));
			if (++*total <= room)
				err = candidates_add(out, &o, key, b * KMT_KEYS + i, true);
		}
	return err;
}

/* Drop the sampled objects; keep the pages outside the sample. */
static void candidates_keep_extra(struct candidates *s)
{
	size_t nr = 0;

	for (size_t i = 0; i < s->nr; i++)
		if (!s->items[i].sampled)
			s->items[nr++] = s->items[i];
	s->nr = nr;
}

/* Second pass over the live table: add the objects that the sample chooses. */
static int candidates_choose(struct audit *a, uint32_t allocated_until_ms, struct candidates *out)
{
	struct kmt_object o;
	uint64_t key;
	int err = 0;

	for (uint32_t b = 0; b < a->tables->nr_buckets; b++)
		for (uint32_t i = 0; i < KMT_KEYS && !err; i++) {
			enum chosen chosen;

			if (!candidate_read(a, b, i, allocated_until_ms, &o, &key) ||
			    is_extra_page(a, &o))
				continue;
			chosen = audit_sample_take(a->sample, o.stack, o.cache, checked_live(&o));
			if (chosen)
				err = candidates_add(out, &o, key, b * KMT_KEYS + i,
						     chosen == CHOSEN_SAMPLE);
		}
	return err;
}

static int compare_place(const void *x, const void *y)
{
	const struct candidate *a = x, *b = y;

	if (a->cache != b->cache)
		return a->cache < b->cache ? -1 : 1;
	return a->key < b->key ? -1 : a->key > b->key;
}

/* ---- checking ---- */

static int compare_address(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

	return a < b ? -1 : a > b;
}

static int cpu_free_add(struct audit *a)
{
	const struct kmt_audit *found = a->tables->audit;
	uint32_t nr = found->on_cpu_freelist_nr < KMT_ON_CPU_FREELIST ? found->on_cpu_freelist_nr
								      : KMT_ON_CPU_FREELIST;

	a->cpu_free.incomplete |= found->incomplete;
	a->cpu_free.partial_free += found->partial_free;
	if (!nr)
		return 0;
	if (array_grow((void **)&a->cpu_free.items, &a->cpu_free.cap, sizeof(*a->cpu_free.items),
		       a->cpu_free.nr + nr))
		return -ENOMEM;
	memcpy(a->cpu_free.items + a->cpu_free.nr, found->on_cpu_freelist,
	       nr * sizeof(*a->cpu_free.items));
	a->cpu_free.nr += nr;
	return 0;
}

/* Read the free objects on a cache's per-CPU lists and in its barns. */
static int cpu_free_read(struct audit *a, uint64_t cache)
{
	uint32_t nodes = tracer_nodes(a->tracer), node = 0;
	int err = 0;

	a->cpu_free.nr = 0;
	a->cpu_free.partial_free = 0;
	a->cpu_free.incomplete = false;
	for (uint32_t cpu = 0; (cpu < a->tables->nr_cpus || node < nodes) && !err;
	     cpu += KMT_AUDIT_CPUS, node++) {
		const uint64_t args[3] = {cache, cpu, node};

		err = tracer_run(a->tracer, TRACER_AUDIT_GATHER, args, -1);
		err = err ?: cpu_free_add(a);
	}
	if (!err && a->cpu_free.nr)
		qsort(a->cpu_free.items, a->cpu_free.nr, sizeof(*a->cpu_free.items),
		      compare_address);
	return err;
}

int audit_list_caches(struct audit *a)
{
	const struct kmt_audit *found = a->tables->audit;
	uint64_t args[3] = {found->seed, found->seed};
	int err = 0;

	if (strcmp(a->state, "ok"))
		return 0;
	/* if the first cache is destroyed meanwhile, the list never returns to it */
	for (int run = 0; run < CACHE_RUNS && args[0] && !err; run++) {
		err = tracer_run(a->tracer, TRACER_AUDIT_CACHES, args, -1);
		args[0] = found->next;
	}
	if (!err)
		tracer_filter_caches(a->tracer);
	return err;
}

/* The slabinfo line of a cache. `name` may be truncated to KMT_NAME. */
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
		err = cpu_free_read(a, cache);
		s = err || a->cpu_free.incomplete
			    ? NULL
			    : level_of(slabs, a->tables->cache_info[row].name);
		if (s)
			s->cpu_free = (s->cpu_free < 0 ? 0 : s->cpu_free) +
				      (int64_t)(a->cpu_free.nr + a->cpu_free.partial_free);
	}
	return err;
}

/* Mark the candidates (sorted by address) that are on a CPU's free list. */
static void cpu_free_mark(const struct audit *a, struct candidate *s, size_t nr)
{
	size_t r = 0;

	for (size_t i = 0; i < nr; i++) {
		while (r < a->cpu_free.nr && a->cpu_free.items[r] < s[i].key)
			r++;
		s[i].on_cpu_freelist = r < a->cpu_free.nr && a->cpu_free.items[r] == s[i].key;
	}
}

/* The mark for a candidate that is found live. */
static uint8_t candidate_checked(const struct audit *a, const struct candidate *s)
{
	if (s->checked == KMT_CHECKED_TWICE || (s->checked && a->apart))
		return KMT_CHECKED_TWICE;
	return KMT_CHECKED_ONCE;
}

/* Verify up to KMT_AUDIT_CHUNK candidates of one cache. `mark`: mark the live ones as checked. */
static int chunk_verify(struct audit *a, uint64_t cache, struct candidate *s, size_t nr, bool mark)
{
	struct kmt_audit_item *items = a->tables->audit_items;
	const uint64_t args[3] = {nr};
	int err;

	for (size_t i = 0; i < nr; i++)
		items[i] = (struct kmt_audit_item){
			.key = s[i].key,
			.cache = cache,
			.row = s[i].row,
			.alloc_ms = s[i].alloc_ms,
			.on_cpu_freelist = s[i].on_cpu_freelist,
			.check = !mark || a->cpu_free.incomplete ? 0 : candidate_checked(a, &s[i]),
			.pool = s[i].cache ? KMT_SLAB : KMT_PAGE,
		};
	err = tracer_run(a->tracer, TRACER_AUDIT_VERIFY, args, -1);
	for (size_t i = 0; i < nr && !err; i++) {
		s[i].verdict = items[i].verdict;
		s[i].evicted = items[i].evicted;
		if (s[i].verdict == KMT_LIVE && a->cpu_free.incomplete)
			s[i].verdict = KMT_UNSURE;
	}
	return err;
}

static int check(struct audit *a, uint64_t cache, struct candidate *s, size_t nr, bool mark)
{
	int err = 0;

	a->cpu_free.nr = 0;
	a->cpu_free.incomplete = false;
	if (cache)
		err = cpu_free_read(a, cache);
	cpu_free_mark(a, s, nr);
	for (size_t i = 0; i < nr && !err; i += KMT_AUDIT_CHUNK)
		err = chunk_verify(a, cache, s + i,
				   nr - i < KMT_AUDIT_CHUNK ? nr - i : KMT_AUDIT_CHUNK, mark);
	return err;
}

/* Count a candidate that was found free. One outside the sample says nothing about its group. */
static int unseen_free_count(struct audit *a, const struct candidate *s)
{
	struct audit_unseen_frees *g =
		a->unseen_frees.nr ? &a->unseen_frees.items[a->unseen_frees.nr - 1] : NULL;

	a->counts.verified++;
	a->counts.unseen_frees += s->checked != KMT_RCU_PENDING;
	if (!s->sampled)
		return 0;
	if (!g || g->stack != s->stack || g->process != s->process || g->cache != s->cache) {
		g = ARRAY_PUSH(&a->unseen_frees);
		if (!g)
			return -ENOMEM;
		*g = (struct audit_unseen_frees){
			.stack = s->stack, .process = s->process, .cache = s->cache};
	}
	g->nr++;
	return 0;
}

/*
 * Count a candidate without a verdict. Pages that are no page tables never get one, so they do not
 * count.
 */
static void unsure_count(struct audit *a, const struct candidate *s)
{
	if (s->cache || stack_allocates_tables(a, s->stack))
		a->counts.unsure++;
	else if (a->no_table[s->stack] < NO_TABLE_MOST)
		a->no_table[s->stack]++;
}

/*
 * Verify the candidates of one cache, or the pages. Those that seem live are checked again at once:
 * an object that moves from one free list to another can be missed once, hardly ever twice.
 */
static int cache_verify(struct audit *a, struct candidate *s, size_t nr)
{
	uint32_t row = s->cache;
	uint64_t cache = a->tables->cache_keys[row].ptr;
	size_t seem_live = 0;
	int err;

	if (cache == KMT_CACHE_LARGE)
		cache = 0;
	err = check(a, cache, s, nr, false);
	for (size_t i = 0; i < nr && !err; i++) {
		if (s[i].verdict >= KMT_FREED_PAGE) {
			err = s[i].evicted ? unseen_free_count(a, &s[i]) : 0;
		} else {
			s[seem_live++] = s[i];
		}
	}
	if (!err && seem_live)
		err = check(a, cache, s, seem_live, true);
	for (size_t i = 0; i < seem_live && !err; i++) {
		if (s[i].verdict >= KMT_FREED_PAGE) {
			err = s[i].evicted ? unseen_free_count(a, &s[i]) : 0;
		} else if (s[i].verdict == KMT_LIVE) {
			a->counts.verified++;
			a->counts.live++;
			if (s[i].sampled)
				a->sampled[s[i].row / 64] |= 1ull << (s[i].row % 64);
		} else {
			unsure_count(a, &s[i]);
		}
	}
	return err;
}

/*
 * Verify cache by cache while time allows: a cache is verified completely or not at all. *done is
 * the number of objects verified.
 */
static int candidates_verify(struct audit *a, struct candidates *s, uint64_t until_ns, size_t *done)
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
		err = cache_verify(a, s->items + at, to - at);
		*done += to - at;
		at = to < s->nr ? to : 0;
	}
	return err;
}

static int compare_unseen_frees(const void *x, const void *y)
{
	const struct audit_unseen_frees *a = x, *b = y;

	if (a->stack != b->stack)
		return a->stack < b->stack ? -1 : 1;
	if (a->process != b->process)
		return a->process < b->process ? -1 : 1;
	return a->cache < b->cache ? -1 : a->cache > b->cache;
}

/* Merge to one entry per (stack, process, cache). */
static void unseen_frees_merge(struct audit *a)
{
	size_t nr = 0;

	if (a->unseen_frees.nr)
		qsort(a->unseen_frees.items, a->unseen_frees.nr, sizeof(*a->unseen_frees.items),
		      compare_unseen_frees);
	for (size_t i = 0; i < a->unseen_frees.nr; i++) {
		if (nr && !compare_unseen_frees(&a->unseen_frees.items[nr - 1],
						&a->unseen_frees.items[i]))
			a->unseen_frees.items[nr - 1].nr += a->unseen_frees.items[i].nr;
		else
			a->unseen_frees.items[nr++] = a->unseen_frees.items[i];
	}
	a->unseen_frees.nr = nr;
}

int audit_run(struct audit *a, uint32_t allocated_until_ms, double limit_s)
{
	uint64_t began = clock_ns(), limit_ns = limit_s * 1e9, chosen_at, room, total;
	struct candidates s = {};
	size_t done = 0;
	int err;

	if (strcmp(a->state, "ok"))
		return 0;
	room = limit_ns / a->object_ns;
	room = room < OBJECTS_MOST ? room : OBJECTS_MOST;
	err = candidates_read(a, allocated_until_ms, room, &s, &total);
	if (!err && total > room) {
		candidates_keep_extra(&s);
		err = audit_sample_plan(a->sample, room, AUDIT_SAMPLE)
			      ?: candidates_choose(a, allocated_until_ms, &s);
	}
	chosen_at = clock_ns();
	if (s.nr)
		qsort(s.items, s.nr, sizeof(*s.items), compare_place);
	memset(a->sampled, 0, sampled_words(a) * sizeof(*a->sampled));
	a->unseen_frees.nr = 0;
	a->apart = began - a->last_ns >= CHECKS_APART_NS;
	a->last_ns = began;
	err = err ?: candidates_verify(a, &s, chosen_at + OVERRUN_MOST * limit_ns, &done);
	unseen_frees_merge(a);
	if (done > 10000) /* with few objects the fixed cost per cache would dominate */
		a->object_ns = (clock_ns() - chosen_at) / (double)done;
	a->counts.runs++;
	a->counts.ns += clock_ns() - began;
	log_debug(
		"audit: %zu of %llu objects in %.1f ms (choosing %.1f ms), %zu groups of unseen frees",
		done, (unsigned long long)total, (clock_ns() - began) / 1e6,
		(chosen_at - began) / 1e6, a->unseen_frees.nr);
	ARRAY_FREE(&s);
	return err;
}
