/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Takes a census: loads the programs of bpf/census.bpf.c, runs them over the page frames in short
 * runs and at low priority, and unloads them. Used by `kmemtrace census`, and needs no tracer. It
 * only reads.
 */
#ifndef KMEMTRACE_TRACE_CENSUS_H
#define KMEMTRACE_TRACE_CENSUS_H

#include <stdint.h>

#include "data/census.h"
#include "trace/plan.h"

#define CENSUS_BUDGET_S 0.5 /* the default of --census-budget */

struct census_options {
	double budget_s; /* CPU time that the scan may take; 0: no limit */
	uint64_t seed;   /* of the random sample; 0: a random one */
};

#define CENSUS_WHY_MAX 512
/*
 * Why this kernel or process allows no census, and what to do; "" if it does. Pure: a function of
 * the facts. Returns `why`.
 */
const char *census_refusal(const struct kernel_facts *facts, char why[CENSUS_WHY_MAX]);

/* Take it. Returns 0, or −errno after printing the reason; then *out is unchanged. */
int census_take(const struct plan *plan, const struct census_options *options, struct census *out);

#endif
