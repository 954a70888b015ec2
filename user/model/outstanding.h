/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Outstanding objects, corrected by the liveness audit. In each (pool, cache, stack) group, objects
 * that the audit did not check are assumed live in the same share as those it checked; what stays
 * uncertain is added to the variance. The correction is made only here: ledger, caches and growth
 * all sum these rows, so their figures agree.
 */
#ifndef KMEMTRACE_MODEL_OUTSTANDING_H
#define KMEMTRACE_MODEL_OUTSTANDING_H

#include "model/view.h"

struct outstanding_row {
	const struct cap_held *h;
	double objects; /* estimated live objects */
	double bytes;   /* estimated live bytes, and the variance of that estimate */
	double bytes_var;
};

struct outstanding {
	ARRAY_OF(struct outstanding_row);
};

/* 0 or −ENOMEM. Without a checkpoint (NULL) there are no rows. Free with outstanding_free(). */
int outstanding_correct(const struct cap_checkpoint *at, struct outstanding *out);
void outstanding_free(struct outstanding *h);

#endif
