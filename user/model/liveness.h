/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the liveness audit did in a recording: how many objects it checked in the allocator, what it
 * found, and how long that took. report_findings.c calls it; the renderers print it. What the audit
 * means for the figures is in outstanding.h and trust.h.
 */
#ifndef KMEMTRACE_MODEL_LIVENESS_H
#define KMEMTRACE_MODEL_LIVENESS_H

#include "model/view.h"

#define LIVENESS_PACE_OBJECTS 100000

struct liveness {
	bool traced;          /* false: nothing was traced, so there was nothing to check */
	bool worked;          /* objects could be checked */
	const char *obstacle; /* why not; "" when unknown. Owned by the capture */
	double looked_up;     /* objects, = live + unseen_frees + unsure */
	double runs;
	double took_s; /* seconds of one CPU, all runs together */
	/* seconds per LIVENESS_PACE_OBJECTS; NaN if fewer were checked, because most of the time is
	 * then the fixed cost of the runs */
	double pace_s;
	double live;
	double unseen_frees; /* found free, although no event had reported it */
	double unsure;
};

void liveness_build(const struct view *v, struct liveness *out);

#endif
