// SPDX-License-Identifier: GPL-2.0-only
/* Trends: a growing pool must be called growing; a finished step and noise must not. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "close.h"
#include "model/series.h"

static struct trend trend(const double *t, const double *y, size_t n, double floor_)
{
	struct trend out;

	assert_int_equal(trend_of(t, y, n, floor_, &out), 0);
	return out;
}

/* The worked example of Sen (1968): slope 4; its published 93 % interval is (26/7, 35/8). */
static void slope_of_sens_own_example(void **state)
{
	static const double t[] = {1, 2, 3, 4, 10, 12, 18}, y[] = {9, 15, 19, 20, 45, 55, 78};
	struct trend r = trend(t, y, 7, 0);

	(void)state;
	assert_close(r.slope, 4, 1e-12);
	assert_close(r.slope_low, 11.0 / 3, 1e-12); /* the next rank outwards: 95 % */
	assert_close(r.slope_high, 5, 1e-12);
	/* S = 21 (all pairs rise), Var = 7·6·19/18, Z = 20/√44.33 */
	assert_close(r.mk_z, 3.003757, 1e-6);
	assert_close(r.mk_p, 0.00266668, 1e-8);
	assert_int_equal(r.pattern, PATTERN_UNKNOWN); /* 7 points name no shape */
}

/* By hand: S = 10, Var = 50/3. With a tie: S = 5, Var = (156 − 18)/18. */
static void mann_kendall_by_hand(void **state)
{
	static const double t[] = {0, 1, 2, 3, 4}, y[] = {1, 2, 3, 4, 5}, tied[] = {1, 2, 2, 3};
	static const double flat[] = {7, 7, 7, 7, 7};
	struct trend r = trend(t, y, 5, 0);

	(void)state;
	assert_close(r.mk_z, 2.2045408, 1e-6);
	assert_close(r.mk_p, 0.0274863, 1e-6);
	r = trend(t, tied, 4, 0);
	assert_close(r.mk_z, 1.4446302, 1e-6);
	assert_close(r.mk_p, 0.1485618, 1e-6);
	r = trend(t, flat, 5, 0);
	assert_close(r.mk_p, 1, 0);
	assert_close(r.slope, 0, 0);
}

static void too_few_points_say_nothing(void **state)
{
	static const double t[] = {0, 0}, y[] = {1, 2};
	struct trend r = trend(NULL, NULL, 0, 0);

	(void)state;
	assert_int_equal(r.pattern, PATTERN_UNKNOWN);
	assert_true(isnan(r.slope));
	r = trend(t, y, 2, 0); /* both at the same time: no slope */
	assert_true(isnan(r.slope));
	assert_close(r.mk_p, 1, 0);
}

/* SplitMix64 (Steele et al. 2014): good, and the same numbers everywhere. Uniform in −0.5 … 0.5. */
static double noise(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0 - 0.5;
}

/* Found by a fuzzer: Slab was missing in one snapshot, so one level of large kmalloc was NaN. A NaN
 * has no place in an order, and the slope was 10.24 with an interval from 0 to 0. */
static void a_slope_lies_in_its_interval_if_a_reading_is_unknown(void **state)
{
	double t[35], y[35];
	struct trend r;

	(void)state;
	for (int i = 0; i < 35; i++) {
		t[i] = i < 31 ? i : 30 + 1e-9 * (i - 30);
		y[i] = i < 10 ? 2048 : i < 31 ? 2304 : 2504;
	}
	y[20] = NAN;
	r = trend(t, y, 35, 256);
	assert_true(r.slope_low <= r.slope && r.slope <= r.slope_high);
	assert_int_equal(r.n, 34);
}

