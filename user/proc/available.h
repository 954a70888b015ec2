/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How much memory this process can still get: MemAvailable, or what the memory limit of its cgroup
 * leaves, whichever is less. The tracer calls it before a recording allocates memory; it must never
 * be called while one runs.
 */
#ifndef KMEMTRACE_PROC_AVAILABLE_H
#define KMEMTRACE_PROC_AVAILABLE_H

#include <limits.h>
#include <stdint.h>

struct memory_available {
	uint64_t bytes;
	char cgroup[PATH_MAX]; /* the directory whose limit this is; "": MemAvailable */
};

/*
 * Read it below PROC_ROOT ("/proc", or a recorded one). Kernels before 3.14 have no MemAvailable:
 * MemFree stands in for it. Returns 0 or −errno: −ENOENT when /proc/meminfo cannot be read.
 */
int memory_available_read(const char *proc_root, struct memory_available *out);

#endif
