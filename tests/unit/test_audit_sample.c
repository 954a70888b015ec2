// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which objects the liveness audit checks if there is no time for all. What a user would lose: the
 * interval of every group that was not checked completely, and the word "leak" for large groups.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "trace/audit_sample.h"

#define MOST   100000
#define GROUPS 600

struct object {
	uint32_t stack;
	uint64_t size;
	bool live, checked;
	enum chosen chosen;
};

/* A live table, in the order it is read. */
struct table {
	struct audit_sample *audit_sample;
	struct object objects[MOST];
	uint32_t nr;
};

static int table_new(void **state)
{
	struct table *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	t->audit_sample = audit_sample_new(42);
	assert_non_null(t->audit_sample);
	*state = t;
	return 0;
}

static int table_free(void **state)
{
	struct table *t = *state;

	audit_sample_free(t->audit_sample);
	free(t);
	return 0;
}

/* Add a group. `share` of its objects are live: the newest ones. */
static void add_group(struct table *t, uint32_t stack, uint32_t nr, uint64_t size, double share)
{
	assert_true(t->nr + nr <= MOST);
	for (uint32_t i = 0; i < nr; i++)
		t->objects[t->nr++] = (struct object){
			.stack = stack, .size = size, .live = i >= (1 - share) * nr};
}

/* One run of the audit. Returns how many objects it checks. */
static uint32_t run(struct table *t, uint64_t room)
{
	uint32_t looked_up = 0;

	audit_sample_begin(t->audit_sample);
	for (uint32_t i = 0; i < t->nr; i++)
		audit_sample_count(t->audit_sample, t->objects[i].stack, 1, t->objects[i].size,
				   t->objects[i].checked);
	assert_int_equal(audit_sample_plan(t->audit_sample, room, AUDIT_SAMPLE), 0);
	for (uint32_t i = 0; i < t->nr; i++) {
		struct object *o = &t->objects[i];

		o->chosen = audit_sample_take(t->audit_sample, o->stack, 1, o->checked);
		looked_up += o->chosen != CHOSEN_NOT;
	}
	assert_true(looked_up <= room);
	return looked_up;
}

/* For a group: how many are in the sample, how many of these are live, and how many are chosen for
 * a second check. */
struct outcome {
	uint32_t sample, live, again;
};

static struct outcome outcome_of(const struct table *t, uint32_t stack)
{
	struct outcome out = {0};

	for (uint32_t i = 0; i < t->nr; i++) {
		const struct object *o = &t->objects[i];

		if (o->stack != stack)
			continue;
		out.sample += o->chosen == CHOSEN_SAMPLE;
		out.live += o->chosen == CHOSEN_SAMPLE && o->live;
		out.again += o->chosen == CHOSEN_AGAIN;
	}
	return out;
}

/* χ² over 20 parts of the table, wherever previously checked objects are. */
static void every_object_of_a_group_is_as_likely_as_another(void **state)
{
	enum { BINS = 20, RUNS = 1500, NR = 10000 };
	double bins[BINS] = {0}, expected = 0, chi2 = 0;
	struct table *t = *state;

	add_group(t, 1, NR, 64, 1);
	add_group(t, 2, NR, 32, 1);
	for (uint32_t i = 0; i < NR / 4; i++)
		t->objects[i].checked = true;
	for (int k = 0; k < RUNS; k++) {
		run(t, 3 * AUDIT_SAMPLE);
		for (uint32_t i = 0; i < NR; i++)
			bins[i * BINS / NR] += t->objects[i].chosen == CHOSEN_SAMPLE;
	}
	for (int i = 0; i < BINS; i++)
		expected += bins[i] / BINS;
	for (int i = 0; i < BINS; i++)
		chi2 += (bins[i] - expected) * (bins[i] - expected) / expected;
	print_message("chi square %.1f over %d stretches\n", chi2, BINS);
	assert_true(chi2 < 43.8); /* 1 in 1000 at 19 degrees of freedom */
}

/* The live share is estimated to ±5 %, 95 times in 100, for any group with a complete sample. */
static void a_sample_tells_the_share_to_five_percent(void **state)
{
	static const uint32_t sizes[] = {40, 400, 1000, 10000};
	static const double shares[] = {0.02, 0.3, 0.5, 0.9, 0.999};
	enum { RUNS = 400 };
	struct table *t = *state;

	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
		for (size_t p = 0; p < sizeof(shares) / sizeof(shares[0]); p++) {
			int off = 0;

			t->nr = 0;
			add_group(t, 7, sizes[s], 192, shares[p]);
			add_group(t, 8, 2000, 8, 1); /* takes the remaining time */
			for (int k = 0; k < RUNS; k++) {
				struct outcome out;

				run(t, 2 * AUDIT_SAMPLE);
				out = outcome_of(t, 7);
				off += fabs((double)out.live / out.sample - shares[p]) >
				       0.05 + 0.5 / sizes[s];
			}
			if (off > 0.05 * RUNS)
				fail_msg("%u objects, %.3f live: %d of %d off by more than 5%%",
					 sizes[s], shares[p], off, RUNS);
		}
}

