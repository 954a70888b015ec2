/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The cgroups whose number of threads is limited (pids.max): the limit and the present number.
 * `record` reads them at its start and end. A tree of version 1 or of version 2.
 */
#ifndef KMEMTRACE_PROC_PIDS_LIMITS_H
#define KMEMTRACE_PROC_PIDS_LIMITS_H

#include <stdint.h>

#include "base/array.h"

struct pids_limit {
	char *path; /* below the tree's mount; "/" for the mount itself */
	int64_t max, current;
};

struct pids_limits {
	ARRAY_OF(struct pids_limit);
};

/*
 * Walk the tree that has the controller. Groups without a limit are left out. A group that
 * disappears meanwhile is no error. At most PIDS_LIMITS_WALK directories are looked at. Returns 0,
 * −ENOENT when no tree with the controller is mounted, or −ENOMEM. Free with pids_limits_free().
 */
#define PIDS_LIMITS_WALK   20000
#define PIDS_LIMITS_STORED 64 /* of a recording: those closest to their limit */
int pids_limits_read(const char *proc_root, struct pids_limits *out);
void pids_limits_free(struct pids_limits *p);

/* Order by the share of the limit that is used up, largest first. */
void pids_limits_sort(struct pids_limits *p);
/* The limit of `path`; NULL: none. */
const struct pids_limit *pids_limits_find(const struct pids_limits *p, const char *path);

#endif
