// SPDX-License-Identifier: GPL-2.0-only
/*
 * The census, without a kernel: which page frames are counted, what a sample says of all, and how
 * the figures are printed. What a user would lose: an interval that holds, a bound on the CPU time
 * on a huge machine, and a difference to /proc/meminfo that means something.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/random.h"
#include "findings/census_findings.h"
#include "golden.h"
#include "model/census.h"
#include "proc/snapshot.h"
#include "render/census.h"
#include "trace/census.h"
#include "trace/census_lines.h"
#include "trace/census_sample.h"
#include "trace/census_slabs.h"
#include "trace/layout.h"

/* ---- a machine that does not exist ---- */

#define PAGE_KB  4
#define FRAME_NS 20

struct machine {
	struct frame_ranges ranges;
	struct frame_range range[2];
	uint8_t *class; /* of each `grain` frames; NULL: see class_of() */
	uint32_t grain;
	uint64_t ns;        /* CPU time until now */
	uint64_t frame_ns;  /* of a frame */
	uint64_t slow_from; /* from this time on, a frame takes `slower` times as long; 0: never */
	uint64_t slower;
	size_t most_blocks;
	uint64_t added; /* blocks that count() added up since forget() */
};

static enum census_class class_of(const struct machine *m, uint64_t pfn)
{
	if (m->class)
		return m->class[pfn / m->grain];
	return pfn >> 18 & 1 ? CENSUS_ANON : CENSUS_FREE; /* each GiB in turn */
}

static int machine_count(void *arg, struct kmt_census_block *blocks, const struct census_run *run)
{
	struct machine *m = arg;
	size_t nr = run->nr;

	m->added += nr;
	if (nr > m->most_blocks)
		m->most_blocks = nr;
	for (size_t b = 0; b < nr; b++) {
		struct kmt_census_block *block = &blocks[b];

		assert_in_range(block->frames, 1, CENSUS_UNIT);
		memset(block->pages, 0, sizeof(block->pages));
		block->present = block->frames;
		for (uint32_t i = 0; i < block->frames; i += m->grain)
			block->pages[class_of(m, block->pfn + i)] +=
				block->frames - i < m->grain ? block->frames - i : m->grain;
		m->ns += block->frames * m->frame_ns *
			 (m->slow_from && m->ns > m->slow_from ? m->slower : 1);
	}
	return 0;
}

static uint64_t machine_ns(void *arg)
{
	return ((struct machine *)arg)->ns;
}

/* A machine with one range of frames; the first `frames` of it. */
static void machine_make(struct machine *m, uint64_t frames)
{
	*m = (struct machine){
		.range = {{.first = 0, .end = frames}}, .frame_ns = FRAME_NS, .grain = 8};
	m->ranges.items = m->range;
	m->ranges.nr = 1;
}

/*
 * Classes as memory has them: a reserved start, long runs of free and file pages, shorter ones of
 * slab, single page tables, and two MiB of large kmalloc in one place.
 */
static void machine_fill(struct machine *m, uint64_t frames, uint64_t seed)
{
	static const struct {
		enum census_class class;
		uint64_t share, mean; /* out of 1000 runs; frames in a run, divided by m->grain */
	} kinds[] = {{CENSUS_FREE, 300, 400}, {CENSUS_FILE, 300, 60}, {CENSUS_ANON, 200, 64},
		     {CENSUS_SLAB, 150, 12},  {CENSUS_REST, 40, 8},   {CENSUS_TABLE, 10, 1}};
	uint64_t state = seed, nr = frames / m->grain;

	m->class = malloc(nr);
	for (uint64_t i = 0; i < nr;) {
		uint64_t pick = random_below(&state, 1000), k = 0, len;

		while (pick >= kinds[k].share)
			pick -= kinds[k++].share;
		len = 1 + random_below(&state, 2 * kinds[k].mean);
		while (len-- && i < nr)
			m->class[i++] = kinds[k].class;
	}
	memset(m->class, CENSUS_RESERVED, nr / 50);
	memset(m->class + nr / 2, CENSUS_LARGE, 64);
}

static double machine_truth_kb(const struct machine *m, enum census_class class)
{
	double pages = 0;

	for (uint64_t pfn = 0; pfn < m->range[0].end; pfn += m->grain)
		pages += (int)class_of(m, pfn) == (int)class ? m->grain : 0;
	return pages * PAGE_KB;
}

static void machine_forget(void *arg)
{
	((struct machine *)arg)->added = 0;
}

static void machine_census(struct machine *m, uint64_t budget_ns, uint64_t seed, struct census *c)
{
	const struct census_counting how = {.count = machine_count,
					    .cpu_ns = machine_ns,
					    .forget = machine_forget,
					    .arg = m,
					    .budget_ns = budget_ns,
					    .seed = seed};

	*c = (struct census){.page_bytes = PAGE_KB * 1024};
	assert_int_equal(census_count(&how, &m->ranges, c), 0);
	/* slabs and owners are added up with the blocks: none of the pilot, and none of a scan that
	 * was given up */
	assert_int_equal(m->added, c->counted);
}

