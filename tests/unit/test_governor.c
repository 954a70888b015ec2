// SPDX-License-Identifier: GPL-2.0-only
/* The governor against a model of a machine: what a user would lose is the budget, or all samples. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "live/governor.h"

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

static double run(struct governor *g, const struct load *l, int steps, double fill)
{
	double cost = 0;

	for (int i = 0; i < steps; i++) {
		struct governor_reading r = {.cpu_ns = 0.03 * 1e9 * l->cpus, .live_fill = fill};

		r.samples = 0.03 * samples_of(l, g->period[KMT_SLAB]);
		r.pool[KMT_SLAB].runs = 0.03 * l->events;
		r.pool[KMT_SLAB].run_ns =
			0.03 * (l->events * IDLE_NS + samples_of(l, g->period[KMT_SLAB]) * SAMPLE_NS);
		cost = 100 * r.pool[KMT_SLAB].run_ns / r.cpu_ns;
		governor_step(g, &r);
	}
	return cost;
}

static struct governor sampled(double budget)
{
	const struct governor_options o = {.budget = budget, .may_refine = true, .sample_bytes = 512 << 10};
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
	assert_int_equal(g.period[KMT_SLAB], 32 << 10); /* costs next to nothing: as fine as it goes */
	run(&g, &busy, 2, 0);
	cost = run(&g, &busy, 1, 0);
	assert_true(cost > 0.4 && cost < 1.3);
	for (int i = 0; i < 50; i++)
		assert_true(run(&g, &busy, 1, 0) < 1.3);
	assert_int_equal(g.state, GOVERNOR_HOLDS);
	run(&g, &idle, 20, 0);
	assert_int_equal(g.period[KMT_SLAB], 32 << 10);
}

static void samples_give_way_where_the_events_alone_cost_more(void **state)
{
	struct governor g = sampled(1);
	double floor_cost = 100 * full.events * IDLE_NS / (full.cpus * 1e9), cost;

	(void)state;
	run(&g, &full, 3, 0);
	cost = run(&g, &full, 1, 0);
	assert_int_equal(g.state, GOVERNOR_FLOOR);
	assert_true(cost - floor_cost < 0.15); /* a tenth of the budget stays */
	assert_true(samples_of(&full, g.period[KMT_SLAB]) > 100);
	run(&g, &idle, 1, 0);
	assert_int_equal(g.state, GOVERNOR_HOLDS);
}

/* Calibrated on an idle machine, then every run costs a third more: that must not be taken for samples. */
static void a_slower_machine_does_not_starve_the_samples(void **state)
{
	const struct load some = {3e6, 30e6, 2};
	struct governor g = sampled(1);

	(void)state;
	g.idle_ns[KMT_SLAB] = IDLE_NS * 3 / 4;
	run(&g, &some, 20, 0);
	assert_true(g.period[KMT_SLAB] <= 512 << 10);
}

static void what_was_asked_for_is_the_finest(void **state)
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
	struct governor_options o = {.budget = 1, .exact = true, .may_sample = true, .sample_bytes = 512 << 10};
	struct governor g;

	(void)state;
	governor_init(&g, &o);
	run(&g, &busy, 1, 0);
	assert_true(g.exact); /* one burst is not a load */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_keeps_to_its_budget_from_idle_to_busy_and_back),
		cmocka_unit_test(samples_give_way_where_the_events_alone_cost_more),
		cmocka_unit_test(a_slower_machine_does_not_starve_the_samples),
		cmocka_unit_test(what_was_asked_for_is_the_finest),
		cmocka_unit_test(exact_stays_exact_within_its_budget),
		cmocka_unit_test(exact_over_its_budget_samples_when_it_may_and_says_so_when_not),
		cmocka_unit_test(a_filling_table_makes_samples_rarer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
