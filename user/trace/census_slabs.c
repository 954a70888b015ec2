// SPDX-License-Identifier: GPL-2.0-only
/* Caches and owners of a census: see census_slabs.h. */
#include "trace/census_slabs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM          1
#define uthash_nonfatal_oom(entry) ((entry)->lost = true)
#include "base/hash.h"

#define OWNERS_MOST 65536 /* that are asked for their names */
#define CACHES_MOST 4096
#define POOLS_MOST  4096

/* A sum over units, with the squared differences of the two units of each stratum. */
struct census_tally {
	struct census_sum sum;
	uint64_t pair; /* number of the current pair of units, plus one; 0: none */
	double part[2];
};

static void census_tally_close(struct census_tally *t)
{
	double a = t->part[0], b = t->part[1];

	if (!t->pair)
		return;
	t->sum.sum += a + b;
	t->sum.squares += (a - b) * (a - b);
	t->sum.hits += (a > 0) + (b > 0);
	*t = (struct census_tally){.sum = t->sum};
}

static void census_tally_add(struct census_tally *t, uint64_t unit, double value)
{
	if (t->pair != unit / 2 + 1) {
		census_tally_close(t);
		t->pair = unit / 2 + 1;
	}
	t->part[unit & 1] += value;
}

static struct census_sum census_tally_sum(struct census_tally *t)
{
	census_tally_close(t);
	return t->sum;
}

struct cache_entry {
	uint64_t address;
	struct kmt_census_cache info;
	struct census_tally pages, empty, objects, used;
	bool known, lost;
	uint32_t index; /* in the result */
	struct {
		ARRAY_OF(struct node_tally);
	} nodes;
	UT_hash_handle hh;
};

struct node_tally {
	int node;
	struct census_tally pages;
};

/* An obj_cgroup or a mem_cgroup. */
struct owner_entry {
	uint64_t address;
	uint32_t cgroup; /* index, or CENSUS_NO_CGROUP */
	bool lost;
	UT_hash_handle hh;
};

struct charge_key {
	uint64_t cache; /* its address; 0: pages */
	uint32_t class;
	uint32_t cgroup;
};

struct charge_entry {
	struct charge_key key;
	struct census_tally nr;
	bool lost;
	UT_hash_handle hh;
};

/* A page pool, or all of a device. */
struct pool_entry {
	uint64_t address;
	struct pool_entry *device; /* which adds up its pages: itself, or an earlier one */
	char name[64];
	uint64_t nr; /* pools of the device */
	struct census_tally pages;
	bool lost;
	UT_hash_handle hh;
};

struct census_slabs {
	struct census_asking asking;
	uint32_t page_bytes;
	struct cache_entry *caches;
	struct owner_entry *owners;
	struct charge_entry *charges;
	struct pool_entry *pools;
	struct census_cgroups cgroups;
};

struct census_slabs *census_slabs_new(const struct census_asking *asking, uint32_t page_bytes)
{
	struct census_slabs *s = calloc(1, sizeof(*s));

	if (s) {
		s->asking = *asking;
		s->page_bytes = page_bytes;
	}
	return s;
}

static void charges_free(struct census_slabs *s)
{
	HASH_FREE(s->charges);
}

void census_slabs_free(struct census_slabs *s)
{
	struct cache_entry *c, *next_cache;

	if (!s)
		return;
	charges_free(s);
	HASH_ITER (hh, s->caches, c, next_cache) {
		HASH_DEL(s->caches, c);
		ARRAY_FREE(&c->nodes);
		free(c);
	}
	HASH_FREE(s->owners);
	HASH_FREE(s->pools);
	ARRAY_FREE(&s->cgroups);
	free(s);
}

void census_slabs_forget(struct census_slabs *s)
{
	const struct census_tally none = {0};

	charges_free(s);
	for (struct cache_entry *c = s->caches; c; c = c->hh.next) {
		c->pages = c->empty = c->objects = c->used = none;
		c->nodes.nr = 0;
	}
	for (struct pool_entry *p = s->pools; p; p = p->hh.next)
		p->pages = none;
}

/* ---- names ---- */

/* Is this a cache? Around a slab that is being freed, the pointer may lead elsewhere. */
static bool cache_is_sane(const struct kmt_census_cache *i)
{
	return i->size && i->object_size <= i->size && i->order >> 16 <= 16 && i->order & 0xffff &&
	       i->name[0];
}