/* ---- counting ---- */

static void all_frames_are_counted_if_there_is_time(void **state)
{
	struct machine m;
	struct census c;

	(void)state;
	machine_make(&m, 1000003); /* not a multiple of a unit */
	machine_fill(&m, 1000008, 7);
	machine_census(&m, 1000000000, 1, &c);
	assert_true(census_is_whole(&c));
	assert_int_equal(c.frames, 1000003);
	for (int class = 0; class < CENSUS_CLASSES; class ++) {
		struct census_figure f = census_estimate(&c, &c.pages[class], CENSUS_UNIT, PAGE_KB);
		double truth = machine_truth_kb(&m, class);

		if (class == (int)class_of(&m, 1000000))
			truth -= 5 * PAGE_KB; /* the last run of 8 is only there in part */
		assert_float_equal(f.kb, truth, 0);
		assert_float_equal(f.low_kb, f.kb, 0);
		assert_float_equal(f.high_kb, f.kb, 0);
	}
	free(m.class);
}

/* 4 TiB, and a budget for 2.5 % of it. */
static void a_huge_machine_is_sampled_within_the_budget(void **state)
{
	const uint64_t frames = UINT64_C(1) << 30, budget = 500000000;
	struct census_figure f;
	struct machine m;
	struct census c;

	(void)state;
	machine_make(&m, frames);
	machine_census(&m, budget, 1, &c);
	assert_false(census_is_whole(&c));
	assert_true(m.ns <= budget * 11 / 10);
	assert_true(m.ns >= budget / 2);
	f = census_estimate(&c, &c.pages[CENSUS_ANON], CENSUS_UNIT, PAGE_KB);
	assert_true(f.low_kb <= 2.0 * (1u << 30) && f.high_kb >= 2.0 * (1u << 30));
	assert_true(f.high_kb - f.low_kb < 0.02 * f.kb);
	assert_int_equal(m.most_blocks, KMT_CENSUS_BLOCKS);
}

/* A tenth of the budget takes a tenth of the time, whatever the size of the machine. */
static void the_time_is_that_of_the_budget_and_not_of_the_machine(void **state)
{
	struct machine small, large;
	struct census c;

	(void)state;
	machine_make(&small, UINT64_C(1) << 26);
	machine_census(&small, 20000000, 1, &c);
	machine_make(&large, UINT64_C(1) << 34);
	machine_census(&large, 20000000, 1, &c);
	assert_true(large.ns < small.ns * 11 / 10 && small.ns < large.ns * 11 / 10);
}

/* The CPU becomes ten times slower in the middle of a whole scan. */
static void a_scan_that_overruns_becomes_a_sample(void **state)
{
	const uint64_t frames = UINT64_C(1) << 24, budget = frames * FRAME_NS * 5 / 4;
	struct machine m;
	struct census c;

	(void)state;
	machine_make(&m, frames);
	m.slow_from = budget / 3;
	m.slower = 10;
	machine_census(&m, budget, 1, &c);
	assert_false(census_is_whole(&c));
	assert_true(m.ns < budget * 5 / 2);
	assert_true(c.counted > 100);
}

/*
 * In each class, 95 of 100 intervals hold. By chance, fewer than 3.6 standard errors below that
 * hold once in 3000 times: 925 of 1000. Returns how many of all hold.
 */
#define RUNS 1000
static int check_intervals(struct machine *m, uint64_t budget_ns, uint64_t seed, int runs)
{
	double truth[CENSUS_CLASSES], least = runs * 0.95 - 3.6 * sqrt(runs * 0.95 * 0.05);
	int holds[CENSUS_CLASSES] = {0}, all = 0;

	for (int class = 0; class < CENSUS_CLASSES; class ++)
		truth[class] = machine_truth_kb(m, class);
	for (int run = 1; run <= runs; run++) {
		struct census c;

		m->ns = 0;
		machine_census(m, budget_ns, seed * 1000 + (uint64_t)run, &c);
		assert_false(census_is_whole(&c));
		for (int class = 0; class < CENSUS_CLASSES; class ++) {
			struct census_figure f =
				census_estimate(&c, &c.pages[class], CENSUS_UNIT, PAGE_KB);

			holds[class] += f.low_kb <= truth[class] && truth[class] <= f.high_kb;
		}
	}
	for (int class = 0; class < CENSUS_CLASSES; class ++) {
		if (holds[class] < least)
			fail_msg("machine %d, %s: %d of %d intervals hold", (int)seed,
				 census_class_name(class), holds[class], runs);
		all += holds[class];
	}
	return all;
}

