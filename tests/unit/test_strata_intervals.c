// SPDX-License-Identifier: GPL-2.0-only
/*
 * Do the intervals hold the truth when strata set the periods? Loads that change are run through
 * what a recording runs: the programs' own sampling (bpf/sample.bpf.h, compiled here), the tracer's
 * tables (tracer_strata.c), the allocation of periods (strata.c), and the estimator. A 95 %
 * interval must hold the truth in 94 to 96.5 % of cases. Objects that no sample falls on are
 * counted down many at a time, so that a second of churn costs no more than its samples. KMT_RUNS
 * sets the number of recordings; docs/trust.md has the figures of 10,000.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <linux/bpf.h>

#include "close.h"
#include "model/confidence.h"
#include "record/estimate.h"
#include "record/governor.h"
#include "record/strata.h"
#include "trace/tracer_internal.h"

/* ---- what bpf/state.bpf.h has, for sample.bpf.h ---- */

#define KMEMTRACE_STATE_BPF_H
#define SEC(name)
#define WEAK
#define GLOBAL             static __attribute__((unused))
#define __uint(name, val)  int(*name)[val]
#define __type(name, type) typeof(type) *name

#define CPUS 2

static struct tracer_bpf skel;
static struct tracer_bpf__bss bss;
static struct tracer tracer = {.skel = &skel};
static struct kmt_cpu cpus[CPUS];
static struct kmt_sampler sampler_rows[CPUS];
static struct kmt_stratum stratum_rows[CPUS * KMT_STRATA];
static uint16_t cfg_log2[257];
static uint32_t cfg_weight[65];
static uint32_t sample_tick; /* bss.sample_tick: kmt_cpu has a field of this name */
static uint64_t seed;

static const bool cfg_exact;
#define sample_every     bss.sample_every
#define sample_step_bits bss.sample_step_bits
#define sample_cpu_bits  bss.sample_cpu_bits
#define stratum_rate     bss.stratum_rate

static double uniform(void) /* SplitMix64 */
{
	uint64_t z = seed += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return ((double)((z ^ (z >> 31)) >> 11) + 0.5) / 9007199254740992.0;
}

static uint32_t bpf_get_prandom_u32(void)
{
	return (uint32_t)(uniform() * 4294967296.0);
}

static uint32_t bpf_get_smp_processor_id(void)
{
	return 0;
}

static struct kmt_cpu *cpu_of(uint32_t cpu)
{
	return &cpus[cpu];
}

static void *map_row(const void *map, uint32_t row);
#define bpf_map_lookup_elem(map, row) map_row(map, *(row))

#include "sample.bpf.h"

static void *map_row(const void *map, uint32_t row)
{
	return map == &samplers ? (void *)&sampler_rows[row] : &stratum_rows[row];
}

/* ---- a load ---- */

#define TICK_S      GOVERNOR_EVERY_S
#define SLICES      8  /* of a tick: call sites that share a stratum take turns */
#define TICKS       24 /* 12 s */
#define PATHS       18
#define FOREVER     1000000
#define USED_STRATA 32 /* so few that call sites collide */

enum kind { CHURN, INSIDE_CHURN, LEAK, BURST, CACHE, LARGE, SOME_KEPT, KINDS };

static const char *const kind_names[KINDS] = {
	"churn",         "growth inside churn",  "growth", "growth in a burst", "comes and goes",
	"large objects", "churn that keeps some"};

struct held_object {
	struct kmt_object o;
	int slice;
};

struct path {
	enum kind kind;
	uint64_t site, size;
	double per_s;    /* objects, while it is active */
	int from, to;    /* slices */
	uint64_t one_in; /* so many objects, one is kept; 0: none */
	int lives;       /* slices that kept ones live */
	double on_cpu_0; /* share */
	uint32_t cache;
	/* the recording */
	uint64_t allocated;
	double owed[CPUS]; /* parts of objects, for the next slice */
	uint64_t kept[TICKS * SLICES];
	struct held_object *objects; /* that were sampled and kept, oldest first */
	size_t nr, size_of_objects, first;
};

static struct path paths[PATHS];
static struct strata strata_now;

static double between(double low, double high) /* uniform in the logarithm */
{
	return low * pow(high / low, uniform());
}

static int slice_between(double from, double to)
{
	return (int)((from + (to - from) * uniform()) * TICKS * SLICES);
}

static uint32_t path_stratum(const struct path *p)
{
	return stratum_slab(p->site, p->size << STRATUM_SIZE);
}