/* The entry of a cache; NULL if memory is short. */
static struct cache_entry *cache_entry(struct census_slabs *s, uint64_t address)
{
	const struct kmt_census_cache *info;
	struct cache_entry *c;

	HASH_FIND(hh, s->caches, &address, sizeof(address), c);
	if (c)
		return c;
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->address = address;
	info = HASH_COUNT(s->caches) < CACHES_MOST ? s->asking.cache(s->asking.arg, address) : NULL;
	c->known = info && cache_is_sane(info);
	if (c->known)
		c->info = *info;
	HASH_ADD(hh, s->caches, address, sizeof(c->address), c);
	if (!c->lost)
		return c;
	free(c);
	return NULL;
}

const struct kmt_census_cache *census_slabs_cache(struct census_slabs *s, uint64_t address)
{
	const struct cache_entry *c = cache_entry(s, address);

	return c && c->known ? &c->info : NULL;
}

/* The path of a cgroup: names from below the root down, "…" and the end if there are too many. */
void census_owner_path(const struct kmt_census_owner *o, char path[256])
{
	char all[KMT_CENSUS_LEVELS * (KMT_CENSUS_NAME + 1) + 4] = "";
	uint32_t levels = o->levels < KMT_CENSUS_LEVELS ? o->levels : KMT_CENSUS_LEVELS;
	size_t at = 0;

	if (levels == KMT_CENSUS_LEVELS)
		at += (size_t)snprintf(all, sizeof(all), "…");
	for (uint32_t i = levels; i-- > 0;)
		at += (size_t)snprintf(all + at, sizeof(all) - at, "/%.*s", KMT_CENSUS_NAME,
				       o->name[i]);
	if (!at)
		at = (size_t)snprintf(all, sizeof(all), "/");
	if (at < 256)
		memcpy(path, all, at + 1);
	else
		snprintf(path, 256, "…%s", all + at - 250);
}

/* The index of the owner's cgroup, which is added if it is new; CENSUS_NO_CGROUP without a name. */
static int cgroup_index(struct census_slabs *s, const struct kmt_census_owner *o, uint32_t *index)
{
	struct census_cgroup *g;

	*index = CENSUS_NO_CGROUP;
	if (!o || !o->id)
		return 0;
	for (size_t i = 0; i < s->cgroups.nr; i++) {
		g = &s->cgroups.items[i];
		if (g->id == o->id && g->below == o->inherited && g->removed == o->offline) {
			g->owners++;
			*index = (uint32_t)i;
			return 0;
		}
	}
	g = ARRAY_PUSH(&s->cgroups);
	if (!g)
		return -ENOMEM;
	census_owner_path(o, g->path);
	g->id = o->id;
	g->removed = o->offline;
	g->below = o->inherited;
	g->owners = 1;
	*index = (uint32_t)s->cgroups.nr - 1;
	return 0;
}

int census_slabs_cgroup(struct census_slabs *s, uint64_t address, uint32_t *cgroup)
{
	struct owner_entry *o;

	HASH_FIND(hh, s->owners, &address, sizeof(address), o);
	if (o) {
		*cgroup = o->cgroup;
		return 0;
	}
	*cgroup = CENSUS_NO_CGROUP;
	if (HASH_COUNT(s->owners) >= OWNERS_MOST)
		return 0;
	o = calloc(1, sizeof(*o));
	if (!o || cgroup_index(s, s->asking.owner(s->asking.arg, address), &o->cgroup)) {
		free(o);
		return -ENOMEM;
	}
	o->address = address;
	*cgroup = o->cgroup;
	HASH_ADD(hh, s->owners, address, sizeof(o->address), o);
	if (!o->lost)
		return 0;
	free(o);
	return -ENOMEM;
}

uint32_t census_slabs_cgroup_known(const struct census_slabs *s, uint64_t address)
{
	struct owner_entry *o;

	HASH_FIND(hh, s->owners, &address, sizeof(address), o);
	return o ? o->cgroup : CENSUS_NO_CGROUP;
}

/* The entry of a page pool; NULL if memory is short. */
static struct pool_entry *pool_entry(struct census_slabs *s, uint64_t address)
{
	struct pool_entry *p, *other;
	const char *name;