static void intervals_of_samples_hold(void **state)
{
	const uint64_t frames = UINT64_C(6) << 20; /* 24 GiB */

	(void)state;
	for (uint64_t seed = 1; seed <= 3; seed++) {
		struct machine m;

		machine_make(&m, frames);
		machine_fill(&m, frames, seed);
		check_intervals(&m, frames * FRAME_NS / 100, seed, RUNS);
		free(m.class);
	}
}

/*
 * 4 TiB, at the cost of a frame that was measured, and with the part of the default budget that the
 * lenses leave. The census looks at less than 1 % of the frames, and at nothing twice as long as it
 * may; what it keeps for that are four bytes for each pair of blocks.
 */
static void intervals_of_4_TiB_hold_within_the_budget(void **state)
{
	const uint64_t frames = UINT64_C(1) << 30, budget = 375000000;
	struct machine m;
	struct census c;
	int holds;

	(void)state;
	machine_make(&m, frames);
	m.frame_ns = 33;
	m.grain = 32;
	machine_fill(&m, frames, 5);
	machine_census(&m, budget, 1, &c);
	print_message("4 TiB: %llu blocks, %.2f%% of memory, %.0f ms\n",
		      (unsigned long long)c.counted, 100.0 * (double)c.frames / (double)frames,
		      (double)m.ns / 1e6);
	assert_in_range(m.ns, budget * 8 / 10, budget * 11 / 10);
	assert_in_range(c.counted, budget / 33 / CENSUS_UNIT / 2, budget / 33 / CENSUS_UNIT);
	assert_int_equal(m.most_blocks, KMT_CENSUS_BLOCKS);
	holds = check_intervals(&m, budget, 5, 100);
	print_message("%d of %d intervals hold\n", holds, 100 * CENSUS_CLASSES);
	assert_true(holds >= 94 * CENSUS_CLASSES);
	free(m.class);
}

/*
 * Frames at random places take longer than those that the pilot looked at. A sample that then ended
 * before it had been everywhere had intervals that did not hold: in memory that was never used
 * since boot, which is in one place, 7 of 10.
 */
static void intervals_hold_if_the_sample_is_slower_than_the_pilot(void **state)
{
	const uint64_t frames = UINT64_C(6) << 20, budget = frames * FRAME_NS / 50;
	struct machine m;

	(void)state;
	machine_make(&m, frames);
	machine_fill(&m, frames, 4);
	memset(m.class + frames / 8 / 3, CENSUS_CPU_FREE, frames / 8 / 13);
	m.slow_from = budget / 20;
	m.slower = 2;
	check_intervals(&m, budget, 4, RUNS);
	free(m.class);
}

/* What no sample saw may still be there. */
static void what_was_not_seen_has_an_upper_limit(void **state)
{
	struct census c = {.units = 100000, .counted = 1000};
	struct census_figure f = census_estimate(&c, &c.pages[0], CENSUS_UNIT, PAGE_KB);

	(void)state;
	assert_float_equal(f.kb, 0, 0);
	assert_float_equal(f.low_kb, 0, 0);
	/* 3.69 units at most were missed in 1000 (97.5 %), full of pages */
	assert_in_range((long)f.high_kb, 3.5 * 100 * CENSUS_UNIT * PAGE_KB,
			3.9 * 100 * CENSUS_UNIT * PAGE_KB);
}

/* ---- where memory is ---- */

static void zones_become_ranges_in_order_and_without_overlap(void **state)
{
	static const char zoneinfo[] = "Node 1, zone   Normal\n"
				       "        spanned  1000\n"
				       "  start_pfn:           5000\n"
				       "Node 0, zone      DMA\n"
				       "        spanned  4095\n"
				       "  start_pfn:           1\n"
				       "Node 0, zone  Movable\n"
				       "        spanned  0\n"
				       "  start_pfn:           0\n";
	struct frame_ranges r = {0};
	struct zone_levels zones = {0};

	(void)state;
	assert_int_equal(zoneinfo_parse(zoneinfo, sizeof(zoneinfo) - 1, &zones), 0);
	assert_int_equal(frame_ranges_build(&zones, &r), 0);
	assert_int_equal(r.nr, 2);
	assert_int_equal(r.items[0].first, 1);
	assert_int_equal(r.items[0].end, 4096);
	assert_int_equal(r.items[0].node, 0);
	assert_int_equal(r.items[1].first, 5000);
	assert_int_equal(r.items[1].node, 1);
	ARRAY_FREE(&r);

	/* Node 0 has memory on both sides of node 1's: no frame counts twice, and no node is told.
	 */
	zones.items[1].spanned = 9000;
	assert_int_equal(frame_ranges_build(&zones, &r), 0);
	assert_int_equal(r.nr, 1);
	assert_int_equal(r.items[0].end, 9001);
	assert_int_equal(r.items[0].node, -1);
	ARRAY_FREE(&r);

	zones.nr = 0;
	assert_int_equal(frame_ranges_build(&zones, &r), -ENODATA);
	ARRAY_FREE(&zones);
}

