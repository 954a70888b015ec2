/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Confidence intervals (95 %) of sampled sums, and their words. growth.c, ledger.c, diff/ and
 * findings/ call it. Pure.
 */
#ifndef KMEMTRACE_MODEL_CONFIDENCE_H
#define KMEMTRACE_MODEL_CONFIDENCE_H

#include <stdbool.h>

#include "base/units.h"

/*
 * The 95 % interval of a weighted sum of random counts, with estimate `sum` > 0 and variance `var`.
 * The sum is treated as a Poisson count of sum²/var samples, each worth var/sum, as in the gamma
 * interval of Fay & Feuer (1997), Stat. Med. 16. They add no count at the low end and one at the
 * high end, which covers far more than 95 % for a handful of samples. This adds half a count at
 * both ends, as Jeffreys' interval for a Poisson mean does; its coverage stays near 95 % (Brown,
 * Cai & DasGupta (2003), Stat. Sinica 13).
 *
 * At the high end it is half a count of `weight`, the most that one sample more would have stood
 * for (cap_held.bytes_missed): what was held before a sample fell on it, at a time of long periods,
 * is in no sum and no variance. So Fay & Feuer use the largest weight. 0: as much as the mean
 * sample. With nothing sampled (sum 0), the high end is what may have been missed. Both ends equal
 * `sum` when var and weight are 0.
 * tests/unit/test_sampling.c and test_strata_intervals.c measure the coverage.
 */
void interval_weighted(double sum, double var, double weight, double *low, double *high);

/* The same at normal deviate z instead of 1.96. */
void interval_weighted_at(double z, double sum, double var, double weight, double *low,
			  double *high);

/* Is the interval worth printing? Only if one end differs from the value by at least 1 %. */
bool interval_shows(double value, double low, double high);

#define NOISE_SD 3 /* a smaller difference, in standard deviations of sampling, is noise */

#define INTERVAL_WORDS_MAX (2 * UNITS_MAX + 32)

/*
 * Write `lead` LOW " to " HIGH ")" into buf, with `units` (units_bytes(), …) for both ends and
 * "ever" for an infinite high end; "" when interval_shows() is false. Returns buf.
 */
const char *interval_words(char buf[INTERVAL_WORDS_MAX], const char *lead, double value, double low,
			   double high, char *(*units)(char buf[UNITS_MAX], double value));

/* The normal deviate that is exceeded, in either direction, with probability p; 0 < p < 1. */
double interval_deviate(double p);

#endif
