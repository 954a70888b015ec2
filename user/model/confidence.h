/* SPDX-License-Identifier: GPL-2.0-only */
/* 95 % intervals of sampled sums. Pure. */
#ifndef KMEMTRACE_MODEL_CONFIDENCE_H
#define KMEMTRACE_MODEL_CONFIDENCE_H

#include <stdbool.h>

#include "base/units.h"

/*
 * The 95 % interval of a weighted sum of random counts with estimate `sum` > 0 and variance `var`:
 * as if it were a Poisson count of sum²/var samples, each worth var/sum (so the gamma interval of
 * Fay & Feuer (1997), Stat. Med. 16, places it), with half a count added at both ends. Theirs adds
 * none below and one above, which never covers less than 95 % and far more for a handful of
 * samples; the half is Jeffreys' interval for a Poisson mean (Brown, Cai & DasGupta (2003), Stat.
 * Sinica 13), whose coverage stays near 95 %. Ends equal sum when var is 0.
 * tests/unit/test_sampling.c measures the coverage.
 */
void interval_weighted(double sum, double var, double *low, double *high);

/* The same at normal deviate z instead of 1.96. With nothing sampled (sum 0), `weight` is what one
 * sample would have been worth: the upper end is then above 0. */
void interval_weighted_at(double z, double sum, double var, double weight, double *low,
			  double *high);

/* Is an interval wide enough to be worth the words? Not where neither end is 1 % from the value. */
bool interval_shows(double value, double low, double high);

#define NOISE_SD 3 /* a difference within this many standard deviations of sampling is none */

#define INTERVAL_WORDS_MAX (2 * UNITS_MAX + 32)

/*
 * For a text: `lead` LOW " to " HIGH ")", by units_bytes() or the like, "ever" for an infinite high
 * end; "" where interval_shows() is false.
 */
const char *interval_words(char buf[INTERVAL_WORDS_MAX], const char *lead, double value, double low,
			   double high, char *(*units)(char buf[UNITS_MAX], double value));

/* The normal deviate that is exceeded in either direction with probability p, 0 < p < 1. */
double interval_deviate(double p);

#endif
