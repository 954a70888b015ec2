/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of a capture that a report covers: its first and last snapshot, and the checkpoint whose
 * outstanding objects belong to it. All of model/ works on a view, so `--from/--to` and `diff` only
 * choose another one. A view owns nothing; the capture must outlive it.
 */
#ifndef KMEMTRACE_MODEL_VIEW_H
#define KMEMTRACE_MODEL_VIEW_H

#include "data/capture.h"
#include "model/believable.h"

struct view {
	const struct capture *c;
	const struct snapshot *start, *end;
	const struct snapshot *slab_start, *slab_end; /* first and last with slabinfo; NULL: none */
	size_t first, last;                           /* indices of start and end in c->snapshots */
	const struct cap_checkpoint *at; /* NULL: nothing was traced, or no checkpoint was saved */
	double duration_s;
	double page_bytes;
	double cpus;
	bool exact;         /* every allocation that passes the filters was tracked */
	bool cache_filter;  /* only the caches named with --cache were tracked */
	const char *filter; /* the other filters: "of process 42"; "" without one */
	bool complete;
	struct beliefs_hint hint; /* which of the kernel's figures to believe, in every snapshot */
};

/* View the whole capture. c must have a snapshot, as the reader guarantees. */
void view_whole(const struct capture *c, struct view *out);

/* Change the view to snapshots `first` to `last` of its capture; the caller sets `at`. */
void view_span(struct view *v, size_t first, size_t last);

/* True when the pool was traced: the capture has an attached hook for it, or objects of it. */
bool view_traces(const struct view *v, enum pool pool);

/* True when there was a filter (--cache, --pid, --cgroup, sizes) and no traced allocation passed
 * it. */
bool view_filter_left_nothing(const struct view *v);
/* True when a filter or --pool left allocations out. */
bool view_is_filtered(const struct view *v);

/* The start of the view in seconds since the epoch, and since the machine's boot; NaN unknown. */
double view_wall_s(const struct view *v);
double view_uptime_s(const struct view *v);
/* MemTotal in kB; NaN unknown. */
double view_mem_total_kb(const struct view *v);
/* How many hooks of the attach plan were not attached. */
size_t view_hooks_missing(const struct view *v);

/* A line of /proc/meminfo in kB; NaN when the kernel does not print it. */

/* A line of /proc/meminfo in kB, as read; NaN when the kernel does not print it. */
double snapshot_meminfo(const struct snapshot *s, const char *name);
/* The value of a counter that a snapshot keeps beside vmstat (proc/counters.c); NaN when absent. */
double snapshot_counter(const struct snapshot *s, const char *name);

/* The same line, corrected if it is known to be wrong; NaN also if it cannot be believed.
 * Everything that is computed from levels takes them from here. */
double view_level_kb(const struct view *v, const struct snapshot *s, const char *name);

#endif
