/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the names that people give (caches, cgroups) to the constants that the programs compare.
 * Prints what is wrong with a name and what to do.
 */
#ifndef KMEMTRACE_RECORD_FILTER_H
#define KMEMTRACE_RECORD_FILTER_H

#include "trace/tracer.h"

/*
 * Resolve options->caches, of which nr_caches are set, to the names the kernel knows: of caches
 * that were merged it knows one. Replaces names[i] by strings that live until exit, sets the range
 * of sizes, and *kmalloc to whether one of them serves kmalloc(). Returns 0 or −errno.
 */
int filter_caches(const char *proc_root, const char *sys_root, const char **names,
		  struct tracer_options *options, bool *kmalloc);

/*
 * Can process `pid` be told from others? Not if there is none, if it is a thread, or if process
 * numbers here are not the kernel's own, which a PID namespace hides. Returns 0 or −errno.
 */
int filter_pid(const char *proc_root, int pid);

/*
 * Find the cgroup called `path`: below the cgroup2 mount, with the mount's path before it, or as
 * /proc/PID/cgroup has it ("0::/…"). Returns 0 or −errno.
 */
int filter_cgroup(const char *proc_root, const char *path, struct tracer_options *options);

#endif
