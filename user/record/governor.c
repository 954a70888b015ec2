// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cost is the cost of events that are not sampled plus the cost of samples. The second is
 * inversely proportional to the sampling period, so one division gives the period that fits the
 * budget. If the events alone exceed the budget, pools are paused. See governor.h.
 */
#include "record/governor.h"

#include <math.h>
#include <string.h>

#define TARGET    0.9  /* aim at this share of the budget */
#define DEAD_BAND 1.25 /* ignore smaller changes */
#define FASTEST_DOWN \
	2.0 /* a period falls by at most this factor at a time, but rises as far as needed */
#define LEAST_ROOM                                                                           \
	0.02 /* always leave this share of the budget to samples: a trace without samples is \
		useless */
#define PERIOD_LEAST (32ull << 10)
#define PERIOD_MOST  (1ull << 30)
#define FILL_MOST    0.6 /* a fuller live table also makes the periods longer */
#define OVER_READINGS                                                               \
	2 /* in a row, before exact mode gives in or complains, or a pool is paused \
	   */

/*
 * Shares of the budget: pools whose events cost more are paused, and resumed once they cost less
 * than the second value.
 */
#define PAUSE_ABOVE  1.2
#define RESUME_BELOW 0.8
/*
 * Readings between probes. A pool whose events take 40 % of all CPU time costs 0.3 % this way. If a
 * pool is paused again and again, probes become rarer.
 */
#define PROBE_EVERY 4
#define PROBE_MOST  64
#define SETTLED_S   30 /* a pool paused this long after it was resumed counts as a new case */

void governor_init(struct governor *g, const struct governor_options *options)
{
	memset(g, 0, sizeof(*g));
	g->options = *options;
	g->exact = options->exact;
	g->probe_every = PROBE_EVERY;
	g->resumed_s = -INFINITY;
	g->last_factor = 1;
	for (int p = 0; p < KMT_POOLS; p++)
		g->period[p] = options->exact ? KMT_EVERY : options->sample_bytes;
}

double governor_mean(const struct governor *g)
{
	return g->readings ? g->cost_sum / g->readings : -1;
}

/* Over budget in exact mode: start sampling if allowed, else report the cost. */
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
	g->nr_over = 0;
	for (int p = 0; p < KMT_POOLS; p++)
		g->period[p] = g->options.sample_bytes;
	return true;
}

