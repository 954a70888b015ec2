// SPDX-License-Identifier: GPL-2.0-only
/* The sample of a census: see census_sample.h. */
#include "trace/census_sample.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/random.h"

#define PILOT_RUNS    64  /* runs that measure how long a unit takes, … */
#define PILOT_UNITS   8   /* … of so many units, which take … */
#define PILOT_SHARE   20  /* … at most 1/PILOT_SHARE of the budget */
#define STRATA_LEAST  8   /* sampled however short the budget is */
#define OVERRUN       2   /* stop after this many times the budget */
#define AFTER_OVERRUN 4   /* a scan that was stopped leaves 1/AFTER_OVERRUN of the budget */
#define TRIAL_SHARE   8   /* a trial of the sample takes 1/TRIAL_SHARE of the time for it */
#define SAMPLE_SLOWER 1.1 /* a sample may be this much slower than its trial */
#define FULL_SLOWER   1.1 /* a whole scan may be this much slower than measured */

struct counting {
	const struct census_counting *how;
	const struct frame_ranges *ranges;
	struct census *out;
	uint64_t random, began_ns;
	struct kmt_census_block blocks[KMT_CENSUS_BLOCKS];
	int node[KMT_CENSUS_BLOCKS];
	size_t nr;
};

/* ---- where memory is ---- */

static int compare_first(const void *x, const void *y)
{
	const struct frame_range *a = x, *b = y;

	return a->first < b->first ? -1 : a->first > b->first;
}

/* Make ranges that overlap follow each other. The memory of their nodes is interleaved. */
static void ranges_cut(struct frame_ranges *r)
{
	uint64_t end = 0;
	bool overlap = false;
	size_t nr = 0;

	for (size_t i = 0; i < r->nr; i++) {
		struct frame_range range = r->items[i];

		overlap |= range.first < end;
		range.first = range.first < end ? end : range.first;
		if (range.first >= range.end)
			continue;
		end = range.end;
		r->items[nr++] = range;
	}
	r->nr = nr;
	for (size_t i = 0; overlap && i < nr; i++)
		r->items[i].node = -1;
}

int frame_ranges_build(const struct zone_levels *zones, struct frame_ranges *out)
{
	struct frame_ranges r = {0};

	for (size_t i = 0; i < zones->nr; i++) {
		const struct zone_level *z = &zones->items[i];
		struct frame_range *range;

		if (z->spanned <= 0 || z->start < 0)
			continue;
		range = ARRAY_PUSH(&r);
		if (!range) {
			ARRAY_FREE(&r);
			return -ENOMEM;
		}
		*range = (struct frame_range){.first = (uint64_t)z->start,
					      .end = (uint64_t)z->start + (uint64_t)z->spanned,
					      .node = z->node};
	}
	if (!r.nr)
		return -ENODATA;
	qsort(r.items, r.nr, sizeof(*r.items), compare_first);
	ranges_cut(&r);
	*out = r;
	return 0;
}

static uint64_t range_units(const struct frame_range *r)
{
	return (r->end - r->first + CENSUS_UNIT - 1) / CENSUS_UNIT;
}

/* The block of frames that is unit number `unit`. */
static struct kmt_census_block unit_block(const struct frame_ranges *ranges, uint64_t unit,
					  int *node)
{
	struct kmt_census_block block = {0};

	for (size_t i = 0; i < ranges->nr; i++) {
		const struct frame_range *r = &ranges->items[i];
		uint64_t units = range_units(r), left;

		if (unit >= units) {
			unit -= units;
			continue;
		}
		block.pfn = r->first + unit * CENSUS_UNIT;
		left = r->end - block.pfn;
		block.frames = left < CENSUS_UNIT ? left : CENSUS_UNIT;
		*node = r->node;
		break;
	}
	return block;
}

/* ---- counting ---- */

static uint64_t spent_ns(const struct counting *c)
{
	return c->how->cpu_ns(c->how->arg) - c->began_ns;
}

/* Are `times` budgets used up? */
static bool over_budget(const struct counting *c, uint64_t times)
{
	return c->how->budget_ns && spent_ns(c) > times * c->how->budget_ns;
}

/* Count the units that were collected. Returns 0 or −errno. */
static int counting_run(struct counting *c)
{
	const struct census_run run = {.first = c->out->counted, .nr = c->nr, .node = c->node};

	return c->nr ? c->how->count(c->how->arg, c->blocks, &run) : 0;
}

/* Add what the last run found. `pairs`: each two units are of one stratum. */
static void counting_add(struct counting *c, bool pairs)
{
	struct census *out = c->out;

	for (size_t b = 0; b < c->nr; b++) {
		out->counted++;
		out->frames += c->blocks[b].present;
		for (int class = 0; class < CENSUS_CLASSES; class ++) {
			double pages = c->blocks[b].pages[class], other;

			out->pages[class].sum += pages;
			out->pages[class].hits += pages > 0;
			if (!pairs || !(b & 1))
				continue;
			other = c->blocks[b - 1].pages[class];
			out->pages[class].squares += (pages - other) * (pages - other);
		}
	}
	c->nr = 0;
}

static void counting_collect(struct counting *c, uint64_t unit)
{
	c->blocks[c->nr] = unit_block(c->ranges, unit, &c->node[c->nr]);
	c->nr++;
}

