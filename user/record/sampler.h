/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sets the sampling periods of a recording: reads what the programs saw of each stratum, and what
 * /proc says that grew, lets strata.c decide, and tells the tracer. It also keeps the periods that
 * were in force, for the report. The recorder calls it.
 */
#ifndef KMEMTRACE_RECORD_SAMPLER_H
#define KMEMTRACE_RECORD_SAMPLER_H

#include "data/snapshot.h"
#include "record/governor.h"
#include "record/strata.h"

struct sampler {
	struct tracer *tracer;
	struct strata strata;
	struct stratum_counts counts[KMT_STRATA];
	double at_s;
	struct {
		double least, most; /* periods in force; 0: none yet */
	} pools[KMT_POOLS];
	double cache_most[KMT_CACHES + KMT_PROBES]; /* by row of the cache table */
	struct snapshot start;                      /* levels when the recording began */
};

/* Begin to sample. `least` is the shortest period, KMT_EVERY if the governor may choose. */
void sampler_start(struct sampler *s, struct tracer *tracer, uint64_t least,
		   const struct governor *g);
/* Set the periods anew. */
void sampler_step(struct sampler *s, double now_s, const struct governor *g, double live_fill);
/*
 * New levels of /proc: what grew more than was traced is sampled finer. The first call takes over
 * the levels that the others are compared with, and leaves *levels empty.
 */
void sampler_levels_begin(struct sampler *s, struct snapshot *levels);
void sampler_levels(struct sampler *s, const struct snapshot *levels);

/* Note the periods that were in force since the last step, where samples were taken. */
void sampler_note(struct sampler *s);
/*
 * The periods noted, as META_PERIODS and META_CACHE_PERIODS store them (data/capture.h). Return
 * a string to free, or NULL if memory runs out.
 */
char *sampler_periods(const struct sampler *s);
char *sampler_cache_periods(const struct sampler *s);

void sampler_free(struct sampler *s);

#endif