/* Pages of our own and of others, in any order; the frame numbers of our own. */
static void frame_0_is_where_most_pages_agree(void **state)
{
	const uint64_t base = 0xffffea0000000000, frames[] = {10, 900000, 77, 12, 5000};
	uint64_t pages[12];

	(void)state;
	for (int i = 0; i < 12; i++)
		pages[i] = base + (uint64_t)(i * i * 3001 + 5) * 64;
	for (int i = 0; i < 4; i++)
		pages[2 * i + 1] = base + frames[4 - i] * 64;
	assert_true(layout_vote(pages, 12, frames, 5, 64) == base);
	/* fewer than half agree: no guess */
	assert_true(layout_vote(pages, 3, frames, 5, 64) == 0);
	assert_true(layout_vote(pages, 0, frames, 0, 64) == 0);
}

/* ---- beside /proc ---- */

static void meminfo_put(struct census *c, const char *meminfo)
{
	assert_int_equal(meminfo_parse(meminfo, strlen(meminfo), &c->before.meminfo), 0);
	assert_int_equal(meminfo_parse(meminfo, strlen(meminfo), &c->after.meminfo), 0);
}

/* A machine of 8 GiB that was counted whole. */
static void census_make(struct census *c)
{
	static const double mb[CENSUS_CLASSES] = {
		[CENSUS_FREE] = 1000, [CENSUS_CPU_FREE] = 20, [CENSUS_SLAB] = 3000,
		[CENSUS_LARGE] = 100, [CENSUS_TABLE] = 50,    [CENSUS_ANON] = 2000,
		[CENSUS_FILE] = 1500, [CENSUS_UNMAPPED] = 10, [CENSUS_RESERVED] = 200,
		[CENSUS_REST] = 312,
	};

	*c = (struct census){.wall_s = 1700000000,
			     .took_s = 0.2,
			     .cpu_s = 0.05,
			     .page_bytes = 4096,
			     .cpus = 1,
			     .units = 32768,
			     .counted = 32768,
			     .frames = 2097152};
	for (int class = 0; class < CENSUS_CLASSES; class ++)
		c->pages[class] = (struct census_sum){.sum = mb[class] * 256,
						      .hits = mb[class] > 0 ? 100 : 0};
	meminfo_put(c, "MemTotal: 8184832 kB\nMemFree: 1044480 kB\nBuffers: 51200 kB\n"
		       "Cached: 1484800 kB\nSwapCached: 0 kB\nAnonPages: 2048000 kB\n"
		       "Slab: 3174400 kB\nPageTables: 51200 kB\nVmallocUsed: 200000 kB\n"
		       "Percpu: 10000 kB\nHugetlb: 0 kB\n");
}

static void sheet_build(const struct census *c, struct census_sheet *s)
{
	census_sheet_free(s);
	assert_int_equal(census_sheet_build(c, s), 0);
}

static void a_line_that_fits_the_pages_is_no_finding(void **state)
{
	struct census_sheet s = {0};
	struct census c;

	(void)state;
	census_make(&c);
	sheet_build(&c, &s);
	for (int class = 0; class < CENSUS_CLASSES; class ++)
		assert_false(s.rows[class].differs);
	assert_float_equal(s.total.kb, 8192 * 1024, 0);
	/* the line counts both classes, so the difference is of both */
	assert_float_equal(s.rows[CENSUS_SLAB].difference_kb, 0, 0);
	assert_float_equal(s.rows[CENSUS_FREE].difference_kb, 0, 0);
	assert_float_equal(s.rows[CENSUS_REST].difference_kb, 319488 - 210000, 0);
	census_sheet_free(&s);
	census_free(&c);
}

/* A difference just within what counters can lag (0.5 %, and 125 pages of the CPU), and just
 * beyond. */
static void a_line_that_does_not_fit_is_a_finding(void **state)
{
	const double lag_pages = (0.005 * 3174400 + 500) / PAGE_KB;
	struct findings found = {0};
	struct census_sheet s = {0};
	struct census c;

	(void)state;
	census_make(&c);
	c.pages[CENSUS_SLAB].sum += lag_pages - 1;
	sheet_build(&c, &s);
	assert_false(s.rows[CENSUS_SLAB].differs);
	census_findings(&s, &found);
	assert_null(findings_of(&found, "census-differs"));
	findings_free(&found);

	c.pages[CENSUS_SLAB].sum += 2;
	sheet_build(&c, &s);
	assert_true(s.rows[CENSUS_SLAB].differs);
	found = (struct findings){0};
	census_findings(&s, &found);
	assert_non_null(findings_of(&found, "census-differs"));
	assert_string_equal(findings_of(&found, "census-differs")->subject, "Slab");
	findings_free(&found);

	/* a kernel that does not mark large kmalloc: Slab is larger, and that is no finding */
	c.pages[CENSUS_SLAB].sum -= 26000;
	c.unknown = 1u << CENSUS_LARGE;
	sheet_build(&c, &s);
	assert_false(s.rows[CENSUS_SLAB].differs);
	assert_true(s.rows[CENSUS_FREE].checked);
	census_sheet_free(&s);
	census_free(&c);
}

