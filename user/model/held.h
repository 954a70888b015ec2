/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Outstanding objects, corrected once for everything that uses them: of what the liveness audit did
 * not look at in a (pool, cache, stack) group, the share counts that it found live among what it
 * looked at, and what is not known for certain is added to the variance. Ledger, caches and growth
 * all sum these rows, so their figures agree.
 */
#ifndef KMEMTRACE_MODEL_HELD_H
#define KMEMTRACE_MODEL_HELD_H

#include "model/view.h"

struct held_row {
	const struct cap_held *h;
	double objects; /* estimates of live objects and bytes */
	double bytes;
	double bytes_var;
};

struct held {
	ARRAY_OF(struct held_row);
};

/* 0 or −ENOMEM. No interval (NULL) gives no rows. Free with held_free(). */
int held_correct(const struct cap_interval *at, struct held *out);
void held_free(struct held *h);

#endif
