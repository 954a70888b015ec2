// SPDX-License-Identifier: GPL-2.0-only
/* The governor against a model of a machine. What a user would lose: the CPU budget, or all
 * samples.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "close.h"
#include "record/governor.h"

#define IDLE_NS   30
#define SAMPLE_NS 400

/* Events and bytes a second on a machine of `cpus`. */
struct load {
	double events, bytes;
	int cpus;
};

static const struct load idle = {2e3, 1e6, 2};
static const struct load busy = {300e3, 200e6, 2};
static const struct load full = {3e6, 3e9, 2};

static double samples_of(const struct load *l, uint64_t period)
{
	double allocs = l->events / 2, samples = period == KMT_EVERY ? allocs : l->bytes / period;

	return samples < allocs ? samples : allocs;
}

static double spent; /* ns of events alone, as the machine counts them */

static double run(struct governor *g, const struct load *l, int steps, double fill)
{
	double cost = 0;

	for (int i = 0; i < steps; i++) {
		struct cost_reading r = {
			.at_s = g->at_s + GOVERNOR_EVERY_S,
			.window_s = GOVERNOR_WINDOW_S,
			.cpu_ns = GOVERNOR_WINDOW_S * 1e9 * l->cpus,
			.live_fill = fill,
		};
		bool watched = !g->paused[KMT_SLAB] || g->probe;

		r.pool[KMT_VMALLOC].runs = GOVERNOR_WINDOW_S * 1000;
		r.pool[KMT_VMALLOC].run_ns = r.pool[KMT_VMALLOC].runs * IDLE_NS;
		r.sampling_ns = GOVERNOR_WINDOW_S * samples_of(l, g->period[KMT_SLAB]) * SAMPLE_NS;
		if (g->paused[KMT_SLAB] || g->exact)
			r.sampling_ns = 0;
		r.sampling = 100 * r.sampling_ns / r.cpu_ns;
		r.pool[KMT_SLAB].runs = watched ? GOVERNOR_WINDOW_S * l->events : 0;
		r.pool[KMT_SLAB].run_ns = r.pool[KMT_SLAB].runs * IDLE_NS + r.sampling_ns;
		if (g->exact)
			r.pool[KMT_SLAB].run_ns += r.pool[KMT_SLAB].runs / 2 * SAMPLE_NS;
		spent += GOVERNOR_EVERY_S * 1e9 * l->events * IDLE_NS / 1e9 *
			 (!g->paused[KMT_SLAB] ? 1
			  : g->probe           ? GOVERNOR_WINDOW_S / GOVERNOR_EVERY_S
					       : 0);
		governor_step(g, &r);
		cost = g->cost;
	}
	return cost;
}

static struct governor sampled(double budget)
{
	const struct governor_options o = {
		.budget = budget, .may_refine = true, .sample_bytes = 512 << 10};
	struct governor g;

	governor_init(&g, &o);
	return g;
}

static void it_keeps_to_its_budget_from_idle_to_busy_and_back(void **state)
{
	struct governor g = sampled(1);
	double cost;

	(void)state;
	assert_true(run(&g, &idle, 40, 0) < 1.3);
	assert_int_equal(g.period[KMT_SLAB],
			 32 << 10); /* costs almost nothing, so the period is the smallest */
	run(&g, &busy, 2, 0);
	cost = run(&g, &busy, 1, 0);
	assert_true(cost > 0.4 && cost < 1.3);
	for (int i = 0; i < 50; i++)
		assert_true(run(&g, &busy, 1, 0) < 1.3);
	assert_int_equal(g.state, GOVERNOR_HOLDS);
	run(&g, &idle, 20, 0);
	assert_int_equal(g.period[KMT_SLAB], 32 << 10);
}

