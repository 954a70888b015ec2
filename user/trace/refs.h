/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds what points to a sample of objects of a slab cache: loads the programs of bpf/refs.bpf.c,
 * runs them at low priority and unloads them. Used by `kmemtrace refs`; needs no tracer, and only
 * reads. The rules about when an object has no reference are here; what that means is decided in
 * model/refs.c.
 */
#ifndef KMEMTRACE_TRACE_REFS_H
#define KMEMTRACE_TRACE_REFS_H

#include "data/refs.h"
#include "trace/plan.h"

#define REFS_OBJECTS      385 /* the default of --objects: ± 5 %, 95 times in 100 */
#define REFS_OBJECTS_MOST 1500
#define REFS_THREADS_MOST 64
#define REFS_BUDGET_S     10.0 /* the default of --refs-budget */
#define REFS_LEVELS       2    /* … and of --levels */
#define REFS_LEVELS_MOST  8

struct refs_options {
	const char *cache;
	size_t objects;  /* to look for */
	double budget_s; /* CPU time that it may take; 0: no limit */
	uint32_t
		threads; /* that scan at the same time; 0: as many as the size of memory suggests */
	uint32_t levels; /* scans for what holds what points to the objects, at most */
};

/* Returns 0, or −errno after printing the reason; then *out is unchanged. */
int refs_take(const struct plan *plan, const struct refs_options *options, struct refs *out);

#endif
