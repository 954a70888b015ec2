// SPDX-License-Identifier: GPL-2.0-only
/* The first screen of a report: who is named as the holder of what grew, and what is a headline. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "findings/report_findings.h"
#include "sample_capture.h"

/* The sample, with these bytes held at one call path by each of `nr` processes of these names, and
 * next to nothing by others. */
static struct capture *held_by(size_t nr, const char *const *names, const double *bytes)
{
	struct capture *c = sample_whole();
	struct cap_checkpoint *at = &c->checkpoints[0];
	uint32_t frame = sample_frame(c, "new_one", 16, "vmlinux");
	uint32_t stack = sample_stack(c, 1, &frame);

	for (size_t i = 0; i < at->held.nr; i++)
		at->held.items[i].bytes = 1000;
	for (size_t i = 0; i < nr; i++) {
		struct cap_held *h =
			sample_held(at, 1, stack, sample_process(c, 5000 + (int32_t)i, names[i], 0),
				    (int64_t)bytes[i] / 1024, bytes[i]);

		h->age_hist[5] = h->objects;
		h->oldest_s = 30;
	}
	return c;
}

static void many_processes_of_one_name_are_one_holder(void **state)
{
	const char *names[40];
	double bytes[40];
	struct capture *c;
	struct report r;

	(void)state;
	for (size_t i = 0; i < 40; i++) {
		names[i] = "postgres";
		bytes[i] = i == 7 ? 40 << 10 : 20 << 10; /* none holds what is worth a name */
	}
	c = held_by(40, names, bytes);
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	assert_int_equal(r.screen.nr_holders, 1);
	assert_string_equal(r.screen.holders[0].who,
			    "postgres (40 processes, the largest is pid 5007)");
	assert_float_equal(r.screen.holders[0].bytes, 41 * 20480, 1);
	report_free(&r);
	capture_free(c);
}

/* A second process of the name that has next to nothing does not hide who it is. */
static void one_process_that_has_nearly_all_is_named(void **state)
{
	const char *names[] = {"worker", "worker"};
	const double bytes[] = {800 << 10, 8 << 10};
	struct capture *c = held_by(2, names, bytes);
	struct report r;

	(void)state;
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	assert_int_equal(r.screen.nr_holders, 1);
	assert_string_equal(r.screen.holders[0].who, "worker[5000]");
	assert_float_equal(r.screen.holders[0].bytes, 819200, 1);
	assert_non_null(strstr(r.screen.holders[0].what, "800 objects"));
	report_free(&r);
	capture_free(c);
}

/* Two programs allocate at one call path: each is shown with its own part. */
static void nobody_is_given_what_others_hold(void **state)
{
	const char *names[] = {"nginx", "redis"};
	const double bytes[] = {700 << 10, 400 << 10};
	struct capture *c = held_by(2, names, bytes);
	struct report r;

	(void)state;
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	assert_int_equal(r.screen.nr_holders, 2);
	assert_string_equal(r.screen.holders[0].who, "nginx[5000]");
	assert_float_equal(r.screen.holders[0].bytes, 716800, 1);
	assert_non_null(strstr(r.screen.holders[0].what, "700 objects"));
	assert_string_equal(r.screen.holders[1].who, "redis[5001]");
	assert_float_equal(r.screen.holders[1].bytes, 409600, 1);
	report_free(&r);
	capture_free(c);
}

/* n readings, one a second, of Slab on a machine of `total_kb`. */
static struct capture *levels_of(size_t n, const double *slab_kb, int64_t total_kb)
{
	struct capture *c = sample_new("exact");

	for (size_t i = 0; i < n; i++) {
		struct snapshot *s = sample_snapshot(c, (double)i);

		sample_meminfo(s, "MemTotal", total_kb);
		sample_meminfo(s, "Slab", (int64_t)slab_kb[i]);
	}
	sample_interval(c, (double)n - 1);
	return c;
}

static void headline_of(struct capture *c, enum screen_state state, const char *wanted,
			const char *unwanted)
{
	struct report r;

	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	if (!strstr(r.screen.headline, wanted) || strstr(r.screen.headline, unwanted))
		fail_msg("%s", r.screen.headline);
	assert_int_equal(r.screen.state, state);
	report_free(&r);
	capture_free(c);
}

/* 30 MiB came and went: "Nothing grew" alone hides it. */
static void a_spike_is_in_the_headline(void **state)
{
	double kb[20];

	(void)state;
	for (size_t i = 0; i < 20; i++)
		kb[i] = 400e3 + (i > 4 && i < 12 ? 5120 * (double)(i - 4) : 0);
	headline_of(levels_of(20, kb, 24 << 20), SCREEN_QUIET,
		    "Slab rose by 35.0 MiB meanwhile, and fell again.", "shrank");
}

static void small_shrinking_is_no_headline(void **state)
{
	double kb[20];

	(void)state;
	for (size_t i = 0; i < 20; i++)
		kb[i] = 34000 - (i > 9 ? 1500 : 0);
	headline_of(levels_of(20, kb, 24 << 20), SCREEN_QUIET, "Nothing grew", "shrank");
	/* of a small machine it is much */
	headline_of(levels_of(20, kb, 1 << 20), SCREEN_SHRANK, "Slab shrank by 1.5 MiB", "rose");
}

/* Most memory may be in caches that do not grow: they are listed by size. */
static void the_largest_caches_are_found(void **state)
{
	static const int pages[] = {5, 90, 3, 70, 1, 80, 60, 2, 50, 40, 30, 20};
	struct capture *c = sample_new("exact");
	struct report r;

	(void)state;
	for (int t = 0; t < 2; t++) {
		struct snapshot *s = sample_snapshot(c, t);

		for (size_t i = 0; i < 12; i++) {
			char name[16];

			snprintf(name, sizeof(name), "cache-%d", pages[i]);
			sample_slab(s, name, pages[i], 4096, 1, 1, pages[i]);
		}
	}
	sample_interval(c, 1);
	assert_int_equal(report_whole(c, GROWTH_BY_STACK, &r), 0);
	assert_int_equal(r.caches.nr_largest, CACHES_LARGEST);
	for (int i = 0; i < CACHES_LARGEST; i++)
		assert_float_equal(r.caches.items[r.caches.largest[i]].end_kb, 40 * (9 - i), 0.1);
	report_free(&r);
	capture_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_processes_of_one_name_are_one_holder),
		cmocka_unit_test(one_process_that_has_nearly_all_is_named),
		cmocka_unit_test(nobody_is_given_what_others_hold),
		cmocka_unit_test(a_spike_is_in_the_headline),
		cmocka_unit_test(small_shrinking_is_no_headline),
		cmocka_unit_test(the_largest_caches_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
