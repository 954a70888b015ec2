/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Keeps the cost of tracing to a share of all CPU time. Policy only: readings of the programs' own
 * run time in; out come sampling periods and, where the budget is a limit, the pools that are not
 * to be watched for now. The recorder takes the readings and carries it out. Periods never bias a
 * sum (bpf/sample.bpf.h), so it may move them as it likes. What they cannot lower is the price of
 * the events themselves: it then says so, or pauses the dearest pools and counts what went by
 * unseen.
 */
#ifndef KMEMTRACE_RECORD_GOVERNOR_H
#define KMEMTRACE_RECORD_GOVERNOR_H

#include <stdbool.h>
#include <stdint.h>

#include "kmemtrace.h"
#include "trace/cost.h"

#define GOVERNOR_BUDGET   1.0   /* percent of all CPU time, unless --max-overhead says otherwise */
#define GOVERNOR_WINDOW_S 0.008 /* what a reading is of, */
#define GOVERNOR_EVERY_S  0.5   /* and how often it is taken: measuring costs, too */

struct governor_options {
	double budget;   /* percent of all CPU time */
	bool exact;      /* begins by taking every object */
	bool may_sample; /* … and may fall to sampling */
	bool may_refine; /* may sample more than sample_bytes where that costs little */
	bool may_pause;  /* the budget is a limit: what cannot be kept below it is not watched */
	uint64_t sample_bytes; /* the period to begin with */
};

enum governor_state {
	GOVERNOR_HOLDS,
	GOVERNOR_OVER,  /* exact, over its budget, and may not sample */
	GOVERNOR_FLOOR, /* the events alone, none of them sampled, cost more than the budget */
};

struct governor {
	struct governor_options options;
	uint64_t period[KMT_POOLS]; /* to be set now; KMT_EVERY: every object */
	bool exact;                 /* still */
	bool paused[KMT_POOLS];     /* not to be watched … */
	bool probe; /* … but during the next window, to see what that would cost now */
	enum governor_state state;
	double cost;             /* percent, of the last reading: at most 100, of all CPUs */
	double floor;            /* … what the events alone cost, of the pools that are watched */
	double cost_sum;         /* of all readings, */
	int readings;            /* which are so many */
	double price[KMT_POOLS]; /* percent: what a pool's events cost without samples, when last
				    watched, */
	double rate[KMT_POOLS];  /* and how many they were a second */
	double dearest[KMT_POOLS];  /* the highest price of a pool while it was paused */
	double paused_s[KMT_POOLS]; /* time that a pool was not watched, */
	double not_watched; /* and events of all pools meanwhile, at the rate of the last probe */
	double at_s;        /* up to then */
	double last_factor; /* of the period, that the last reading asked for; 1 or more */
	int nr_over;        /* readings over budget in a row */
	int probe_every, probe_in; /* readings */
	double resumed_s;          /* when a pool was last taken back */
};

void governor_init(struct governor *g, const struct governor_options *options);
/* True when a period changed. */
bool governor_step(struct governor *g, const struct cost_reading *reading);
/* Bring paused_s and not_watched up to now, on the clock of cost_reading.at_s. */
void governor_count_paused(struct governor *g, double now_s);
/* Mean cost in percent, < 0 when nothing was read. */
double governor_mean(const struct governor *g);

#endif
