/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tells a list, ring or tree that was dropped as a whole from one that something else holds: in
 * both, objects of one cache point to each other. It looks for all objects of the cache, and
 * follows the pointers between them from those that something else points to. Used by
 * trace/refs_look.c.
 */
#ifndef KMEMTRACE_TRACE_REFS_CLOSURE_H
#define KMEMTRACE_TRACE_REFS_CLOSURE_H

#include "trace/refs_scan.h"

struct refs_closure {
	struct refs_objects all; /* of the cache, by place */
	bool *held;      /* by object: something outside the cache leads to it, or may do so */
	uint32_t *group; /* objects with the same number are linked, in whatever direction */
	struct refs_places outside; /* what else points to objects, by object */
};

/*
 * Look for all objects of the wanted cache. `scan_s`: how long one scan takes. Returns 0; −ETIME if
 * the budget is too short, −E2BIG if there are too many objects; or −errno. On failure, *out is
 * unchanged.
 */
int refs_closure_find(struct refs_slabs *s, struct refs_run *run, double scan_s,
		      struct refs_closure *out);
void refs_closure_free(struct refs_closure *c);

/*
 * Fill in c->held, c->group and c->outside for c->all, which is sorted by place. `places`: all
 * words that point to these objects. `reached`: for each object, may something point to it that is
 * not among these? Pure. Returns 0 or −ENOMEM.
 */
int refs_closure_build(struct refs_closure *c, const struct refs_places *places,
		       const bool *reached);

/* The number of the object at this place; −1: it is none of them. */
int64_t refs_closure_number(const struct refs_closure *c, uint64_t start);

#endif
