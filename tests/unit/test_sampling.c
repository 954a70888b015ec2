// SPDX-License-Identifier: GPL-2.0-only
/*
 * The quality of sampled figures. Streams of allocations with known sums are sampled as the BPF
 * side does it (bpf/sample.bpf.h: an exponential countdown of bytes, drawn again after each sample,
 * with the period at that time). They go through the tracer's own estimator, the capture's rows and
 * the report's model. The 95 % intervals must contain the true value in 92 to 98 % of cases, and
 * the estimates must be right on average.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "record/estimate.h"
#include "model/confidence.h"
#include "findings/report_findings.h"
#include "sample_capture.h"

#define RECORDINGS 400
#define PATHS      24
#define CACHES     6

struct stream_path {
	uint32_t cache; /* row and id */
	uint64_t size;
	int count; /* allocated */
	int freed; /* … and freed again: the first of them */
};

static double noise(uint64_t *seed) /* SplitMix64, uniform in 0 … 1 */
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return ((double)((z ^ (z >> 31)) >> 11) + 0.5) / 9007199254740992.0;
}

/* Path i: from 32 bytes to 64 KiB, with more or fewer objects; in some, a third is freed again. */
static struct stream_path stream_path_of(int i)
{
	static const uint64_t sizes[CACHES] = {32, 192, 1024, 4096, 16384, 65536};
	struct stream_path p = {.cache = 1 + (uint32_t)i % CACHES, .size = sizes[i % CACHES]};
	double bytes = 400e3 * (1 + i / CACHES * 3); /* 6 … 60 samples at 64 KiB */

	p.count = (int)(bytes / (double)p.size);
	p.freed = i % 3 ? 0 : p.count / 3;
	return p;
}

/* Sample the allocations of all paths, mixed, and write into the row of each path what the tracer
 * would hold at the end. */
static void stream_sample(struct cap_held rows[PATHS], uint64_t *seed)
{
	struct stream_path paths[PATHS];
	int left[PATHS], all = 0, done[PATHS] = {0};
	double period = 65536, drawn_with = period, countdown;

	for (int i = 0; i < PATHS; i++) {
		paths[i] = stream_path_of(i);
		left[i] = paths[i].count;
		all += left[i];
	}
	countdown = -log(noise(seed)) * drawn_with;
	for (int n = 0; n < all; n++) {
		int i = (int)(noise(seed) * PATHS);
		struct kmt_object o;

		while (!left[i])
			i = (i + 1) % PATHS;
		left[i]--;
		done[i]++;
		if (n == all / 2)
			period *= 2; /* the governor raises the period */
		countdown -= (double)paths[i].size;
		if (countdown > 0)
			continue;
		o = (struct kmt_object){.size = paths[i].size, .period = (uint64_t)drawn_with};
		drawn_with = period;
		countdown = -log(noise(seed)) * drawn_with;
		if (done[i] > paths[i].freed)
			estimate_add(&rows[i], &o, 5000, false);
	}
}

static struct capture *recording(uint64_t *seed)
{
	struct cap_held rows[PATHS] = {0};
	struct capture *c = sample_new("sampled");
	struct cap_checkpoint *at;
	char name[32];

	for (int i = 0; i < CACHES; i++) {
		snprintf(name, sizeof(name), "cache_%d", i);
		sample_cache(c, name, 64, 64, false);
	}
	for (int i = 0; i < PATHS; i++) {

		snprintf(name, sizeof(name), "function_%d", i);
		sample_call(c, name, 1, "vmlinux");
	}
	sample_meminfo(sample_snapshot(c, 0), "Slab", 1);
	at = sample_interval(c, 5);
	stream_sample(rows, seed);
	for (int i = 0; i < PATHS; i++) {
		struct cap_held *h;

		if (!rows[i].tracked)
			continue;
		h = sample_held(at, stream_path_of(i).cache, (uint32_t)i + 1, 0, 0, 0);
		rows[i].pool = POOL_SLAB;
		rows[i].cache = h->cache;
		rows[i].stack = h->stack;
		*h = rows[i];
	}
	return c;
}

static double path_truth(int i)
{
	struct stream_path p = stream_path_of(i);

	return (double)p.size * (p.count - p.freed);
}

struct coverage {
	double inside, all, sum, truth;
};

static void coverage_add(struct coverage *c, double truth, double bytes, double low, double high)
{
	c->all++;
	c->inside += low <= truth && truth <= high;
	c->sum += bytes;
	c->truth += truth;
}

static void groups_cover(struct capture *c, enum growth_by by, struct coverage *out,
			 struct coverage *pool)
{
	double var = 0, low, high, all = 0, truth_of[PATHS + 1] = {0};
	struct report r;

	for (int i = 0; i < PATHS; i++) {
		truth_of[by == GROWTH_BY_STACK ? (uint32_t)i + 1 : stream_path_of(i).cache] +=
			path_truth(i);
		all += path_truth(i);
	}
	assert_int_equal(report_whole(c, by, &r), 0);
	for (size_t i = 0; i < r.growth.nr; i++) {
		const struct growth_group *g = &r.growth.groups[i];

		coverage_add(out, truth_of[g->key], g->bytes, g->bytes_low, g->bytes_high);
		var += g->bytes_var;
	}
	if (pool) {
		interval_weighted(r.growth.bytes, var, 0, &low, &high);
		coverage_add(pool, all, r.growth.bytes, low, high);
		assert_true(fabs(r.ledger.rows[LEDGER_SLAB].attributed_sd_kb * 1024 - sqrt(var)) <
			    1);
	}
	report_free(&r);
}

