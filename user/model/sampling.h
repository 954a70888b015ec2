/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How rare samples were: the bytes between two samples, as the recorder set them while it ran
 * (record/strata.h). All rules of model/ and findings/ about what sampling may have missed take the
 * period from here. They cannot use the period that the recording starts with, because it changes,
 * and call sites have periods of their own.
 */
#ifndef KMEMTRACE_MODEL_SAMPLING_H
#define KMEMTRACE_MODEL_SAMPLING_H

#include "base/units.h"
#include "model/view.h"

struct sampling {
	double mean;        /* bytes allocated for each sample; 0 when every object was tracked */
	double least, most; /* bytes; KMT_EVERY (1): every object */
	bool recorded; /* by the recorder; else `mean` is estimated from the samples, and least and
			  most equal it */
};

/* Objects of up to this many periods may be there although no sample fell on them, 95 times in 100:
 * the upper end of the interval for no sample (confidence.h). */
#define SAMPLING_MISSED 2.5

/* If a sum rests on fewer samples, no sentence names its holder: one sample alone stands for a
 * whole period. */
#define SAMPLING_TO_NAME 5

/*
 * The mean bytes between the samples of objects of `size` bytes that a sum rests on, by its
 * variance; 0 if it is exact.
 */
double sampling_period(double size, double bytes, double var);

/* How many samples a sum with this variance rests on; infinitely many when it is exact. */
double sampling_samples(double bytes, double var);

void sampling_of(const struct view *v, enum pool pool, struct sampling *out);
/* The longest period in force for a cache; 0 if every object was tracked. */
double sampling_of_cache(const struct view *v, const char *cache);

#define SAMPLING_WORDS_MAX (UNITS_MAX + 16)
/* "every object" or "one for each 4.0 MiB". Returns buf. */
const char *sampling_words(char buf[SAMPLING_WORDS_MAX], double period);

#define SAMPLING_RANGE_MAX (2 * SAMPLING_WORDS_MAX + 48)
/*
 * The range of the periods: " on average (every object of some call sites, one for each 4.0 MiB of
 * others)"; "" if it is not known, or if there is only one. Returns buf.
 */
const char *sampling_range_words(char buf[SAMPLING_RANGE_MAX], const struct sampling *s);

#endif
