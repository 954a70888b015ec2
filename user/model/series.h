/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a level did over time: robust slope, trend test, and a name for its shape. Pure functions of
 * (t, y); t ascending, any unit of y. Work is bounded: longer series are thinned to SERIES_POINTS
 * evenly.
 */
#ifndef KMEMTRACE_MODEL_SERIES_H
#define KMEMTRACE_MODEL_SERIES_H

#include <stdbool.h>
#include <stddef.h>

#define SERIES_POINTS 512 /* most points the O(n²) steps see */
#define SERIES_MIN    8   /* below this no shape is named */
#define SERIES_SWING                                                                 \
	64 /* times the floor: swings of that are news, even as fast as the readings \
	    */

enum pattern {
	PATTERN_UNKNOWN, /* too few points to say */
	PATTERN_STEADY,  /* no change beyond its own noise */
	PATTERN_GROWING, /* rising, and still so at the end */
	PATTERN_STEP,    /* rose, then held its new level */
	PATTERN_SPIKE,   /* rose, and gave most of it back */
	PATTERN_DROP,    /* fell */
	PATTERN_SAWTOOTH /* rises and falls again and again */
};

const char *pattern_name(enum pattern p);
const char *pattern_words(enum pattern p); /* for a sentence: "rises and falls again and again" */

struct trend {
	enum pattern pattern;
	size_t n;     /* points used, after thinning */
	double slope; /* Theil–Sen: the median of all pairwise slopes, y per unit of t; NaN for n <
			 2 */
	double slope_low, slope_high; /* its 95 % interval; NaN for n < 4 */
	double mk_z;                  /* Mann–Kendall statistic, 0 for n < 2 */
	double mk_p;                  /* its two-sided p-value, 1 for n < 2 */
	double change_t; /* where it most likely changed its level (Pettitt's test); NaN below
			    SERIES_MIN */
	double change_p; /* its p-value, 1 below SERIES_MIN; a trend changes a level, too */
	double noise; /* standard deviation of y around its trend, from first differences; NaN below
			 SERIES_MIN */
};

/*
 * `floor` is the smallest change of y that is worth a name, whatever the noise. Returns 0 or
 * −ENOMEM.
 *
 * Theil–Sen slope and interval: Sen (1968), J. Am. Stat. Assoc. 63. Mann–Kendall with correction
 * for ties and continuity: Kendall (1975), Rank Correlation Methods; Gilbert (1987), ch. 16. Change
 * point: Pettitt (1979), Appl. Stat. 28; p by his approximation, as in all of these for independent
 * noise.
 *
 * The shape, in this order, with a = median of the first eighth, b = of the last (at least 1 point)
 * and limit = max(floor, 4 × noise): unknown   n < SERIES_MIN sawtooth  at least twice up and twice
 * down by max(min(limit, SERIES_SWING × floor), (max − min) / 2) steady    max − min ≤ limit spike
 * max − max(a, b) > limit, and at least twice |b − a| drop      b < a − limit growing   b > a +
 * limit, Mann–Kendall p < 0.01, and the last third rose by at least a quarter of what an even rise
 * would have given it step      b > a + limit otherwise steady    else
 */
int trend_of(const double *t, const double *y, size_t n, double floor, struct trend *out);

/* Is it growing at a rate? What came in a few jumps is not: between most readings nothing did, and
 * the slope is 0. */
bool trend_has_rate(const struct trend *t);

#endif
