/* SPDX-License-Identifier: GPL-2.0-only */
/* What tracing cost over one window of time: read by the tracer, judged by the governor. */
#ifndef KMEMTRACE_TRACE_COST_H
#define KMEMTRACE_TRACE_COST_H

#include "kmemtrace.h"

/* What the programs did in one window, by pool. */
struct cost_reading {
	double at_s;     /* when it ended, from the same moment each time */
	double window_s; /* how long it was */
	double cpu_ns;   /* that × CPUs online */
	struct {
		double run_ns;
		double runs;
	} pool[KMT_POOLS];
	double sampling_ns; /* of the run time: what samples took, where not every object is taken
			     */
	double sampling;  /* percent of all CPU time since the last reading: in a window alone they
			     are few */
	double live_fill; /* of the live table, 0…1 */
};

#endif
