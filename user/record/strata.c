// SPDX-License-Identifier: GPL-2.0-only
/* The periods of the strata. See strata.h. */
#include "record/strata.h"

#include <math.h>
#include <string.h>

#define RATE_OLD     0.5 /* weight of the old rate where the rate fell; a higher one counts at once */
#define GROWING_OLD  0.7 /* … and of growth that /proc told, per step */
#define FILL_MOST    0.6 /* a live table fuller than this makes all periods longer, … */
#define FILL_ENOUGH  0.4 /* … until it is emptier than this */
#define FILL_FACTOR  2.0
#define STRETCH_MOST 1024.0
#define PERIODS_COST 0.5  /* the longest periods may take this share of the samples allowed */
#define EQUAL_PART   0.25 /* of the samples allowed */
#define SCALES       20   /* steps of the search for the scale between these two */
#define SCALE_LEAST  1e-6
#define SCALE_MOST   1e15

int strata_pool(uint32_t stratum)
{
	return stratum < KMT_STRATUM_PERCPU   ? KMT_PAGE
	       : stratum < KMT_STRATUM_KSTACK ? KMT_PERCPU
	       : stratum < KMT_STRATUM_SLAB   ? KMT_KSTACK
					      : KMT_SLAB;
}

/* Periods are powers of two (bpf/sample.bpf.h): the nearest one that is at least `least`. */
static uint32_t period_round(double period, double least)
{
	uint32_t power;
	int bits;

	if (!(period < KMT_PERIOD_MOST))
		return KMT_PERIOD_MOST;
	if (frexp(fmax(period, KMT_EVERY), &bits) < M_SQRT1_2)
		bits--;
	power = 1u << bits;
	return power < least && power < KMT_PERIOD_MOST ? 2 * power : power;
}

/* Kernel stacks and per-CPU memory allocate fewer bytes than the rest, so a period that the user
 * gave is shortened for them. */
static uint32_t least_of(const struct strata *s, uint32_t stratum)
{
	int pool = strata_pool(stratum);

	return pool == KMT_KSTACK   ? s->kstack_least
	       : pool == KMT_PERCPU ? s->percpu_least
				    : s->least;
}

void strata_init(struct strata *s, uint64_t least)
{
	memset(s, 0, sizeof(*s));
	s->least = period_round(least, least);
	s->kstack_least = s->least / 8 ?: KMT_EVERY;
	s->percpu_least = s->least / 128 ?: KMT_EVERY;
	s->stretch = 1;
	for (uint32_t i = 0; i < KMT_STRATA; i++)
		s->at[i].period = least_of(s, i);
}

/* ---- what happened ---- */

static void stratum_take(struct stratum *s, const struct stratum_counts *now, double passed_s)
{
	double rate = fmax(0, now->alloc_bytes - s->was.alloc_bytes) / passed_s;

	s->rate = rate > s->rate ? rate : RATE_OLD * s->rate + (1 - RATE_OLD) * rate;
	s->growing *= GROWING_OLD;
	s->was = *now;
}

void strata_grew(struct strata *s, int pool, uint32_t cache, double bytes)
{
	double rates = 0, known = 0;

	for (uint32_t i = 0; i < KMT_STRATA; i++)
		if (strata_pool(i) == pool && s->at[i].was.cache == cache) {
			rates += s->at[i].rate;
			known += fmax(0, s->at[i].was.held_bytes);
		}
	if (!(rates > 0) || bytes <= known)
		return;
	for (uint32_t i = 0; i < KMT_STRATA; i++)
		if (strata_pool(i) == pool && s->at[i].was.cache == cache)
			s->at[i].growing =
				fmax(s->at[i].growing, (bytes - known) * s->at[i].rate / rates);
}

/* ---- the periods ---- */

/*
 * A stratum in the search for the scale. Its period is what Neyman's rule gives at a scale, but not
 * shorter than `least` and what is precise enough. A stratum whose samples were all freed may still
 * keep objects that no sample fell on: it counts as holding at least half a period.
 */
struct searched {
	uint32_t i;
	double rate, size;
	double by_held; /* the period is this × scale, … */
	double unknown; /* … but at most this × scale^(2/3) */
	double enough;
	double least;
	double quiet; /* a period that costs so little that it is never too short */
};

