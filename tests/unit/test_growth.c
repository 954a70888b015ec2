// SPDX-License-Identifier: GPL-2.0-only
/* Growth must have the same sum however it is grouped, its intervals must contain the true value,
 * and it must be fast. */
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
#include "findings/report_findings.h"
#include "render/report.h"
#include "sample_capture.h"

static double noise(uint64_t *seed) /* SplitMix64, uniform in 0 … 1 */
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

static void every_grouping_adds_up(void **state)
{
	struct capture *c = sample_whole();

	(void)state;
	for (int by = 0; by < GROWTH_BYS; by++) {
		struct report r;
		double sum = 0, held = 0;

		assert_int_equal(report_whole(c, by, &r), 0);
		for (size_t i = 0; i < r.outstanding.nr; i++)
			held += r.outstanding.items[i].bytes;
		for (size_t i = 0; i < r.growth.nr; i++) {
			const struct growth_group *g = &r.growth.groups[i];
			const struct growth_shares *lists[] = {&g->stacks, &g->caches,
							       &g->processes, &g->cgroups};

			sum += g->bytes;
			assert_true(!i || g->bytes <= g[-1].bytes);
			for (size_t l = 0; l < 4; l++) {
				double part = 0;

				for (size_t k = 0; k < lists[l]->nr; k++) {
					part += lists[l]->items[k].bytes;
					assert_true(!k || lists[l]->items[k].bytes <=
								  lists[l]->items[k - 1].bytes);
				}
				assert_close(part, g->bytes, 1e-6);
			}
		}
		assert_close(sum, held, 1e-6);
		assert_close(r.growth.bytes, held, 1e-6);
		report_free(&r);
	}
	capture_free(c);
}

static void groups_carry_their_facts(void **state)
{
	struct capture *c = sample_whole();
	const struct growth_group *g;
	struct report r;

	(void)state;
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	g = &r.growth.groups[0];
	assert_int_equal(g->key, 1);
	assert_close(g->bytes, 1200 * 1024, 0);
	assert_close(g->objects, 1200, 0);
	assert_close(g->oldest_s, 30, 0);
	/* 640 of 1200 are under 16 s: the median lies just below. */
	assert_true(g->age_p50_s > 13 && g->age_p50_s < 16);
	assert_close(g->allocs, 1300, 0);
	assert_string_equal(g->module, "vmlinux");
	g = &r.growth.groups[1];
	assert_int_equal(g->key, 2);
	assert_string_equal(g->module, "ext4");
	assert_int_equal(g->processes.nr, 2);
	assert_close(g->processes.items[0].bytes, 1500 * 192, 1e-6);
	report_free(&r);
	capture_free(c);
}

static void pools_are_never_mixed(void **state)
{
	struct capture *c = sample_new("exact");
	struct cap_checkpoint *at;
	struct report r;

	(void)state;
	sample_call(c, "copy_process", 1, "vmlinux");
	sample_snapshot(c, 0);
	at = sample_interval(c, 1);
	sample_held(at, 0, 1, 0, 1, 100);
	sample_held(at, 0, 1, 0, 1, 16384)->pool = POOL_KSTACK;
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	assert_int_equal(r.growth.nr, 2);
	assert_int_equal(r.growth.groups[0].pool, POOL_KSTACK);
	assert_int_equal(r.growth.groups[1].pool, POOL_SLAB);
	/* Kernel stacks were traced, so their row of the ledger has a figure; the others have none.
	 * */
	assert_close(r.ledger.rows[LEDGER_KERNEL_STACK].attributed_kb, 16, 0);
	assert_true(isnan(r.ledger.rows[LEDGER_PERCPU].attributed_kb));
	report_free(&r);
	capture_free(c);
}

