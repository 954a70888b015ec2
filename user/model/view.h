/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of a capture a report is about: which snapshots are its start and end, which interval's
 * outstanding objects belong to it. Everything in model/ works on a view, so that `--from/--to` and
 * `diff` only have to choose another one. Borrows the capture, owns nothing.
 */
#ifndef KMEMTRACE_MODEL_VIEW_H
#define KMEMTRACE_MODEL_VIEW_H

#include "data/capture.h"

struct view {
	const struct capture *c;
	const struct snapshot *start, *end;
	const struct snapshot *slab_start,
		*slab_end;               /* those that have slabinfo; NULL when none has */
	size_t first, last;              /* indices of start and end in c->snapshots */
	const struct cap_checkpoint *at; /* NULL: nothing was traced (or nothing committed) */
	double duration_s;
	double page_bytes;
	double cpus;
	bool exact;           /* every allocation was tracked (of the caches in focus) */
	bool focused;         /* only the caches named with --cache were tracked at all */
	const char *narrowed; /* else than by cache: "of process 42"; "" when it was not */
	bool complete;
};

/* The whole capture. c must have a snapshot, as the reader guarantees. */
void view_whole(const struct capture *c, struct view *out);

/* Let the view be about the snapshots `first` to `last` of its capture; `at` is left to the caller.
 */
void view_span(struct view *v, size_t first, size_t last);

/* True when the capture has an attached hook for this pool, or objects of it: only then is it
 * measured. */
bool view_traces(const struct view *v, enum pool pool);

/* True when a filter was given (--cache, --pid, --cgroup, sizes), and no traced allocation passed
 * it. */
bool view_filter_left_nothing(const struct view *v);
/* True when the view's allocations are only some of the kernel's, as a filter or --pool has it. */
bool view_is_part(const struct view *v);

/* A line of /proc/meminfo in kB, NaN when the kernel does not print it. */
double snapshot_meminfo(const struct snapshot *s, const char *name);

#endif