struct search {
	struct searched items[KMT_STRATA];
	uint32_t nr;
	double most, stretch;
};

static double period_at(const struct search *search, const struct searched *c, double scale,
			double scale_2_3)
{
	double period = fmin(c->by_held * scale, c->unknown * scale_2_3);

	period = fmin(fmin(fmax(period, c->enough), search->most), c->quiet);
	if (search->stretch > 1)
		period = fmax(period, c->size / 2) * search->stretch;
	if (period < c->size / 16)
		period = KMT_EVERY;
	return period_round(fmax(period, c->least), c->least);
}

/* Samples a second of all strata. */
static double samples_at(const struct search *search, double scale)
{
	double scale_2_3 = cbrt(scale * scale), sum = 0;

	for (uint32_t i = 0; i < search->nr; i++) {
		const struct searched *c = &search->items[i];
		double period = period_at(search, c, scale, scale_2_3);

		sum += period <= KMT_EVERY     ? c->rate / c->size
		       : period > 64 * c->size ? c->rate / period
					       : c->rate / c->size * -expm1(-c->size / period);
	}
	return sum;
}

static void search_fill(const struct strata *s, double samples_per_s, struct search *search)
{
	double each;

	search->nr = 0;
	search->most = STRATA_PERIOD_MOST;
	search->stretch = s->stretch;
	for (uint32_t i = 0; i < KMT_STRATA; i++) {
		const struct stratum *at = &s->at[i];
		double held = fmax(0, at->was.held_bytes);

		if (!(at->rate > 0))
			continue;
		search->items[search->nr++] = (struct searched){
			.i = i,
			.rate = at->rate,
			.size = fmax(1, at->was.size),
			.by_held = sqrt(at->rate / (held + at->growing)), /* INFINITY for 0 */
			.unknown = cbrt(2 * at->rate),
			/* a period that the user gave is kept as long as it can be paid for */
			.enough = s->least > KMT_EVERY ? 0
						       : fmax(held / STRATA_HELD_SAMPLES,
							      at->rate / STRATA_RATE_SAMPLES),
			.least = least_of(s, i),
		};
	}
	/*
	 * A part of the samples is shared out equally. Most strata are so quiet that this is enough
	 * for every object: what begins to grow there is seen from its first object on.
	 */
	each = EQUAL_PART * samples_per_s / (search->nr ?: 1);
	for (uint32_t i = 0; i < search->nr; i++) {
		struct searched *c = &search->items[i];

		c->quiet = c->rate / c->size <= each ? KMT_EVERY : c->rate / each;
	}
}

/* The smallest scale at which no more than samples_per_s are taken. */
static double scale_for(struct search *search, double samples_per_s)
{
	double low = SCALE_LEAST, high = SCALE_MOST;

	/* the longest periods alone must not take more than their share */
	while (search->most < KMT_PERIOD_MOST &&
	       samples_at(search, SCALE_MOST) > PERIODS_COST * samples_per_s)
		search->most *= 2;
	for (int i = 0; i < SCALES; i++) {
		double middle = sqrt(low * high);

		if (samples_at(search, middle) > samples_per_s)
			low = middle;
		else
			high = middle;
	}
	return high;
}

static void stretch_by(struct strata *s, double live_fill)
{
	if (live_fill > FILL_MOST)
		s->stretch = fmin(s->stretch * FILL_FACTOR, STRETCH_MOST);
	else if (live_fill < FILL_ENOUGH)
		s->stretch = fmax(s->stretch / FILL_FACTOR, 1);
}

void strata_step(struct strata *s, const struct stratum_counts *now, double passed_s,
		 double samples_per_s, double live_fill)
{
	struct search search;
	double scale;

	if (!(passed_s > 0))
		return;
	/* the first step comes early: a burst is no lasting load, and the programs curb it */
	passed_s = fmax(passed_s, STRATA_RATE_S);
	for (uint32_t i = 0; i < KMT_STRATA; i++) {
		stratum_take(&s->at[i], &now[i], passed_s);
		s->at[i].period = least_of(s, i);
	}
	stretch_by(s, live_fill);
	search_fill(s, samples_per_s, &search);
	scale = scale_for(&search, samples_per_s);
	for (uint32_t i = 0; i < search.nr; i++)
		s->at[search.items[i].i].period =
			period_at(&search, &search.items[i], scale, cbrt(scale * scale));
}