	HASH_FIND(hh, s->pools, &address, sizeof(address), p);
	if (p)
		return p;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	name = HASH_COUNT(s->pools) < POOLS_MOST ? s->asking.pool(s->asking.arg, address) : NULL;
	snprintf(p->name, sizeof(p->name), "%s", name ?: "");
	p->address = address;
	p->device = p;
	for (other = s->pools; other && p->device == p; other = other->hh.next)
		if (other->device == other && !strcmp(other->name, p->name))
			p->device = other;
	HASH_ADD(hh, s->pools, address, sizeof(p->address), p);
	if (!p->lost) {
		p->device->nr++;
		return p;
	}
	free(p);
	return NULL;
}

/* ---- records ---- */

static int pool_add(struct census_slabs *s, const struct kmt_census_record *r, uint64_t unit)
{
	struct pool_entry *p = pool_entry(s, r->owner);

	if (!p)
		return -ENOMEM;
	census_tally_add(&p->device->pages, unit, r->used);
	return 0;
}

static int census_node_add(struct cache_entry *c, int node, uint64_t unit, double pages)
{
	struct node_tally *n = NULL;

	for (size_t i = 0; i < c->nodes.nr && !n; i++)
		if (c->nodes.items[i].node == node)
			n = &c->nodes.items[i];
	if (!n) {
		n = ARRAY_PUSH(&c->nodes);
		if (!n)
			return -ENOMEM;
		n->node = node;
	}
	census_tally_add(&n->pages, unit, pages);
	return 0;
}

/* A slab of `objects` has the cache's order, or, if memory was short, a smaller one. */
static double slab_pages(const struct kmt_census_cache *i, uint32_t objects)
{
	uint32_t order = objects == (i->order & 0xffff) ? i->order : i->min_order;

	return 1u << (order >> 16 & 15);
}

static int slab_add(struct census_slabs *s, const struct kmt_census_record *r, uint64_t unit,
		    int node)
{
	struct cache_entry *c = cache_entry(s, r->cache);
	double pages;

	if (!c)
		return -ENOMEM;
	if (!c->known || r->used > r->objects)
		return 0;
	pages = slab_pages(&c->info, r->objects);
	census_tally_add(&c->pages, unit, pages);
	census_tally_add(&c->objects, unit, r->objects);
	census_tally_add(&c->used, unit, r->used);
	if (!r->used)
		census_tally_add(&c->empty, unit, pages);
	return census_node_add(c, node, unit, pages);
}

static int charge_add(struct census_slabs *s, const struct kmt_census_record *r, uint64_t unit)
{
	struct charge_key key;
	struct charge_entry *e;
	uint32_t cgroup;

	if (census_slabs_cgroup(s, r->owner, &cgroup))
		return -ENOMEM;
	if (cgroup == CENSUS_NO_CGROUP)
		return 0;
	memset(&key, 0, sizeof(key));
	key.cache = r->cache;
	key.class = r->class;
	key.cgroup = cgroup;
	HASH_FIND(hh, s->charges, &key, sizeof(key), e);
	if (!e) {
		e = calloc(1, sizeof(*e));
		if (!e)
			return -ENOMEM;
		e->key = key;
		HASH_ADD(hh, s->charges, key, sizeof(e->key), e);
		if (e->lost) {
			free(e);
			return -ENOMEM;
		}
	}
	census_tally_add(&e->nr, unit, r->used);
	return 0;
}

int census_slabs_add(struct census_slabs *s, const struct kmt_census_record *records, size_t nr,
		     const struct census_run *run)
{
	int err = 0;

	for (size_t i = 0; i < nr && !err; i++) {
		const struct kmt_census_record *r = &records[i];

		if (r->block >= run->nr || r->class >= CENSUS_CLASSES)
			continue;
		if (r->class == CENSUS_POOL)
			err = pool_add(s, r, run->first + r->block);
		else
			err = r->owner ? charge_add(s, r, run->first + r->block)
				       : slab_add(s, r, run->first + r->block, run->node[r->block]);
	}
	return err;
}

/* ---- result ---- */

static int compare_entries(const void *x, const void *y)
{
	const struct cache_entry *a = *(struct cache_entry *const *)x,
				 *b = *(struct cache_entry *const *)y;

	if (a->pages.sum.sum != b->pages.sum.sum)
		return a->pages.sum.sum < b->pages.sum.sum ? 1 : -1;
	return strncmp(a->info.name, b->info.name, sizeof(a->info.name));
}

