// SPDX-License-Identifier: GPL-2.0-only
/*
 * Adds up outstanding objects: see growth.h. Ids in a capture are dense, so an array indexes the
 * groups. The shares of a group (by process, …) come from sorting (group, id, bytes), once for each
 * kind of share.
 */
#include "model/growth.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "data/class.h"
#include "model/caches.h"
#include "model/entry.h"
#include "model/confidence.h"
#include "model/sampling.h"

static uint32_t row_stack(const struct capture *c, const struct cap_held *h)
{
	(void)c;
	return h->stack;
}

static uint32_t row_cache(const struct capture *c, const struct cap_held *h)
{
	(void)c;
	return h->cache;
}

static uint32_t row_site(const struct capture *c, const struct cap_held *h)
{
	const struct cap_stack *s = &c->stacks[h->stack];

	return s->nr_frames ? s->frames[0] : 0;
}

static uint32_t row_process(const struct capture *c, const struct cap_held *h)
{
	(void)c;
	return h->process;
}

static uint32_t row_cgroup(const struct capture *c, const struct cap_held *h)
{
	return c->processes[h->process].cgroup;
}

static uint32_t row_pool(const struct capture *c, const struct cap_held *h)
{
	(void)c, (void)h;
	return 0; /* a group never mixes pools, so one key is enough */
}

/* The module of the innermost frame outside vmlinux, else "vmlinux". */
static const char *stack_module(const struct capture *c, uint32_t stack)
{
	const struct cap_stack *s = &c->stacks[stack];

	for (uint32_t i = 0; i < s->nr_frames; i++) {
		const char *module = c->frames[s->frames[i]].module;

		if (module[0] && strcmp(module, "vmlinux"))
			return module;
	}
	return "vmlinux";
}

static void name_module(const struct capture *c, uint32_t stack, char *buf, size_t size)
{
	snprintf(buf, size, "%s", stack_module(c, stack));
}

static void name_entry(const struct capture *c, uint32_t stack, char *buf, size_t size)
{
	struct entry e;

	entry_of_stack(c, stack, &e);
	snprintf(buf, size, "%s", e.label);
}

/* What outstanding objects can be grouped by. To add a dimension, add a row. */
static const struct dimension {
	const char *name;
	uint32_t (*key)(const struct capture *c, const struct cap_held *h);
	size_t nr_keys; /* number of keys, as an offset in struct capture; 0: one key */
	bool traffic;   /* all traffic of a call path belongs to one group */
	/* if the capture has no ids for this dimension: names the group of a stack */
	void (*name_of)(const struct capture *c, uint32_t stack, char *buf, size_t size);
} dimensions[GROWTH_BYS] = {
	[GROWTH_BY_STACK] = {"stack", row_stack, offsetof(struct capture, nr_stacks), true, NULL},
	[GROWTH_BY_CACHE] = {"cache", row_cache, offsetof(struct capture, nr_caches), false, NULL},
	[GROWTH_BY_SITE] = {"site", row_site, offsetof(struct capture, nr_frames), true, NULL},
	[GROWTH_BY_PROCESS] = {"process", row_process, offsetof(struct capture, nr_processes),
			       false, NULL},
	[GROWTH_BY_CGROUP] = {"cgroup", row_cgroup, offsetof(struct capture, nr_cgroups), false,
			      NULL},
	[GROWTH_BY_MODULE] = {"module", NULL, 0, true, name_module},
	[GROWTH_BY_POOL] = {"pool", row_pool, 0, true, NULL},
	[GROWTH_BY_SYSCALL] = {"syscall", NULL, 0, true, name_entry},
};

size_t growth_keys(const struct growth *g, const struct capture *c)
{
	const struct dimension *d = &dimensions[g->by];

	if (d->name_of)
		return g->names.nr;
	return d->nr_keys ? *(const size_t *)((const char *)c + d->nr_keys) : 1;
}

uint32_t growth_key(const struct growth *g, const struct capture *c, const struct cap_held *h)
{
	return g->name_of ? g->name_of[h->stack] : dimensions[g->by].key(c, h);
}

uint32_t growth_brief_key(const struct growth *g, const struct capture *c,
			  const struct cap_brief *h)
{
	struct cap_held as_held = {.stack = h->stack, .cache = h->cache, .process = h->process};

	return growth_key(g, c, &as_held);
}

