/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that no line of /proc/meminfo shows, where something else in /proc or /sys counts it; −1
 * where this machine does not say.
 */
#ifndef KMEMTRACE_DATA_UNLISTED_H
#define KMEMTRACE_DATA_UNLISTED_H

#include <stdint.h>

struct unlisted {
	int64_t socket_pages;       /* TCP and UDP buffers: /proc/net/sockstat "mem", this network
				       namespace's */
	int64_t fragment_bytes;     /* IP fragments waiting for the rest */
	int64_t trace_kb;           /* ftrace's ring buffers, all CPUs of the main instance */
	int64_t percpu_first_pages; /* the first per-CPU chunk, all CPUs: from the boot messages */
};

#define UNLISTED_NONE ((struct unlisted){-1, -1, -1, -1})

#endif
