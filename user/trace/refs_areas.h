/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which vmalloc area a page frame is in: the areas are found as objects of the slab cache
 * vmap_area, and their pages are compared with those that are asked for. /proc/vmallocinfo would
 * not do: it hashes addresses, and does not say which pages an area has. Used by refs_names.c.
 */
#ifndef KMEMTRACE_TRACE_REFS_AREAS_H
#define KMEMTRACE_TRACE_REFS_AREAS_H

#include "proc/slab_alias.h"
#include "trace/refs_objects.h"
#include "trace/refs_roots.h"

/* A page frame that is asked for. */
struct refs_area_frame {
	uint64_t frame;
	uint64_t address; /* of the page in its area; 0: not known */
	uint64_t caller;  /* the code that made the area; 0: not known */
	bool percpu;      /* it is of a chunk of per-CPU memory */
};

/* Find the areas of `nr` frames, which are sorted. Returns 0 or −errno. */
int refs_areas_find(struct refs_slabs *s, const struct refs_follower *f,
		    const struct slab_aliases *aliases, struct refs_area_frame *frames, size_t nr);

#endif