static void assert_covers(const char *what, const struct coverage *c)
{
	double share = c->inside / c->all, bias = c->sum / c->truth - 1;

	print_message("%s: %.1f%% of %.0f intervals hold the truth, bias %+.2f%%\n", what,
		      100 * share, c->all, 100 * bias);
	if (share < 0.92 || share > 0.98)
		fail_msg("%s: coverage %.3f", what, share);
	assert_true(fabs(bias) < 0.01);
}

static void intervals_hold_the_truth_of_sampled_recordings(void **state)
{
	struct coverage paths = {0}, caches = {0}, pool = {0};
	uint64_t seed = 4;

	(void)state;
	for (int i = 0; i < RECORDINGS; i++) {
		struct capture *c = recording(&seed);

		groups_cover(c, GROWTH_BY_STACK, &paths, &pool);
		groups_cover(c, GROWTH_BY_CACHE, &caches, NULL);
		capture_free(c);
	}
	assert_covers("paths", &paths);
	assert_covers("caches", &caches);
	assert_covers("pool", &pool);
}

/* From 3 expected samples to hundreds, each number separately: the intervals must be right for any
 * size of path. */
static void intervals_hold_for_few_samples_and_many(void **state)
{
	static const double expected[] = {3, 4, 6, 10, 20, 50, 200};
	static const double shares[] = {0.01, 0.1,
					0.6}; /* p: small objects, and those near the period */
	uint64_t seed = 11;

	(void)state;
	for (size_t e = 0; e < sizeof(expected) / sizeof(expected[0]); e++)
		for (size_t s = 0; s < sizeof(shares) / sizeof(shares[0]); s++) {
			double p = shares[s], size = 1000, inside = 0, drawn = 0;
			int n = (int)lrint(expected[e] / p);

			for (int run = 0; run < (p < 0.05 ? 1500 : 4000); run++) {
				struct cap_held h = {0};
				double low, high;

				for (int i = 0; i < n; i++) {
					struct kmt_object o = {
						.size = (uint64_t)size,
						.period = (uint64_t)(-size / log1p(-p))};

					if (noise(&seed) < -expm1(-size / (double)o.period))
						estimate_add(&h, &o, 0, false);
				}
				if (!h.tracked)
					continue; /* nothing sampled, nothing reported */
				interval_weighted(h.bytes, h.bytes_var, 0, &low, &high);
				drawn++;
				inside += low <= n * size && n * size <= high;
			}
			if (inside / drawn < 0.92 || inside / drawn > 0.99)
				fail_msg("%.0f samples expected, p %.3f: coverage %.3f",
					 expected[e], p, inside / drawn);
		}
}

static void exact_figures_have_no_interval(void **state)
{
	const struct kmt_object o = {.size = 100, .alloc_ms = 1000, .checked = KMT_CHECKED_TWICE};
	const struct kmt_object other = {.size = 100, .alloc_ms = 1000};
	struct cap_held h = {0};
	double low, high;

	(void)state;
	estimate_add(&h, &o, 4500, true);
	estimate_add(&h, &o, 4500, false);
	estimate_add(&h, &other, 4500, true); /* reused the row of a checked one */
	assert_int_equal(h.tracked, 3);
	assert_int_equal(h.verified, 1);
	assert_int_equal(h.verified_live, 1);
	assert_int_equal(h.verified_twice, 2);
	assert_true(h.bytes == 300 && h.objects == 3 && h.bytes_var == 0);
	assert_true(h.age_hist[2] == 3 && h.oldest_s == 3.5);
	interval_weighted(h.bytes, h.bytes_var, 0, &low, &high);
	assert_true(low == 300 && high == 300);
}

/* A text only says what matters: no "give or take 18 B" of 55 MiB. */
static void narrow_intervals_are_not_printed(void **state)
{
	char buf[INTERVAL_WORDS_MAX];

	(void)state;
	assert_string_equal(interval_words(buf, " (", 1000, 991, 1009, units_bytes_short), "");
	assert_string_equal(interval_words(buf, " (", 1000, 989, 1001, units_bytes_short),
			    " (989 to 1001)");
	assert_string_equal(interval_words(buf, " (", -1000, -1009, -991, units_bytes_short), "");
	assert_string_equal(
		interval_words(buf, " (95% interval ", 60, 30, INFINITY, units_duration),
		" (95% interval 30 s to ever)");
	assert_false(interval_shows(0, 0, 0));
	assert_true(interval_shows(0, 0, 1));
	assert_false(interval_shows(NAN, NAN, NAN));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(intervals_hold_the_truth_of_sampled_recordings),
		cmocka_unit_test(intervals_hold_for_few_samples_and_many),
		cmocka_unit_test(exact_figures_have_no_interval),
		cmocka_unit_test(narrow_intervals_are_not_printed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