static void path_make(struct path *p, enum kind kind)
{
	struct held_object *objects = p->objects;
	size_t size_of_objects = p->size_of_objects;

	*p = (struct path){
		.kind = kind,
		.site = 0xffffffff81000000 + ((uint64_t)(uniform() * 1e6) << 4),
		.size = 1ull << (5 + (int)(uniform() * 8)),
		.to = TICKS * SLICES,
		.one_in = 1,
		.lives = FOREVER,
		.on_cpu_0 = uniform() < 0.3 ? 1 : uniform(),
		.cache = 1 + (uint32_t)(uniform() * 5),
		.objects = objects,
		.size_of_objects = size_of_objects,
	};
	while (path_stratum(p) >= KMT_STRATUM_SLAB + USED_STRATA)
		p->site += 16;
	switch (kind) {
	case CHURN:
		p->per_s = between(2e4, 2e6);
		p->one_in = 0;
		if (uniform() < 0.5)
			p->from = slice_between(0, 0.5), p->to = slice_between(0.5, 1);
		break;
	case INSIDE_CHURN:
		p[0].site = p[-1].site;
		p->size = p[-1].size;
		p->cache = p[-1].cache;
		p->per_s = p[-1].per_s / between(100, 1000);
		p->from = slice_between(0, 0.5);
		break;
	case LEAK:
		p->per_s = between(20, 2e4);
		p->from = slice_between(0, 0.7);
		if (uniform() < 0.4)
			p->to = slice_between(0.7, 1);
		break;
	case BURST:
		p->from = slice_between(0, 0.95);
		p->to = p->from + 1 + (int)(uniform() * 3);
		p->per_s = between(1e4, 2e6);
		break;
	case CACHE:
		p->per_s = between(1e3, 1e5);
		p->lives = 1 + (int)(uniform() * 4 * SLICES);
		break;
	case LARGE:
		p->size = 4096ull << (int)(uniform() * 5);
		p->per_s = between(5, 2000);
		p->from = slice_between(0, 0.7);
		break;
	case SOME_KEPT:
		p->per_s = between(1e4, 1e6);
		p->one_in = (uint64_t)between(10, 2000);
		break;
	case KINDS:
		break;
	}
}

static const enum kind load[PATHS] = {CHURN, INSIDE_CHURN, CHURN, INSIDE_CHURN, CHURN, CHURN,
				      LEAK,  LEAK,         LEAK,  LEAK,         BURST, BURST,
				      BURST, CACHE,        CACHE, LARGE,        LARGE, SOME_KEPT};

/* ---- a recording ---- */

/* What stratum_count() of track.bpf.h does. */
static void count(uint32_t cpu, const struct path *p, const struct kmt_object *o, int sign)
{
	struct kmt_stratum *s = stratum_of(cpu, o->stratum);
	int64_t bytes =
		(int64_t)(o->size * (o->period ? sample_weight(o->size, o->period) : KMT_ONE));

	s->held_bytes += sign * bytes;
	s->cache = (uint16_t)p->cache;
}

static void path_keep(struct path *p, uint32_t cpu, uint32_t stratum, uint32_t period, int slice)
{
	struct held_object *h;

	if (p->nr == p->size_of_objects) {
		p->size_of_objects = 2 * p->size_of_objects + 64;
		p->objects = realloc(p->objects, p->size_of_objects * sizeof(*p->objects));
		assert_non_null(p->objects);
	}
	h = &p->objects[p->nr++];
	*h = (struct held_object){
		.o = {.size = p->size, .period = period, .stratum = (uint16_t)stratum},
		.slice = slice};
	count(cpu, p, &h->o, 1);
}

static void path_allocate(struct path *p, uint32_t cpu, uint64_t n, int slice)
{
	uint32_t stratum = path_stratum(p), period;
	struct kmt_sampler *c = sampler_of(cpu);
	uint64_t before = p->allocated;

	while (n) {
		uint64_t each = p->size << c->rate[stratum];
		uint64_t quiet = c->left > 0 ? (uint64_t)(c->left - 1) / each : 0;

		quiet = quiet < n ? quiet : n;
		c->left -= (int64_t)(quiet * each); /* none of them is sampled */
		p->allocated += quiet;
		n -= quiet;
		if (!n)
			break;
		n--;
		p->allocated++;
		if (sample_hit_on(cpu, stratum, p->size) &&
		    sample_weigh(cpu, stratum, p->size, &period) && p->one_in &&
		    p->allocated % p->one_in == 0)
			path_keep(p, cpu, stratum, period, slice);
	}
	if (p->one_in)
		p->kept[slice] += p->allocated / p->one_in - before / p->one_in;
}

