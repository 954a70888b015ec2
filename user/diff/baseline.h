/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Many captures as one baseline: the spread of each comparable row (profile.h) over all of them.
 * cmd_diff.c adds the profiles one at a time and may free each at once. Memory grows with the
 * number of different rows, not with the number of captures.
 */
#ifndef KMEMTRACE_DIFF_BASELINE_H
#define KMEMTRACE_DIFF_BASELINE_H

#include "diff/profile.h"

#define BASELINE_KEPT 256 /* values kept per row; of more, a uniform sample (reservoir) */

enum baseline_measure {
	BASELINE_LEVEL,  /* bytes */
	BASELINE_CHANGE, /* bytes per second: change of a level, or of held memory in growth */
	BASELINE_CHURN,  /* bytes allocated per second */
	BASELINE_MEASURES
};

struct baseline_stat {
	size_t n;       /* captures that could have the row; those without it count as 0 */
	size_t present; /* captures that had it */
	double median,
		sd; /* sd: 1.4826 × median absolute deviation, as for a normal distribution */
	double low, high; /* minimum and maximum; from 200 captures on, 1st and 99th percentile */
};

struct baseline_row {
	enum profile_section section;
	enum pool pool;
	char *key, *name;
	struct baseline_stat stat[BASELINE_MEASURES]; /* after baseline_finish() */
};

struct baseline;

int baseline_new(enum growth_by by, struct baseline **out);
void baseline_free(struct baseline *b);

/* Add one capture's profile. 0 or −ENOMEM; after −ENOMEM, only free the baseline. */
int baseline_add(struct baseline *b, const struct profile *p);

/* Compute the spreads. Nothing can be added afterwards. 0 or −ENOMEM. */
int baseline_finish(struct baseline *b);

size_t baseline_captures(const struct baseline *b);
/* How many captures measured this section; for PROFILE_GROWTH, this pool. */
size_t baseline_measured(const struct baseline *b, enum profile_section section, enum pool pool);

/* The row with this key; NULL when no capture had it. */
const struct baseline_row *baseline_find(const struct baseline *b, enum profile_section section,
					 const char *key);
/* The rows of a section, in any order: start with *i = 0; NULL at the end. */
const struct baseline_row *baseline_next(const struct baseline *b, enum profile_section section,
					 size_t *i);

/* Median and spread of values[nr] plus a zero for each of n − present captures without a value.
 * Reorders values. Pure. */
void baseline_stat_of(float *values, size_t nr, size_t present, size_t n,
		      struct baseline_stat *out);

#endif