uint32_t growth_traffic_key(const struct growth *g, const struct capture *c, uint32_t stack)
{
	struct cap_held as_held = {.stack = stack};

	return dimensions[g->by].traffic ? growth_key(g, c, &as_held) : UINT32_MAX;
}

const char *growth_by_name(enum growth_by by)
{
	return dimensions[by].name;
}

int growth_by_parse(const char *name, enum growth_by *out)
{
	for (size_t i = 0; i < GROWTH_BYS; i++) {
		if (strcmp(name, dimensions[i].name))
			continue;
		*out = (enum growth_by)i;
		return 0;
	}
	return -EINVAL;
}

double age_quantile(const double hist[AGE_BUCKETS], double oldest, double share)
{
	double total = 0, below = 0;

	for (size_t b = 0; b < AGE_BUCKETS; b++)
		total += hist[b];
	if (!(total > 0))
		return NAN;
	for (size_t b = 0; b < AGE_BUCKETS; b++) {
		double low = b ? ldexp(1, (int)b - 1) : 0, high = ldexp(1, (int)b);

		if (!(hist[b] > 0))
			continue;
		if (b == AGE_BUCKETS - 1 || high > oldest)
			high = fmax(oldest, low);
		if (below + hist[b] >= share * total)
			return fmin(low + (high - low) * (share * total - below) / hist[b], oldest);
		below += hist[b];
	}
	return oldest;
}

double age_buckets_end_s(size_t buckets)
{
	return buckets ? ldexp(1, (int)buckets - 1) : 0;
}

#define CONTRADICTED_LEAST 64 /* objects beyond what slabinfo counts; fewer prove nothing */

/* ---- groups ---- */

struct growth_builder {
	const struct view *v;
	const struct outstanding *outstanding;
	const struct growth *g;
	uint32_t *group_of; /* of each row of outstanding */
	struct growth_group *groups;
	size_t nr;
};

static void group_add(struct growth_group *g, const struct outstanding_row *r)
{
	double share = r->h->objects > 0 ? r->objects / r->h->objects : 0;

	g->bytes += r->bytes;
	g->bytes_var += r->bytes_var;
	g->bytes_missed = fmax(g->bytes_missed, r->h->bytes_missed);
	g->objects += r->objects;
	g->traced_bytes += r->h->bytes;
	g->traced_var += r->h->bytes_var;
	g->tracked += (double)r->h->tracked;
	g->verified += (double)r->h->verified;
	g->verified_live += (double)r->h->verified_live;
	g->verified_twice += (double)r->h->verified_twice;
	for (size_t b = 0; b < AGE_BUCKETS; b++)
		g->age_hist[b] += r->h->age_hist[b] * share;
	if (r->objects > 0 && !(g->oldest_s >= r->h->oldest_s))
		g->oldest_s = r->h->oldest_s;
}

/* Assign every row to a group. index has POOLS × keys elements; groups has room for one per row. */
static void groups_collect(struct growth_builder *b, uint32_t *index, size_t keys)
{
	memset(index, 0xff, POOLS * keys * sizeof(*index));
	for (size_t i = 0; i < b->outstanding->nr; i++) {
		const struct outstanding_row *r = &b->outstanding->items[i];
		uint32_t key = growth_key(b->g, b->v->c, r->h);
		uint32_t *at = &index[(size_t)r->h->pool * keys + key];

		if (*at == UINT32_MAX) {
			*at = (uint32_t)b->nr;
			b->groups[b->nr++] = (struct growth_group){.pool = r->h->pool,
								   .key = key,
								   .class_ = r->h->class_,
								   .oldest_s = NAN};
		}
		b->group_of[i] = *at;
		group_add(&b->groups[*at], r);
	}
}

/* Traffic is counted by (pool, stack). Add it to the group that the stack belongs to. */
static void groups_traffic(struct growth_builder *b, const uint32_t *index, size_t keys)
{
	bool known = dimensions[b->g->by].traffic;

	for (size_t i = 0; i < b->nr; i++)
		b->groups[i].allocs = b->groups[i].frees = b->groups[i].unseen_frees =
			known ? 0 : NAN;
	for (size_t i = 0; known && b->v->at && i < b->v->at->churn.nr; i++) {
		const struct cap_churn *c = &b->v->at->churn.items[i];
		uint32_t at =
			index[(size_t)c->pool * keys + growth_traffic_key(b->g, b->v->c, c->stack)];

		if (at == UINT32_MAX)
			continue;
		b->groups[at].allocs += c->allocs;
		b->groups[at].frees += c->frees;
		b->groups[at].unseen_frees += c->unseen_frees;
	}
}