static void assert_same_trend(const struct trend *a, const struct trend *b)
{
	assert_int_equal(a->pattern, b->pattern);
	assert_int_equal(a->n, b->n);
	assert_close(a->slope, b->slope, 0);
	assert_close(a->slope_low, b->slope_low, 0);
	assert_close(a->slope_high, b->slope_high, 0);
	assert_close(a->mk_z, b->mk_z, 0);
	assert_close(a->mk_p, b->mk_p, 0);
	assert_close(a->change_t, b->change_t, 0);
	assert_close(a->change, b->change, 0);
	assert_close(a->change_p, b->change_p, 0);
	assert_close(a->noise, b->noise, 0);
}

/* Unknown readings change nothing, wherever they are, also where the series is thinned. */
static void unknown_readings_are_as_if_not_taken(void **state)
{
	static const double unknown[] = {NAN, INFINITY, -INFINITY};
	static double t[1500], y[1500], kt[1500], ky[1500];
	uint64_t seed = 17;

	(void)state;
	for (int run = 0; run < 60; run++) {
		size_t n = run % 6 ? 12 + 4 * (size_t)run : 1500, known = 0;
		struct trend all, only;

		for (size_t i = 0; i < n; i++) {
			bool hole = noise(&seed) < -0.3 || (run % 2 && (i == 0 || i == n - 1));

			t[i] = (double)i;
			y[i] = 1000 * (double)(i > n / 3) + (run % 3 ? 5 * (double)i : 0) +
			       floor(20 * noise(&seed));
			if (hole) {
				y[i] = unknown[i % 3];
				continue;
			}
			kt[known] = t[i];
			ky[known++] = y[i];
		}
		all = trend(t, y, n, 256);
		only = trend(kt, ky, known, 256);
		assert_true(all.slope_low <= all.slope && all.slope <= all.slope_high);
		assert_same_trend(&all, &only);
	}
	for (size_t i = 0; i < 12; i++)
		y[i] = i == 5 ? 1 : NAN;
	assert_int_equal(trend(t, y, 12, 256).n, 1);
	assert_true(isnan(trend(t, y, 12, 256).slope));
}

enum shape { FLAT, RAMP, STAIRS, STEP, PULSE, FALL, STEP_DOWN };

static double shape_at(enum shape shape, double x)
{
	switch (shape) {
	case RAMP:
		return 10000 * x;
	case STAIRS:
		return 2000 * floor(x * 5);
	case STEP:
		return x > 0.4 ? 10000 : 0;
	case PULSE:
		return x > 0.4 && x < 0.6 ? 10000 : 0;
	case FALL:
		return -10000 * x;
	case STEP_DOWN:
		return x > 0.5 ? -10000 : 0;
	case FLAT:
		break;
	}
	return 0;
}

static void shapes_are_named(void **state)
{
	static const struct {
		enum shape shape;
		enum pattern pattern;
	} expected[] = {{FLAT, PATTERN_STEADY},    {RAMP, PATTERN_GROWING},
			{STAIRS, PATTERN_GROWING}, {STEP, PATTERN_STEP},
			{PULSE, PATTERN_SPIKE},    {FALL, PATTERN_DROP},
			{STEP_DOWN, PATTERN_DROP}};
	static const size_t lengths[] = {11, 31, 61, 600, 3600};
	static double t[3600], y[3600];
	uint64_t seed = 1;

	(void)state;
	for (size_t l = 0; l < sizeof(lengths) / sizeof(lengths[0]); l++) {
		for (size_t s = 0; s < sizeof(expected) / sizeof(expected[0]); s++) {
			size_t n = lengths[l];

			for (size_t i = 0; i < n; i++) {
				t[i] = (double)i;
				y[i] = 50000 +
				       shape_at(expected[s].shape, (double)i / (double)(n - 1)) +
				       200 * noise(&seed);
			}
			assert_int_equal(trend(t, y, n, 256).pattern, expected[s].pattern);
		}
	}
}

