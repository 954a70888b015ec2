/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trends of a level over time: robust slope, trend test, and a name for its pattern. The rest of
 * model/, diff/ and findings/ call it. Pure functions of (t, y), t ascending, y in any unit. A
 * reading that is unknown (NaN, or infinite) is left out, as if it had not been taken. Longer
 * series are thinned evenly to SERIES_POINTS, so the work is bounded.
 */
#ifndef KMEMTRACE_MODEL_SERIES_H
#define KMEMTRACE_MODEL_SERIES_H

#include <stdbool.h>
#include <stddef.h>

#define SERIES_POINTS 512 /* limit for the O(n²) steps */
#define SERIES_MIN    8   /* with fewer points, name no pattern */
#define SERIES_SWING  64  /* × floor: larger swings count even if they look like noise */

enum pattern {
	PATTERN_UNKNOWN, /* too few points */
	PATTERN_STEADY,  /* no change beyond its own noise */
	PATTERN_GROWING, /* rose, and was still rising at the end */
	PATTERN_STEP,    /* rose, then held its new level */
	PATTERN_SPIKE,   /* rose, and gave most of it back */
	PATTERN_DROP,    /* fell */
	PATTERN_SAWTOOTH /* rises and falls again and again */
};

const char *pattern_name(enum pattern p);
const char *pattern_words(enum pattern p); /* a predicate: "rises and falls again and again" */

struct trend {
	enum pattern pattern;
	size_t n;     /* points used: known readings, after thinning */
	double slope; /* Theil–Sen: the median of all pairwise slopes, y per unit of t; NaN for n <
			 2 */
	double slope_low, slope_high; /* its 95 % interval; NaN for n < 4 */
	double mk_z;                  /* Mann–Kendall statistic, 0 for n < 2 */
	double mk_p;                  /* its two-sided p-value, 1 for n < 2 */
	/* The largest step: the largest change over a thirtieth of the readings (at least from one
	 * reading to the next). change_t is the time of the first reading that has at least half of
	 * this change. NaN if n < SERIES_MIN */
	double change_t, change;
	double change_share; /* change as a share of (last reading − first reading); NaN when these
				are equal */
	double change_p; /* p-value of Pettitt's test for a change of level; a steady trend makes it
			    small too; 1 if n < SERIES_MIN */
	double noise; /* standard deviation of y around its trend, from first differences; NaN if n
			 < SERIES_MIN */
};

/* Of a series that is too short to say anything. */
extern const struct trend trend_unknown;

/*
 * `floor` is the smallest change of y that gets a pattern's name, whatever the noise. Returns 0 or
 * −ENOMEM.
 *
 * Theil–Sen slope and interval: Sen (1968), J. Am. Stat. Assoc. 63. Mann–Kendall with correction
 * for ties and continuity: Kendall (1975), Rank Correlation Methods; Gilbert (1987), ch. 16. Test
 * for a change of level: Pettitt (1979), Appl. Stat. 28, with p by his approximation. All of these
 * assume independent noise. Pettitt's change point is not used as the time of the change, because
 * it is found from ranks, which do not show how large a change is.
 *
 * The pattern is the first of these that holds. a is the median of the first eighth of the points,
 * b of the last eighth (at least 1 point each); limit = max(floor, 4 × noise).
 *
 * - unknown: n < SERIES_MIN
 * - sawtooth: at least twice up and twice down by max(min(limit, SERIES_SWING × floor), (max −
 *   min) / 2). It is steady if max − min is below a hundredth of the level
 * - steady: max − min ≤ limit
 * - spike: max − max(a, b) > limit, and at least twice |b − a|. It is a drop if the level did not
 *   rise by more than limit before its maximum
 * - drop: b < a − limit
 * - growing: b > a + limit, Mann–Kendall p < 0.01, and the level rose in the last third by at
 *   least (b − a) / 12, a quarter of an even rise
 * - step: b > a + limit
 * - steady: otherwise
 */
int trend_of(const double *t, const double *y, size_t n, double floor, struct trend *out);

/* Does the largest step show when the level changed? Only if the step is more than half of the
 * change. */
bool trend_has_step(const struct trend *t);

/* Does it grow at a rate that is worth printing? Growth in a few jumps has a slope of 0, because
 * most readings equal the one before. */
bool trend_has_rate(const struct trend *t);
/* Did the level change at a moment that is worth printing (change_t)? */
bool trend_has_moment(const struct trend *t);
/* Did it do anything that is worth a line? */
bool trend_is_notable(const struct trend *t);

#endif
