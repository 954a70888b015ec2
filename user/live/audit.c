// SPDX-License-Identifier: GPL-2.0-only
/* Chooses objects, drives bpf/audit.bpf.c, adds up verdicts. See audit.h. */
#include "live/audit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/log.h"

#define GROUP_BITS   15
#define GROUPS	     (1u << GROUP_BITS)
#define GROUP_PROBES 32
#define SAMPLE	     385    /* of a large group: ±5 % at 95 %, whatever the share */
#define FIRST_NS     1000.0 /* guess of what one object takes, until it is known */
#define MOST	     (1u << 21)

/* An object to be looked up. */
struct suspect {
	uint64_t key;
	uint32_t row, born_ms;
	uint32_t path, owner;
	uint16_t cache;
	bool looked; /* an earlier run found it live */
	bool resting;
	uint8_t verdict;
	bool evicted;
};

struct suspects {
	ARRAY_OF(struct suspect);
};

/* Objects of one cache and path that can be judged; what does not fit lies in row 0. */
struct group {
	uint32_t path;
	uint16_t cache;
	bool used;
	uint32_t total, want, left; /* objects, to be judged, not yet visited by the choice */
	uint64_t bytes;
};

struct audit {
	struct tracer *tracer;
	const struct tracer_tables *tables;
	const char *state;
	struct group groups[GROUPS];
	uint32_t resting[KMT_CACHES + KMT_PROBES];
	ARRAY_OF(struct audit_ghosts) ghosts;
	struct {
		ARRAY_OF(uint64_t);
		bool incomplete;
	} rest; /* of the cache in hand, sorted */
	struct audit_counts counts;
	double object_ns;
	uint64_t random;
	uint8_t run;
	uint32_t first_cache; /* where a run begins, so that a time limit does not always hit the
				 same ones */
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

int audit_new(struct tracer *t, struct audit **out)
{
	struct audit *a = calloc(1, sizeof(*a));
	int err;

	if (!a)
		return -ENOMEM;
	a->tracer = t;
	a->tables = tracer_tables(t);
	a->object_ns = FIRST_NS;
	if (getrandom(&a->random, sizeof(a->random), GRND_NONBLOCK) != sizeof(a->random))
		a->random = now_ns();
	a->random |= 1;
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
	free(a);
}

const char *audit_state(const struct audit *a)
{
	return a->state;
}

uint8_t audit_mark(const struct audit *a)
{
	return a->run;
}

size_t audit_ghosts(const struct audit *a, const struct audit_ghosts **out)
{
	*out = a->ghosts.items;
	return a->ghosts.nr;
}

uint32_t audit_resting(const struct audit *a, uint32_t cache_row)
{
	return cache_row < KMT_CACHES + KMT_PROBES ? a->resting[cache_row] : 0;
}

const struct audit_counts *audit_counts(const struct audit *a)
{
	return &a->counts;
}

/* ---- the choice ---- */

/* xorshift64*: Vigna (2016). Below n. */
static uint32_t random_below(struct audit *a, uint32_t n)
{
	a->random ^= a->random >> 12;
	a->random ^= a->random << 25;
	a->random ^= a->random >> 27;
	return ((a->random * 0x2545F4914F6CDD1Dull >> 32) * n) >> 32;
}

static struct group *group_of(struct audit *a, uint32_t path, uint16_t cache)
{
	uint32_t h = ((uint64_t)path << 16 | cache) * 0x9E3779B97F4A7C15ull >> (64 - GROUP_BITS);

	for (uint32_t i = 0; i < GROUP_PROBES; i++) {
		struct group *g = &a->groups[(h + i) & (GROUPS - 1)];

		if (g == a->groups)
			continue;
		if (!g->used)
			*g = (struct group){.path = path, .cache = cache, .used = true};
		if (g->path == path && g->cache == cache)
			return g;
	}
	return a->groups;
}

/* The object in a row of the live table, when it is one that can be judged. */
static bool suspect_read(const struct audit *a, uint32_t bucket, uint32_t i, uint32_t born_until_ms,
			 struct kmt_object *o, uint64_t *key)
{
	const struct tracer_tables *t = a->tables;