static int64_t line_of(const struct snapshot *s, const char *name)
{
	return named_value_get(&s->meminfo, name, -1);
}

/* Processes that come and go during the scan, so that AnonPages is the same before and after. */
static void a_line_that_moved_and_came_back_is_no_finding(void **state)
{
	const char busy[] = "AnonPages: 2448000 kB\nMemFree: 644480 kB\nNew: 1 kB\n";
	struct named_values now = {0};
	struct census_sheet s = {0};
	struct census c;

	(void)state;
	census_make(&c);
	c.pages[CENSUS_ANON].sum += 300000 / PAGE_KB;
	c.pages[CENSUS_FREE].sum -= 300000 / PAGE_KB;
	sheet_build(&c, &s);
	assert_true(s.rows[CENSUS_ANON].differs && s.rows[CENSUS_FREE].differs);
	assert_int_equal(meminfo_parse(busy, sizeof(busy) - 1, &now), 0);
	census_lines_widen(&c.before.meminfo, &c.after.meminfo, &now);
	ARRAY_FREE(&now);
	assert_int_equal(line_of(&c.before, "AnonPages"), 2048000);
	assert_int_equal(line_of(&c.after, "AnonPages"), 2448000);
	assert_int_equal(line_of(&c.before, "MemFree"), 644480);
	assert_int_equal(line_of(&c.after, "MemFree"), 1044480);
	assert_int_equal(line_of(&c.after, "New"), -1);
	sheet_build(&c, &s);
	assert_false(s.rows[CENSUS_ANON].differs || s.rows[CENSUS_FREE].differs);
	assert_false(s.rows[CENSUS_SLAB].differs);
	/* but not whatever it is */
	c.pages[CENSUS_ANON].sum += 1000000 / PAGE_KB;
	sheet_build(&c, &s);
	assert_true(s.rows[CENSUS_ANON].differs);
	census_sheet_free(&s);
	census_free(&c);
}

/* What a sample cannot tell is no finding: the line is within twice the interval. */
static void chance_is_no_finding(void **state)
{
	struct census_sheet s = {0};
	struct census c;
	double half;

	(void)state;
	census_make(&c);
	c.counted = 3276;
	for (int class = 0; class < CENSUS_CLASSES; class ++) {
		c.pages[class].sum /= 32768.0 / 3276;
		c.pages[class].squares = c.pages[class].sum * 20;
		c.pages[class].hits = 100;
	}
	sheet_build(&c, &s);
	half = s.rows[CENSUS_ANON].figure.high_kb - s.rows[CENSUS_ANON].figure.kb;
	assert_true(half > 20000);
	c.pages[CENSUS_ANON].sum += 1.8 * half / PAGE_KB * 3276 / 32768;
	sheet_build(&c, &s);
	assert_false(s.rows[CENSUS_ANON].differs);
	c.pages[CENSUS_ANON].sum += 1.5 * half / PAGE_KB * 3276 / 32768;
	sheet_build(&c, &s);
	assert_true(s.rows[CENSUS_ANON].differs);
	census_sheet_free(&s);
	census_free(&c);
}

/* ---- caches and cgroups ---- */

enum { CACHE_A = 0x1000, CACHE_B = 0x2000, CACHE_GONE = 0x3000 };
enum { OWNER_X = 0x8000, OWNER_X_AGAIN = 0x8008, OWNER_UP = 0x9000, OWNER_DEAD = 0xa002 };

/* Two caches of 256 and 1024 bytes, and an address that is no cache any more. */
static const struct kmt_census_cache *ask_cache(void *arg, uint64_t cache)
{
	static struct kmt_census_cache a = {.size = 256,
					    .object_size = 250,
					    .order = 16,
					    .min_order = 16,
					    .flags = 1,
					    .name = "a"};
	static struct kmt_census_cache b = {.size = 1024,
					    .object_size = 1024,
					    .order = 2 << 16 | 16,
					    .min_order = 4,
					    .name = "b"};
	static struct kmt_census_cache gone = {.size = 8, .object_size = 4096, .order = 99 << 16};

	++*(int *)arg;
	return cache == CACHE_A ? &a : cache == CACHE_B ? &b : &gone;
}

/* A cgroup /pod/x with two owners; removed ones below /pod; a removed one; and one without a name.
 */
