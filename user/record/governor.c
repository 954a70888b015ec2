// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cost = what events cost that are not sampled + what samples cost, and the second is inversely
 * proportional to the period: one division finds the period that fits the budget. See governor.h.
 */
#include "record/governor.h"

#include <math.h>
#include <string.h>

#define TARGET       0.9  /* of the budget: what is aimed at */
#define DEAD_BAND    1.25 /* smaller changes are not made */
#define FASTEST_DOWN 2.0  /* a period falls by so much at a time, but rises as far as it must */
#define LEAST_ROOM   0.02 /* of the budget is always left to samples: a trace without any is none */
#define PERIOD_LEAST (32ull << 10)
#define PERIOD_MOST  (1ull << 30)
#define FILL_MOST    0.6 /* a fuller live table makes the periods longer, too */
#define OVER_READINGS                                                               \
	2 /* in a row, before exact mode gives in or complains, or a pool is paused \
	   */

/* Of the budget: pools whose events cost more are paused, and are taken back when they cost less
 * than … */
#define PAUSE_ABOVE  1.2
#define RESUME_BELOW 0.8
/* Readings from probe to probe: at 40 % of all CPU time that is still but 0.3. Where it pauses ever
 * again, longer. */
#define PROBE_EVERY 4
#define PROBE_MOST  64
#define SETTLED_S   30 /* a pool that is paused this long after it was taken back is a new case */

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
	g->nr_over = 0;
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

/* ---- pools that are paused ---- */

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

/* The pool whose events cost least, of those not yet in `done`. */
static int pool_cheapest(const struct governor *g, const bool *done)
{
	int least = -1;

	for (int p = 0; p < KMT_POOLS; p++)
		if (!done[p] && (least < 0 || g->price[p] < g->price[least]))
			least = p;
	return least;
}

/* Watch the cheapest pools, as many as fit the budget. */
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
		return; /* one burst is not a load */
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

/* When the next window is to have the paused pools, too. */
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

/* Of the period: it rises by what two readings in a row agree on. What is over in less than that
 * costs little. */
static double rise_twice(struct governor *g, double factor)
{
	double agreed = fmin(factor, g->last_factor);

	g->last_factor = fmax(factor, 1);
	return factor > 1 ? agreed : factor;
}

/*
 * A share of all CPUs is no more than all of them. The sum of run times can be: an interrupt within
 * a program counts to that one, and the programs it runs count by themselves, too.
 */
static double share(double ns, double cpu_ns)
{
	return fmin(100, 100 * ns / cpu_ns);
}

/* What the events of each pool cost by themselves; of one that was not watched, the last is kept.
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

/* What the programs take in the long run, probes among it. */
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
		return false; /* finer samples would only fill the table */
	return periods_scale(g, factor);
}