/* The 95 % interval, between two certain limits. The low limit: objects that were found live exist.
 * The high limit: an exact recording misses no object. */
static void group_interval(struct growth_group *g)
{
	/* Without an audit, all tracked objects count as certain, unless a correction (by other
	 * call paths of the cache, or in a time range) removed some. */
	bool corrected = g->bytes < g->traced_bytes || g->objects < g->tracked;
	double unchecked = corrected ? 0 : g->tracked;
	double certain = g->verified > 0 ? g->verified_live : unchecked;

	interval_weighted(g->bytes, g->bytes_var, g->bytes_missed, &g->bytes_low, &g->bytes_high);
	if (g->objects > 0)
		g->bytes_low = fmin(g->bytes, fmax(g->bytes_low, certain * g->bytes / g->objects));
	if (!(g->traced_var > 0) && !(g->bytes_missed > 0))
		g->bytes_high = fmax(g->bytes, fmin(g->bytes_high, g->traced_bytes));
}

static void group_finish(struct growth_group *g)
{
	group_interval(g);
	g->verified_share = g->verified > 0 ? g->verified_live / g->verified : NAN;
	g->stack_share = g->bytes > 0 ? g->stacks.items[0].bytes / g->bytes : 0;
	for (size_t b = 0; b < AGE_BUCKETS; b++)
		if (g->age_hist[b] > 0)
			g->age_buckets = b + 1;
	g->age_p50_s = age_quantile(g->age_hist, g->oldest_s, 0.5);
	g->age_p90_s = age_quantile(g->age_hist, g->oldest_s, 0.9);
}

/* ---- shares ---- */

struct growth_part {
	uint32_t group, id;
	double bytes;
};

static int compare_part(const void *a, const void *b)
{
	const struct growth_part *x = a, *y = b;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

static int compare_share(const void *a, const void *b)
{
	const struct growth_share *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	return (x->id > y->id) - (x->id < y->id);
}

/* Split every group by `key`; `member` is the offset of the struct growth_shares to fill. */
static int groups_split(struct growth_builder *b,
			uint32_t (*key)(const struct capture *, const struct cap_held *),
			size_t member, struct growth_share **out)
{
	size_t nr = b->outstanding->nr, at = 0;
	_cleanup_free_ struct growth_part *parts = calloc(nr + 1, sizeof(*parts));
	struct growth_share *shares = calloc(nr + 1, sizeof(*shares));

	*out = shares; /* owned by the growth from here on */
	if (!parts || !shares)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++)
		parts[i] = (struct growth_part){.group = b->group_of[i],
						.id = key(b->v->c, b->outstanding->items[i].h),
						.bytes = b->outstanding->items[i].bytes};
	qsort(parts, nr, sizeof(*parts), compare_part);
	for (size_t i = 0; i < nr;) {
		struct growth_group *g = &b->groups[parts[i].group];
		struct growth_shares *list = (struct growth_shares *)((char *)g + member);
		size_t first = at, group = parts[i].group;

		while (i < nr && parts[i].group == group) {
			uint32_t id = parts[i].id;

			shares[at].id = id;
			for (; i < nr && parts[i].group == group && parts[i].id == id; i++)
				shares[at].bytes += parts[i].bytes;
			at++;
		}
		qsort(shares + first, at - first, sizeof(*shares), compare_share);
		*list = (struct growth_shares){.items = shares + first, .nr = at - first};
	}
	return 0;
}

static int compare_growth_group(const void *a, const void *b)
{
	const struct growth_group *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	if (x->pool != y->pool)
		return x->pool < y->pool ? -1 : 1;
	return (x->key > y->key) - (x->key < y->key);
}

/* ---- names ---- */

struct name_id {
	char *name; /* of growth.names */
	uint32_t id;
	UT_hash_handle hh;
};

/* Number the names, and note the number of each stack's name. */
static int names_number(const struct capture *c, struct growth *g, struct name_id **ids)
{
	for (size_t i = 0; i < c->nr_stacks; i++) {
		char name[256], **slot;
		struct name_id *known;

		dimensions[g->by].name_of(c, (uint32_t)i, name, sizeof(name));
		HASH_FIND_STR(*ids, name, known);
		if (!known) {
			slot = ARRAY_PUSH(&g->names);
			known = slot ? calloc(1, sizeof(*known)) : NULL;
			if (!known || !(*slot = strdup(name))) {
				free(known);
				return -ENOMEM;
			}
			known->name = *slot;
			known->id = (uint32_t)(g->names.nr - 1);
			HASH_ADD_KEYPTR(hh, *ids, known->name, strlen(known->name), known);
		}
		g->name_of[i] = known->id;
	}
	return 0;
}

