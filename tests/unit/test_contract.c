// SPDX-License-Identifier: GPL-2.0-only
/* What both the programs and the loader compute (bpf/kmemtrace.h). An error here would mix up call
 * paths, or miscount. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kmemtrace.h"

typedef __int128 wide;

struct pair {
	wide x, y;
};

static wide magnitude(wide v)
{
	return v < 0 ? -v : v;
}

static wide larger(struct pair p)
{
	return magnitude(p.x) > magnitude(p.y) ? magnitude(p.x) : magnitude(p.y);
}

static struct pair less(struct pair a, struct pair b, wide times)
{
	return (struct pair){a.x - b.x * times, a.y - b.y * times};
}

/*
 * Differences (x, y) of two frames `gap` apart that do not change the sum: x × factor^gap + y = 0
 * modulo 2^64. They form a lattice with the basis (0, 2^64), (1, −factor^gap). Its smallest vector,
 * measured by the larger component, is between two successive vectors of Euclid's algorithm.
 */
static wide smallest_confusion(int gap)
{
	uint64_t power = 1;
	struct pair a = {0, (wide)1 << 64}, b, rest;
	wide best = a.y;

	for (int i = 0; i < gap; i++)
		power *= KMT_SUM_FACTOR;
	b = (struct pair){1, -(wide)power};
	while (b.y) {
		/* of all a − times × b, the two at the sign change of y are the smallest */
		wide times = a.y / b.y;

		for (wide t = times - 1; t <= times + 1; t++) {
			rest = less(a, b, t);
			if ((rest.x || rest.y) && larger(rest) < best)
				best = larger(rest);
		}
		if (larger(b) < best)
			best = larger(b);
		rest = less(a, b, times);
		a = b;
		b = rest;
	}
	return best;
}

static void paths_that_differ_in_two_frames_have_two_sums(void **state)
{
	(void)state;
	for (int gap = 1; gap < KMT_FRAMES; gap++)
		assert_true(smallest_confusion(gap) >= (wide)1 << 27);
}

static uint64_t sum_of(const uint64_t *ip, int nr)
{
	uint64_t sum = 0;

	for (int i = 0; i < nr; i++)
		sum = kmt_sum(sum, ip[i]);
	return sum;
}

/* Sums with weights 1, 3, 5 … would miss three steps forward in one frame and one step back in the
 * next. */
static void small_steps_do_not_cancel_out(void **state)
{
	uint64_t ip[8], was;

	(void)state;
	for (int i = 0; i < 8; i++)
		ip[i] = 0xffffffff81000000 + (uint64_t)i * 0x1230;
	was = sum_of(ip, 8);
	for (int i = 0; i < 7; i++)
		for (int forward = 1; forward < 64; forward++)
			for (int back = 1; back < 64; back++) {
				ip[i] += forward;
				ip[i + 1] -= back;
				assert_true(sum_of(ip, 8) != was);
				ip[i] -= forward;
				ip[i + 1] += back;
			}
}

static void a_sample_stands_for_as_many_as_it_should(void **state)
{
	const uint64_t mean = 1 << 20;
	uint32_t table[65] = {0};

	(void)state;
	for (int i = 1; i <= 64; i++)
		table[i] = (uint32_t)lrint(KMT_ONE / (1 - exp(-i / 4.0)));
	for (double size = 8; size < 64.0 * mean; size *= 1.07) {
		double exact = -1 / expm1(-floor(size) / mean);

		assert_true(fabs((double)kmt_weight((uint64_t)size, mean, table) / KMT_ONE / exact -
				 1) < 0.01);
	}
	assert_int_equal(kmt_weight(100, 0, table), KMT_ONE); /* every object is taken */
}

/* Whatever is allocated, a stratum at this rate samples it, and no sum overflows. */
static void the_rate_of_every_object_leaves_none_out(void **state)
{
	const double longest_countdown = -log(1.0 / (1ull << 32)) * KMT_PERIOD_MOST;

	(void)state;
	assert_true((double)(1ull << KMT_RATE_EVERY) > longest_countdown + 1);
	for (uint64_t size = 1; size <= UINT32_MAX; size = 2 * size + 1)
		assert_true((int64_t)(size << KMT_RATE_EVERY) > 0);
	assert_true(KMT_LEFT_TAKING - (UINT32_MAX << (uint64_t)KMT_PERIOD_BITS) > 0);
	assert_int_equal(kmt_period(KMT_RATE_EVERY), KMT_EVERY);
	assert_int_equal(kmt_period(0), KMT_PERIOD_MOST);
	for (uint8_t rate = 1; rate < KMT_PERIOD_BITS; rate++)
		assert_int_equal(kmt_period(rate), kmt_period(rate - 1) / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_that_differ_in_two_frames_have_two_sums),
		cmocka_unit_test(small_steps_do_not_cancel_out),
		cmocka_unit_test(a_sample_stands_for_as_many_as_it_should),
		cmocka_unit_test(the_rate_of_every_object_leaves_none_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
