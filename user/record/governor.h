/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Keeps the cost of tracing within a share of all CPU time. Policy only: it must never touch the
 * tracer. Its inputs are readings of the programs' run time. Its outputs are sampling periods and,
 * if the budget is a limit, the pools to pause. The recorder takes the readings and carries out the
 * decisions. Changing a period never biases a sum (bpf/sample.bpf.h). A longer period does not make
 * the events themselves cheaper. If they alone exceed the budget, the governor reports that, or
 * pauses the most expensive pools and estimates the events it missed.
 *
 * CONTRIBUTING.md, "A governor rule", lists the steps of adding one.
 */
#ifndef KMEMTRACE_RECORD_GOVERNOR_H
#define KMEMTRACE_RECORD_GOVERNOR_H

#include <stdbool.h>
#include <stdint.h>

#include "kmemtrace.h"
#include "trace/cost.h"

#define GOVERNOR_BUDGET   1.0   /* percent of all CPU time, unless --max-overhead says otherwise */
#define GOVERNOR_WINDOW_S 0.008 /* length of a reading, */
#define GOVERNOR_EVERY_S  0.5   /* and the time between readings: measuring costs CPU time too */

struct governor_options {
	double budget;         /* percent of all CPU time */
	bool exact;            /* start by tracking every object */
	bool may_sample;       /* … and may switch to sampling */
	bool may_refine;       /* may sample finer than sample_bytes while that is cheap */
	bool may_pause;        /* the budget is a limit: pools that do not fit are paused */
	uint64_t sample_bytes; /* the initial period */
};

enum governor_state {
	GOVERNOR_HOLDS,
	GOVERNOR_OVER,  /* exact, over budget, and not allowed to sample */
	GOVERNOR_FLOOR, /* the events alone exceed the budget, even without samples */
};

struct governor {
	struct governor_options options;

	/* what is decided: the recorder carries it out */
	uint64_t period[KMT_POOLS]; /* sampling periods in bytes; KMT_EVERY: every object */
	bool exact;                 /* every object is still tracked */
	bool paused[KMT_POOLS];     /* not watched now … */
	bool probe; /* … except during the next window, to measure the current price */

	/* what is known, for messages and reports */
	enum governor_state state;
	double cost;  /* of the last reading, in percent of all CPU time; at most 100 */
	double floor; /* … the part that the events of the watched pools cost without samples */
	double cost_sum;                 /* of all readings, in percent */
	int readings;                    /* their number */
	double highest_price[KMT_POOLS]; /* the highest price of a pool while it was paused */
	double paused_s[KMT_POOLS];      /* seconds that a pool was not watched, … */
	double not_watched; /* … and the events missed in that time, at the rate of the last probe
			     */
	/* the periods in force so far, while sampling */
	double sampled_s;           /* how long sampling has been on, in seconds */
	double period_s[KMT_POOLS]; /* bytes × seconds: the mean is this over sampled_s */
	uint64_t period_least[KMT_POOLS], period_most[KMT_POOLS];

	/* what one reading leaves for the next */
	double price[KMT_POOLS]; /* what a pool's events cost without samples, in percent of all CPU
				    time, when last watched … */
	double rate[KMT_POOLS];  /* … and how many there were per second */
	double at_s;        /* paused_s, not_watched and the periods are counted up to this time */
	double last_factor; /* factor for the periods that the last reading asked for; ≥ 1 */
	int over_in_a_row;  /* readings over budget, one after the other */
	int probe_every, probe_in; /* readings between two probes; and until the next */
	double resumed_s;          /* when a pool was last resumed */
};

void governor_init(struct governor *g, const struct governor_options *options);
/* Decide by a new reading. True if a period changed. */
bool governor_step(struct governor *g, const struct cost_reading *reading);
/* Update paused_s, not_watched and the periods in force to now_s, on the clock of
 * cost_reading.at_s. */
void governor_count_paused(struct governor *g, double now_s);
/* Mean cost in percent; < 0 if there was no reading. */
double governor_mean(const struct governor *g);

#endif