static const struct kmt_census_owner *ask_owner(void *arg, uint64_t owner)
{
	static struct kmt_census_owner x = {.id = 7, .levels = 2, .name = {"x", "pod"}};
	static struct kmt_census_owner up = {.id = 6, .levels = 1, .inherited = 1, .name = {"pod"}};
	static struct kmt_census_owner dead = {
		.id = 5, .levels = 1, .offline = 1, .name = {"\033[31mdead"}};
	static struct kmt_census_owner none;

	++*(int *)arg;
	switch (owner) {
	case OWNER_X:
	case OWNER_X_AGAIN:
		return &x;
	case OWNER_UP:
		return &up;
	case OWNER_DEAD:
		return &dead;
	default:
		return &none;
	}
}

static struct kmt_census_record slab_record(int block, uint64_t cache, int objects, int used)
{
	return (struct kmt_census_record){.block = block,
					  .class = CENSUS_SLAB,
					  .cache = cache,
					  .objects = objects,
					  .used = used};
}

static struct kmt_census_record charge_record(int block, uint64_t cache, uint64_t owner, int nr)
{
	return (struct kmt_census_record){.block = block,
					  .class = cache ? CENSUS_SLAB : CENSUS_FILE,
					  .cache = cache,
					  .owner = owner,
					  .used = nr};
}

static void census_of_records(struct census *c, int *asked)
{
	const struct kmt_census_record records[] = {
		slab_record(0, CACHE_A, 16, 10),
		charge_record(0, CACHE_A, OWNER_X, 4),
		charge_record(0, CACHE_A, OWNER_X_AGAIN, 2),
		slab_record(0, CACHE_A, 16, 0),
		slab_record(1, CACHE_B, 16, 16),
		slab_record(1, CACHE_B, 4, 4), /* of the smaller order */
		charge_record(1, CACHE_B, OWNER_UP, 12),
		charge_record(1, 0, OWNER_DEAD, 30),
		charge_record(1, 0, 0xbad0, 5),
		slab_record(1, CACHE_GONE, 1, 1),
		slab_record(1, CACHE_A, 16, 17), /* changed while it was read */
		slab_record(9, CACHE_A, 16, 1),  /* of no block */
	};
	static const int node[2] = {0, 1};
	const struct census_run run = {.first = 0, .nr = 2, .node = node};
	const struct census_asking asking = {.cache = ask_cache, .owner = ask_owner, .arg = asked};
	struct census_slabs *s = census_slabs_new(&asking, 4096);
	uint64_t *addresses = NULL;

	assert_non_null(s);
	*asked = 0;
	for (int i = 0; i < 2; i++) { /* what is forgotten does not count */
		census_slabs_forget(s);
		assert_int_equal(
			census_slabs_add(s, records, sizeof(records) / sizeof(records[0]), &run),
			0);
	}
	assert_int_equal(census_slabs_finish(s, c, &addresses), 0);
	assert_true(addresses[0] == CACHE_B && addresses[1] == CACHE_A);
	free(addresses);
	census_slabs_free(s);
}

static void slabs_count_by_cache_and_by_cgroup(void **state)
{
	struct census c;
	struct census_sheet s = {0};
	int asked;

	(void)state;
	census_make(&c);
	census_of_records(&c, &asked);
	assert_int_equal(asked, 3 + 5); /* each address once */
	c.caches.items[1].cpu_free = 3;
	sheet_build(&c, &s);
	assert_int_equal(s.nr_caches, 2);
	assert_string_equal(s.caches[0].cache->name, "b");
	assert_float_equal(s.caches[0].figure.kb, (4 + 1) * 4, 0);
	assert_float_equal(s.caches[0].objects.kb, 20, 0);
	assert_float_equal(s.caches[0].free_kb, 0, 0);
	assert_float_equal(s.caches[1].figure.kb, 2 * 4, 0);
	assert_float_equal(s.caches[1].objects.kb, 10 - 3, 0);
	assert_float_equal(s.caches[1].free_kb, (32 - 7) * 0.25, 0);
	assert_float_equal(s.caches[1].empty_kb, 4, 0);
	assert_true(s.caches[1].cache->reclaimable);
	/* two owners of one cgroup are one row */
	assert_int_equal(s.caches[1].nr_charges, 1);
	assert_string_equal(s.caches[1].charges[0].cgroup->path, "/pod/x");
	assert_float_equal(s.caches[1].charges[0].objects.kb, 6, 0);
	assert_int_equal(s.caches[1].charges[0].cgroup->owners, 2);
	assert_int_equal(s.caches[0].nr_charges, 1);
	assert_true(s.caches[0].charges[0].cgroup->below);
	assert_float_equal(s.caches[0].charges[0].figure.kb, 12, 0);
	/* the largest cgroup has 30 pages; it was removed, and so was one below /pod */
	assert_int_equal(s.nr_cgroups, 3);
	assert_true(s.cgroups[0].cgroup->removed);
	assert_float_equal(s.cgroups[0].classes_kb[CENSUS_FILE], 120, 0);
	assert_int_equal(s.removed, 1);
	assert_float_equal(s.removed_kb, 120 + 12, 0);
	/* slabs by node */
	assert_int_equal(c.nodes.nr, 2);
	assert_int_equal(c.nodes.items[0].node, 1);
	assert_float_equal(c.nodes.items[0].pages.sum, 5, 0);
	census_sheet_free(&s);
	census_free(&c);
}