static void path_free_old(struct path *p, int slice)
{
	for (; p->first < p->nr && p->objects[p->first].slice + p->lives <= slice; p->first++)
		count((uint32_t)(uniform() * CPUS), p, &p->objects[p->first].o, -1);
}

static void path_slice(struct path *p, int slice)
{
	path_free_old(p, slice);
	if (slice < p->from || slice >= p->to)
		return;
	for (uint32_t cpu = 0; cpu < CPUS; cpu++) {
		double n = p->owed[cpu] +
			   p->per_s * TICK_S / SLICES * (cpu ? 1 - p->on_cpu_0 : p->on_cpu_0);

		p->owed[cpu] = n - floor(n);
		path_allocate(p, cpu, (uint64_t)n, slice);
	}
}

static double path_truth(const struct path *p, int slice)
{
	double sum = 0;

	for (int i = 0; i <= slice; i++)
		if (i + p->lives > slice)
			sum += (double)p->kept[i] * p->size;
	return sum;
}

/* What sampler_levels() reads from /proc/slabinfo. */
static void caches_grew(int slice)
{
	for (uint32_t cache = 1; cache <= 5; cache++) {
		double grew = 0;

		for (int i = 0; i < PATHS; i++)
			if (paths[i].cache == cache)
				grew += path_truth(&paths[i], slice);
		if (grew > 256 << 10)
			strata_grew(&strata_now, KMT_SLAB, cache, grew);
	}
}

static void periods_set(double samples_per_s)
{
	uint32_t periods[KMT_STRATA];

	for (uint32_t i = 0; i < KMT_STRATA; i++)
		periods[i] = strata_now.at[i].period;
	tracer_strata_set(&tracer, periods, 4 * samples_per_s * TICK_S / CPUS);
	sample_tick = bss.sample_tick;
}

static void recording(void)
{
	static struct stratum_counts counts[KMT_STRATA];
	double samples_per_s = between(300, 5000);

	memset(cpus, 0, sizeof(cpus));
	memset(sampler_rows, 0, sizeof(sampler_rows));
	memset(tracer.period, 0, sizeof(tracer.period));
	memset(tracer.longest, 0, sizeof(tracer.longest));
	memset(stratum_rows, 0, sizeof(stratum_rows));
	for (int i = 0; i < PATHS; i++)
		path_make(&paths[i], load[i]);
	strata_init(&strata_now, KMT_EVERY);
	sample_step_bits = 10;
	periods_set(samples_per_s);
	for (int slice = 0; slice < TICKS * SLICES; slice++) {
		for (int i = 0; i < PATHS; i++)
			path_slice(&paths[i], slice);
		if (slice % (2 * SLICES) == 0)
			caches_grew(slice);
		if (slice % SLICES != SLICES - 1)
			continue;
		tracer_strata(&tracer, counts);
		strata_step(&strata_now, counts, TICK_S, samples_per_s, 0);
		periods_set(samples_per_s);
	}
}

/* ---- intervals ---- */

#define BINS 6

struct coverage {
	double all, inside, below, above; /* below: the truth is below the interval */
	double sum, truth;
};

static struct coverage by_kind[KINDS], by_samples[BINS], whole, pool, every_object, unseen;

static void coverage_add(struct coverage *c, double truth, double bytes, double low, double high)
{
	double tiny = 1e-9 * truth;

	c->all++;
	c->inside += low <= truth + tiny && truth <= high + tiny;
	c->below += truth + tiny < low;
	c->above += truth > high + tiny;
	c->sum += bytes;
	c->truth += truth;
}

static int bin_of(double n)
{
	return n < 5 ? 0 : n < 10 ? 1 : n < 30 ? 2 : n < 100 ? 3 : n < 1000 ? 4 : 5;
}

/* The row that the collector would store. */
static struct cap_held path_row(const struct path *p, const struct stratum_counts *counts)
{
	struct cap_held h = {0};

	h.bytes_missed = estimate_missed(p->size, counts[path_stratum(p)].longest);
	for (size_t i = p->first; i < p->nr; i++)
		estimate_add(&h, &p->objects[i].o, 0, false);
	return h;
}

