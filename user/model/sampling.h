/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How rare samples were: the mean bytes between two samples of a pool, as the recorder's governor
 * set them while it ran. All rules of model/ and findings/ about what sampling may have missed take
 * the period from here. They cannot use the period that the recording starts with, because the
 * governor changes it.
 */
#ifndef KMEMTRACE_MODEL_SAMPLING_H
#define KMEMTRACE_MODEL_SAMPLING_H

#include "model/view.h"

struct sampling {
	double mean, least, most; /* bytes; all 0 when every object was tracked */
	bool recorded; /* by the governor; else `mean` is estimated from the samples, and least and
			  most equal it */
};

/* Objects of up to this many periods may be there although no sample fell on them, 95 times in 100:
 * the upper end of the interval for no sample (confidence.h). */
#define SAMPLING_MISSED 2.5

/* If a sum rests on fewer samples, no sentence names its holder: one sample alone stands for a
 * whole period. */
#define SAMPLING_TO_NAME 5

/* How many samples a sum with this variance rests on; infinitely many when it is exact. */
double sampling_samples(double bytes, double var);

void sampling_of(const struct view *v, enum pool pool, struct sampling *out);

#endif