/* Caches that have pages, the largest first. */
static int caches_sorted(struct census_slabs *s, struct cache_entry ***out, size_t *nr)
{
	struct cache_entry **sorted =
		calloc(HASH_COUNT(s->caches) + 1, sizeof(struct cache_entry *));

	*nr = 0;
	if (!sorted)
		return -ENOMEM;
	for (struct cache_entry *c = s->caches; c; c = c->hh.next) {
		census_tally_close(&c->pages);
		c->index = CENSUS_NO_CACHE;
		if (c->known && c->pages.sum.sum > 0)
			sorted[(*nr)++] = c;
	}
	qsort(sorted, *nr, sizeof(*sorted), compare_entries);
	*out = sorted;
	return 0;
}

static int nodes_finish(struct cache_entry *c, struct census *out)
{
	for (size_t i = 0; i < c->nodes.nr; i++) {
		struct node_tally *t = &c->nodes.items[i];
		struct census_node *n = ARRAY_PUSH(&out->nodes);

		if (!n)
			return -ENOMEM;
		*n = (struct census_node){
			.cache = c->index, .node = t->node, .pages = census_tally_sum(&t->pages)};
	}
	return 0;
}

static int cache_finish(struct cache_entry *c, struct census *out)
{
	struct census_cache *row = ARRAY_PUSH(&out->caches);

	if (!row)
		return -ENOMEM;
	c->index = (uint32_t)out->caches.nr - 1;
	*row = (struct census_cache){.object_bytes = c->info.size,
				     .reclaimable = c->info.flags,
				     .cpu_free = -1,
				     .pages = census_tally_sum(&c->pages),
				     .empty = census_tally_sum(&c->empty),
				     .objects = census_tally_sum(&c->objects),
				     .used = census_tally_sum(&c->used)};
	snprintf(row->name, sizeof(row->name), "%.*s", (int)sizeof(row->name) - 1, c->info.name);
	return nodes_finish(c, out);
}

static int charges_finish(struct census_slabs *s, struct census *out)
{
	for (struct charge_entry *e = s->charges; e; e = e->hh.next) {
		struct census_charge *row;
		struct cache_entry *c = NULL;

		if (e->key.cache) {
			HASH_FIND(hh, s->caches, &e->key.cache, sizeof(e->key.cache), c);
			if (!c || c->index == CENSUS_NO_CACHE)
				continue;
		}
		row = ARRAY_PUSH(&out->charges);
		if (!row)
			return -ENOMEM;
		*row = (struct census_charge){.cache = c ? c->index : CENSUS_NO_CACHE,
					      .class = e->key.class,
					      .cgroup = e->key.cgroup,
					      .nr = census_tally_sum(&e->nr)};
	}
	return 0;
}

static int pools_finish(struct census_slabs *s, struct census *out)
{
	for (struct pool_entry *p = s->pools; p; p = p->hh.next) {
		struct census_sum pages = census_tally_sum(&p->pages);
		struct census_origin *row;

		if (!(pages.sum > 0))
			continue;
		row = ARRAY_PUSH(&out->origins);
		if (!row)
			return -ENOMEM;
		*row = (struct census_origin){.nr = p->nr, .pages = pages};
		snprintf(row->kind, sizeof(row->kind), "%s", CENSUS_ORIGIN_POOL);
		snprintf(row->name, sizeof(row->name), "%s", p->name);
	}
	return 0;
}

/* Are there slabs on more than one node? */
static bool has_nodes(const struct census_nodes *n)
{
	for (size_t i = 1; i < n->nr; i++)
		if (n->items[i].node != n->items[0].node)
			return true;
	return false;
}

int census_slabs_finish(struct census_slabs *s, struct census *out, uint64_t **addresses)
{
	struct cache_entry **sorted = NULL;
	uint64_t *at = NULL;
	size_t nr;
	int err = caches_sorted(s, &sorted, &nr);

	at = err ? NULL : calloc(nr + 1, sizeof(*at));
	if (!at)
		err = -ENOMEM;
	for (size_t i = 0; i < nr && !err; i++) {
		at[i] = sorted[i]->address;
		err = cache_finish(sorted[i], out);
	}
	err = err ?: charges_finish(s, out);
	err = err ?: pools_finish(s, out);
	if (!err) {
		out->cgroups = s->cgroups;
		s->cgroups = (struct census_cgroups){0};
	}
	if (!has_nodes(&out->nodes))
		ARRAY_FREE(&out->nodes);
	free(sorted);
	if (!err && addresses)
		*addresses = at;
	else
		free(at);
	return err;
}
