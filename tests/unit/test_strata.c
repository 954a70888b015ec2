// SPDX-License-Identifier: GPL-2.0-only
/*
 * How samples are divided among the strata (record/strata.c). What a user would lose: growth that
 * no sample falls on because churn has them all, or the CPU time that samples may take.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "close.h"
#include "record/strata.h"

#define STEP_S 0.5
#define MiB    (1024.0 * 1024)
#define SLAB   KMT_STRATUM_SLAB

static struct strata strata;
static struct stratum_counts counts[KMT_STRATA];

static void begin(uint64_t least)
{
	memset(counts, 0, sizeof(counts));
	strata_init(&strata, least);
}

/* A stratum that allocates so many bytes a second, in objects of one size. */
static void allocates(uint32_t i, double bytes_per_s, uint32_t size)
{
	counts[i].alloc_bytes += bytes_per_s * STEP_S;
	counts[i].size = size;
}

static double uniform(uint64_t *seed) /* SplitMix64 */
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return ((double)((z ^ (z >> 31)) >> 11) + 0.5) / 9007199254740992.0;
}

static double between(uint64_t *seed, double low, double high) /* uniform in the logarithm */
{
	return low * pow(high / low, uniform(seed));
}

/* Samples a second that the periods lead to. */
static double samples_taken(void)
{
	double sum = 0;

	for (uint32_t i = 0; i < KMT_STRATA; i++) {
		double size = fmax(1, counts[i].size), period = strata.at[i].period;

		sum += strata.at[i].rate / size * (period > 1 ? -expm1(-size / period) : 1);
	}
	return sum;
}

static void quiet_strata_get_every_object_beside_churn(void **state)
{
	(void)state;
	begin(KMT_EVERY);
	for (int step = 0; step < 10; step++) {
		allocates(SLAB, 700e6, 64); /* 11 million a second */
		for (uint32_t i = 1; i <= 500; i++)
			allocates(SLAB + i, 200 * 2, 200); /* two a second */
		strata_step(&strata, counts, STEP_S, 5000, 0);
		for (uint32_t i = 1; i <= 500; i++)
			assert_int_equal(strata.at[SLAB + i].period, KMT_EVERY);
		/* what never allocated is new: its first object counts */
		assert_int_equal(strata.at[SLAB + 800].period, KMT_EVERY);
	}
}

static void churn_gets_a_long_period_but_never_beyond_the_floor(void **state)
{
	(void)state;
	for (double rate = 50e6; rate < 2e9; rate *= 1.5) {
		begin(KMT_EVERY);
		for (int step = 0; step < 10; step++) {
			allocates(SLAB, rate, 64);
			allocates(SLAB + 1, 100e3, 1024); /* this one keeps what it allocates */
			counts[SLAB + 1].held_bytes += 100e3 * STEP_S;
			strata_step(&strata, counts, STEP_S, 2000, 0);
		}
		assert_true(strata.at[SLAB].period <= STRATA_PERIOD_MOST);
		assert_true(strata.at[SLAB].period > 0.99 * rate / STRATA_RATE_SAMPLES);
		assert_int_equal(strata.at[SLAB + 1].period, KMT_EVERY);
	}
}

/* Only where even the longest periods cost too much are they longer, and then no longer than that
 * takes. */
static void more_churn_than_the_floor_can_pay_for_is_sampled_still(void **state)
{
	(void)state;
	begin(KMT_EVERY);
	for (int step = 0; step < 10; step++) {
		for (uint32_t i = 0; i < 100; i++)
			allocates(SLAB + i, 0.5e9, 64);
		strata_step(&strata, counts, STEP_S, 1000, 0);
	}
	assert_true(samples_taken() <= 1000 && samples_taken() > 200);
}