/* A long path keeps its end, which tells cgroups apart. */
static void a_long_path_keeps_its_end(void **state)
{
	static struct kmt_census_owner deep = {.id = 9, .levels = KMT_CENSUS_LEVELS};
	struct census_cgroup g = {0};

	(void)state;
	for (int i = 0; i < KMT_CENSUS_LEVELS; i++)
		memset(deep.name[i], 'a' + i, KMT_CENSUS_NAME); /* not terminated */
	census_owner_path(&deep, g.path);
	assert_int_equal(strlen(g.path), 255 - 2);
	assert_int_equal(strncmp(g.path, "…", 3), 0);
	assert_int_equal(g.path[strlen(g.path) - 1], 'a');
	deep.levels = 0;
	census_owner_path(&deep, g.path);
	assert_string_equal(g.path, "/");
}

/* The rules of findings about caches and cgroups, with figures that just meet and just miss them.
 */
static void findings_about_caches_and_cgroups(void **state)
{
	struct findings found = {0};
	struct census_sheet s = {0};
	struct census c;
	int asked;

	(void)state;
	census_make(&c);
	census_of_records(&c, &asked);
	sheet_build(&c, &s);
	census_findings(&s, &found);
	assert_null(findings_of(&found, "census-fragmented"));
	assert_null(findings_of(&found, "census-removed-cgroups"));
	assert_null(findings_of(&found, "census-caches"));
	findings_free(&found);
	found = (struct findings){0};

	/* 195 MiB, of which 49 % is not in use, and then 51 % */
	c.caches.items[0].pages.sum = 60000; /* the largest comes first */
	c.caches.items[1].pages.sum = 50000;
	c.caches.items[1].objects.sum = 800000;
	c.caches.items[1].used.sum = 0.51 * 800000;
	sheet_build(&c, &s);
	census_findings(&s, &found);
	assert_null(findings_of(&found, "census-fragmented"));
	assert_non_null(findings_of(&found, "census-caches"));
	findings_free(&found);
	found = (struct findings){0};
	c.caches.items[1].used.sum = 0.49 * 800000;
	for (size_t i = 0; i < c.charges.nr; i++)
		if (c.charges.items[i].cache == CENSUS_NO_CACHE)
			c.charges.items[i].nr.sum = 30000; /* 117 MiB of a removed cgroup */
	sheet_build(&c, &s);
	census_findings(&s, &found);
	assert_string_equal(findings_of(&found, "census-fragmented")->subject, "a");
	assert_non_null(strstr(findings_of(&found, "census-removed-cgroups")->text,
			       "1 removed cgroup still holds 117"));
	findings_free(&found);
	census_sheet_free(&s);
	census_free(&c);
}

/* ---- documents ---- */

static char *print_census(const struct census *c, bool json)
{
	struct findings found = {0};
	struct census_sheet s = {0};
	const struct census_document d = {.sheet = &s, .findings = &found, .kernel = "6.18.0"};
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	assert_int_equal(census_sheet_build(c, &s), 0);
	census_findings(&s, &found);
	assert_int_equal(json ? census_json(&d, f)
			      : census_text(&d,
					    &(struct census_text_options){
						    .sections = census_section_parse("all", 3),
						    .utf8 = true},
					    f),
			 0);
	assert_int_equal(fclose(f), 0);
	findings_free(&found);
	census_sheet_free(&s);
	return text;
}

/* Kinds of the second cache: a likely one, a possible one with hostile names, and an unknown one.
 */
static void census_kinds_make(struct census *c)
{
	static const struct census_kind kinds[] = {
		{.objects = 300,
		 .sure = KIND_LIKELY,
		 .nr_types = 2,
		 .types = {{"timerfd_ctx", 14.885}, {"other", 3.5}},
		 .functions = {"timerfd_tmrproc"},
		 .points_to = {"kmalloc-64", "filp"},
		 .signature = "0:self 40:timerfd_tmrproc() 144:self"},
		{.objects = 50,
		 .sure = KIND_POSSIBLE,
		 .nr_types = 1,
		 .types = {{"\033[31mtype\033[0m", 4}},
		 .points_to = {"\033[5mcache"},
		 .signature = "0:->\033[5mcache"},
		{.objects = 20, .sure = KIND_UNKNOWN, .signature = "8:->vmalloc"},
	};
	struct kind_sample *sample = ARRAY_PUSH(&c->kinds.samples);

	assert_non_null(sample);
	*sample = (struct kind_sample){.cache = 1, .drawn = 460, .live = 380, .unsure = 2};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct census_kind *kind = ARRAY_PUSH(&c->kinds);

		assert_non_null(kind);
		*kind = kinds[i];
		kind->cache = 1;
		kind->effective = 380;
	}
	c->kinds.cpu_s = 0.25;
	c->kinds.skipped = 3;
	snprintf(c->kinds.lacks, sizeof(c->kinds.lacks), "functions: run as root");
}

