/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Draws the objects whose kinds are looked at. While the census walks all slabs, it keeps a random
 * sample of the slabs of each cache (reservoir sampling: Vitter 1985, algorithm R), and then draws
 * places of objects from these slabs, each as likely as any other. Pure.
 */
#ifndef KMEMTRACE_TRACE_KINDS_SAMPLE_H
#define KMEMTRACE_TRACE_KINDS_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/array.h"

#define KINDS_SLABS 512 /* kept of a cache: more than objects are wanted */

struct kinds_sample;

struct kind_slab {
	uint64_t pfn;     /* first page frame */
	uint64_t unit;    /* of the census that it is in */
	uint32_t objects; /* places */
	uint32_t used;
};

/* A place of an object. */
struct kind_place {
	const struct kind_slab *slab;
	uint32_t place;
};

struct kind_places {
	ARRAY_OF(struct kind_place); /* by slab, then by place */
};

/* NULL if memory is short. `seed` must not be 0. */
struct kinds_sample *kinds_sample_new(uint64_t seed);
void kinds_sample_free(struct kinds_sample *s);
void kinds_sample_forget(struct kinds_sample *s);

/* Add a slab of a cache. Returns 0 or −ENOMEM. */
int kinds_sample_add(struct kinds_sample *s, uint64_t cache, const struct kind_slab *slab);

/*
 * Draw as many places of a cache as it takes to find about `want` objects in use, at most `most`.
 * The places borrow from `s`. Returns 0 or −ENOMEM; *out has none if the cache is not known.
 */
int kinds_sample_draw(struct kinds_sample *s, uint64_t cache, uint32_t want, uint32_t most,
		      struct kind_places *out);

#endif
