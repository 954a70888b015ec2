// SPDX-License-Identifier: GPL-2.0-only
/* Blocks of page frames with slabs, by cache: see lens_blocks.h. */
#include "trace/lens_blocks.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#define HASH_NONFATAL_OOM          1
#define uthash_nonfatal_oom(entry) ((entry)->lost = true)
#include "base/hash.h"

#define BLOCKS_MOST (1u << 20) /* 16 MiB: slabs in 256 GiB of memory that is all counted */
#define CACHES_MOST 4096

struct lens_cache_entry {
	struct lens_cache cache;
	bool lost;
	UT_hash_handle hh;
};

struct lens_blocks {
	struct lens_cache_entry *caches;
	size_t nr; /* blocks */
	uint64_t lost;
};

struct lens_blocks *lens_blocks_new(void)
{
	return calloc(1, sizeof(struct lens_blocks));
}

void lens_blocks_forget(struct lens_blocks *b)
{
	struct lens_cache_entry *c, *next;

	HASH_ITER (hh, b->caches, c, next) {
		HASH_DEL(b->caches, c);
		ARRAY_FREE(&c->cache);
		free(c);
	}
	b->nr = 0;
	b->lost = 0;
}

void lens_blocks_free(struct lens_blocks *b)
{
	if (b)
		lens_blocks_forget(b);
	free(b);
}

static int lens_cache_find(struct lens_blocks *b, uint64_t address, struct lens_cache_entry **out)
{
	struct lens_cache_entry *c;

	HASH_FIND(hh, b->caches, &address, sizeof(address), c);
	*out = c;
	if (c || HASH_COUNT(b->caches) >= CACHES_MOST)
		return 0;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->cache.address = address;
	HASH_ADD(hh, b->caches, cache.address, sizeof(c->cache.address), c);
	if (c->lost) {
		free(c);
		return -ENOMEM;
	}
	*out = c;
	return 0;
}

static int slab_note(struct lens_blocks *b, struct lens_cache *c,
		     const struct kmt_census_block *block, uint32_t used)
{
	struct lens_block *last;

	if (c->nr && c->items[c->nr - 1].pfn == block->pfn) {
		last = &c->items[c->nr - 1];
	} else {
		if (b->nr >= BLOCKS_MOST) {
			b->lost++;
			return 0;
		}
		last = ARRAY_PUSH(c);
		if (!last)
			return -ENOMEM;
		b->nr++;
		last->pfn = block->pfn;
		last->frames = block->frames;
	}
	last->used += used;
	c->used += used;
	return 0;
}

int lens_blocks_add(struct lens_blocks *b, const struct kmt_census_block *blocks,
		    const struct kmt_census_record *records, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		const struct kmt_census_record *r = &records[i];
		struct lens_cache_entry *c;

		if (r->owner || !r->cache || r->block >= KMT_CENSUS_BLOCKS || r->used > r->objects)
			continue;
		if (lens_cache_find(b, r->cache, &c))
			return -ENOMEM;
		if (!c)
			b->lost++;
		else if (slab_note(b, &c->cache, &blocks[r->block], r->used))
			return -ENOMEM;
	}
	return 0;
}

static int compare_lens_caches(const void *x, const void *y)
{
	const struct lens_cache *a = *(struct lens_cache *const *)x,
				*b = *(struct lens_cache *const *)y;

	if (a->nr != b->nr)
		return a->nr < b->nr ? 1 : -1;
	return a->address < b->address ? -1 : a->address > b->address;
}

int lens_blocks_list(const struct lens_blocks *b, struct lens_cache ***list, size_t *nr)
{
	struct lens_cache **all = calloc(HASH_COUNT(b->caches) + 1, sizeof(struct lens_cache *));

	if (!all)
		return -ENOMEM;
	*nr = 0;
	for (struct lens_cache_entry *c = b->caches; c; c = c->hh.next)
		all[(*nr)++] = &c->cache;
	qsort(all, *nr, sizeof(struct lens_cache *), compare_lens_caches);
	*list = all;
	return 0;
}

uint64_t lens_blocks_lost(const struct lens_blocks *b)
{
	return b->lost;
}
