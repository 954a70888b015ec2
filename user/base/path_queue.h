/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Paths that a walk through a directory tree has found and has still to visit. The walk visits
 * items[0], items[1], …, and adds what it finds, so no recursion is needed. A path stays where it
 * is when others are added. cgroup.c and pids_limits.c (proc/) and bpf_holders.c (trace/) use it.
 */
#ifndef KMEMTRACE_BASE_PATH_QUEUE_H
#define KMEMTRACE_BASE_PATH_QUEUE_H

#include "base/array.h"

struct path_queue {
	ARRAY_OF(char *);
	size_t most; /* further paths are ignored: a tree can be larger than the walk may be */
};

/* Add dir/name, or dir if the name is "". 0 or −ENOMEM. */
int path_queue_add(struct path_queue *q, const char *dir, const char *name);
void path_queue_free(struct path_queue *q);

#endif