static void quantiles_of_known_ages(void **state)
{
	double hist[AGE_BUCKETS] = {0};

	(void)state;
	assert_true(isnan(age_quantile(hist, 0, 0.5)));
	hist[0] = 100; /* 100 evenly between 0 and 1 s, but the oldest is 0.5 s */
	assert_close(age_quantile(hist, 0.5, 0.5), 0.25, 1e-9);
	assert_close(age_quantile(hist, 1, 0.9), 0.9, 1e-9);
	hist[3] = 100; /* 100 between 4 and 8 s */
	assert_close(age_quantile(hist, 8, 0.75), 6, 1e-9);
	hist[AGE_BUCKETS - 1] = 1000; /* the last bucket ends with the oldest */
	assert_close(age_quantile(hist, 100000, 1), 100000, 1e-6);
	/* If a histogram exceeds the oldest age, use the oldest: "oldest 1 s, 90% below 6 s" is
	 * wrong. */
	assert_close(age_quantile(hist, 1, 0.75), 1, 1e-9);
}

/* 20 000 stacks and 50 000 rows of 5 000 processes in 400 caches: the bar is 0.5 s without
 * sanitizers. */
static struct capture *big_capture(void)
{
	struct capture *c = sample_new("sampled");
	struct cap_checkpoint *at;
	uint64_t seed = 5;
	char name[64];

	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "function_%d", i);
		sample_frame(c, name, (uint64_t)i, i % 10 ? "vmlinux" : "module");
	}
	for (int i = 0; i < 20000; i++) {
		uint32_t frames[20];

		for (int k = 0; k < 20; k++)
			frames[k] = 1 + (uint32_t)(noise(&seed) * 5000);
		sample_stack(c, 20, frames);
	}
	for (int i = 0; i < 5000; i++)
		sample_process(c, i + 1, "process", 0);
	for (int i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), "cache_%d", i);
		sample_cache(c, name, 64, 64, false);
	}
	for (int t = 0; t < 600; t++) {
		struct snapshot *s = sample_snapshot(c, t);

		sample_meminfo(s, "Slab", 100000 + t * 100);
		for (int i = 0; i < 400; i++) {
			snprintf(name, sizeof(name), "cache_%d", i);
			sample_slab(s, name, 6400 + t * i, 64, 64, 1, 100 + t * i / 64);
		}
	}
	at = sample_interval(c, 600);
	for (int i = 0; i < 50000; i++) {
		struct cap_held *h =
			sample_held(at, 1 + (uint32_t)(i % 400), 1 + (uint32_t)(i % 20000),
				    1 + (uint32_t)(noise(&seed) * 5000), 1, 64 + i);

		h->bytes_var = 1000;
		h->age_hist[i % AGE_BUCKETS] = 1;
		h->oldest_s = i % 600;
	}
	return c;
}

static double elapsed_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

static void big_captures_are_reported_quickly(void **state)
{
	struct capture *c = big_capture();
	struct report_options options = {.sections = SECTIONS_ALL, .top = 10, .utf8 = true};
	struct timespec start;
	char *document = NULL;
	struct report r;
	size_t size;
	double took;
	FILE *f;

	(void)state;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	f = open_memstream(&document, &size);
	assert_int_equal(report_text(&r, &options, f), 0);
	assert_int_equal(report_json(&r, 100, f), 0);
	took = elapsed_since(&start);
	print_message("20000 stacks, 50000 rows: %.2f s of CPU time", took);
	assert_int_equal(r.growth.nr, 20000);
	/* Sanitizers cost up to 5 times: quadratic work would cost minutes. */
	assert_true(took < 2.5);
	assert_int_equal(report_json(&r, 0, f), 0);
	fclose(f);
	print_message(", %.2f s with all %zu MB of JSON\n", elapsed_since(&start), size >> 20);
	assert_true(elapsed_since(&start) < 8);
	free(document);
	report_free(&r);
	capture_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_grouping_adds_up),
		cmocka_unit_test(groups_carry_their_facts),
		cmocka_unit_test(pools_are_never_mixed),
		cmocka_unit_test(quantiles_of_known_ages),
		cmocka_unit_test(big_captures_are_reported_quickly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
