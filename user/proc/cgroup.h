/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Paths of cgroups by their v2 id (what bpf_get_current_cgroup_id() returns: the inode number of
 * the directory). Used by `record`, which refreshes it while it runs, because cgroups come and go.
 */
#ifndef KMEMTRACE_PROC_CGROUP_H
#define KMEMTRACE_PROC_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CGROUPS_MAX 100000 /* directories walked; beyond, ids stay unknown */

struct cgroups;

/*
 * Find the cgroup2 mount in PROC_ROOT/self/mounts and walk it. Returns 0 or −errno: −ENOENT where
 * no cgroup2 is mounted (the caller may go on with NULL: every lookup then gives "").
 */
int cgroups_load(const char *proc_root, struct cgroups **out);
void cgroups_free(struct cgroups *cg);

/* Walk again and add what is new. Paths stay known after their cgroup is gone. 0 or −errno. */
int cgroups_refresh(struct cgroups *cg);

/* Where the tree is mounted. The string belongs to `cg`. */
const char *cgroups_mount(const struct cgroups *cg);
/*
 * Is this the whole cgroup tree? In a cgroup namespace (a container's) it is not, and the depth of
 * a cgroup is unknown.
 */
bool cgroups_whole(const struct cgroups *cg);

/*
 * The id and depth (0: the root) of the cgroup called `path`: "/system.slice/x.service", or the
 * directory where it is mounted. Returns 0 or −ENOENT.
 */
int cgroups_find(const struct cgroups *cg, const char *path, uint64_t *id, uint32_t *level);

/* "/" for the root, "/system.slice/x.service", …, "" when unknown. The string belongs to `cg`. */
const char *cgroups_path(const struct cgroups *cg, uint64_t id);

#endif
