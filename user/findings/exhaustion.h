/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How long it can go on: MemAvailable over the present rate, for each pool that is growing and for
 * MemAvailable itself. Straight lines drawn on: a rule of thumb with an interval, not a forecast.
 */
#ifndef KMEMTRACE_FINDINGS_EXHAUSTION_H
#define KMEMTRACE_FINDINGS_EXHAUSTION_H

#include "model/ledger.h"

struct exhaustion_row {
	const char *name; /* of the pool, or "MemAvailable" */
	double slope_kb;  /* per second, > 0: how fast it takes memory */
	/* until nothing is available: at the slope, and at the ends of its 95 % interval; INFINITY
	 * where the slower end is no growth */
	double seconds, low, high;
};

struct exhaustion {
	double available_kb;                          /* at the end; NaN unknown */
	struct exhaustion_row rows[LEDGER_POOLS + 1]; /* soonest first */
	size_t nr;
};

/* 0 or −ENOMEM. */
int exhaustion_build(const struct view *v, const struct ledger *ledger, struct exhaustion *out);

#endif
