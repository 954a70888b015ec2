/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Slab caches: the kernel's own levels (slabinfo) beside what was traced, one row a cache. A merged
 * cache is printed by slabinfo under one of its names and may be known to the tracer under another:
 * rows are matched by any name. Large kmalloc is a row too: in Slab, in no cache, so its level is
 * Slab − Σ num_slabs × pages_per_slab, and it has no object counts of its own.
 */
#ifndef KMEMTRACE_MODEL_CACHES_H
#define KMEMTRACE_MODEL_CACHES_H

#include "model/outstanding.h"
#include "model/series.h"
#include "model/trust.h"

struct cache_row {
	const char *name;
	const struct cap_cache *cap; /* NULL: only slabinfo knows it */
	bool large;
	bool traced;        /* the tracer saw it, or would have seen its allocations */
	double object_size; /* what is asked for, and what one takes; NaN: not known */
	double size;
	double objects_per_slab;
	/* slabinfo; NaN where it could not be read. Objects are those in use: "active", less those
	 * that the tracer counted as free on CPU lists, where it did so at both ends. */
	double start_objects, end_objects;
	double start_kb, end_kb, delta_kb; /* whole pages */
	double start_free_kb, end_free_kb; /* pages − objects × size */
	/* traced, corrected by the audit */
	double held_objects, held_bytes, held_var;
	double tracked, verified, verified_live;
	double allocs, frees, unseen_frees;
	double cpu_free; /* "active" but free at the end, and so not in end_objects; NaN: not
			    counted */
	/* allocated without an event (kmem_cache_alloc_bulk): what slabinfo grew by beyond all
	 * slack and sampling error; NaN without slabinfo */
	double unseen_objects, unseen_bytes;
	double preexisting_freed_bytes; /* see ledger.h; NaN without slabinfo */
	struct trust trust;
	struct trend trend; /* of its pages over the snapshots, in kB */
};

struct caches {
	ARRAY_OF(struct cache_row); /* by delta_kb, largest first */
	uint32_t *by_id; /* c->nr_caches: row of a capture's cache id; 0 → nr for "no cache" */
};

#define CACHES_NONE UINT32_MAX

/* 0 or −ENOMEM. Free with caches_free(). */
int caches_build(const struct view *v, const struct outstanding *held, double lost_ratio,
		 struct caches *out);
void caches_free(struct caches *c);

#endif
