// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cost of tracing is the cost of the events themselves plus the cost of samples. All costs are
 * in percent of all CPU time. governor_step() handles a reading in three steps:
 * 1. What does it cost? (reading_take)
 * 2. Which pools can be watched at all? A pool whose events alone do not fit the budget is paused,
 *    if that is allowed. (pools_decide, pools_apply)
 * 3. How finely can the watched pools be sampled? The cost of samples is inversely proportional to
 *    the sampling period, so one division gives the factor: the cost of samples over the part of
 *    the budget that the events leave. (factor_decide, periods_apply)
 * Exact mode has no periods: it is kept, given up, or reported as too expensive (exact_step).
 * The governor acts on a cost that is too high only if several readings in a row show it: a short
 * burst is not a lasting load.
 */
#include "record/governor.h"

#include <math.h>
#include <string.h>

#define OVER_READINGS                                                               \
	2 /* in a row, before exact mode gives in or complains, or a pool is paused \
	   */

/* Sampling. Shares are of the budget. */
#define SAMPLE_TARGET 0.9 /* aim at this share, events and samples together */
#define LEAST_ROOM \
	0.02 /* leave this share to samples in any case: without any, a trace is useless */
#define DEAD_BAND 1.25 /* ignore changes of the periods by smaller factors */
#define FASTEST_DOWN                                                                \
	2.0 /* a period falls by at most this factor at a time, but rises as needed \
	     */
#define PERIOD_LEAST (32ull << 10) /* bytes */
#define PERIOD_MOST  (1ull << 30)
#define FILL_MOST    0.6 /* a live table fuller than this also makes the periods longer … */
#define FILL_FACTOR  2.0 /* … by this factor at a time */

/*
 * Pausing. Pools whose events cost more than this share of the budget are paused, and resumed once
 * they cost less than the second share.
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

/* Was `over` true for enough readings in a row? */
static bool over_for_long(struct governor *g, bool over)
{
	g->over_in_a_row = over ? g->over_in_a_row + 1 : 0;
	return g->over_in_a_row >= OVER_READINGS;
}

