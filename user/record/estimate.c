// SPDX-License-Identifier: GPL-2.0-only
/* The Horvitz-Thompson estimate of one object. See estimate.h. */
#include "record/estimate.h"

#include <math.h>

void estimate_add(struct cap_held *h, const struct kmt_object *o, uint32_t now_ms, bool sampled)
{
	double p = o->period ? -expm1(-(double)o->size / o->period)
			     : 1; /* probability that it was sampled */
	double age_s = now_ms > o->alloc_ms ? (now_ms - o->alloc_ms) / 1000.0 : 0;
	int bucket = age_s < 1 ? 0 : ilogb(age_s) + 1;

	if (bucket >= AGE_BUCKETS)
		bucket = AGE_BUCKETS - 1;
	h->tracked++;
	h->verified += sampled && o->checked;
	h->verified_live += sampled && o->checked;
	h->verified_twice += o->checked == KMT_CHECKED_TWICE;
	h->objects += 1 / p;
	h->bytes += o->size / p;
	h->bytes_var += (1 - p) / p * o->size / p * o->size;
	h->age_hist[bucket] += 1 / p;
	if (age_s > h->oldest_s)
		h->oldest_s = age_s;
}

/* The weight 1/p less 1, in bytes: the variance of a sum of such samples is the sum times this. */
double estimate_missed(double size, double period)
{
	return period > KMT_EVERY ? size / expm1(size / period) : 0;
}
