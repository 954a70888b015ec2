/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Time to exhaustion: MemAvailable divided by the present rate, for each growing pool and for
 * MemAvailable itself. A straight line through the recording, with an interval: a rule of thumb,
 * not a forecast. report_findings.c calls it.
 */
#ifndef KMEMTRACE_FINDINGS_EXHAUSTION_H
#define KMEMTRACE_FINDINGS_EXHAUSTION_H

#include "model/ledger.h"

struct exhaustion_row {
	const char *name; /* of the pool, or "MemAvailable" */
	bool falls;       /* MemAvailable, which falls; pools grow */
	double slope_kb;  /* per second, > 0: how fast it takes memory */
	/* until nothing is available: at the slope, and at both ends of its 95 % interval. `high`
	 * is INFINITY when the slow end of the slope is no growth. */
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