	*key = __atomic_load_n(&t->live_keys[bucket].key[i], __ATOMIC_ACQUIRE);
	if (*key <= KMT_EVICTING)
		return false;
	*o = t->live_objects[bucket * KMT_KEYS + i];
	return o->pool == KMT_SLAB && o->cache && o->cache < t->nr_caches &&
	       o->born_ms <= born_until_ms &&
	       __atomic_load_n(&t->live_keys[bucket].key[i], __ATOMIC_ACQUIRE) == *key;
}

static int suspect_add(struct suspects *out, const struct kmt_object *o, uint64_t key, uint32_t row)
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
			      .looked = o->looked};
	return 0;
}

/*
 * Read the table once: count the groups, and keep every object that can be judged as long as there
 * are no more than `room`. *total is how many there are.
 */
static int suspects_read(struct audit *a, uint32_t born_until_ms, uint64_t room,
			 struct suspects *out, uint64_t *total)
{
	struct kmt_object o;
	uint64_t key;
	int err = 0;

	memset(a->groups, 0, sizeof(a->groups));
	*total = 0;
	for (uint32_t b = 0; b < a->tables->nr_buckets; b++)
		for (uint32_t i = 0; i < KMT_KEYS && !err; i++) {
			struct group *g;

			if (!suspect_read(a, b, i, born_until_ms, &o, &key))
				continue;
			g = group_of(a, o.path, o.cache);
			g->total++;
			g->bytes += o.size;
			if (++*total <= room)
				err = suspect_add(out, &o, key, b * KMT_KEYS + i);
		}
	return err;
}

static int compare_bytes(const void *x, const void *y)
{
	const struct group *a = *(struct group *const *)x, *b = *(struct group *const *)y;

	return a->bytes < b->bytes ? 1 : a->bytes > b->bytes ? -1 : 0;
}

/*
 * How many of each group, where there is not room for all: first a sample that tells its share to
 * ±5 %, from the group that holds most on down, and then what is left of the room to judge groups
 * whole, in that order.
 */
static int groups_want(struct audit *a, uint64_t room)
{
	_cleanup_free_ struct group **by_bytes = NULL;
	size_t nr = 0;

	by_bytes = calloc(GROUPS, sizeof(*by_bytes));
	if (!by_bytes)
		return -ENOMEM;
	for (uint32_t i = 0; i < GROUPS; i++) {
		a->groups[i].left = a->groups[i].total;
		if (a->groups[i].total)
			by_bytes[nr++] = &a->groups[i];
	}
	qsort(by_bytes, nr, sizeof(*by_bytes), compare_bytes);
	for (size_t i = 0; i < nr; i++) {
		uint64_t all = by_bytes[i]->total;
		uint64_t want =
			1 +
			all * SAMPLE / (all + SAMPLE - 1); /* with the finite population's due */

		if (want > all)
			want = all;
		if (want > room)
			break;
		by_bytes[i]->want = want;
		room -= want;
	}
	for (size_t i = 0; i < nr && by_bytes[i]->want; i++) {
		uint64_t more = by_bytes[i]->total - by_bytes[i]->want;

		if (more > room)
			continue;
		by_bytes[i]->want += more;
		room -= more;
	}
	return 0;
}

