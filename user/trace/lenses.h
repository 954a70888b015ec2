/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Looks at the objects of slab caches through lenses: loads the programs of bpf/lenses.bpf.c and
 * runs them over the blocks in which the census found slabs. Called by census.c while it counts. It
 * only reads.
 */
#ifndef KMEMTRACE_TRACE_LENSES_H
#define KMEMTRACE_TRACE_LENSES_H

#include "data/census.h"
#include "trace/lens_blocks.h"
#include "trace/plan.h"

/* Of the budget of a census, its scan leaves at least this share to the lenses. */
#define LENSES_SHARE 0.25

struct lenses_options {
	const struct lens_blocks *blocks;
	uint64_t frame_base, page_base; /* 0: not known, then there are no lenses */
	uint64_t units, counted;        /* blocks of the census */
	uint64_t budget_ns;             /* CPU time that it may take; 0: no limit */
	uint64_t seed;                  /* of the random sample; not 0 */
	bool names;                     /* name directories, open files and mount points */
	/* The cache behind an address, and the index of an owner's cgroup or LENS_NO_CGROUP. */
	const struct kmt_census_cache *(*cache)(void *arg, uint64_t address);
	uint32_t (*cgroup)(void *arg, uint64_t owner);
	void (*rest)(void *arg); /* called between runs */
	void *arg;
};

struct lens_programs;

/*
 * Load the programs, before the census counts: that takes CPU time that is no part of the count.
 * Returns 0 or −errno.
 */
int lenses_open(const struct plan *plan, struct lens_programs **out);
void lenses_close(struct lens_programs *p);
/* Kernel memory of its maps and programs; 0 if `p` is NULL. */
uint64_t lenses_own_bytes(const struct lens_programs *p);

/*
 * Fill in `out`. A census works without lenses: if `p` is NULL because lenses_open() returned
 * `why`, out->absent says so. Returns 0 or −ENOMEM; then `out` is unchanged.
 */
int lenses_take(struct lens_programs *p, int why, const struct lenses_options *options,
		struct census_lenses *out);

#endif