/* 0, 500 and 1000 kB: growing, but without a rate. */
static void few_jumps_have_no_rate(void **state)
{
	double t[30], y[30];
	struct trend r;

	(void)state;
	for (int i = 0; i < 30; i++) {
		t[i] = i;
		y[i] = i < 22 ? 0 : i < 27 ? 500 : 1000;
	}
	r = trend(t, y, 30, 64);
	assert_int_equal(r.pattern, PATTERN_GROWING);
	assert_close(r.slope, 0, 0);
	assert_false(trend_has_rate(&r));
	for (int i = 0; i < 30; i++)
		y[i] = 100 * i;
	r = trend(t, y, 30, 64);
	assert_true(trend_has_rate(&r));
}

static void noise_alone_is_never_growth(void **state)
{
	double t[60], y[60];
	uint64_t seed = 7;
	int steady = 0;

	(void)state;
	for (int run = 0; run < 500; run++) {
		enum pattern p;

		for (size_t i = 0; i < 60; i++) {
			t[i] = (double)i;
			y[i] = 1e6 + 5000 * noise(&seed);
		}
		p = trend(t, y, 60, 256).pattern;
		assert_true(p != PATTERN_GROWING && p != PATTERN_STEP);
		steady += p == PATTERN_STEADY;
	}
	assert_true(steady >= 475);
}

/* Small changes up and down between readings are noise; changes of tens of megabytes are not. */
static void swings_far_beyond_the_floor_are_no_noise(void **state)
{
	double t[60], y[60];
	uint64_t seed = 11;

	(void)state;
	for (int i = 0; i < 60; i++) {
		t[i] = i;
		y[i] = 400000 + 40000 * noise(&seed);
	}
	assert_int_equal(trend(t, y, 60, 256).pattern, PATTERN_SAWTOOTH);
}

/* Slow growth under noise ten times its step: the slope must be found, with an interval that holds
 * it. */
static void slope_is_found_under_noise(void **state)
{
	double t[120], y[120];
	uint64_t seed = 3;
	int inside = 0;

	(void)state;
	for (int run = 0; run < 1000; run++) {
		struct trend r;

		for (size_t i = 0; i < 120; i++) {
			t[i] = (double)i;
			y[i] = 100 * (double)i + 1000 * noise(&seed);
		}
		r = trend(t, y, 120, 256);
		assert_int_equal(r.pattern, PATTERN_GROWING);
		assert_close(r.slope, 100, 10);
		inside += r.slope_low <= 100 && r.slope_high >= 100;
	}
	assert_between(inside, 930, 970);
}

static void long_series_are_thinned_and_keep_their_ends(void **state)
{
	size_t n = 100000;
	double *t = calloc(n, sizeof(*t)), *y = calloc(n, sizeof(*y));
	struct trend r;

	(void)state;
	for (size_t i = 0; i < n; i++)
		y[i] = t[i] = (double)i;
	r = trend(t, y, n, 256);
	assert_int_equal(r.n, SERIES_POINTS);
	assert_close(r.slope, 1, 1e-9);
	assert_int_equal(r.pattern, PATTERN_GROWING);
	free(t);
	free(y);
}

/* By hand: y = 0 0 0 0 1 1 1 1: U is −16 after the fourth; p = 2 exp(−6·256 / (64·9)). */
static void pettitt_by_hand(void **state)
{
	static const double t[] = {0, 1, 2, 3, 4, 5, 6, 7}, y[] = {0, 0, 0, 0, 1, 1, 1, 1};
	struct trend r = trend(t, y, 8, 0);

	(void)state;
	assert_close(r.change_t, 4, 0);
	assert_close(r.change_p, 2 * exp(-6 * 256 / 576.0), 1e-12);
	assert_true(trend_has_step(&r));
	r = trend(t, y, 7, 0);
	assert_true(isnan(r.change_t)); /* too few */
	assert_false(trend_has_step(&r));
}

