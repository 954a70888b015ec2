// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cost of tracing is the cost of the events themselves plus the cost of samples. All costs are
 * in percent of all CPU time. governor_step() handles a reading in three steps:
 * 1. What does it cost? (reading_take)
 * 2. Which pools can be watched at all? A pool whose events alone do not fit the budget is paused,
 *    if that is allowed. (pools_decide, pools_apply)
 * 3. What may samples take? See governor.h. (room_decide)
 * Exact mode takes no samples: it is kept, given up, or reported as too expensive (exact_step).
 * The governor acts on a cost that is too high only if several readings in a row show it: a short
 * burst is not a lasting load.
 */
#include "record/governor.h"

#include <math.h>
#include <string.h>

#define OVER_READINGS                                                               \
	2 /* in a row, before exact mode gives in or complains, or a pool is paused \
	   */

#define TARGET          0.9  /* aim at this share of the budget, events and samples together */
#define SAMPLE_NS       2000 /* until it is measured, a sample is taken to cost this, … */
#define SAMPLE_NS_LEAST 100  /* … and what is measured is taken to lie between these */
#define SAMPLE_NS_MOST  50000

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

/* What samples get of the budget in any case, in percent of all CPU time. */
static double least_room(const struct governor *g)
{
	return fmin(GOVERNOR_SAMPLES, GOVERNOR_SAMPLES_PART * g->options.budget);
}

void governor_init(struct governor *g, const struct governor_options *options)
{
	memset(g, 0, sizeof(*g));
	g->options = *options;
	g->exact = options->exact;
	g->probe_every = PROBE_EVERY;
	g->resumed_s = -INFINITY;
	g->sample_ns = SAMPLE_NS;
	g->room = options->may_pause ? TARGET * options->budget : least_room(g);
}

double governor_mean(const struct governor *g)
{
	return g->readings ? g->cost_sum / g->readings : -1;
}

double governor_mean_sampling(const struct governor *g)
{
	return g->readings ? g->sampling_sum / g->readings : -1;
}

double governor_samples(const struct governor *g, double cpus)
{
	return g->room / 100 * cpus * 1e9 / g->sample_ns;
}

/* Was `over` true for enough readings in a row? */
static bool over_for_long(struct governor *g, bool over)
{
	g->over_in_a_row = over ? g->over_in_a_row + 1 : 0;
	return g->over_in_a_row >= OVER_READINGS;
}

/* ---- 1. what does it cost? ---- */

void governor_count_paused(struct governor *g, double now_s)
{
	double passed_s = now_s - g->at_s;

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
	g->sampling_sum += r->sampling;
	g->readings++;
	if (r->sample_ns > 0)
		g->sample_ns = fmin(fmax((g->sample_ns + r->sample_ns) / 2, SAMPLE_NS_LEAST),
				    SAMPLE_NS_MOST);
}

/* ---- exact mode ---- */

/* If it stays over budget: begin to sample if allowed, else report it. */
static void exact_step(struct governor *g)
{
	g->state = GOVERNOR_HOLDS;
	if (!over_for_long(g, g->cost > g->options.budget))
		return;
	if (!g->options.may_sample) {
		g->state = GOVERNOR_OVER;
		return;
	}
	g->exact = false;
	g->over_in_a_row = 0;
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
		double limit = (g->options.budget - (g->exact ? 0 : least_room(g))) *
			       (g->paused[p] ? RESUME_BELOW : PAUSE_ABOVE);

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

/* ---- 3. what may samples take? ---- */

/* What the events of the watched pools cost without samples, and whether that fits the budget. */
static void room_decide(struct governor *g)
{
	double events = 0;

	for (int p = 0; p < KMT_POOLS; p++)
		events += g->paused[p] ? 0 : g->price[p];
	g->floor = fmin(100, events);
	g->state = events > g->options.budget ? GOVERNOR_FLOOR : GOVERNOR_HOLDS;
	g->room = g->options.may_pause
			  ? fmax(TARGET * g->options.budget - events, least_room(g))
			  : fmin(fmax(GOVERNOR_SAMPLES_COST * events, GOVERNOR_SAMPLES_LEAST),
				 least_room(g));
}

/* ---- a reading ---- */

void governor_step(struct governor *g, const struct cost_reading *r)
{
	if (r->cpu_ns <= 0)
		return;
	reading_take(g, r);
	if (g->exact && (g->options.may_sample || !g->options.may_pause)) {
		exact_step(g);
		return;
	}
	if (g->options.may_pause) {
		struct pools_decision decision = pools_decide(g);

		pools_apply(g, &decision);
	}
	probe_schedule(g);
	if (!g->exact)
		room_decide(g);
}
