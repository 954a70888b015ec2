/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whose allocation a pool's growth goes with: from checkpoint to checkpoint, what the pool gained
 * beside what each process and cgroup held more of. A share says how much of it is theirs; a
 * correlation, that both come and go at the same times. Correlation is no cause: the call paths
 * are.
 */
#ifndef KMEMTRACE_FINDINGS_CORRELATION_H
#define KMEMTRACE_FINDINGS_CORRELATION_H

#include "model/ledger.h"

#define CORRELATION_MIN   6   /* steps between checkpoints, below which nothing is said */
#define CORRELATION_SHARE 0.1 /* of the pool's growth, below which nobody is named */
#define CORRELATION_SHOWN 3   /* of each kind, for each pool */

struct correlation_row {
	const char *pool; /* of the ledger */
	bool cgroup;
	uint32_t id;  /* of the process or cgroup */
	double bytes; /* held more at the end than at the first checkpoint */
	double share; /* of what the pool gained */
	double r;     /* Pearson's, of the steps; NaN where one side made none, or all alike */
	size_t steps;
};

struct correlation {
	ARRAY_OF(struct correlation_row);
};

/* 0 or −ENOMEM. Free with correlation_free(). */
int correlation_build(const struct view *v, const struct ledger *ledger, struct correlation *out);
void correlation_free(struct correlation *f);

/* Pearson's correlation of n pairs; NaN without variation. Pure. */
double correlation_r(const double *x, const double *y, size_t n);

#endif
