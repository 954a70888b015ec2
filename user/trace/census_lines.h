/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How far the lines of /proc/meminfo move during a scan. Processes that come and go during it move
 * AnonPages and MemFree there and back, so that the values before and after are no bounds. So
 * `before` of a census gets the lowest value of each line, and `after` the highest.
 */
#ifndef KMEMTRACE_TRACE_CENSUS_LINES_H
#define KMEMTRACE_TRACE_CENSUS_LINES_H

#include "data/snapshot.h"

/* Widen the bounds to what `now` says. Lines that are not in all three are left as they are. */
void census_lines_widen(struct named_values *low, struct named_values *high,
			const struct named_values *now);

/* The same, with what /proc/meminfo says now. What cannot be read changes nothing. */
void census_lines_watch(const char *proc_root, struct named_values *low, struct named_values *high);

#endif
