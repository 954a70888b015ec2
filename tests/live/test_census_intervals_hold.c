// SPDX-License-Identifier: GPL-2.0-only
/*
 * On a large host, a census is a sample, and each figure has a 95 % interval. What a user would
 * lose: intervals that hold. Here, samples of 1 % are compared with censuses of all memory just
 * before and just after them. KMEMTRACE_ROUNDS=100 measures what docs/census.md says.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "live_plan.h"
#include "model/census.h"
#include "trace/census.h"

#define ROUNDS   6
#define BUDGET   0.016 /* of the time for all: that gives about 0.8 % of memory */
#define LEAST_KB 64    /* smaller figures are not compared … */
#define STEADY   0.1   /* … and none that changed meanwhile by this part of its interval */

/* A census, and its figures. */
struct taken {
	struct census census;
	struct census_sheet sheet;
};

/* Of one kind of figures. */
struct tally {
	const char *what;
	unsigned int held, all, unsteady;
};

enum { TALLY_PAGES, TALLY_CACHES, TALLY_OBJECTS, TALLY_CGROUPS, TALLIES };

static void take_census(struct census_taker *taker, double budget_s, struct taken *t)
{
	const struct census_options o = {.budget_s = budget_s};

	*t = (struct taken){0};
	assert_int_equal(census_taker_run(taker, &o, &t->census), 0);
	assert_int_equal(census_sheet_build(&t->census, &t->sheet), 0);
}

static void drop_census(struct taken *t)
{
	census_sheet_free(&t->sheet);
	census_free(&t->census);
}

static void compare(struct tally *t, const struct census_figure *before,
		    const struct census_figure *sample, const struct census_figure *after)
{
	double low = fmin(before->kb, after->kb), high = fmax(before->kb, after->kb),
	       width = sample->high_kb - sample->low_kb;

	if (low < LEAST_KB || !(width > 0))
		return;
	if (high - low > STEADY * width) {
		t->unsteady++;
		return;
	}
	t->all++;
	t->held += sample->low_kb <= high && low <= sample->high_kb;
}

static const struct census_cache_row *cache_of(const struct census_sheet *s, const char *name)
{
	for (size_t i = 0; i < s->nr_caches; i++)
		if (!strcmp(s->caches[i].cache->name, name))
			return &s->caches[i];
	return NULL;
}

static const struct census_cgroup_row *cgroup_of(const struct census_sheet *s,
						 const struct census_cgroup *g)
{
	for (size_t i = 0; i < s->nr_cgroups; i++)
		if (s->cgroups[i].cgroup->id == g->id && s->cgroups[i].cgroup->below == g->below)
			return &s->cgroups[i];
	return NULL;
}

/* Classes of pages that no block of the sample has are compared, too. */
static void compare_sheets(struct tally *t, const struct census_sheet *before,
			   const struct census_sheet *sample, const struct census_sheet *after)
{
	for (int class = 0; class < CENSUS_CLASSES; class ++)
		compare(&t[TALLY_PAGES], &before->rows[class].figure, &sample->rows[class].figure,
			&after->rows[class].figure);
	for (size_t i = 0; i < sample->nr_caches; i++) {
		const char *name = sample->caches[i].cache->name;
		const struct census_cache_row *a = cache_of(before, name),
					      *b = cache_of(after, name);

		if (!a || !b)
			continue;
		compare(&t[TALLY_CACHES], &a->figure, &sample->caches[i].figure, &b->figure);
		compare(&t[TALLY_OBJECTS], &a->objects, &sample->caches[i].objects, &b->objects);
	}
	for (size_t i = 0; i < sample->nr_cgroups; i++) {
		const struct census_cgroup *g = sample->cgroups[i].cgroup;
		const struct census_cgroup_row *a = cgroup_of(before, g), *b = cgroup_of(after, g);

		if (a && b)
			compare(&t[TALLY_CGROUPS], &a->figure, &sample->cgroups[i].figure,
				&b->figure);
	}
}

static double said(struct tally *t, int rounds, double share)
{
	struct tally sum = {0};

	for (int i = 0; i < TALLIES; i++) {
		print_message("%s: %u of %u intervals hold, %u changed too much\n", t[i].what,
			      t[i].held, t[i].all, t[i].unsteady);
		sum.held += t[i].held;
		sum.all += t[i].all;
	}
	print_message("%d samples of %.2f%% of memory: %u of %u intervals hold (%.1f%%)\n", rounds,
		      share / rounds * 100, sum.held, sum.all, 100.0 * sum.held / sum.all);
	/* enough to tell; how many caches a sample meets depends on where slabs lie */
	assert_true(sum.all >= 20u * (unsigned int)rounds);
	return (double)sum.held / sum.all;
}

static void intervals_of_a_sample_hold(void **state)
{
	struct tally t[TALLIES] = {[TALLY_PAGES] = {"pages"},
				   [TALLY_CACHES] = {"slab caches"},
				   [TALLY_OBJECTS] = {"objects"},
				   [TALLY_CGROUPS] = {"cgroups"}};
	const char *asked = getenv("KMEMTRACE_ROUNDS");
	int rounds = asked ? atoi(asked) : ROUNDS;
	struct census_taker *taker = NULL;
	struct taken before, sample, after;
	double share = 0;

	(void)state;
	assert_true(rounds > 0);
	assert_int_equal(census_taker_new(&plan, false, &taker), 0);
	take_census(taker, 0, &before);
	assert_true(census_is_whole(&before.census));
	for (int i = 0; i < rounds; i++) {
		take_census(taker, before.census.cpu_s * BUDGET, &sample);
		take_census(taker, 0, &after);
		assert_false(census_is_whole(&sample.census));
		share += sample.sheet.counted_share;
		compare_sheets(t, &before.sheet, &sample.sheet, &after.sheet);
		drop_census(&before);
		drop_census(&sample);
		before = after;
	}
	drop_census(&before);
	census_taker_free(taker);
	/* 95 % are expected; the figures of a sample hang together, so few samples may have less */
	assert_true(said(t, rounds, share) >= (rounds >= 50 ? 0.94 : 0.88));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(intervals_of_a_sample_hold),
	};

	return cmocka_run_group_tests(tests, plan_make, NULL);
}
