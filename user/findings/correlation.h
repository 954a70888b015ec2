/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whose allocations a pool's growth correlates with. Compares, from checkpoint to checkpoint, the
 * pool's change with the change in what each process and cgroup holds. The share says how much of
 * the growth they hold; the correlation says whether both change at the same times.
 * report_findings.c calls it. Correlation is not a cause: call paths show causes.
 */
#ifndef KMEMTRACE_FINDINGS_CORRELATION_H
#define KMEMTRACE_FINDINGS_CORRELATION_H

#include "findings/finding.h"
#include "model/ledger.h"

#define CORRELATION_MIN   6   /* with fewer steps between checkpoints, report nothing */
#define CORRELATION_SHARE 0.1 /* of the pool's growth; name nobody with a smaller share */
#define CORRELATION_R     0.5 /* name nobody who correlates less */
#define CORRELATION_EVEN \
	0.5 /* of the mean step of a pool: if the standard deviation is less, growth is even */
#define CORRELATION_HALF  0.5 /* if growth is even, name those with at least this share */
#define CORRELATION_SHOWN 3   /* processes, and cgroups, of each pool */

struct correlation_row {
	const char *pool; /* of the ledger */
	bool cgroup;
	uint32_t id;  /* of the process or cgroup */
	double bytes; /* held at the last checkpoint, less those at the first */
	double share; /* of the pool's growth */
	double r;     /* Pearson's, of the steps; NaN when the pool's steps are too even for it */
	size_t steps;
};

struct correlation {
	ARRAY_OF(struct correlation_row);
};

/* 0 or −ENOMEM. Free with correlation_free(). */
int correlation_build(const struct view *v, const struct ledger *ledger, struct correlation *out);
/* Append a finding for each row. */
void correlation_find(const struct capture *c, const struct correlation *f, struct findings *list);
void correlation_free(struct correlation *f);

/* Pearson's correlation of n pairs; NaN without variation. Pure. */
double correlation_r(const double *x, const double *y, size_t n);

#endif
