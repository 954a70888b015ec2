/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Takes a census: loads the programs of bpf/census.bpf.c, and runs them over the page frames in
 * short runs and at low priority. Used by `kmemtrace census`, and needs no tracer. A recording
 * takes two and keeps the programs meanwhile, because it gives up the privilege to load them. It
 * only reads.
 */
#ifndef KMEMTRACE_TRACE_CENSUS_H
#define KMEMTRACE_TRACE_CENSUS_H

#include <stdbool.h>
#include <stdint.h>

#include "data/census.h"
#include "trace/plan.h"

#define CENSUS_BUDGET_S 0.5 /* the default of --census-budget */

struct tracked_objects;

struct census_options {
	double budget_s;     /* CPU time that the scan may take; 0: no limit */
	uint64_t seed;       /* of the random sample; 0: a random one */
	bool names;          /* with lenses: name directories, open files, … */
	bool traces;         /* read the call paths that debugfs has: proc/alloc_records.h */
	bool lenses;         /* look at objects, too; the programs for that must have been loaded */
	double lenses_share; /* of the budget that they may take; 0: all that the scan leaves */
	/* Asked between runs: should it stop? NULL: never. census_run() then returns −EINTR. */
	bool (*stop)(void *arg);
	void *arg;
	bool kinds;         /* also look at objects, if the taker was made for it: trace/kinds.h */
	double typed_share; /* of all slabs: of kinds with less memory, no types are found */
	/* Objects that a recording tracks, with the capture's ids of stacks; NULL: none. */
	const struct tracked_objects *tracked;
};

#define CENSUS_WHY_MAX 512
/*
 * Why this kernel or process allows no census, and what to do; "" if it does. Pure: a function of
 * the facts. Returns `why`.
 */
const char *census_refusal(const struct kernel_facts *facts, char why[CENSUS_WHY_MAX]);

struct census_taker;

/*
 * Load the programs, with those that look at objects if wanted; borrows the plan. Returns 0, or
 * −errno; prints nothing.
 */
int census_taker_new(const struct plan *plan, bool objects, struct census_taker **out);
/* Take a census. Returns 0, or −errno, and then *out is unchanged; prints nothing. */
int census_taker_run(struct census_taker *t, const struct census_options *options,
		     struct census *out);
/* Kernel memory of its maps and programs. */
uint64_t census_taker_own_bytes(const struct census_taker *t);
void census_taker_free(struct census_taker *t); /* NULL is fine */
/* Why one of these failed with −err, and what to do: words that follow "no census: ". */
const char *census_failure(int err, char why[CENSUS_WHY_MAX]);

/* Take one census. Returns 0, or −errno after printing the reason; then *out is unchanged. */
int census_take(const struct plan *plan, const struct census_options *options, struct census *out);

#endif