static void both_documents_say_the_same_as_before(void **state)
{
	struct census c;
	char *text;
	int asked;

	(void)state;
	census_make(&c);
	census_of_records(&c, &asked);
	census_kinds_make(&c);
	text = print_census(&c, false);
	assert_null(strchr(text, '\033')); /* from a cgroup's name */
	compare_golden("census.txt", text);
	free(text);
	text = print_census(&c, true);
	assert_null(strchr(text, '\033'));
	compare_golden("census.json", text);
	free(text);

	c.counted = 3276; /* a sample */
	for (int class = 0; class < CENSUS_CLASSES; class ++)
		c.pages[class].sum = rint(c.pages[class].sum / 10);
	text = print_census(&c, false);
	compare_golden("census-sampled.txt", text);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		assert_true(strlen(line) <= 80); /* it is ASCII */
	free(text);
	census_free(&c);
}

/* ---- refusals ---- */

static void the_reason_why_there_is_no_census_is_said(void **state)
{
	static struct kernel_facts facts;
	char why[CENSUS_WHY_MAX];

	(void)state;
	kernel_facts_read("/proc", NULL, &facts);
	facts.proc = facts.meminfo = facts.btf = facts.bpf_load = 0;
	facts.sysfs = true;
	facts.files = RECORD_FILES;
	facts.address_bytes = RECORD_ADDRESS_BYTES;
	facts.data_bytes = RECORD_DATA_BYTES;
	facts.caps = ~0ull;
	facts.preemptible = false;
	facts.read_kernel = -EPERM;
	strcpy(facts.lockdown, "confidentiality");
	assert_non_null(strstr(census_refusal(&facts, why), "lockdown is confidentiality"));
	assert_non_null(strstr(why, "`kmemtrace balance` works here"));
	facts.read_kernel = 0;
	facts.audit_obstacle = "the slab allocator is not SLUB";
	assert_non_null(strstr(census_refusal(&facts, why), "the slab allocator is not SLUB"));
}

/* The kernel writes all of vmallocinfo for the first byte, while others wait for the CPU. */
static void facts_do_not_read_vmallocinfo(void **state)
{
	_cleanup_close_ int notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	char root[] = "/tmp/kmemtrace-test-XXXXXX", path[64], event[512];
	struct kernel_facts facts;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(root));
	snprintf(path, sizeof(path), "%s/vmallocinfo", root);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
	assert_true(inotify_add_watch(notify, path, IN_ACCESS) >= 0);
	kernel_facts_read(root, NULL, &facts);
	assert_true(facts.vmallocinfo);
	assert_int_equal(read(notify, event, sizeof(event)), -1);
	unlink(path);
	/* a container may hide the file */
	assert_int_equal(symlink("/dev/null", path), 0);
	kernel_facts_read(root, NULL, &facts);
	assert_false(facts.vmallocinfo);
	unlink(path);
	rmdir(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_frames_are_counted_if_there_is_time),
		cmocka_unit_test(a_huge_machine_is_sampled_within_the_budget),
		cmocka_unit_test(the_time_is_that_of_the_budget_and_not_of_the_machine),
		cmocka_unit_test(a_scan_that_overruns_becomes_a_sample),
		cmocka_unit_test(intervals_of_samples_hold),
		cmocka_unit_test(intervals_of_4_TiB_hold_within_the_budget),
		cmocka_unit_test(intervals_hold_if_the_sample_is_slower_than_the_pilot),
		cmocka_unit_test(what_was_not_seen_has_an_upper_limit),
		cmocka_unit_test(zones_become_ranges_in_order_and_without_overlap),
		cmocka_unit_test(frame_0_is_where_most_pages_agree),
		cmocka_unit_test(a_line_that_fits_the_pages_is_no_finding),
		cmocka_unit_test(a_line_that_does_not_fit_is_a_finding),
		cmocka_unit_test(a_line_that_moved_and_came_back_is_no_finding),
		cmocka_unit_test(chance_is_no_finding),
		cmocka_unit_test(slabs_count_by_cache_and_by_cgroup),
		cmocka_unit_test(a_long_path_keeps_its_end),
		cmocka_unit_test(findings_about_caches_and_cgroups),
		cmocka_unit_test(both_documents_say_the_same_as_before),
		cmocka_unit_test(the_reason_why_there_is_no_census_is_said),
		cmocka_unit_test(facts_do_not_read_vmallocinfo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
