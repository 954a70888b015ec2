/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Keeps the cost of tracing to a share of all CPU time by moving the sampling periods. Policy only: readings
 * of the programs' own run time in, periods out; the recorder takes the readings and sets the periods.
 * Periods never bias a sum (bpf/sample.bpf.h), so it may move them as it likes. What it cannot lower is the
 * price of the events themselves: it then says so.
 */
#ifndef KMEMTRACE_LIVE_GOVERNOR_H
#define KMEMTRACE_LIVE_GOVERNOR_H

#include <stdbool.h>
#include <stdint.h>

#include "kmemtrace.h"

#define GOVERNOR_BUDGET 1.0 /* percent of all CPU time, unless --max-overhead says otherwise */

struct governor_options {
	double budget;          /* percent of all CPU time */
	bool exact;             /* begins by taking every object */
	bool may_sample;        /* … and may fall to sampling */
	bool may_refine;        /* may sample more than sample_bytes where that costs little */
	uint64_t sample_bytes;  /* the period to begin with */
};

/* What the programs did in one window, by pool. */
struct governor_reading {
	double cpu_ns; /* length of the window × CPUs online */
	struct {
		double run_ns;
		double runs;
	} pool[KMT_POOLS];
	double samples;   /* allocations taken */
	double live_fill; /* of the live table, 0…1 */
};

enum governor_state {
	GOVERNOR_HOLDS,
	GOVERNOR_OVER,       /* exact, over its budget, and may not sample */
	GOVERNOR_FLOOR,      /* the events alone, none of them sampled, cost more than the budget */
};

struct governor {
	struct governor_options options;
	uint64_t period[KMT_POOLS]; /* to be set now; KMT_EVERY: every object */
	bool exact;                 /* still */
	enum governor_state state;
	double cost;     /* percent, of the last reading */
	double cost_sum; /* of all readings, */
	int readings;    /* which are so many */
	double idle_ns[KMT_POOLS]; /* of a run that takes no sample */
	int nr_over;     /* readings over budget in a row */
};

void governor_init(struct governor *g, const struct governor_options *options);
/* A reading from before anything is recorded: what a run costs that takes no sample. */
void governor_calibrate(struct governor *g, const struct governor_reading *reading);
/* True when a period changed. */
bool governor_step(struct governor *g, const struct governor_reading *reading);
/* Mean cost in percent, < 0 when nothing was read. */
double governor_mean(const struct governor *g);

#endif
