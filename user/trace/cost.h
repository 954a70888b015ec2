/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The cost of tracing over one window of time. tracer_cost.c fills it; the governor decides by it.
 */
#ifndef KMEMTRACE_TRACE_COST_H
#define KMEMTRACE_TRACE_COST_H

#include "kmemtrace.h"

/* What the programs did in one window, by pool. */
struct cost_reading {
	double at_s;     /* when the window ended; every reading uses the same start */
	double window_s; /* its length */
	double cpu_ns;   /* window × CPUs online */
	struct {
		double run_ns;
		double runs;
	} pool[KMT_POOLS];
	double sampling_ns; /* the part of the run time spent on samples; sampled recordings only */
	double sampling; /* percent of all CPU time since the last reading: one window holds too few
			    samples */
	double sample_ns; /* time that one sample took since the last reading; 0: too few samples */
	double live_fill; /* fill of the live table, 0…1 */
};

#endif
