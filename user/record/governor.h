/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Keeps the cost of tracing within a share of all CPU time. Policy only: it must never touch the
 * tracer. Its inputs are readings of the programs' run time. Its outputs are the share of CPU time
 * that samples may take and, if the budget is a limit, the pools to pause. The recorder takes the
 * readings and carries out the decisions; strata.c divides the share. Fewer samples do not make the
 * events themselves cheaper. If they alone exceed the budget, the governor reports that, or pauses
 * the most expensive pools and estimates the events it missed. Samples still get a small share.
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

/*
 * What samples may take, in percent of all CPU time. If the user gave no budget, it is a small part
 * of what the events cost, so that sampling changes the cost of tracing little; but at least
 * GOVERNOR_SAMPLES_LEAST, and at most GOVERNOR_SAMPLES. If the user gave one, it is what the events
 * leave of it, and at least GOVERNOR_SAMPLES. No lower bound exceeds a quarter of the budget.
 */
#define GOVERNOR_SAMPLES       0.25
#define GOVERNOR_SAMPLES_LEAST 0.05
#define GOVERNOR_SAMPLES_COST  0.03 /* of the events' cost */
#define GOVERNOR_SAMPLES_PART  0.25

struct governor_options {
	double budget;   /* percent of all CPU time */
	bool exact;      /* start by tracking every object */
	bool may_sample; /* … and may switch to sampling */
	bool may_pause;  /* the budget is a limit: pools that do not fit are paused */
};

enum governor_state {
	GOVERNOR_HOLDS,
	GOVERNOR_OVER,  /* exact, over budget, and not allowed to sample */
	GOVERNOR_FLOOR, /* the events alone exceed the budget, even without samples */
};

struct governor {
	struct governor_options options;

	/* what is decided: the recorder carries it out */
	double room;            /* what samples may take, in percent of all CPU time */
	bool exact;             /* every object is still tracked */
	bool paused[KMT_POOLS]; /* not watched now … */
	bool probe; /* … except during the next window, to measure the current price */

	/* what is known, for messages and reports */
	enum governor_state state;
	double cost;  /* of the last reading, in percent of all CPU time; at most 100 */
	double floor; /* … the part that the events of the watched pools cost without samples */
	double cost_sum;                 /* of all readings, in percent, … */
	double sampling_sum;             /* … and the part that samples took */
	int readings;                    /* their number */
	double highest_price[KMT_POOLS]; /* the highest price of a pool while it was paused */
	double paused_s[KMT_POOLS];      /* seconds that a pool was not watched, … */
	double not_watched; /* … and the events missed in that time, at the rate of the last probe
			     */
	/* what one reading leaves for the next */
	double price[KMT_POOLS]; /* what a pool's events cost without samples, in percent of all CPU
				    time, when last watched … */
	double rate[KMT_POOLS];  /* … and how many there were per second */
	double at_s;             /* paused_s and not_watched are counted up to this time */
	double sample_ns;        /* time that one sample takes */
	int over_in_a_row;       /* readings over budget, one after the other */
	int probe_every, probe_in; /* readings between two probes; and until the next */
	double resumed_s;          /* when a pool was last resumed */
};

void governor_init(struct governor *g, const struct governor_options *options);
/* Decide by a new reading. */
void governor_step(struct governor *g, const struct cost_reading *reading);
/* Update paused_s and not_watched to now_s, on the clock of cost_reading.at_s. */
void governor_count_paused(struct governor *g, double now_s);
/* Mean cost in percent; < 0 if there was no reading. */
double governor_mean(const struct governor *g);
/* … and the part of it that samples took. */
double governor_mean_sampling(const struct governor *g);
/* How many samples a second fit in `room`, on `cpus` CPUs. */
double governor_samples(const struct governor *g, double cpus);

#endif
