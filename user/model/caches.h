/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Slab caches, one row each: the kernel's levels (slabinfo) beside what was traced. slabinfo may
 * print a merged cache under another name than the tracer saw, so rows match by any of its names.
 * Large kmalloc is a row too. It is in Slab but in no cache, so its level is Slab − Σ num_slabs ×
 * pages_per_slab, and it has no object counts. report_findings.c calls this; ledger.c and findings/
 * read it.
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
	double object_size; /* bytes asked for per object; NaN unknown */
	double size;        /* bytes that one object takes; NaN unknown */
	double objects_per_slab;
	/* From slabinfo; NaN where it could not be read. Objects in use: "active" objects, less
	 * those counted as free on CPU lists if they were counted at both ends. */
	double start_objects, end_objects, delta_objects;
	double start_kb, end_kb, delta_kb; /* whole pages */
	double start_free_kb, end_free_kb; /* pages − objects × size */
					   /* From the trace, corrected by the audit. */
	double held_objects, held_bytes, held_var,
		held_missed; /* the last: as cap_held.bytes_missed */
	double tracked, verified, verified_live;
	double allocs, frees, unseen_frees;
	double cpu_free; /* free on CPU lists at the end, so "active" but not in end_objects; NaN:
			    not counted */
	/* Allocated without an event (kmem_cache_alloc_bulk): growth of slabinfo beyond its slack
	 * and the sampling error; NaN without slabinfo. */
	double unseen_objects, unseen_bytes;
	double preexisting_freed_bytes; /* see docs/ledger.md; NaN without slabinfo */
	struct trust trust;
	struct trend trend;   /* of its pages over time, in kB */
	const double *series; /* … at the times of struct caches; NULL: it has no trend */
	bool notable;         /* its pages grew, or some of its traced objects are outstanding */
	bool unseen;          /* unseen_objects are too many to be objects on free lists */
};

#define CACHES_LARGEST 8

struct caches {
	ARRAY_OF(struct cache_row); /* by delta_kb, largest first */
	size_t nr_notable;
	uint32_t largest[CACHES_LARGEST]; /* rows with most pages at the end, largest first */
	size_t nr_largest;
	uint32_t *by_id; /* row of each cache id of the capture; CACHES_NONE for id 0 (no cache) */
	/* Storage for the rows' series, and the times of these in seconds since tracing began. */
	double *series, *series_t;
	size_t nr_series;
};

#define CACHES_NONE UINT32_MAX

/* 0 or −ENOMEM. Free with caches_free(). */
int caches_build(const struct view *v, const struct outstanding *outstanding, double lost_ratio,
		 struct caches *out);
void caches_free(struct caches *c);

#endif
