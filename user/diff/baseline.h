/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Many captures as one baseline: for each comparable row (profile.h) its spread over all of them.
 * Captures are added one at a time and may be freed at once; memory grows with what differs between
 * them, not with their number.
 */
#ifndef KMEMTRACE_DIFF_BASELINE_H
#define KMEMTRACE_DIFF_BASELINE_H

#include "diff/profile.h"

#define BASELINE_KEPT 256 /* values a row keeps; of more captures a uniform sample (reservoir) */

enum baseline_measure {
	BASELINE_LEVEL,  /* bytes */
	BASELINE_CHANGE, /* bytes a second: of a level; what is held more of, of growth */
	BASELINE_CHURN,  /* bytes allocated a second */
	BASELINE_MEASURES
};

struct baseline_stat {
	size_t n;          /* captures that could have shown it; those without it count as 0 */
	size_t present;    /* captures that had it */
	double median, sd; /* sd: 1.4826 × median absolute deviation, that of a normal spread */
	double low, high; /* least and most; of 200 captures and more the 1st and 99th percentile */
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

/* Add one capture's profile. 0 or −ENOMEM (the baseline is then of no use). */
int baseline_add(struct baseline *b, const struct profile *p);

/* Work the spreads out; nothing can be added afterwards. 0 or −ENOMEM. */
int baseline_finish(struct baseline *b);

size_t baseline_captures(const struct baseline *b);
/* Captures that measured this section; of growth: this pool. */
size_t baseline_measured(const struct baseline *b, enum profile_section section, enum pool pool);

/* NULL: no capture had it. */
const struct baseline_row *baseline_find(const struct baseline *b, enum profile_section section,
					 const char *key);
/* All rows of a section, in any order: call with *i = 0 first; NULL at the end. */
const struct baseline_row *baseline_next(const struct baseline *b, enum profile_section section,
					 size_t *i);

/* Median and spread of values[nr] and n − nr zeros; values is reordered. Pure. */
void baseline_stat_of(float *values, size_t nr, size_t present, size_t n,
		      struct baseline_stat *out);

#endif
