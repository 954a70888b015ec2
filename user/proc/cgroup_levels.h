/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Removed cgroups that still exist because something is charged to them, counted by subtree.
 * `record` reads it at the start and at the end, `balance` once. The walk over the tree is bounded
 * in time and number.
 */
#ifndef KMEMTRACE_PROC_CGROUP_LEVELS_H
#define KMEMTRACE_PROC_CGROUP_LEVELS_H

#include "data/snapshot.h"

/*
 * Removed cgroups of a v1 hierarchy: the count of /proc/cgroups (`buf`) for `controller` minus the
 * `directories` that are there. Pure; −1 when the file does not have it.
 */
int64_t cgroup_v1_dying(const char *buf, size_t len, const char *controller, int64_t directories);

/*
 * Find the cgroup trees mounted in PROC_ROOT/self/mounts and read them. Without a tree `out` is
 * empty. Returns 0 or −ENOMEM.
 */
int cgroup_levels_read(const char *proc_root, struct cgroup_levels *out);

#endif
