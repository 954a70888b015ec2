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
static const struct load full = {6e6, 6e9, 2};

/* Samples a second: what the governor grants, but there are no more than allocations. */
static double samples_of(const struct governor *g, const struct load *l)
{
	return fmin(l->events / 2, governor_samples(g, l->cpus));
}

static double spent; /* ns of events alone, as the machine counts them */

static double run(struct governor *g, const struct load *l, int steps)
{
	double cost = 0;

	for (int i = 0; i < steps; i++) {
		struct cost_reading r = {
			.at_s = g->at_s + GOVERNOR_EVERY_S,
			.window_s = GOVERNOR_WINDOW_S,
			.cpu_ns = GOVERNOR_WINDOW_S * 1e9 * l->cpus,
			.sample_ns = g->exact || g->paused[KMT_SLAB] ? 0 : SAMPLE_NS,
		};
		bool watched = !g->paused[KMT_SLAB] || g->probe;

		r.pool[KMT_VMALLOC].runs = GOVERNOR_WINDOW_S * 1000;
		r.pool[KMT_VMALLOC].run_ns = r.pool[KMT_VMALLOC].runs * IDLE_NS;
		r.sampling_ns = GOVERNOR_WINDOW_S * samples_of(g, l) * SAMPLE_NS;
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
	const struct governor_options o = {.budget = budget};
	struct governor g;

	governor_init(&g, &o);
	return g;
}

static void it_keeps_to_its_budget_from_idle_to_busy_and_back(void **state)
{
	struct governor g = sampled(1);
	double cost;

	(void)state;
	assert_true(run(&g, &idle, 40) < 0.1);
	assert_true(samples_of(&g, &idle) == idle.events / 2); /* there is room for every object */
	run(&g, &busy, 1); /* the room that samples have comes from the reading before */
	for (int i = 0; i < 50; i++) {
		cost = run(&g, &busy, 1);
		assert_true(cost < 1);
		assert_int_equal(g.state, GOVERNOR_HOLDS);
	}
	run(&g, &idle, 20);
	assert_true(samples_of(&g, &idle) == idle.events / 2);
}

/* Until samples were timed, they are taken to be dear: the first readings keep to the budget too.
 */
static void what_a_sample_takes_is_learned(void **state)
{
	struct governor g = sampled(1);

	(void)state;
	assert_true(g.sample_ns > 1.9 * SAMPLE_NS);
	for (int i = 0; i < 3; i++)
		assert_true(run(&g, &busy, 1) < 1);
	run(&g, &busy, 20);
	assert_close(g.sample_ns, SAMPLE_NS, 1e-3);
	assert_close(governor_samples(&g, 2), g.room / 100 * 2e9 / SAMPLE_NS, 1);
}

/* A reading without samples, or with one that an interrupt delayed, must not upset it. */
static void no_reading_makes_samples_free_or_unpayable(void **state)
{
	static const double told[] = {0, 1e-3, 1e9, INFINITY, 0};
	struct governor g = sampled(1);
	struct cost_reading r = {.window_s = 0.008, .cpu_ns = 16e6};

	(void)state;
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
		for (int n = 0; n < 20; n++, r.at_s += GOVERNOR_EVERY_S) {
			double before = g.sample_ns;

			r.sample_ns = told[i];
			governor_step(&g, &r);
			assert_true(g.sample_ns >= 100 && g.sample_ns <= 50000);
			assert_true(told[i] > 0 || g.sample_ns == before);
		}
}

/* Nobody asked for more: samples take a small part of what events take, within their bounds. */
static void by_default_samples_cost_little_beside_the_events(void **state)
{
	(void)state;
	for (double events = 1e3; events < 1e8; events *= 1.7) {
		const struct load l = {events, events * 200, 2};
		double floor_cost = fmin(100, 100 * events * IDLE_NS / (l.cpus * 1e9));
		struct governor g = sampled(1);

		run(&g, &l, 20);
		assert_true(g.room <= fmax(GOVERNOR_SAMPLES_LEAST,
					   1.01 * GOVERNOR_SAMPLES_COST * floor_cost));
		assert_true(g.room >=
			    fmin(0.99 * GOVERNOR_SAMPLES_COST * floor_cost, GOVERNOR_SAMPLES));
		assert_true(g.room >= GOVERNOR_SAMPLES_LEAST && g.room <= GOVERNOR_SAMPLES);
	}
}

/* … and if the user gave a budget, it is used. */
static void a_given_budget_is_used(void **state)
{
	struct governor g = sampled(1);

	(void)state;
	g.options.may_pause = true;
	run(&g, &busy, 20);
	assert_true(run(&g, &busy, 1) > 0.85);
}

/* Events alone cost more than the budget. Samples still get their stated share, and no more. */
static void samples_get_their_share_where_the_events_alone_cost_more(void **state)
{
	struct governor g = sampled(1);
	double floor_cost = 100 * full.events * IDLE_NS / (full.cpus * 1e9), cost;

	(void)state;
	run(&g, &full, 20);
	cost = run(&g, &full, 1);
	assert_int_equal(g.state, GOVERNOR_FLOOR);
	assert_close(cost - floor_cost, GOVERNOR_SAMPLES, 0.01);
	assert_close(samples_of(&g, &full), GOVERNOR_SAMPLES / 100 * 2e9 / SAMPLE_NS, 100);
	run(&g, &idle, 1);
	assert_int_equal(g.state, GOVERNOR_HOLDS);
}

/* … but a small budget is not spent four times over on samples. */
static void the_share_of_samples_is_at_most_a_quarter_of_a_small_budget(void **state)
{
	struct governor g = sampled(0.1);

	(void)state;
	run(&g, &full, 20);
	assert_close(g.room, 0.025, 1e-9);
	run(&g, &idle, 1);
	assert_true(g.room <= 0.1);
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
	run(g, l, readings);
	return 100 * spent / (readings * GOVERNOR_EVERY_S * 1e9 * l->cpus);
}

static void a_limit_holds_from_idle_to_full_and_back(void **state)
{
	/* a window of every fourth reading */
	double probes = 100 * full.events * IDLE_NS / 1e9 / full.cpus * GOVERNOR_WINDOW_S /
			(4 * GOVERNOR_EVERY_S);
	struct governor g = limited(1);

	(void)state;
	run(&g, &idle, 10);
	assert_false(g.paused[KMT_SLAB]);
	run(&g, &full, 1);
	assert_false(g.paused[KMT_SLAB]); /* one burst is not a lasting load */
	run(&g, &full, 1);
	assert_true(g.paused[KMT_SLAB]);
	assert_false(g.paused[KMT_VMALLOC]); /* cheap pools are always traced */
	for (int i = 0; i < 10; i++)
		assert_true(percent(&g, &full, 10) < 1); /* of any 5 s */
	assert_int_equal(g.state, GOVERNOR_HOLDS);
	/* the machine had 50 s of load, and its cost is counted with the probes */
	assert_true(g.paused_s[KMT_SLAB] > 49 && g.paused_s[KMT_SLAB] < 51);
	assert_true(g.not_watched > 49 * full.events && g.not_watched < 51 * full.events);
	assert_true(g.cost > probes && g.cost < 1);
	run(&g, &idle, 5);
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
	run(&g, &full, 50);
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
		run(&g, &full, 5);
		run(&g, &idle, 5);
	}
	first = spent / 2;
	spent = 0;
	for (int i = 0; i < 40; i++) {
		run(&g, &full, 5);
		run(&g, &idle, 5);
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
	const struct governor_options o = {
		.budget = 1, .exact = true, .may_sample = true, .may_pause = true};
	struct governor g;

	(void)state;
	governor_init(&g, &o);
	run(&g, &busy, 2);
	assert_false(g.exact);
	run(&g, &busy, 10);
	assert_false(g.paused[KMT_SLAB]);
	run(&g, &full, 2);
	assert_true(g.paused[KMT_SLAB]);
}

/* Below a limit, samples get their share out of it: the events that are watched leave room. */
static void samples_are_part_of_a_limit(void **state)
{
	(void)state;
	for (double budget = 0.05; budget < 20; budget *= 1.3)
		for (double events = 1e3; events < 1e7; events *= 1.7) {
			const struct load l = {events, events * 200, 2};
			struct governor g = limited(budget);

			run(&g, &l, 30); /* … after it has settled */
			for (int i = 0; i < 20; i++) {
				double cost = run(&g, &l, 1),
				       share = fmin(GOVERNOR_SAMPLES, budget / 4);

				/* events are paused only above 1.2 of what they may take */
				assert_true(cost <= 1.2 * budget);
				assert_true(g.room >= share - 1e-9);
			}
		}
}

static void exact_stays_exact_within_its_budget(void **state)
{
	const struct governor_options o = {.budget = 1, .exact = true, .may_sample = true};
	struct governor g;

	(void)state;
	governor_init(&g, &o);
	run(&g, &idle, 50);
	assert_true(g.exact);
}

static void exact_over_its_budget_samples_when_it_may_and_says_so_when_not(void **state)
{
	struct governor_options o = {.budget = 1, .exact = true, .may_sample = true};
	struct governor g;

	(void)state;
	governor_init(&g, &o);
	run(&g, &busy, 1);
	assert_true(g.exact); /* one burst is not a lasting load */
	run(&g, &busy, 1);
	assert_false(g.exact);
	for (int i = 0; i < 5; i++)
		assert_true(run(&g, &busy, 1) < 1);

	o.may_sample = false;
	governor_init(&g, &o);
	run(&g, &busy, 5);
	assert_true(g.exact);
	assert_int_equal(g.state, GOVERNOR_OVER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_keeps_to_its_budget_from_idle_to_busy_and_back),
		cmocka_unit_test(what_a_sample_takes_is_learned),
		cmocka_unit_test(no_reading_makes_samples_free_or_unpayable),
		cmocka_unit_test(by_default_samples_cost_little_beside_the_events),
		cmocka_unit_test(a_given_budget_is_used),
		cmocka_unit_test(samples_get_their_share_where_the_events_alone_cost_more),
		cmocka_unit_test(the_share_of_samples_is_at_most_a_quarter_of_a_small_budget),
		cmocka_unit_test(a_limit_holds_from_idle_to_full_and_back),
		cmocka_unit_test(no_share_of_all_cpus_is_beyond_100_percent),
		cmocka_unit_test(the_floor_is_what_events_cost_without_samples),
		cmocka_unit_test(a_budget_that_was_not_given_pauses_nothing),
		cmocka_unit_test(a_flickering_load_is_probed_ever_more_rarely),
		cmocka_unit_test(the_highest_price_pool_alone_is_paused),
		cmocka_unit_test(an_exact_recording_with_a_limit_samples_first_and_then_pauses),
		cmocka_unit_test(samples_are_part_of_a_limit),
		cmocka_unit_test(exact_stays_exact_within_its_budget),
		cmocka_unit_test(exact_over_its_budget_samples_when_it_may_and_says_so_when_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