/* Measure the CPU time of a unit, in short runs at random places. */
static int pilot(struct counting *c, double *unit_ns)
{
	uint64_t units = 0;
	int err = 0;

	for (int run = 0; run < PILOT_RUNS && !err; run++) {
		uint64_t first = random_below(&c->random, c->out->units);

		if (run && c->how->budget_ns && spent_ns(c) > c->how->budget_ns / PILOT_SHARE)
			break;
		for (uint64_t u = first; u < c->out->units && c->nr < PILOT_UNITS; u++)
			counting_collect(c, u);
		units += c->nr;
		err = counting_run(c);
		c->nr = 0;
	}
	log_debug("census: a page frame takes %.1f ns, measured on %llu",
		  (double)spent_ns(c) / (units * CENSUS_UNIT),
		  (unsigned long long)units * CENSUS_UNIT);
	*unit_ns = units ? (double)spent_ns(c) / units : 0;
	return err;
}

/* Forget what was counted. */
static void counting_forget(struct counting *c)
{
	memset(c->out->pages, 0, sizeof(c->out->pages));
	c->out->counted = c->out->frames = 0;
	c->nr = 0;
	if (c->how->forget)
		c->how->forget(c->how->arg);
}

/* Count all units in order. Returns 0, −EDQUOT if the budget is overrun, or −errno. */
static int count_all(struct counting *c)
{
	int err = 0;

	for (uint64_t u = 0; u < c->out->units && !err;) {
		while (u < c->out->units && c->nr < KMT_CENSUS_BLOCKS)
			counting_collect(c, u++);
		err = counting_run(c);
		if (!err)
			counting_add(c, false);
		if (!err && u < c->out->units && over_budget(c, OVERRUN))
			err = -EDQUOT;
	}
	return err;
}

/* Draw two different units of a stratum that begins at `first` and ends before `end`. */
static void stratum_collect(struct counting *c, uint64_t first, uint64_t end)
{
	uint64_t a = random_below(&c->random, end - first);
	uint64_t b = random_below(&c->random, end - first - 1);

	counting_collect(c, first + a);
	counting_collect(c, first + b + (b >= a));
}

/* All strata, in random order. NULL if memory is short. */
static uint32_t *strata_order(struct counting *c, uint32_t strata)
{
	uint32_t *order = malloc(strata * sizeof(*order));

	for (uint32_t i = 0; order && i < strata; i++) {
		uint32_t j = (uint32_t)random_below(&c->random, i + 1);

		order[i] = order[j];
		order[j] = i;
	}
	return order;
}

static uint64_t stratum_first(const struct counting *c, uint64_t h, uint64_t strata)
{
	return (uint64_t)((unsigned __int128)h * c->out->units / strata);
}

static int count_strata(struct counting *c, uint32_t strata, uint64_t until_ns)
{
	_cleanup_free_ uint32_t *order = strata_order(c, strata);
	int err = order ? 0 : -ENOMEM;

	for (uint32_t i = 0; i < strata && !err;) {
		while (i < strata && c->nr + 2 <= KMT_CENSUS_BLOCKS) {
			uint64_t h = order[i++];

			stratum_collect(c, stratum_first(c, h, strata),
					stratum_first(c, h + 1, strata));
		}
		err = counting_run(c);
		if (!err)
			counting_add(c, true);
		if (i >= STRATA_LEAST && c->how->budget_ns && spent_ns(c) > until_ns)
			break;
	}
	return err;
}

/* The number of strata for `ns` of CPU time, within bounds. */
static uint32_t strata_for(const struct counting *c, double ns, double unit_ns)
{
	double strata = unit_ns > 0 ? ns / unit_ns / 2 : 0, most = (double)c->out->units / 2;

	if (strata > most)
		strata = most;
	if (strata < STRATA_LEAST)
		strata = STRATA_LEAST;
	return strata > UINT32_MAX / 2 ? UINT32_MAX / 2 : (uint32_t)strata;
}

/*
 * Sample for `left_ns`. The sample must not end before all strata were visited: between those that
 * were and those that were not, the pairs show no difference, so intervals would be too narrow.
 * Units at random places take longer than the pilot's; so a trial, which is then forgotten,
 * measures how long.
 */
static int sample(struct counting *c, double left_ns, double unit_ns)
{
	uint64_t began = spent_ns(c), until = began + OVERRUN * (uint64_t)left_ns + 1;
	int err = count_strata(c, strata_for(c, left_ns / TRIAL_SHARE, unit_ns), until);

	if (err)
		return err;
	left_ns -= (double)(spent_ns(c) - began);
	unit_ns = (double)(spent_ns(c) - began) / (double)c->out->counted;
	counting_forget(c);
	return count_strata(c, strata_for(c, left_ns / SAMPLE_SLOWER, unit_ns), until);
}

int census_count(const struct census_counting *how, const struct frame_ranges *ranges,
		 struct census *out)
{
	struct counting c = {.how = how, .ranges = ranges, .out = out, .random = how->seed | 1};
	double unit_ns, left_ns = 0;
	int err;

	out->units = 0;
	for (size_t i = 0; i < ranges->nr; i++)
		out->units += range_units(&ranges->items[i]);
	counting_forget(&c);
	if (!out->units)
		return -ENODATA;
	c.began_ns = how->cpu_ns(how->arg);
	err = pilot(&c, &unit_ns);
	if (err)
		return err;
	counting_forget(&c); /* what the pilot saw is counted again */
	if (how->budget_ns > spent_ns(&c))
		left_ns = (double)(how->budget_ns - spent_ns(&c));
	if (!how->budget_ns || out->units <= 4 * STRATA_LEAST ||
	    FULL_SLOWER * unit_ns * (double)out->units <= left_ns) {
		err = count_all(&c);
		if (err != -EDQUOT)
			return err;
		unit_ns = (double)spent_ns(&c) / (double)out->counted;
		counting_forget(&c);
		left_ns = (double)how->budget_ns / AFTER_OVERRUN;
	}
	return sample(&c, left_ns, unit_ns);
}