/* Half a second of load does not raise the period. */
static void a_burst_costs_no_samples(void **state)
{
	const struct load burst = {300e3, 30e9, 2};
	struct governor g = sampled(1);
	uint64_t before;

	(void)state;
	g.options.may_refine = false;
	run(&g, &idle, 10, 0);
	before = g.period[KMT_SLAB];
	run(&g, &burst, 1, 0);
	assert_int_equal(g.period[KMT_SLAB], before);
	run(&g, &idle, 1, 0);
	run(&g, &burst, 1, 0);
	assert_int_equal(g.period[KMT_SLAB], before);
	run(&g, &burst, 1, 0);
	assert_true(g.period[KMT_SLAB] > before); /* it stays */
}

/* A window is short, so the cost of samples is taken from the whole time. */
static void samples_between_windows_cost_too(void **state)
{
	struct governor g = sampled(1);
	struct cost_reading r = {
		.window_s = GOVERNOR_WINDOW_S, .cpu_ns = GOVERNOR_WINDOW_S * 2e9, .sampling = 9};

	(void)state;
	for (int i = 0; i < 2; i++) {
		r.at_s += GOVERNOR_EVERY_S;
		governor_step(&g, &r);
	}
	assert_between(g.period[KMT_SLAB], 9 * (512 << 10), 11 * (512 << 10)); /* 9 % to 0.9 */
	r.pool[KMT_SLAB].run_ns = r.sampling_ns =
		r.cpu_ns / 5; /* some samples are in this window, which is not a trend */
	r.sampling = 0.9;
	assert_false(governor_step(&g, &r));
}

static void samples_give_way_where_the_events_alone_cost_more(void **state)
{
	struct governor g = sampled(1);
	double floor_cost = 100 * full.events * IDLE_NS / (full.cpus * 1e9), cost;

	(void)state;
	run(&g, &full, 3, 0);
	cost = run(&g, &full, 1, 0);
	assert_int_equal(g.state, GOVERNOR_FLOOR);
	assert_true(cost - floor_cost < 0.15); /* a tenth of the budget is kept free */
	assert_true(samples_of(&full, g.period[KMT_SLAB]) > 100);
	run(&g, &idle, 1, 0);
	assert_int_equal(g.state, GOVERNOR_HOLDS);
}

static struct governor limited(double budget)
{
	struct governor g = sampled(budget);

	g.options.may_pause = true;
	return g;
}

/* Percent of all CPU time over some readings, as the machine counts it. */
static double percent(struct governor *g, const struct load *l, int readings)
{
	spent = 0;
	run(g, l, readings, 0);
	return 100 * spent / (readings * GOVERNOR_EVERY_S * 1e9 * l->cpus);
}

static void a_limit_holds_from_idle_to_full_and_back(void **state)
{
	/* a window of every fourth reading */
	double probes = 100 * full.events * IDLE_NS / 1e9 / full.cpus * GOVERNOR_WINDOW_S /
			(4 * GOVERNOR_EVERY_S);
	struct governor g = limited(1);

	(void)state;
	run(&g, &idle, 10, 0);
	assert_false(g.paused[KMT_SLAB]);
	run(&g, &full, 1, 0);
	assert_false(g.paused[KMT_SLAB]); /* one burst is not a lasting load */
	run(&g, &full, 1, 0);
	assert_true(g.paused[KMT_SLAB]);
	assert_false(g.paused[KMT_VMALLOC]); /* cheap pools are always traced */
	for (int i = 0; i < 10; i++)
		assert_true(percent(&g, &full, 10) < 1); /* of any 5 s */
	assert_int_equal(g.state, GOVERNOR_HOLDS);
	/* the machine had 50 s of load, and its cost is counted with the probes */
	assert_true(g.paused_s[KMT_SLAB] > 49 && g.paused_s[KMT_SLAB] < 51);
	assert_true(g.not_watched > 49 * full.events && g.not_watched < 51 * full.events);
	assert_true(g.cost > probes && g.cost < 1);
	run(&g, &idle, 5, 0);
	assert_false(g.paused[KMT_SLAB]);
	assert_true(percent(&g, &idle, 10) < 0.1);
}