static uint64_t poisson(uint64_t *seed, double mean)
{
	double left = mean;
	uint64_t n = 0;

	while ((left += log(uniform(seed))) > 0)
		n++;
	return n;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/*
 * Churn of 200 MB a second, beside 19 more like it, begins to keep one object in 250. Returns the
 * bytes that it keeps until it is found: until the report may name it (SAMPLING_TO_NAME), or until
 * its period is half of what it was. `holder`: another call site holds so much that it takes most
 * samples.
 */
#define KEPT_PER_S 800e3
#define TO_NAME    5
static double kept_until_found(bool holder, bool fine, uint64_t *seed)
{
	double kept = 0, period = 0;
	uint64_t samples = 0;

	begin(KMT_EVERY);
	for (int step = 0; kept < 200 * MiB; step++) {
		for (uint32_t i = 0; i < 20; i++)
			allocates(SLAB + i, 200e6, 256);
		if (holder) {
			allocates(SLAB + 20, 300e6, 256);
			counts[SLAB + 20].held_bytes = 1e9;
		}
		if (step >= 10) {
			uint64_t n = poisson(seed, KEPT_PER_S * STEP_S / strata.at[SLAB].period);

			kept += KEPT_PER_S * STEP_S;
			samples += n;
			counts[SLAB].held_bytes += (double)n * strata.at[SLAB].period;
		}
		strata_step(&strata, counts, STEP_S, 2000, 0);
		if (step == 9)
			period = strata.at[SLAB].period;
		if (step >= 10 &&
		    (fine ? strata.at[SLAB].period <= period / 2 : samples >= TO_NAME))
			break;
	}
	assert_true(period > (holder ? 0.99 : 0.4) * STRATA_PERIOD_MOST);
	return kept;
}

static double delays(const char *what, bool holder, bool fine, uint64_t *seed)
{
	double delay[400], sum = 0;
	size_t nr = sizeof(delay) / sizeof(delay[0]);

	for (size_t run = 0; run < nr; run++)
		sum += delay[run] = kept_until_found(holder, fine, seed) / MiB;
	qsort(delay, nr, sizeof(delay[0]), compare);
	print_message("%s after %.1f MiB were kept on average, %.1f MiB at the 95th percentile\n",
		      what, sum / nr, delay[nr * 95 / 100]);
	return delay[nr * 95 / 100];
}

/* The floor is one sample in 4 MiB: five samples are 20 MiB, 95 times in 100 at most 37 MiB. */
static void a_stratum_that_begins_to_keep_objects_is_found(void **state)
{
	uint64_t seed = 5;

	(void)state;
	assert_true(delays("all samples are needed elsewhere: named", true, false, &seed) < 38);
	assert_true(delays("nothing else is held: named", false, false, &seed) < 15);
	assert_true(delays("nothing else is held: finer", false, true, &seed) < 15);
}

/* … and it then pays for what it holds, not for what it allocates. */
static void what_is_held_gets_the_samples(void **state)
{
	(void)state;
	begin(KMT_EVERY);
	for (int step = 0; step < 20; step++) {
		for (uint32_t i = 0; i < 8; i++)
			allocates(SLAB + i, 40e6, 64);
		counts[SLAB].held_bytes = 40 * MiB;
		counts[SLAB + 1].held_bytes = 10 * MiB;
		strata_step(&strata, counts, STEP_S, 1000, 0);
	}
	/* Neyman: four times as much held, half the period */
	assert_close((double)strata.at[SLAB + 1].period / strata.at[SLAB].period, 2, 0.1);
	for (uint32_t i = 2; i < 8; i++)
		assert_true(strata.at[SLAB + i].period > 3 * strata.at[SLAB + 1].period);
}

static void the_cost_stays_within_what_is_allowed_for_any_load(void **state)
{
	uint64_t seed = 1;
	double worst = 0;

	(void)state;
	for (int run = 0; run < 150; run++) {
		double samples_per_s = between(&seed, 50, 50000);
		uint32_t nr = SLAB + 1 + (uint32_t)(uniform(&seed) * (KMT_STRATA - SLAB));
		uint64_t least = run % 3 ? KMT_EVERY : (uint64_t)between(&seed, 64, 1 << 24);

		begin(least);
		for (int step = 0; step < 4; step++) {
			double least_s = 0;

			for (uint32_t i = 0; i < nr; i++) {
				if (uniform(&seed) < 0.3)
					continue;
				allocates(i, between(&seed, 10, 1e9),
					  (uint32_t)between(&seed, 8, 4e6));
				counts[i].held_bytes =
					uniform(&seed) < 0.5 ? 0 : between(&seed, 1, 1e9);
			}
			if (uniform(&seed) < 0.2)
				strata_grew(&strata, KMT_SLAB, 0, between(&seed, 1e5, 1e9));
			strata_step(&strata, counts, STEP_S, samples_per_s, uniform(&seed));
			/* periods end at 1 GiB: this much is taken in any case */
			for (uint32_t i = 0; i < nr; i++)
				least_s += strata.at[i].rate / KMT_PERIOD_MOST;
			worst = fmax(worst, samples_taken() / fmax(samples_per_s,
								   least_s + samples_per_s / 4));
			for (uint32_t i = 0; i < nr; i++)
				assert_between(strata.at[i].period, KMT_EVERY, KMT_PERIOD_MOST);
		}
	}
	print_message("at most %.3f of the samples allowed\n", worst);
	assert_true(worst <= 1.01);
}

static void step_once(double held, double samples_per_s)
{
	begin(KMT_EVERY);
	for (int step = 0; step < 5; step++) {
		for (uint32_t i = 0; i < 50; i++)
			allocates(SLAB + i, 1e4 * (i + 1) * (i + 1), 64 + 40 * i);
		for (uint32_t i = 20; i < 30; i++)
			counts[SLAB + i].held_bytes = i * MiB;
		counts[SLAB + 45].held_bytes = held;
		strata_step(&strata, counts, STEP_S, samples_per_s, 0);
	}
}

/*
 * Whoever holds more is never sampled more coarsely, nor is anyone if more samples are allowed, but
 * for one step: periods are powers of two.
 */
static void more_held_or_more_allowed_never_makes_periods_longer(void **state)
{
	uint32_t was = UINT32_MAX, all[KMT_STRATA];

	(void)state;
	for (double held = 0; held < 1e9; held = held * 1.7 + 1000) {
		step_once(held, 2000);
		/* above 4,096 samples of what is held, more do not help */
		if (2 * held / STRATA_HELD_SAMPLES < strata.at[SLAB + 45].period)
			assert_true(strata.at[SLAB + 45].period <= 2.0 * was);
		was = fmin(was, strata.at[SLAB + 45].period);
	}
	memset(all, 0xff, sizeof(all));
	for (double allowed = 10; allowed < 1e6; allowed *= 1.5) {
		step_once(MiB, allowed);
		for (uint32_t i = 0; i < KMT_STRATA; i++) {
			assert_true(strata.at[i].period <= 2.0 * all[i]);
			all[i] = fmin(all[i], strata.at[i].period);
		}
	}
}

/* The live table fills: samples become rarer everywhere, step by step, and come back. */
static void a_filling_table_makes_all_periods_longer_until_it_empties(void **state)
{
	uint32_t before, least = UINT32_MAX;

	(void)state;
	begin(KMT_EVERY);
	for (int step = 0; step < 8; step++) {
		allocates(SLAB, 1e5, 64);
		strata_step(&strata, counts, STEP_S, 10000, 0.1);
	}
	before = strata.at[SLAB].period;
	assert_int_equal(before, KMT_EVERY);
	for (int step = 1; step <= 30; step++) {
		allocates(SLAB, 1e5, 64);
		strata_step(&strata, counts, STEP_S, 10000, 0.7);
		assert_close(strata.stretch, fmin(1024, pow(2, step)), 1e-9);
		assert_true(strata.at[SLAB].period >= 32 * strata.stretch);
	}
	allocates(SLAB, 1e5, 64);
	strata_step(&strata, counts, STEP_S, 10000, 0.5); /* in between, nothing changes */
	assert_close(strata.stretch, 1024, 1e-9);
	for (int step = 0; step < 10; step++) {
		allocates(SLAB, 1e5, 64);
		strata_step(&strata, counts, STEP_S, 10000, 0.1);
		assert_true(strata.at[SLAB].period <= least);
		least = strata.at[SLAB].period;
	}
	assert_int_equal(strata.at[SLAB].period, KMT_EVERY);
}

static void churn_with(double growth)
{
	begin(KMT_EVERY);
	for (int step = 0; step < 6; step++) {
		for (uint32_t i = 0; i < 12; i++) {
			allocates(SLAB + i, 30e6, 64);
			counts[SLAB + i].cache = 1 + i / 2;
		}
		if (growth > 0)
			strata_grew(&strata, KMT_SLAB, 3, growth);
		strata_step(&strata, counts, STEP_S, 3000, 0);
	}
}

/* /proc says that a cache grows, and no sample has found the holder: its strata get samples. */
static void growth_that_proc_tells_of_gets_samples_at_once(void **state)
{
	uint32_t without, with, other;

	(void)state;
	churn_with(0);
	without = strata.at[SLAB + 4].period;
	churn_with(32 * MiB);
	with = strata.at[SLAB + 4].period;
	other = strata.at[SLAB + 6].period;
	print_message("period of a cache that /proc says grew: %u instead of %u\n", with, without);
	assert_true(with < without / 3);
	assert_int_equal(with, strata.at[SLAB + 5].period); /* both strata of this cache */
	assert_true(other >= without);                      /* … and nobody else */
	/* once samples have found it, /proc adds nothing */
	counts[SLAB + 4].held_bytes = 32 * MiB;
	strata_step(&strata, counts, STEP_S, 3000, 0);
	strata.at[SLAB + 4].growing = strata.at[SLAB + 5].growing = 0;
	strata_grew(&strata, KMT_SLAB, 3, 32 * MiB);
	assert_true(strata.at[SLAB + 4].growing == 0 && strata.at[SLAB + 5].growing == 0);
}

/* The recorder's first step comes after some milliseconds: what came in them is no rate yet. */
static void a_burst_before_the_first_step_is_no_lasting_load(void **state)
{
	(void)state;
	begin(64 << 10);
	counts[SLAB] = (struct stratum_counts){
		.alloc_bytes = 4 * MiB, .held_bytes = 4 * MiB, .size = 4096, .samples = 64};
	strata_step(&strata, counts, 0.02, 1000, 0);
	assert_int_equal(strata.at[SLAB].period, 64 << 10);
}

static void a_period_that_the_user_gave_is_the_shortest(void **state)
{
	static const uint64_t given[] = {64, 4096, 1 << 20, 1 << 26};

	(void)state;
	for (size_t g = 0; g < sizeof(given) / sizeof(given[0]); g++) {
		begin(given[g]);
		for (int step = 0; step < 6; step++) {
			for (uint32_t i = 0; i < KMT_STRATA; i += 3) {
				allocates(i, 1e3 * (1 + i), 512);
				counts[i].held_bytes = i % 2 ? 50 * MiB : 0;
			}
			allocates(KMT_STRATA - 1, 1e9,
				  512); /* 2,000 samples a second are not enough */
			strata_step(&strata, counts, STEP_S, 1e6, 0);
			for (uint32_t i = 0; i < KMT_STRATA; i++) {
				int pool = strata_pool(i);
				uint64_t finer = pool == KMT_KSTACK   ? 8
						 : pool == KMT_PERCPU ? 128
								      : 1;

				assert_true(strata.at[i].period >= given[g] / finer);
				/* a million samples a second pay for it */
				if (pool == KMT_SLAB && given[g] >= 4096)
					assert_int_equal(strata.at[i].period, given[g]);
			}
		}
	}
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void hostile_numbers_give_periods_in_bounded_time(void **state)
{
	static const double odd[] = {0, 1, -1, 1e-300, -1e18, 1e18, 1e300, INFINITY};
	const size_t nr = sizeof(odd) / sizeof(odd[0]);
	double took = 0, least_ms = INFINITY;
	uint64_t seed = 9;

	(void)state;
	for (int run = 0; run < 60; run++) {
		begin(run % 2 ? KMT_EVERY : 1ull << 40);
		for (int step = 0; step < 4; step++) {
			double ms, allowed = fabs(odd[(size_t)(uniform(&seed) * nr)]);

			for (uint32_t i = 0; i < KMT_STRATA; i++) {
				counts[i].alloc_bytes = odd[(size_t)(uniform(&seed) * nr)];
				counts[i].held_bytes = odd[(size_t)(uniform(&seed) * nr)];
				counts[i].size = uniform(&seed) < 0.5 ? 0 : UINT32_MAX;
				counts[i].cache = (uint32_t)(uniform(&seed) * 4);
			}
			strata_grew(&strata, (int)(uniform(&seed) * KMT_POOLS), 1,
				    odd[(size_t)(uniform(&seed) * nr)]);
			ms = now_ms();
			strata_step(&strata, counts, uniform(&seed) < 0.2 ? 0 : STEP_S, allowed,
				    odd[(size_t)(uniform(&seed) * nr)]);
			took = now_ms() - ms;
			least_ms = fmin(least_ms, took);
			for (uint32_t i = 0; i < KMT_STRATA; i++)
				assert_between(strata.at[i].period, KMT_EVERY, KMT_PERIOD_MOST);
			assert_between(strata.stretch, 1, 1024);
		}
	}
	assert_true(least_ms < 100); /* with sanitizers, on a busy machine */
}

/* It runs twice a second on a machine in trouble. */
static void a_step_over_all_strata_is_quick(void **state)
{
	double best = INFINITY;

	(void)state;
	begin(KMT_EVERY);
	for (int step = 0; step < 40; step++) {
		double ms;

		for (uint32_t i = 0; i < KMT_STRATA; i++) {
			allocates(i, 1e5 * (1 + i), 64 + i);
			counts[i].held_bytes = i % 3 ? i * 1e4 : 0;
		}
		ms = now_ms();
		strata_step(&strata, counts, STEP_S, 3000, 0);
		best = fmin(best, now_ms() - ms);
	}
	print_message("a step over %d strata takes %.3f ms\n", KMT_STRATA, best);
	assert_true(best < 5); /* under a sanitizer; without, it is half a millisecond */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quiet_strata_get_every_object_beside_churn),
		cmocka_unit_test(churn_gets_a_long_period_but_never_beyond_the_floor),
		cmocka_unit_test(more_churn_than_the_floor_can_pay_for_is_sampled_still),
		cmocka_unit_test(a_stratum_that_begins_to_keep_objects_is_found),
		cmocka_unit_test(what_is_held_gets_the_samples),
		cmocka_unit_test(the_cost_stays_within_what_is_allowed_for_any_load),
		cmocka_unit_test(more_held_or_more_allowed_never_makes_periods_longer),
		cmocka_unit_test(a_filling_table_makes_all_periods_longer_until_it_empties),
		cmocka_unit_test(growth_that_proc_tells_of_gets_samples_at_once),
		cmocka_unit_test(a_burst_before_the_first_step_is_no_lasting_load),
		cmocka_unit_test(a_period_that_the_user_gave_is_the_shortest),
		cmocka_unit_test(hostile_numbers_give_periods_in_bounded_time),
		cmocka_unit_test(a_step_over_all_strata_is_quick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
