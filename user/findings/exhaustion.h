/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Time to exhaustion: when memory, threads or open files run out, if the present rate continues. A
 * straight line through the recording, with an interval: a rule of thumb, not a forecast. Memory
 * runs out when MemAvailable does, whichever pool grows. Memory that the kernel can reclaim does
 * not run out. report_findings.c calls it.
 */
#ifndef KMEMTRACE_FINDINGS_EXHAUSTION_H
#define KMEMTRACE_FINDINGS_EXHAUSTION_H

#include "findings/finding.h"
#include "model/ledger.h"

enum exhaustion_of { EXHAUSTION_MEMORY, EXHAUSTION_THREADS, EXHAUSTION_FILES };

#define EXHAUSTION_NAME_MAX 200
#define EXHAUSTION_ROWS     5

struct exhaustion_row {
	enum exhaustion_of of;
	char name[EXHAUSTION_NAME_MAX]; /* of the limit: "MemAvailable", "kernel.pid_max", or
					   "pids.max of CGROUP", cut to fit */
	double limit;                   /* NaN for memory */
	double left;                    /* at the end: kB, threads or files */
	double slope;                   /* per second, > 0: how fast it falls */
	/* until nothing is left: at the slope, and at both ends of its 95 % interval. `high` is
	 * INFINITY when the low end of the slope is not above 0. Both are NaN for a cgroup's limit:
	 * its slope is from two readings, which have no interval. */
	double seconds, low, high;
};

struct exhaustion {
	double available_kb;                         /* at the end; NaN unknown */
	struct exhaustion_row rows[EXHAUSTION_ROWS]; /* soonest first */
	size_t nr;
};

#define EXHAUSTION_URGENT_S 3600 /* what runs out sooner is critical */

/* Can the growth of this pool be the cause? Of memory: if it is at least half of the fall. True if
 * that is not known. */
bool exhaustion_is_of(const struct exhaustion_row *row, const struct ledger_row *pool);

/* Build it, and append a finding for each row. 0 or −ENOMEM. */
int exhaustion_build(const struct view *v, struct findings *list, struct exhaustion *out);

#endif