/* Run times can add up to more than 100 %: readings that a busy machine delayed gave 129.8 %. */
static void no_share_of_all_cpus_is_beyond_100_percent(void **state)
{
	struct governor g = limited(1);
	struct cost_reading r = {.window_s = 0.008, .cpu_ns = 16e6, .at_s = 1};

	(void)state;
	r.pool[KMT_SLAB].run_ns = 1.298 * r.cpu_ns;
	r.pool[KMT_PAGE].run_ns = 0.5 * r.cpu_ns;
	for (int i = 0; i < 3; i++, r.at_s++)
		governor_step(&g, &r);
	assert_true(g.cost <= 100 && governor_mean(&g) <= 100);
	for (int p = 0; p < KMT_POOLS; p++)
		assert_true(g.price[p] <= 100 && g.highest_price[p] <= 100);
}

/* "… even without samples": the cost of samples is not part of this figure. */
static void the_floor_is_what_events_cost_without_samples(void **state)
{
	struct governor g = sampled(1);
	struct cost_reading r = {.window_s = 0.008, .cpu_ns = 16e6, .at_s = 1};

	(void)state;
	r.pool[KMT_SLAB].run_ns = 0.03 * r.cpu_ns;
	r.sampling_ns = 0.01 * r.cpu_ns;
	governor_step(&g, &r);
	assert_int_equal(g.state, GOVERNOR_FLOOR);
	assert_true(fabs(g.cost - 3) < 0.01);
	assert_true(fabs(g.floor - 2) < 0.01);
}

static void a_budget_that_was_not_given_pauses_nothing(void **state)
{
	struct governor g = sampled(1);

	(void)state;
	run(&g, &full, 50, 0);
	assert_false(g.paused[KMT_SLAB]);
	assert_true(g.not_watched == 0);
}

/* A load that starts and stops: each restart of tracing costs time to detect it, so restarts become
 * rare. */
static void a_flickering_load_is_probed_ever_more_rarely(void **state)
{
	struct governor g = limited(1);
	double first;

	(void)state;
	spent = 0;
	for (int i = 0; i < 2; i++) {
		run(&g, &full, 5, 0);
		run(&g, &idle, 5, 0);
	}
	first = spent / 2;
	spent = 0;
	for (int i = 0; i < 40; i++) {
		run(&g, &full, 5, 0);
		run(&g, &idle, 5, 0);
	}
	assert_true(spent / 40 < first / 3);
}

/* Twice the budget, in two pools: one of them fits. */
static void the_highest_price_pool_alone_is_paused(void **state)
{
	struct governor g = limited(1);

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct cost_reading r = {.at_s = i, .window_s = 1, .cpu_ns = 1e9};

		r.pool[KMT_SLAB].run_ns = 15e6;
		r.pool[KMT_PAGE].run_ns = 8e6;
		governor_step(&g, &r);
	}
	assert_true(g.paused[KMT_SLAB]);
	assert_false(g.paused[KMT_PAGE]);
}

static void an_exact_recording_with_a_limit_samples_first_and_then_pauses(void **state)
{
	const struct governor_options o = {.budget = 1,
					   .exact = true,
					   .may_sample = true,
					   .may_pause = true,
					   .sample_bytes = 512 << 10};
	struct governor g;

	(void)state;
	governor_init(&g, &o);
	run(&g, &busy, 2, 0);
	assert_false(g.exact);
	run(&g, &busy, 10, 0);
	assert_false(g.paused[KMT_SLAB]);
	run(&g, &full, 2, 0);
	assert_true(g.paused[KMT_SLAB]);
}

static void the_given_period_is_the_smallest(void **state)
{
	const struct governor_options o = {.budget = 1, .sample_bytes = 1 << 20};
	struct governor g;

	(void)state;
	governor_init(&g, &o);
	run(&g, &idle, 50, 0);
	assert_int_equal(g.period[KMT_SLAB], 1 << 20);
}

