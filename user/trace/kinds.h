/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds out of what kind the objects of slab caches are: lets bpf/kinds.bpf.c (kinds_load.h) look
 * at a sample of live objects of the largest caches, groups them (kinds_group.h) and finds the
 * types that fit (kinds_score.h). In a recording it also tells of what kinds the objects of each
 * call path are (kinds_tracked.h). The census calls it after its scan, and works without it.
 */
#ifndef KMEMTRACE_TRACE_KINDS_H
#define KMEMTRACE_TRACE_KINDS_H

#include <stdint.h>

#include "data/census.h"
#include "kmemtrace.h"
#include "trace/kinds_load.h"
#include "trace/kinds_sample.h"
#include "trace/kinds_tracked.h"
#include "trace/plan.h"

/* What the census knows already. */
struct kinds_input {
	const struct plan *plan;
	const struct kinds_programs *programs;
	const struct kmt_audit *answers; /* of audit_gather() */
	uint64_t frame_base, page_base;  /* struct page of frame 0, and of address 0 */
	uint64_t percpu;                 /* distance to the first CPU's variables */
	uint64_t frames;                 /* the last page frame plus one */
	uint32_t page_bytes;             /* of a struct page */
	struct kinds_sample *sample;
	const struct tracked_objects *tracked; /* NULL: no recording */
	const uint64_t *addresses;             /* of each cache of the census */
	double budget_s;                       /* CPU time for looking at objects */
	double typed_share; /* of all slabs: kinds with less memory are not compared with types */
	/* Read the free objects on CPUs' lists of a cache, in several runs. 0 or −errno. */
	int (*gather)(void *arg, uint64_t cache, uint32_t run);
	uint32_t gather_runs;
	const struct kmt_census_cache *(*ask)(void *arg, uint64_t cache);
	/* The index of the cgroup of an owner; CENSUS_NO_CGROUP if it is not known. */
	uint32_t (*cgroup)(void *arg, uint64_t owner);
	void (*rest)(void *arg); /* called often, so that nobody has to wait: background.h */
	void *arg;
	bool (*stop)(void *arg); /* asked often: stop looking? NULL: never */
	void *stop_arg;
};

/* Fills in out->kinds; if that is not possible, out->kinds.why says why. Returns 0 or −ENOMEM. */
int kinds_take(const struct kinds_input *in, struct census *out);

/* ---- pure parts, for tests ---- */

struct kinds_names;
struct kind_cache;

/* Is it a cache for objects of any type of about its size, such as kmalloc-64? Sets both. */
void kind_cache_classify(struct kind_cache *c);

/*
 * Of how many independent objects a sample of `nr` says as much about the share of those marked in
 * `of`, if objects of the same unit (units[i]) are alike.
 */
double kinds_effective(const uint64_t *units, const uint8_t *of, size_t nr);

#endif