static void recording_count(void)
{
	double truth_all = 0, bytes = 0, var = 0, missed = 0, low, high;
	static struct stratum_counts counts[KMT_STRATA];

	tracer_strata(&tracer, counts);
	for (int i = 0; i < PATHS; i++) {
		const struct path *p = &paths[i];
		double truth = path_truth(p, TICKS * SLICES - 1);
		struct cap_held h = path_row(p, counts);

		interval_weighted(h.bytes, h.bytes_var, h.bytes_missed, &low, &high);
		truth_all += truth;
		bytes += h.bytes;
		var += h.bytes_var;
		if (h.tracked)
			missed = fmax(missed, h.bytes_missed);
		if (h.tracked && h.bytes_var > 0) {
			coverage_add(&whole, truth, h.bytes, low, high);
			coverage_add(&by_kind[p->kind], truth, h.bytes, low, high);
			coverage_add(&by_samples[bin_of((double)h.tracked)], truth, h.bytes, low,
				     high);
		} else if (truth > 0) {
			coverage_add(h.tracked ? &every_object : &unseen, truth, h.bytes, low,
				     high);
		}
	}
	interval_weighted(bytes, var, missed, &low, &high);
	coverage_add(&pool, truth_all, bytes, low, high);
}

static void coverage_say(const char *what, const struct coverage *c)
{
	if (c->all > 0)
		print_message(
			"%-28s %8.0f  %5.2f%% inside, %.2f%% below, %.2f%% above, bias %+.3f%%\n",
			what, c->all, 100 * c->inside / c->all, 100 * c->below / c->all,
			100 * c->above / c->all, 100 * (c->sum / c->truth - 1));
}

/* Three standard deviations beyond the bounds: runs are few where a sanitizer slows them down. */
static void assert_covers(const struct coverage *c, double least, double most)
{
	double share = c->inside / c->all, slack = 3 * sqrt(0.05 * 0.95 / c->all);

	assert_true(c->all > 30);
	assert_between(share, least - slack, fmin(1, most + slack));
	assert_true(fabs(c->sum / c->truth - 1) < 0.15 || c == &unseen);
}

static void tables_make(void)
{
	for (int i = 0; i <= 256; i++)
		cfg_log2[i] = (uint16_t)fmin(65535, log2(1 + i / 256.0) * 65536);
	for (int i = 1; i <= 64; i++)
		cfg_weight[i] = (uint32_t)lrint(KMT_ONE / (1 - exp(-i / 4.0)));
	skel.bss = &bss;
	tracer.tables.strata = stratum_rows;
	tracer.tables.samplers = sampler_rows;
	tracer.sizes.strata_cpus = CPUS;
}

static void intervals_hold_the_truth_of_loads_that_change(void **state)
{
	static const char *const bins[BINS] = {"1 to 4 samples", "5 to 9",     "10 to 29",
					       "30 to 99",       "100 to 999", "1000 and more"};
	const char *runs = getenv("KMT_RUNS");

	(void)state;
	tables_make();
	seed = tracer.random = 21; /* always the same loads, and the same samples of them */
	for (int run = runs ? atoi(runs) : 400; run > 0; run--) {
		recording();
		recording_count();
	}
	for (int i = 0; i < KINDS; i++)
		coverage_say(kind_names[i], &by_kind[i]);
	for (int i = 0; i < BINS; i++)
		coverage_say(bins[i], &by_samples[i]);
	coverage_say("all paths", &whole);
	coverage_say("the pool", &pool);
	coverage_say("all tracked", &every_object);
	coverage_say("without a sample", &unseen);
	for (int i = 0; i < PATHS; i++)
		free(paths[i].objects);
	assert_covers(&whole, 0.94, 0.965);
	assert_covers(&pool, 0.94, 0.97);
	for (int i = 0; i < KINDS; i++)
		if (i != CHURN) /* holds nothing */
			assert_covers(&by_kind[i], 0.935, 0.975);
	for (int i = 0; i < BINS; i++)
		assert_covers(&by_samples[i], 0.935, 0.975);
	assert_covers(&every_object, 0.98, 1);
	assert_covers(&unseen, 0.97, 1);
}

/* A recording sets periods once more as it ends: nothing can have escaped the samples by those. */
static void periods_that_were_never_in_force_hide_nothing(void **state)
{
	static struct stratum_counts counts[KMT_STRATA];
	uint32_t periods[KMT_STRATA];

	(void)state;
	tables_make();
	memset(tracer.period, 0, sizeof(tracer.period));
	memset(tracer.longest, 0, sizeof(tracer.longest));
	memset(stratum_rows, 0, sizeof(stratum_rows));
	for (uint32_t bits = 12; bits <= 20; bits += 4) {
		for (uint32_t i = 0; i < KMT_STRATA; i++)
			periods[i] = 1u << bits;
		tracer_strata_set(&tracer, periods, 1000);
	}
	tracer_strata(&tracer, counts);
	for (uint32_t i = 0; i < KMT_STRATA; i++)
		assert_int_equal(counts[i].longest, 1u << 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(periods_that_were_never_in_force_hide_nothing),
		cmocka_unit_test(intervals_hold_the_truth_of_loads_that_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