static void exact_stays_exact_within_its_budget(void **state)
{
	const struct governor_options o = {
		.budget = 1, .exact = true, .may_sample = true, .sample_bytes = 512 << 10};
	struct governor g;

	(void)state;
	governor_init(&g, &o);
	run(&g, &idle, 50, 0);
	assert_true(g.exact);
	assert_int_equal(g.period[KMT_SLAB], KMT_EVERY);
}

static void exact_over_its_budget_samples_when_it_may_and_says_so_when_not(void **state)
{
	struct governor_options o = {
		.budget = 1, .exact = true, .may_sample = true, .sample_bytes = 512 << 10};
	struct governor g;

	(void)state;
	governor_init(&g, &o);
	run(&g, &busy, 1, 0);
	assert_true(g.exact); /* one burst is not a lasting load */
	run(&g, &busy, 1, 0);
	assert_false(g.exact);
	assert_int_equal(g.period[KMT_SLAB], 512 << 10);
	run(&g, &busy, 4, 0);
	assert_true(run(&g, &busy, 1, 0) < 1.3);

	o.may_sample = false;
	governor_init(&g, &o);
	run(&g, &busy, 5, 0);
	assert_true(g.exact);
	assert_int_equal(g.state, GOVERNOR_OVER);
	assert_int_equal(g.period[KMT_SLAB], KMT_EVERY);
}

static void a_filling_table_makes_samples_rarer(void **state)
{
	struct governor g = sampled(1);

	(void)state;
	run(&g, &idle, 5, 0.9);
	assert_int_equal(g.period[KMT_SLAB], (512 << 10) << 5);
	g = sampled(1);
	run(&g, &idle, 5, 0.4);
	assert_int_equal(g.period[KMT_SLAB], 512 << 10);
}

/* The report says how often samples were taken, so it must know the periods in force. */
static void the_periods_in_force_are_counted(void **state)
{
	struct governor g = sampled(1);
	uint64_t least = UINT64_MAX, most = 0;
	double sum = 0;

	(void)state;
	for (int i = 0; i < 40; i++) {
		uint64_t period = g.period[KMT_SLAB]; /* until the next reading */

		least = period < least ? period : least;
		most = period > most ? period : most;
		sum += GOVERNOR_EVERY_S * (double)period;
		run(&g, i < 20 ? &full : &idle, 1, 0.1);
	}
	assert_true(most > least);
	assert_int_equal(g.period_least[KMT_SLAB], least);
	assert_int_equal(g.period_most[KMT_SLAB], most);
	assert_true(fabs(g.sampled_s - 20) < 1e-9);
	assert_true(fabs(g.period_s[KMT_SLAB] - sum) < 1e-6 * sum);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_keeps_to_its_budget_from_idle_to_busy_and_back),
		cmocka_unit_test(a_burst_costs_no_samples),
		cmocka_unit_test(samples_between_windows_cost_too),
		cmocka_unit_test(samples_give_way_where_the_events_alone_cost_more),
		cmocka_unit_test(a_limit_holds_from_idle_to_full_and_back),
		cmocka_unit_test(no_share_of_all_cpus_is_beyond_100_percent),
		cmocka_unit_test(the_floor_is_what_events_cost_without_samples),
		cmocka_unit_test(a_budget_that_was_not_given_pauses_nothing),
		cmocka_unit_test(a_flickering_load_is_probed_ever_more_rarely),
		cmocka_unit_test(the_highest_price_pool_alone_is_paused),
		cmocka_unit_test(an_exact_recording_with_a_limit_samples_first_and_then_pauses),
		cmocka_unit_test(the_given_period_is_the_smallest),
		cmocka_unit_test(exact_stays_exact_within_its_budget),
		cmocka_unit_test(exact_over_its_budget_samples_when_it_may_and_says_so_when_not),
		cmocka_unit_test(a_filling_table_makes_samples_rarer),
		cmocka_unit_test(the_periods_in_force_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
