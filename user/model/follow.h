/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whose allocation a pool's growth goes with: from checkpoint to checkpoint, what the pool gained beside what each
 * process and cgroup held more of. A share says how much of it is theirs; a correlation, that both come and go
 * at the same times. Correlation is no cause: the call paths are.
 */
#ifndef KMEMTRACE_MODEL_FOLLOW_H
#define KMEMTRACE_MODEL_FOLLOW_H

#include "model/ledger.h"

#define FOLLOW_MIN   6	 /* steps between checkpoints, below which nothing is said */
#define FOLLOW_SHARE 0.1 /* of the pool's growth, below which nobody is named */
#define FOLLOW_SHOWN 3	 /* of each kind, for each pool */

struct follow_row {
	const char *pool; /* of the ledger */
	bool cgroup;
	uint32_t id;	/* of the process or cgroup */
	double bytes;	/* held more at the end than at the first checkpoint */
	double share;	/* of what the pool gained */
	double r;	/* Pearson's, of the steps; NaN where one side made none, or all alike */
	size_t steps;
};

struct follow {
	ARRAY_OF(struct follow_row);
};

/* 0 or −ENOMEM. Free with follow_free(). */
int follow_build(const struct view *v, const struct ledger *ledger, struct follow *out);
void follow_free(struct follow *f);

/* Pearson's correlation of n pairs; NaN without variation. Pure. */
double follow_correlation(const double *x, const double *y, size_t n);

#endif