/* Groups that a report shows first are sampled first; small groups do not displace them. */
static void the_groups_that_hold_most_come_first(void **state)
{
	const uint64_t room = 50 * AUDIT_SAMPLE;
	struct table *t = *state;

	for (uint32_t g = 1; g <= GROUPS; g++)
		add_group(t, g, 150, 100 + g, 1);
	assert_true(run(t, room) > room - 150);
	for (uint32_t g = GROUPS; g > GROUPS - 100; g--)
		assert_true(outcome_of(t, g).sample >= 108); /* ±5 % of 150 */
	assert_int_equal(outcome_of(t, 1).sample, 0);
}

static void what_room_is_left_goes_to_whole_groups(void **state)
{
	struct table *t = *state;

	add_group(t, 1, 90000, 1000, 1);
	add_group(t, 2, 5000, 500, 1);
	add_group(t, 3, 1000, 100, 1);
	run(t, 7500);
	assert_int_equal(outcome_of(t, 2).sample, 5000);
	assert_int_equal(outcome_of(t, 3).sample, 1000);
	assert_int_equal(outcome_of(t, 1).sample,
			 1500); /* and the rest goes to the one that is too large */
	for (uint32_t i = 0; i < 90000; i++)
		t->objects[i].checked = true;
	run(t, 7500);
	assert_int_equal(outcome_of(t, 1).sample, 750);
	assert_int_equal(outcome_of(t, 1).again, 750);
}

/* A group is never checked completely and continues to grow: most of the checked objects are
 * checked again. */
static void a_large_group_is_seen_twice(void **state)
{
	struct table *t = *state;
	uint32_t twice = 0, sample = 0, unseen_frees = 0;

	add_group(t, 1, 60000, 64, 1);
	add_group(t, 2, 1000, 64, 1);
	for (int k = 0; k < 5; k++) {
		run(t, 3 * AUDIT_SAMPLE);
		for (uint32_t i = 0; i < t->nr; i++) {
			struct object *o = &t->objects[i];

			twice += o->checked && o->chosen == CHOSEN_AGAIN;
			unseen_frees += !o->checked && o->chosen == CHOSEN_AGAIN;
			o->checked |= o->chosen != CHOSEN_NOT;
		}
		sample = outcome_of(t, 1).sample;
		assert_true(sample >= 370);
		add_group(t, 1, 5000, 64, 1);
	}
	assert_true(twice >= 4 * 370);
	assert_int_equal(unseen_frees, 0); /* a second check without a first */
}

/* The table changes between the two readings. */
static void objects_that_come_and_go_do_no_harm(void **state)
{
	struct table *t = *state;
	uint32_t sample = 0;

	add_group(t, 1, 20000, 64, 1);
	audit_sample_begin(t->audit_sample);
	for (uint32_t i = 0; i < t->nr; i++)
		audit_sample_count(t->audit_sample, 1, 1, 64, false);
	assert_int_equal(audit_sample_plan(t->audit_sample, 1000, AUDIT_SAMPLE), 0);
	for (uint32_t i = 0; i < 3 * t->nr; i++)
		sample += audit_sample_take(t->audit_sample, 1, 1, i & 1) != CHOSEN_NOT;
	assert_int_equal(sample, 1000);
	assert_int_equal(audit_sample_take(t->audit_sample, 2, 1, true),
			 CHOSEN_NOT); /* a new group */
	audit_sample_begin(t->audit_sample);
	assert_int_equal(audit_sample_plan(t->audit_sample, 1000, AUDIT_SAMPLE),
			 0); /* nothing there at all */
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, table_new, table_free)
	const struct CMUnitTest tests[] = {
		TEST(every_object_of_a_group_is_as_likely_as_another),
		TEST(a_sample_tells_the_share_to_five_percent),
		TEST(the_groups_that_hold_most_come_first),
		TEST(what_room_is_left_goes_to_whole_groups),
		TEST(a_large_group_is_seen_twice),
		TEST(objects_that_come_and_go_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
