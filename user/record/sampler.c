// SPDX-License-Identifier: GPL-2.0-only
/* Sampling periods: between the programs, /proc and strata.c. See sampler.h. */
#include "record/sampler.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/pool.h"

#define CPU_BURST     4 /* a CPU may take so many times its share before it throttles itself */
#define GREW_LEAST    (256 << 10) /* bytes: smaller growth in /proc is noise of its counters */
#define PERIODS_CACHE 4096        /* bytes: shorter periods of a cache are not worth storing */

static double online(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n > 0 ? (double)n : 1;
}

static void periods_set(struct sampler *s, double samples_per_s, bool every)
{
	uint32_t periods[KMT_STRATA];

	for (uint32_t i = 0; i < KMT_STRATA; i++)
		periods[i] = s->strata.at[i].period;
	tracer_strata_set(s->tracer, every ? NULL : periods,
			  CPU_BURST * samples_per_s * GOVERNOR_EVERY_S / online());
}

void sampler_start(struct sampler *s, struct tracer *tracer, uint64_t least,
		   const struct governor *g)
{
	s->tracer = tracer;
	strata_init(&s->strata, least);
	periods_set(s, governor_samples(g, online()), g->exact);
}

void sampler_free(struct sampler *s)
{
	snapshot_free(&s->start);
}

void sampler_note(struct sampler *s)
{
	tracer_strata(s->tracer, s->counts);
	for (uint32_t i = 0; i < KMT_STRATA; i++) {
		const struct stratum_counts *now = &s->counts[i];
		double least = s->strata.at[i].period, most = fmax(least, now->longest);
		int pool = strata_pool(i);

		if (now->samples == s->strata.at[i].was.samples)
			continue;
		if (!(s->pools[pool].most > 0) || least < s->pools[pool].least)
			s->pools[pool].least = least;
		s->pools[pool].most = fmax(s->pools[pool].most, most);
		if (pool == KMT_SLAB && now->cache < KMT_CACHES + KMT_PROBES)
			s->cache_most[now->cache] = fmax(s->cache_most[now->cache], most);
	}
}

void sampler_step(struct sampler *s, double now_s, const struct governor *g, double live_fill)
{
	double samples_per_s = governor_samples(g, online());

	if (g->exact)
		return;
	sampler_note(s);
	strata_step(&s->strata, s->counts, now_s - s->at_s, samples_per_s, live_fill);
	s->at_s = now_s;
	periods_set(s, samples_per_s, false);
}

/* ---- levels ---- */

void sampler_levels_begin(struct sampler *s, struct snapshot *levels)
{
	s->start = *levels;
	*levels = (struct snapshot){0};
}

static double slab_bytes(const struct slab_level *slab)
{
	return (double)slab->active_objs * slab->object_size;
}

/* The level of a cache at the start. slabinfo rarely changes its order, so look at `place` first.
 */
static double slab_start(const struct slab_levels *start, const char *name, size_t place)
{
	for (size_t i = 0; i < start->nr; i++) {
		const struct slab_level *slab = &start->items[(place + i) % start->nr];

		if (!strcmp(slab->name, name))
			return slab_bytes(slab);
	}
	return 0;
}

/* The row of the cache table; 0: none has this name yet. */
static uint32_t cache_table_row(const struct tracer_tables *t, const char *name)
{
	for (uint32_t row = 1; row < t->nr_caches; row++)
		if ((__atomic_load_n(&t->cache_keys[row].state, __ATOMIC_ACQUIRE) &
		     KMT_CACHE_READY) &&
		    !strncmp(t->cache_info[row].name, name, KMT_NAME))
			return row;
	return 0;
}

static void caches_compare(struct sampler *s, const struct slab_levels *now)
{
	for (size_t i = 0; i < now->nr; i++) {
		const struct slab_level *slab = &now->items[i];
		double grew = slab_bytes(slab) - slab_start(&s->start.slabs, slab->name, i);
		uint32_t row = grew > GREW_LEAST
				       ? cache_table_row(tracer_tables(s->tracer), slab->name)
				       : 0;

		if (row)
			strata_grew(&s->strata, KMT_SLAB, row, grew);
	}
}

void sampler_levels(struct sampler *s, const struct snapshot *levels)
{
	static const struct {
		const char *line;
		int pool;
	} lines[] = {{"PageTables", KMT_PAGE}, {"KernelStack", KMT_KSTACK}, {"Percpu", KMT_PERCPU}};

	if (!s->start.meminfo.nr)
		return;
	caches_compare(s, &levels->slabs);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		double grew = 1024.0 * (named_value_get(&levels->meminfo, lines[i].line, 0) -
					named_value_get(&s->start.meminfo, lines[i].line, 0));

		if (grew > GREW_LEAST)
			strata_grew(&s->strata, lines[i].pool, 0, grew);
	}
}

/* ---- for the report ---- */

/* Close what open_memstream() gave. Returns the text, or NULL if memory ran out. */
static char *text_end(FILE *f, char **text)
{
	if (f && !fclose(f))
		return *text;
	free(*text);
	return NULL;
}

/* "slab 1363149 1 4194304; percpu …": mean, least and most. The mean is of all bytes allocated. */
char *sampler_periods(const struct sampler *s)
{
	static const enum pool sampled[] = {POOL_SLAB, POOL_PERCPU, POOL_KSTACK, POOL_PAGE};
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	for (size_t i = 0; f && i < sizeof(sampled) / sizeof(sampled[0]); i++) {
		double bytes = 0, samples = 0, mean;
		int pool = sampled[i];

		for (uint32_t j = 0; j < KMT_STRATA; j++)
			if (strata_pool(j) == pool) {
				bytes += s->counts[j].alloc_bytes;
				samples += s->counts[j].samples;
			}
		if (!(samples > 0) || !(s->pools[pool].most > 0))
			continue;
		mean = fmin(fmax(bytes / samples, s->pools[pool].least), s->pools[pool].most);
		fprintf(f, "%s%s %.0f %.0f %.0f", ftell(f) ? "; " : "", pool_name(sampled[i]), mean,
			s->pools[pool].least, s->pools[pool].most);
	}
	return text_end(f, &text);
}

/* "4194304 kmalloc-64": a line for each cache with long periods; the first line is never empty. */
char *sampler_cache_periods(const struct sampler *s)
{
	const struct tracer_tables *t = tracer_tables(s->tracer);
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (f)
		fprintf(f, "%d others, at most\n", PERIODS_CACHE);
	for (uint32_t row = 1; f && row < t->nr_caches; row++)
		if (s->cache_most[row] >= PERIODS_CACHE)
			fprintf(f, "%.0f %.*s\n", s->cache_most[row], KMT_NAME,
				t->cache_info[row].name);
	return text_end(f, &text);
}
