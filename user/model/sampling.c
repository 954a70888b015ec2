// SPDX-License-Identifier: GPL-2.0-only
/* Reads the periods in force from a capture's facts, or estimates them: see sampling.h. */
#include "model/sampling.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PERIOD_MAX         1e15 /* bytes: no recorder sets a longer one */
#define CACHE_PERIOD_SHORT 4096 /* shorter ones are in no line of META_CACHE_PERIODS */

/* Kernel stacks and per-CPU memory are sampled finer than META_PERIOD (docs/capture-format.md). */
static double nominal_period(const struct view *v, enum pool pool)
{
	double period = capture_meta_number(v->c, META_PERIOD, 0);

	return pool == POOL_KSTACK ? period / 8 : pool == POOL_PERCPU ? period / 128 : period;
}

/* "slab 1363149 524288 5033165; percpu …": the entry of the pool. */
static bool periods_find(const char *text, const char *name, struct sampling *out)
{
	size_t n = strlen(name);

	while (*text) {
		double mean, least, most;

		if (!strncmp(text, name, n) && text[n] == ' ' &&
		    sscanf(text + n, "%lf %lf %lf", &mean, &least, &most) == 3 && least >= 0 &&
		    mean >= least && most >= mean && most <= PERIOD_MAX) {
			*out = (struct sampling){
				.mean = mean, .least = least, .most = most, .recorded = true};
			return true;
		}
		text += strcspn(text, ";");
		text += strspn(text, "; ");
	}
	return false;
}

/*
 * "4194304 kmalloc-64": the line of the cache. A cache that has no line had short periods, which do
 * not matter. Captures that do not tell caches apart give the period of their pool.
 */
double sampling_of_cache(const struct view *v, const char *cache)
{
	const char *line = capture_meta(v->c, META_CACHE_PERIODS);
	struct sampling pool;

	sampling_of(v, POOL_SLAB, &pool);
	if (!(pool.most > 0) || !*line)
		return pool.most;
	for (; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		char *name;
		double period = strtod(line, &name);

		if (name == line || *name != ' ' || !(period >= 0) || !(period <= PERIOD_MAX))
			continue;
		name++;
		if (strcspn(name, "\n") == strlen(cache) && !strncmp(name, cache, strlen(cache)))
			return period;
	}
	return fmin(pool.most, CACHE_PERIOD_SHORT);
}

const char *sampling_words(char buf[SAMPLING_WORDS_MAX], double period)
{
	char bytes[UNITS_MAX];

	if (period <= 1)
		snprintf(buf, SAMPLING_WORDS_MAX, "every object");
	else
		snprintf(buf, SAMPLING_WORDS_MAX, "one for each %s", units_bytes(bytes, period));
	return buf;
}

const char *sampling_range_words(char buf[SAMPLING_RANGE_MAX], const struct sampling *s)
{
	char least[UNITS_MAX], most[UNITS_MAX], words[SAMPLING_WORDS_MAX];

	units_bytes(least, s->least);
	units_bytes(most, s->most);
	buf[0] = '\0';
	if (!s->recorded || !strcmp(least, most))
		return buf;
	if (s->least <= 1)
		snprintf(buf, SAMPLING_RANGE_MAX,
			 " on average (every object of some call sites, %s of others)",
			 sampling_words(words, s->most));
	else
		snprintf(buf, SAMPLING_RANGE_MAX, " on average (%s to %s)", least, most);
	return buf;
}

/* For captures that do not contain the period. A sample of a small object stands for one period, so
 * the variance of a sum is the sum times the period. Large objects have less variance. */
static double estimated_period(const struct view *v, enum pool pool)
{
	double bytes = 0, var = 0;

	for (size_t i = 0; v->at && i < v->at->held.nr; i++) {
		const struct cap_held *h = &v->at->held.items[i];

		if (pool_traced_as(h->pool) != pool_traced_as(pool))
			continue;
		bytes += h->bytes;
		var += h->bytes_var;
	}
	return bytes > 0 ? var / bytes : 0;
}

double sampling_period(double size, double bytes, double var)
{
	/* a sample of weight w adds w (w − 1) size², so var / bytes is (w − 1) size */
	return size > 0 && bytes > 0 && var > 0 ? -size / log1p(-size / (size + var / bytes)) : 0;
}

double sampling_samples(double bytes, double var)
{
	return var > 0 ? bytes * bytes / var : INFINITY;
}

void sampling_of(const struct view *v, enum pool pool, struct sampling *out)
{
	double period;

	*out = (struct sampling){0};
	if (v->exact || pool == POOL_VMALLOC) /* areas of vmalloc are all tracked */
		return;
	if (periods_find(capture_meta(v->c, META_PERIODS), pool_name(pool_traced_as(pool)), out))
		return;
	period = fmax(nominal_period(v, pool), estimated_period(v, pool));
	*out = (struct sampling){.mean = period, .least = period, .most = period};
}
