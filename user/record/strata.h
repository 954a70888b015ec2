/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Divides what samples may cost among the strata (bpf/sample.bpf.h): strata whose objects stay get
 * short sampling periods, down to every object; churn gets long ones, but never none. Pure: the
 * recorder reads the strata, calls strata_step() and sets the periods.
 */
#ifndef KMEMTRACE_RECORD_STRATA_H
#define KMEMTRACE_RECORD_STRATA_H

#include <stdbool.h>
#include <stdint.h>

#include "kmemtrace.h"
#include "trace/tracer.h"

/*
 * The longest period, in bytes. A call site that begins to keep its objects is found after 5
 * samples, that is, once it keeps some 20 MiB. Each CPU can afford it: at 1 GiB allocated a second,
 * it is 256 samples a second. Only where even that is too dear are periods longer.
 */
#define STRATA_PERIOD_MOST (4u << 20)
/* So many samples of what a stratum holds are enough: an error of 1.6 %. */
#define STRATA_HELD_SAMPLES 4096
/* … and so many a second. */
#define STRATA_RATE_SAMPLES 2000
/* A rate is taken over this time at least. */
#define STRATA_RATE_S 0.5

struct stratum {
	struct stratum_counts was; /* at the last step */
	double rate;               /* bytes allocated a second, smoothed */
	double growing;  /* bytes by which /proc says that it grew, as far as samples do not */
	uint32_t period; /* bytes; KMT_EVERY: every object */
};

struct strata {
	uint32_t least;                      /* the shortest period allowed */
	uint32_t kstack_least, percpu_least; /* … of these pools */
	double stretch; /* all periods are longer by this factor, because the live table fills */
	struct stratum at[KMT_STRATA];
};

/* The pool of a stratum, an enum kmt_pool. */
int strata_pool(uint32_t stratum);

/* Begin. `least` is the shortest period: KMT_EVERY, or what the user gave. */
void strata_init(struct strata *s, uint64_t least);

/*
 * Set all periods by what happened in the last passed_s seconds, so that no more than
 * `samples_per_s` are taken. `live_fill` is the fill of the live table, 0…1. The allocation is
 * Neyman's (Cochran, Sampling Techniques, 3rd ed., 5.5): the variance of the sum of what is held is
 * Σ held × period, and the cost Σ rate / period, so the best period is proportional to
 * sqrt(rate / held).
 */
void strata_step(struct strata *s, const struct stratum_counts *now, double passed_s,
		 double samples_per_s, double live_fill);

/* /proc says that a cache (of this row; 0: not slab) or a pool grew by so many bytes. */
void strata_grew(struct strata *s, int pool, uint32_t cache, double bytes);

#endif
