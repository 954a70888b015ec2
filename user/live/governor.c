// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cost = runs × (what a run costs that takes no sample) + what samples cost, and the second is inversely
 * proportional to the period: one division finds the period that fits the budget. See governor.h.
 */
#include "live/governor.h"

#include <string.h>

#define TARGET       0.9  /* of the budget: what is aimed at */
#define DEAD_BAND    1.25 /* smaller changes are not made */
#define FASTEST_DOWN 2.0  /* a period falls by so much at a time, but rises at once */
#define LEAST_ROOM   0.1  /* of the budget is always left to samples: a trace without any is none */
#define PERIOD_LEAST (32ull << 10)
#define PERIOD_MOST  (1ull << 30)
#define FILL_MOST    0.6  /* a fuller live table makes the periods longer, too */
#define IDLE_NS      30   /* until it is known better */
#define SAMPLE_NS    2000 /* no sample costs more on average: unwound, looked up, written, freed */
#define FEW          0.05 /* of the run time, at most: then the rest is what runs without a sample cost */
#define RUNS_ENOUGH  1000
#define OVER_READINGS 2   /* in a row, before exact mode gives in or complains */

void governor_init(struct governor *g, const struct governor_options *options)
{
	memset(g, 0, sizeof(*g));
	g->options = *options;
	g->exact = options->exact;
	for (int p = 0; p < KMT_POOLS; p++) {
		g->period[p] = options->exact ? KMT_EVERY : options->sample_bytes;
		g->idle_ns[p] = IDLE_NS;
	}
}

void governor_calibrate(struct governor *g, const struct governor_reading *r)
{
	for (int p = 0; p < KMT_POOLS; p++)
		if (r->pool[p].runs >= 100)
			g->idle_ns[p] = r->pool[p].run_ns / r->pool[p].runs;
}

double governor_mean(const struct governor *g)
{
	return g->readings ? g->cost_sum / g->readings : -1;
}

/* Over budget in exact mode: begin to sample, or say what it costs. */
static bool exact_step(struct governor *g)
{
	g->nr_over = g->cost > g->options.budget ? g->nr_over + 1 : 0;
	if (g->nr_over < OVER_READINGS) {
		g->state = GOVERNOR_HOLDS;
		return false;
	}
	g->state = GOVERNOR_OVER;
	if (!g->options.may_sample)
		return false;
	g->state = GOVERNOR_HOLDS;
	g->exact = false;
	for (int p = 0; p < KMT_POOLS; p++)
		g->period[p] = g->options.sample_bytes;
	return true;
}

static uint64_t period_clamp(const struct governor *g, double period)
{
	/* where the events alone cost too much, samples are not made finer on top of it */
	bool refine = g->options.may_refine && g->state == GOVERNOR_HOLDS;
	double least = refine ? PERIOD_LEAST : g->options.sample_bytes;

	if (period < least)
		return least;
	return period > PERIOD_MOST ? PERIOD_MOST : (uint64_t)period;
}

static bool periods_scale(struct governor *g, double factor)
{
	bool changed = false;

	for (int p = 0; p < KMT_POOLS; p++) {
		uint64_t period = period_clamp(g, g->period[p] * factor);

		changed |= period != g->period[p];
		g->period[p] = period;
	}
	return changed;
}

/*
 * The part of a reading, in ns, that samples did not cause. Where there were few, that is all of it, and the
 * price of a run is learned: it moves with the machine's caches.
 */
static double idle_part(struct governor *g, const struct governor_reading *r, double all)
{
	double most = r->samples * SAMPLE_NS, idle = 0;

	for (int p = 0; p < KMT_POOLS; p++) {
		if (most < FEW * all && r->pool[p].runs >= RUNS_ENOUGH)
			g->idle_ns[p] = r->pool[p].run_ns / r->pool[p].runs;
		idle += r->pool[p].runs * g->idle_ns[p];
	}
	if (idle > all)
		idle = all;
	return all - idle > most ? all - most : idle;
}

bool governor_step(struct governor *g, const struct governor_reading *r)
{
	double all = 0, idle, room, factor;

	if (r->cpu_ns <= 0)
		return false;
	for (int p = 0; p < KMT_POOLS; p++)
		all += r->pool[p].run_ns;
	g->cost = 100 * all / r->cpu_ns;
	g->cost_sum += g->cost;
	g->readings++;
	if (g->exact)
		return exact_step(g);

	idle = 100 * idle_part(g, r, all) / r->cpu_ns;
	g->state = idle > g->options.budget ? GOVERNOR_FLOOR : GOVERNOR_HOLDS;
	room = TARGET * g->options.budget - idle;
	if (room < LEAST_ROOM * g->options.budget)
		room = LEAST_ROOM * g->options.budget;
	factor = (g->cost - idle) / room; /* of the period */
	if (factor < 1 / FASTEST_DOWN)
		factor = 1 / FASTEST_DOWN;
	if (r->live_fill > FILL_MOST && factor < DEAD_BAND)
		factor = FASTEST_DOWN;
	else if (factor > 1 / DEAD_BAND && factor < DEAD_BAND)
		return false;
	else if (factor < 1 && r->live_fill > FILL_MOST / 2)
		return false; /* finer samples would only fill the table */
	return periods_scale(g, factor);
}
