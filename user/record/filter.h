/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Resolves what the user names (caches, processes, cgroups) to the constants that the programs
 * compare. Called by `record` before anything is loaded. Prints what is wrong with a name and what
 * to do; must never change what the user gave.
 */
#ifndef KMEMTRACE_RECORD_FILTER_H
#define KMEMTRACE_RECORD_FILTER_H

#include "trace/plan.h"
#include "trace/tracer.h"

/*
 * Resolve the names of --cache (options->nr_caches of them) to the caches' names in the kernel,
 * which differ for merged caches. Replaces names[i] by strings that live until exit. Sets
 * options->cache_min_size and cache_max_size, and *kmalloc to whether one of the caches serves
 * kmalloc(). options->min_size stays what the user gave. Returns 0, or −errno after printing why.
 */
int filter_caches(const char *proc_root, const char *sys_root, const char **names,
		  struct tracer_options *options, bool *kmalloc);

/*
 * Check that --pid can work: the process exists, is not a thread, and no PID namespace hides the
 * kernel's own process numbers. Returns 0, or −errno after printing why.
 */
int filter_pid(const char *proc_root, int pid);

/*
 * Find the cgroup called `path`: below the cgroup2 mount, with or without the mount's path, or as
 * in /proc/PID/cgroup ("0::/…"). Sets options->cgroup and its level. Returns 0, or −errno after
 * printing why.
 */
int filter_cgroup(const char *proc_root, const char *path, struct tracer_options *options);

/*
 * Turn all that the user named into what the programs compare, and `request` into the pools that
 * are still wanted: --cache tracks its caches exactly, and leaves only slab. `cgroup` is NULL
 * without --cgroup. Returns 0, or −errno after printing why.
 */
int filter_resolve(const char *proc_root, const char *sys_root, const char **caches,
		   const char *cgroup, struct tracer_options *options,
		   struct plan_request *request);

#endif
