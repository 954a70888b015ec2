/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Remembers in which blocks of page frames the census found slabs of which cache, so that the
 * lenses need not search all memory again. Bounded: what does not fit is counted.
 */
#ifndef KMEMTRACE_TRACE_LENS_BLOCKS_H
#define KMEMTRACE_TRACE_LENS_BLOCKS_H

#include "base/array.h"
#include "kmemtrace.h"

struct lens_block {
	uint64_t pfn;
	uint32_t frames;
	uint32_t used; /* objects of the cache in use */
};

struct lens_cache {
	uint64_t address;
	double used; /* in all blocks */
	ARRAY_OF(struct lens_block);
};

struct lens_blocks;

struct lens_blocks *lens_blocks_new(void); /* NULL: memory is short */
void lens_blocks_free(struct lens_blocks *b);
void lens_blocks_forget(struct lens_blocks *b);

/* Add the slabs among the records of a run over `blocks`. Returns 0 or −ENOMEM. */
int lens_blocks_add(struct lens_blocks *b, const struct kmt_census_block *blocks,
		    const struct kmt_census_record *records, size_t nr);

/*
 * The caches, those with most blocks first. The list is to be freed, the caches belong to `b`.
 * Returns 0 or −ENOMEM.
 */
int lens_blocks_list(const struct lens_blocks *b, struct lens_cache ***list, size_t *nr);
/* How many slabs had no room. */
uint64_t lens_blocks_lost(const struct lens_blocks *b);

#endif
