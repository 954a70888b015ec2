/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Decides which page frames a census counts, and adds up what is found in them: all frames if there
 * is time, otherwise a stratified random sample. Apart from BPF and clocks, so that tests can count
 * machines that do not exist.
 *
 * The sample: memory is divided into strata of equal size, in order of address. From each, two
 * units of CENSUS_UNIT frames are drawn at random without replacement. The difference between the
 * two shows how far the sum may be off (Cochran, Sampling Techniques, 5A.12). Strata are visited in
 * random order, so that a scan that is stopped has still seen a random sample.
 */
#ifndef KMEMTRACE_TRACE_CENSUS_SAMPLE_H
#define KMEMTRACE_TRACE_CENSUS_SAMPLE_H

#include <stdint.h>

#include "base/array.h"
#include "data/census.h"
#include "kmemtrace.h"

_Static_assert(CENSUS_UNIT == KMT_CENSUS_FRAMES && (int)CENSUS_CLASSES == KMT_PAGE_CLASSES &&
		       (int)CENSUS_REST == KMT_PAGE_REST && (int)CENSUS_TABLE == KMT_PAGE_TABLE,
	       "both sides must number the classes alike");

/* Page frames that may exist, in order of address, without overlap. */
struct frame_range {
	uint64_t first, end;
	int node; /* −1: the memory of the nodes is interleaved, so it is not known */
};

struct frame_ranges {
	ARRAY_OF(struct frame_range);
};

/*
 * The ranges of the zones of /proc/zoneinfo. Returns 0, −ENODATA if it has none with a first frame,
 * or −ENOMEM.
 */
int frame_ranges_build(const struct zone_levels *zones, struct frame_ranges *out);

/* Units that were counted together. */
struct census_run {
	uint64_t first;  /* number of the run's first unit among those counted; units 2n and 2n + 1
			    are of one stratum */
	size_t nr;       /* blocks */
	const int *node; /* of each block */
};

struct census_counting {
	/*
	 * Classify run->nr blocks, at most KMT_CENSUS_BLOCKS, and add up what else is in them.
	 * Returns 0 or −errno.
	 */
	int (*count)(void *arg, struct kmt_census_block *blocks, const struct census_run *run);
	uint64_t (*cpu_ns)(void *arg); /* CPU time taken until now */
	void (*forget)(void *arg);     /* what was added up. NULL: nothing was */
	void *arg;
	uint64_t budget_ns; /* CPU time that it may take; 0: no limit */
	uint64_t seed;      /* of the random sample */
};

/*
 * Count the frames. Fills in units, counted, frames and pages of `out`; `out` is undefined on
 * failure. Returns 0 or −errno. Takes at most about twice the budget, even if the CPU slows down.
 */
int census_count(const struct census_counting *how, const struct frame_ranges *ranges,
		 struct census *out);

#endif
