// SPDX-License-Identifier: GPL-2.0-only
/* The sample of objects: see kinds_sample.h. */
#include "trace/kinds_sample.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#define HASH_NONFATAL_OOM          1
#define uthash_nonfatal_oom(entry) ((entry)->lost = true)
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/random.h"

#define CACHES_KEPT 4096
#define SPARE_SHARE 1.2 /* draw a fifth more, because some will be on a CPU's list */

struct sampled_cache {
	uint64_t address;
	uint64_t seen; /* slabs */
	bool lost;
	ARRAY_OF(struct kind_slab);
	UT_hash_handle hh;
};

struct kinds_sample {
	uint64_t random;
	struct sampled_cache *caches;
};

struct kinds_sample *kinds_sample_new(uint64_t seed)
{
	struct kinds_sample *s = calloc(1, sizeof(*s));

	if (s)
		s->random = seed;
	return s;
}

void kinds_sample_forget(struct kinds_sample *s)
{
	struct sampled_cache *c, *next;

	HASH_ITER (hh, s->caches, c, next) {
		HASH_DEL(s->caches, c);
		ARRAY_FREE(c);
		free(c);
	}
}

void kinds_sample_free(struct kinds_sample *s)
{
	if (s)
		kinds_sample_forget(s);
	free(s);
}

static struct sampled_cache *sampled_cache(struct kinds_sample *s, uint64_t address)
{
	struct sampled_cache *c;

	HASH_FIND(hh, s->caches, &address, sizeof(address), c);
	if (c || HASH_COUNT(s->caches) >= CACHES_KEPT)
		return c;
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->address = address;
	HASH_ADD(hh, s->caches, address, sizeof(c->address), c);
	if (!c->lost)
		return c;
	free(c);
	return NULL;
}

int kinds_sample_add(struct kinds_sample *s, uint64_t cache, const struct kind_slab *slab)
{
	struct sampled_cache *c = sampled_cache(s, cache);
	struct kind_slab *to;
	uint64_t at;

	if (!c)
		return HASH_COUNT(s->caches) >= CACHES_KEPT ? 0 : -ENOMEM;
	c->seen++;
	if (c->nr < KINDS_SLABS) {
		to = ARRAY_PUSH(c);
		if (!to)
			return -ENOMEM;
		*to = *slab;
		return 0;
	}
	at = random_below(&s->random, c->seen);
	if (at < KINDS_SLABS)
		c->items[at] = *slab;
	return 0;
}

static int compare_slabs(const void *x, const void *y)
{
	const struct kind_slab *a = x, *b = y;

	return a->pfn < b->pfn ? -1 : a->pfn > b->pfn;
}

/*
 * Mark `nr` of the `all` numbers in the bit map, each as likely as any other: Floyd's algorithm
 * (Bentley & Floyd 1987).
 */
static void numbers_draw(uint64_t *random, uint8_t *map, uint64_t all, uint64_t nr)
{
	for (uint64_t j = all - nr; j < all; j++) {
		uint64_t t = random_below(random, j + 1);

		if (map[t / 8] >> (t % 8) & 1)
			t = j;
		map[t / 8] |= (uint8_t)(1u << (t % 8));
	}
}

int kinds_sample_draw(struct kinds_sample *s, uint64_t cache, uint32_t want, uint32_t most,
		      struct kind_places *out)
{
	uint64_t all = 0, used = 0, at = 0, nr;
	_cleanup_free_ uint8_t *map = NULL;
	struct sampled_cache *c;

	HASH_FIND(hh, s->caches, &cache, sizeof(cache), c);
	if (!c || !c->nr)
		return 0;
	qsort(c->items, c->nr, sizeof(*c->items), compare_slabs);
	for (size_t i = 0; i < c->nr; i++) {
		all += c->items[i].objects;
		used += c->items[i].used;
	}
	if (!used)
		return 0;
	nr = (uint64_t)(want * SPARE_SHARE * (double)all / (double)used) + 1;
	nr = nr < most ? nr : most;
	nr = nr < all ? nr : all;
	map = calloc(all / 8 + 1, 1);
	if (!map)
		return -ENOMEM;
	numbers_draw(&s->random, map, all, nr);
	for (size_t i = 0; i < c->nr; i++) {
		for (uint32_t place = 0; place < c->items[i].objects; place++, at++) {
			struct kind_place *p;

			if (!(map[at / 8] >> (at % 8) & 1))
				continue;
			p = ARRAY_PUSH(out);
			if (!p)
				return -ENOMEM;
			*p = (struct kind_place){.slab = &c->items[i], .place = place};
		}
	}
	return 0;
}