static int growth_name(const struct capture *c, struct growth *g)
{
	struct name_id *ids = NULL;
	int err;

	if (!dimensions[g->by].name_of)
		return 0;
	g->name_of = calloc(c->nr_stacks, sizeof(*g->name_of));
	err = g->name_of ? names_number(c, g, &ids) : -ENOMEM;
	HASH_FREE(ids);
	return err;
}

static int growth_fill(struct growth_builder *b, struct growth *g)
{
	size_t keys = growth_keys(g, b->v->c);
	_cleanup_free_ uint32_t *index = calloc(POOLS * (keys + 1), sizeof(*index));

	if (!index)
		return -ENOMEM;
	groups_collect(b, index, keys);
	groups_traffic(b, index, keys);
	if (groups_split(b, row_stack, offsetof(struct growth_group, stacks), &g->shares[0]) ||
	    groups_split(b, row_cache, offsetof(struct growth_group, caches), &g->shares[1]) ||
	    groups_split(b, row_process, offsetof(struct growth_group, processes), &g->shares[2]) ||
	    groups_split(b, row_cgroup, offsetof(struct growth_group, cgroups), &g->shares[3]))
		return -ENOMEM;
	for (size_t i = 0; i < b->nr; i++) {
		group_finish(&b->groups[i]);
		b->groups[i].module = stack_module(b->v->c, b->groups[i].stacks.items[0].id);
		g->bytes += b->groups[i].bytes;
	}
	if (b->nr)
		qsort(b->groups, b->nr, sizeof(*b->groups), compare_growth_group);
	g->nr = b->nr;
	return 0;
}

const struct cache_row *growth_cache(const struct growth_group *g, const struct caches *caches)
{
	uint32_t id = g->caches.nr ? g->caches.items[0].id : 0;

	if (g->pool != POOL_SLAB || caches->by_id[id] == CACHES_NONE)
		return NULL;
	return &caches->items[caches->by_id[id]];
}

bool growth_is_contradicted(const struct growth_group *g, const struct caches *caches)
{
	const struct cache_row *cache = growth_cache(g, caches);

	/* the margin allows for objects that came or went between the readings, and for sampling
	 * errors */
	return cache && g->caches.nr == 1 && !cache->large && cache->end_objects > 0 &&
	       g->objects > 1.1 * cache->end_objects + CONTRADICTED_LEAST &&
	       g->bytes_low > 1.1 * cache->end_objects * cache->size;
}

int growth_build(const struct view *v, const struct outstanding *outstanding, enum growth_by by,
		 struct growth *out)
{
	struct growth g = {.by = by};
	_cleanup_free_ struct outstanding_row *rows = calloc(outstanding->nr + 1, sizeof(*rows));
	_cleanup_free_ uint32_t *group_of = calloc(outstanding->nr + 1, sizeof(*group_of));
	struct outstanding own = {.items = rows};
	struct growth_builder b = {.v = v, .outstanding = &own, .g = &g};

	g.groups = calloc(outstanding->nr + 1, sizeof(*g.groups));
	b.group_of = group_of;
	b.groups = g.groups;
	for (size_t i = 0; rows && i < outstanding->nr; i++)
		if (class_place(outstanding->items[i].h->pool, outstanding->items[i].h->class_) !=
		    CLASS_SHARED)
			rows[own.nr++] = outstanding->items[i];
	if (!rows || !group_of || !g.groups || growth_name(v->c, &g) || growth_fill(&b, &g)) {
		growth_free(&g);
		return -ENOMEM;
	}
	*out = g;
	return 0;
}

void growth_free(struct growth *g)
{
	free(g->groups);
	free(g->name_of);
	for (size_t i = 0; i < g->names.nr; i++)
		free(g->names.items[i]);
	ARRAY_FREE(&g->names);
	for (size_t i = 0; i < sizeof(g->shares) / sizeof(g->shares[0]); i++)
		free(g->shares[i]);
	memset(g, 0, sizeof(*g));
}

double growth_period(const struct growth_group *g)
{
	return sampling_period(g->objects > 0 ? g->bytes / g->objects : 0, g->traced_bytes,
			       g->traced_var);
}