/* The step that holds most of the change, though it took several readings and others follow. */
static void a_step_is_found_by_its_size(void **state)
{
	double t[300], y[300];
	struct trend r;

	(void)state;
	for (int i = 0; i < 300; i++) {
		t[i] = i;
		y[i] = 1e6 - (i < 4 ? 0 : i > 7 ? 8e5 : 2e5 * (i - 4)) - 100 * i;
	}
	r = trend(t, y, 300, 256);
	assert_close(r.change_t, 6, 0);
	assert_true(r.change < -7.9e5 && r.change > -8.1e5);
	assert_close(r.change_share, r.change / (y[299] - y[0]), 1e-12);
	assert_true(trend_has_step(&r));
	for (int i = 0; i < 300; i++)
		y[i] = 1e6 - 100 * i;
	r = trend(t, y, 300, 256);
	assert_false(trend_has_step(&r));
}

/* It began high and fell, and never rose. */
static void an_early_fall_is_a_drop(void **state)
{
	double t[200], y[200];

	(void)state;
	for (int i = 0; i < 200; i++) {
		t[i] = i;
		y[i] = i < 5 ? 9e6 : 6e5;
	}
	assert_int_equal(trend(t, y, 200, 256).pattern, PATTERN_DROP);
	y[0] = 6e5;
	assert_int_equal(trend(t, y, 200, 256).pattern, PATTERN_SPIKE);
}

static double shape_noise(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (double)(*seed >> 33) / 2147483648.0 - 1;
}

/* Each shape, a hundred times with noise, from short to long: it must get the right name. */
static void shapes_are_told_apart(void **state)
{
	static const enum pattern kinds[] = {PATTERN_STEADY, PATTERN_GROWING, PATTERN_STEP,
					     PATTERN_SPIKE,  PATTERN_DROP,    PATTERN_SAWTOOTH};
	uint64_t seed = 3;

	(void)state;
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		int right = 0;

		for (int run = 0; run < 100; run++) {
			size_t n = 20 + (size_t)run * 2;
			double t[256], y[256];
			struct trend r;

			for (size_t i = 0; i < n; i++) {
				double x = (double)i / (double)(n - 1), level = 0;

				switch (kinds[k]) {
				case PATTERN_GROWING:
					level = 10000 * x;
					break;
				case PATTERN_STEP:
					level = x > 0.4 ? 10000 : 0;
					break;
				case PATTERN_SPIKE:
					level = x > 0.4 && x < 0.6 ? 10000 : 0;
					break;
				case PATTERN_DROP:
					level = x > 0.4 ? 0 : 10000;
					break;
				case PATTERN_SAWTOOTH:
					level = 10000 * fmod(x * 3.9, 1);
					break;
				default:
					break;
				}
				t[i] = (double)i;
				y[i] = 50000 + level + 60 * shape_noise(&seed);
			}
			r = trend(t, y, n, 256);
			right += r.pattern == kinds[k];
			if (kinds[k] == PATTERN_STEP || kinds[k] == PATTERN_DROP) {
				assert_true(r.change_p < 0.05);
				/* noise may move it by a few readings */
				assert_close(r.change_t, 0.4 * (double)(n - 1),
					     2 + 0.05 * (double)n);
			}
		}
		if (right < 98)
			fail_msg("%s: %d of 100", pattern_name(kinds[k]), right);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slope_of_sens_own_example),
		cmocka_unit_test(mann_kendall_by_hand),
		cmocka_unit_test(too_few_points_say_nothing),
		cmocka_unit_test(shapes_are_named),
		cmocka_unit_test(a_slope_lies_in_its_interval_if_a_reading_is_unknown),
		cmocka_unit_test(unknown_readings_are_as_if_not_taken),
		cmocka_unit_test(few_jumps_have_no_rate),
		cmocka_unit_test(noise_alone_is_never_growth),
		cmocka_unit_test(swings_far_beyond_the_floor_are_no_noise),
		cmocka_unit_test(slope_is_found_under_noise),
		cmocka_unit_test(long_series_are_thinned_and_keep_their_ends),
		cmocka_unit_test(pettitt_by_hand),
		cmocka_unit_test(a_step_is_found_by_its_size),
		cmocka_unit_test(an_early_fall_is_a_drop),
		cmocka_unit_test(shapes_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
