/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Outstanding objects, corrected once for everything that uses them: of what the liveness audit did
 * not look at in a (pool, cache, stack) group, the share counts that it found live among what it
 * looked at, and what is not known for certain is added to the variance. Ledger, caches and growth
 * all sum these rows, so their figures agree.
 */
#ifndef KMEMTRACE_MODEL_OUTSTANDING_H
#define KMEMTRACE_MODEL_OUTSTANDING_H

#include "model/view.h"

struct outstanding_row {
	const struct cap_held *h;
	double objects; /* estimates of live objects and bytes */
	double bytes;
	double bytes_var;
};

struct outstanding {
	ARRAY_OF(struct outstanding_row);
};

/* 0 or −ENOMEM. No interval (NULL) gives no rows. Free with outstanding_free(). */
int outstanding_correct(const struct cap_checkpoint *at, struct outstanding *out);
void outstanding_free(struct outstanding *h);

#endif