/* ---- 1. what does it cost? ---- */

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
static void prices_take(struct governor *g, const struct cost_reading *r)
{
	double all = 0, without_samples;

	for (int p = 0; p < KMT_POOLS; p++)
		all += r->pool[p].run_ns;
	without_samples = all > r->sampling_ns ? 1 - r->sampling_ns / all : 0;
	for (int p = 0; p < KMT_POOLS; p++) {
		if (g->paused[p] && !g->probe)
			continue;
		g->price[p] = share(r->pool[p].run_ns * without_samples, r->cpu_ns);
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

static void reading_take(struct governor *g, const struct cost_reading *r)
{
	governor_count_paused(g, r->at_s);
	prices_take(g, r);
	g->cost = cost_of(g, r);
	g->cost_sum += g->cost;
	g->readings++;
}

/* ---- exact mode ---- */

/* If it stays over budget: begin to sample if allowed, else report it. True if a period changed. */
static bool exact_step(struct governor *g)
{
	g->state = GOVERNOR_HOLDS;
	if (!over_for_long(g, g->cost > g->options.budget))
		return false;
	if (!g->options.may_sample) {
		g->state = GOVERNOR_OVER;
		return false;
	}
	g->exact = false;
	g->over_in_a_row = 0;
	for (int p = 0; p < KMT_POOLS; p++)
		g->period[p] = g->options.sample_bytes;
	return true;
}

/* ---- 2. which pools can be watched? ---- */

struct pools_decision {
	bool paused[KMT_POOLS];
	bool more, fewer; /* more: a watched pool is to be paused; fewer: a paused pool is to be
			     watched */
};

/* Of the pools not yet in `done`, the one whose events cost least. */
static int pool_cheapest(const struct governor *g, const bool *done)
{
	int least = -1;

	for (int p = 0; p < KMT_POOLS; p++)
		if (!done[p] && (least < 0 || g->price[p] < g->price[least]))
			least = p;
	return least;
}

/* Watch as many of the cheapest pools as fit the budget, and pause the others. */
static struct pools_decision pools_decide(const struct governor *g)
{
	struct pools_decision d = {};
	bool done[KMT_POOLS] = {};
	double sum = 0;

	for (int n = 0; n < KMT_POOLS; n++) {
		int p = pool_cheapest(g, done);
		double limit = g->options.budget * (g->paused[p] ? RESUME_BELOW : PAUSE_ABOVE);

		done[p] = true;
		d.paused[p] = sum + g->price[p] > limit;
		if (!d.paused[p])
			sum += g->price[p];
		d.more |= d.paused[p] && !g->paused[p];
		d.fewer |= !d.paused[p] && g->paused[p];
	}
	return d;
}

static void pools_apply(struct governor *g, const struct pools_decision *d)
{
	bool for_long = over_for_long(g, d->more);

	if (d->more && !for_long)
		return;
	if (d->more)
		g->probe_every = g->at_s - g->resumed_s > SETTLED_S
					 ? PROBE_EVERY
					 : fmin(2 * g->probe_every, PROBE_MOST);
	if (d->fewer)
		g->resumed_s = g->at_s;
	if (d->more || d->fewer)
		g->probe_in = g->probe_every;
	memcpy(g->paused, d->paused, sizeof(g->paused));
	for (int p = 0; p < KMT_POOLS; p++)
		if (g->paused[p])
			g->highest_price[p] = fmax(g->highest_price[p], g->price[p]);
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

/* ---- 3. how finely can they be sampled? ---- */

/* What the events of the watched pools cost without samples, and whether that fits the budget. */
static double floor_take(struct governor *g)
{
	double events = 0;

	for (int p = 0; p < KMT_POOLS; p++)
		events += g->paused[p] ? 0 : g->price[p];
	g->floor = fmin(100, events);
	g->state = events > g->options.budget ? GOVERNOR_FLOOR : GOVERNOR_HOLDS;
	return events;
}

/* A factor above 1 counts only as far as the last two readings agree: the smaller one is used. */
static double factor_agreed(struct governor *g, double factor)
{
	double agreed = fmin(factor, g->last_factor);

	g->last_factor = fmax(factor, 1);
	return factor > 1 ? agreed : factor;
}

/* The factor for all sampling periods; 1: leave them as they are. `events` is from floor_take(). */
static double factor_decide(struct governor *g, const struct cost_reading *r, double events)
{
	double budget = g->options.budget;
	double room = fmax(SAMPLE_TARGET * budget - events, LEAST_ROOM * budget);
	double factor = factor_agreed(g, fmax(r->sampling / room, 1 / FASTEST_DOWN));

	if (r->live_fill > FILL_MOST && factor < DEAD_BAND)
		return FILL_FACTOR;
	if (factor > 1 / DEAD_BAND && factor < DEAD_BAND)
		return 1;
	if (factor < 1 && r->live_fill > FILL_MOST / 2)
		return 1; /* finer sampling would only fill the table */
	return factor;
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

/* True if a period changed. */
static bool periods_apply(struct governor *g, double factor)
{
	bool changed = false;

	for (int p = 0; p < KMT_POOLS && factor != 1; p++) {
		uint64_t period = period_clamp(g, g->period[p] * factor);

		changed |= period != g->period[p];
		g->period[p] = period;
	}
	return changed;
}

/* ---- a reading ---- */

bool governor_step(struct governor *g, const struct cost_reading *r)
{
	double events;

	if (r->cpu_ns <= 0)
		return false;
	reading_take(g, r);
	if (g->exact && (g->options.may_sample || !g->options.may_pause))
		return exact_step(g);
	if (g->options.may_pause) {
		struct pools_decision decision = pools_decide(g);

		pools_apply(g, &decision);
	}
	probe_schedule(g);
	if (g->exact)
		return false;
	events = floor_take(g);
	return periods_apply(g, factor_decide(g, r, events));
}
