/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Work for which nobody should have to wait: it runs in a thread of its own at the lowest priority,
 * and calls background_rest() often. Only that thread has the priority, so none needs to be given
 * back, for which a process may lack the privilege. Used by the census.
 */
#ifndef KMEMTRACE_TRACE_BACKGROUND_H
#define KMEMTRACE_TRACE_BACKGROUND_H

#include <stdbool.h>
#include <stdint.h>

struct background {
	uint64_t began_ns, cpu_ns; /* when it began, and the CPU time taken until then */
	uint64_t rested_ns;        /* when it rested last, … */
	uint64_t resting_ns;       /* … and how long altogether */
	bool starved;              /* it waited too long for a CPU, and now has more priority */
};

/*
 * Call work() in such a thread, and wait for it. Returns what it returned. Where no thread can be
 * made, it is called at the priority of the caller.
 */
int background_run(int (*work)(void *arg), void *arg);

/* At the start of a long calculation. */
void background_begin(struct background *b);

/*
 * Between two steps of it: sleep for a moment if the last one is more than a millisecond ago. The
 * scheduler lets a thread that never sleeps run on for some milliseconds while others wait.
 */
void background_rest(struct background *b);

#endif