static uint64_t period_clamp(const struct governor *g, double period)
{
	/* do not refine sampling while the events alone exceed the budget */
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

/* ---- paused pools ---- */

/* The periods that were in force for the last passed_s seconds. */
static void periods_count(struct governor *g, double passed_s)
{
	if (g->exact || !(passed_s > 0))
		return;
	for (int p = 0; p < KMT_POOLS; p++) {
		if (!(g->sampled_s > 0) || g->period[p] < g->period_least[p])
			g->period_least[p] = g->period[p];
		if (g->period[p] > g->period_most[p])
			g->period_most[p] = g->period[p];
		g->period_s[p] += passed_s * (double)g->period[p];
	}
	g->sampled_s += passed_s;
}

void governor_count_paused(struct governor *g, double now_s)
{
	double passed_s = now_s - g->at_s;

	periods_count(g, passed_s);
	for (int p = 0; p < KMT_POOLS; p++)
		if (g->paused[p]) {
			g->paused_s[p] += passed_s;
			g->not_watched += passed_s * g->rate[p];
		}
	g->at_s = now_s;
}

/* Of the pools not yet in `done`, the one whose events cost least. */
static int pool_cheapest(const struct governor *g, const bool *done)
{
	int least = -1;

	for (int p = 0; p < KMT_POOLS; p++)
		if (!done[p] && (least < 0 || g->price[p] < g->price[least]))
			least = p;
	return least;
}

/* Watch as many of the cheapest pools as fit the budget. */
static void pools_choose(struct governor *g)
{
	bool done[KMT_POOLS] = {}, paused[KMT_POOLS] = {}, more = false, fewer = false;
	double sum = 0;

	for (int n = 0; n < KMT_POOLS; n++) {
		int p = pool_cheapest(g, done);

		done[p] = true;
		paused[p] = sum + g->price[p] >
			    g->options.budget * (g->paused[p] ? RESUME_BELOW : PAUSE_ABOVE);
		if (!paused[p])
			sum += g->price[p];
		more |= paused[p] && !g->paused[p];
		fewer |= !paused[p] && g->paused[p];
	}
	g->nr_over = more ? g->nr_over + 1 : 0;
	if (more && g->nr_over < OVER_READINGS)
		return; /* a single burst must not pause a pool */
	if (more)
		g->probe_every = g->at_s - g->resumed_s > SETTLED_S
					 ? PROBE_EVERY
					 : fmin(2 * g->probe_every, PROBE_MOST);
	if (fewer)
		g->resumed_s = g->at_s;
	if (more || fewer)
		g->probe_in = g->probe_every;
	memcpy(g->paused, paused, sizeof(paused));
	for (int p = 0; p < KMT_POOLS; p++)
		if (paused[p])
			g->dearest[p] = fmax(g->dearest[p], g->price[p]);
}

/* Schedule the next window in which paused pools are probed. */
static void probe_schedule(struct governor *g)
{
	bool any = false;

	for (int p = 0; p < KMT_POOLS; p++)
		any |= g->paused[p];
	g->probe = any && --g->probe_in <= 0;
	if (g->probe)
		g->probe_in = g->probe_every;
}

/* ---- a reading ---- */

/*
 * The factor by which the period rises: what two readings in a row agree on. A shorter burst costs
 * little.
 */
static double rise_twice(struct governor *g, double factor)
{
	double agreed = fmin(factor, g->last_factor);

	g->last_factor = fmax(factor, 1);
	return factor > 1 ? agreed : factor;
}

/*
 * A share of CPU time in percent, capped at 100. The sum of run times can exceed the CPU time: an
 * interrupt during a program counts towards that program, and the programs it runs are counted
 * again.
 */
static double share(double ns, double cpu_ns)
{
	return fmin(100, 100 * ns / cpu_ns);
}

/*
 * The price of each pool's events without samples. A pool that was not watched keeps its last
 * price.
 */
static void prices_take(struct governor *g, const struct cost_reading *r, double all)
{
	double idle = all > r->sampling_ns ? 1 - r->sampling_ns / all : 0;

	for (int p = 0; p < KMT_POOLS; p++) {
		if (g->paused[p] && !g->probe)
			continue;
		g->price[p] = share(r->pool[p].run_ns * idle, r->cpu_ns);
		g->rate[p] = r->window_s > 0 ? r->pool[p].runs / r->window_s : 0;
	}
}

/* The programs' long-term cost, including probes. */
static double cost_of(const struct governor *g, const struct cost_reading *r)
{
	double cost = 0;

	for (int p = 0; p < KMT_POOLS; p++)
		cost += g->paused[p] ? g->price[p] * GOVERNOR_WINDOW_S /
					       (GOVERNOR_EVERY_S * g->probe_every)
				     : share(r->pool[p].run_ns, r->cpu_ns);
	return fmin(100, cost);
}

bool governor_step(struct governor *g, const struct cost_reading *r)
{
	double all = 0, idle = 0, room, factor;

	if (r->cpu_ns <= 0)
		return false;
	for (int p = 0; p < KMT_POOLS; p++)
		all += r->pool[p].run_ns;
	governor_count_paused(g, r->at_s);
	prices_take(g, r, all);
	g->cost = cost_of(g, r);
	g->cost_sum += g->cost;
	g->readings++;
	if (g->exact && (g->options.may_sample || !g->options.may_pause))
		return exact_step(g);

	if (g->options.may_pause)
		pools_choose(g);
	probe_schedule(g);
	if (g->exact)
		return false;
	for (int p = 0; p < KMT_POOLS; p++)
		idle += g->paused[p] ? 0 : g->price[p];
	g->floor = fmin(100, idle);
	g->state = idle > g->options.budget ? GOVERNOR_FLOOR : GOVERNOR_HOLDS;
	room = fmax(TARGET * g->options.budget - idle, LEAST_ROOM * g->options.budget);
	factor = rise_twice(g, fmax(r->sampling / room, 1 / FASTEST_DOWN));
	if (r->live_fill > FILL_MOST && factor < DEAD_BAND)
		factor = FASTEST_DOWN;
	else if (factor > 1 / DEAD_BAND && factor < DEAD_BAND)
		return false;
	else if (factor < 1 && r->live_fill > FILL_MOST / 2)
		return false; /* finer sampling would only fill the table */
	return periods_scale(g, factor);
}