/* Visit the table again and take `want` of each group, each object as likely as any other. */
static int suspects_choose(struct audit *a, uint32_t born_until_ms, struct suspects *out)
{
	struct kmt_object o;
	uint64_t key;
	int err = 0;

	for (uint32_t b = 0; b < a->tables->nr_buckets; b++)
		for (uint32_t i = 0; i < KMT_KEYS && !err; i++) {
			struct group *g;
			bool take;

			if (!suspect_read(a, b, i, born_until_ms, &o, &key))
				continue;
			g = group_of(a, o.path, o.cache);
			if (!g->want || !g->left)
				continue;
			take = g->want >= g->left || random_below(a, g->left) < g->want;
			g->left--;
			if (!take)
				continue;
			g->want--;
			err = suspect_add(out, &o, key, b * KMT_KEYS + i);
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
			.look = !mark || a->rest.incomplete ? 0
				: s[i].looked		    ? a->run | KMT_TWICE
							    : a->run,
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

static int ghost_count(struct audit *a, const struct suspect *s)
{
	struct audit_ghosts *g = a->ghosts.nr ? &a->ghosts.items[a->ghosts.nr - 1] : NULL;

	if (!g || g->path != s->path || g->owner != s->owner || g->cache != s->cache) {
		g = ARRAY_PUSH(&a->ghosts);
		if (!g)
			return -ENOMEM;
		*g = (struct audit_ghosts){.path = s->path, .owner = s->owner, .cache = s->cache};
	}
	g->nr++;
	a->counts.ghosts++;
	return 0;
}

/*
 * Judge the suspects of one cache. Those that seem live are looked up a second time at once: an
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
			a->counts.judged += s[i].evicted;
			err = s[i].evicted ? ghost_count(a, &s[i]) : 0;
		} else {
			s[seem_live++] = s[i];
		}
	}
	if (!err && seem_live)
		err = look(a, cache, s, seem_live, true);
	for (size_t i = 0; i < seem_live && !err; i++) {
		if (s[i].verdict >= KMT_FREED_PAGE) {
			a->counts.judged += s[i].evicted;
			err = s[i].evicted ? ghost_count(a, &s[i]) : 0;
		} else if (s[i].verdict == KMT_LIVE) {
			a->counts.judged++;
			a->counts.live++;
		} else {
			a->counts.unsure++;
		}
	}
	a->resting[row] = a->rest.nr;
	return err;
}

/* Judge cache by cache, as far as time allows: a cache is judged as chosen or not at all. */
static int suspects_judge(struct audit *a, struct suspects *s, uint64_t until_ns)
{
	size_t first = 0, at, done = 0;
	int err = 0;

	while (first < s->nr && s->items[first].cache < a->first_cache)
		first++;
	at = first < s->nr ? first : 0;
	while (done < s->nr && !err && now_ns() < until_ns) {
		size_t to = at + 1;

		while (to < s->nr && s->items[to].cache == s->items[at].cache)
			to++;
		a->first_cache = s->items[at].cache + 1;
		err = cache_judge(a, s->items + at, to - at);
		done += to - at;
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
	uint64_t began = now_ns(), until = began + limit_s * 1e9, judging, room, total;
	struct suspects s = {};
	int err;

	if (strcmp(a->state, "ok"))
		return 0;
	room = limit_s * 1e9 / a->object_ns;
	room = room < MOST ? room : MOST;
	err = suspects_read(a, born_until_ms, room, &s, &total);
	if (!err && total > room) {
		s.nr = 0;
		err = groups_want(a, room) ?: suspects_choose(a, born_until_ms, &s);
	}
	judging = now_ns();
	if (s.nr)
		qsort(s.items, s.nr, sizeof(*s.items), compare_place);
	a->run = a->run % KMT_RUNS + 1;
	a->ghosts.nr = 0;
	err = err ?: suspects_judge(a, &s, until);
	ghosts_merge(a);
	if (s.nr > 10000) /* of few, what each cache costs would be most */
		a->object_ns = (now_ns() - judging) / (double)s.nr;
	a->counts.runs++;
	a->counts.ns += now_ns() - began;
	log_debug("audit: %zu of %llu objects in %.1f ms (choosing %.1f ms), %zu groups of ghosts",
		  s.nr, (unsigned long long)total, (now_ns() - began) / 1e6,
		  (judging - began) / 1e6, a->ghosts.nr);
	ARRAY_FREE(&s);
	return err;
}
