/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that no line of /proc/meminfo shows but another file in /proc or /sys counts; −1 when this
 * machine does not report it. proc/unlisted.c fills it for the balance sheet (model/balance.c).
 */
#ifndef KMEMTRACE_DATA_UNLISTED_H
#define KMEMTRACE_DATA_UNLISTED_H

#include <stdint.h>

struct unlisted {
	int64_t socket_pages;       /* TCP and UDP buffers: /proc/net/sockstat "mem", this network
				       namespace's */
	int64_t fragment_bytes;     /* IP fragments waiting for reassembly */
	int64_t trace_kb;           /* ring buffers of ftrace's main instance, all CPUs */
	int64_t percpu_first_pages; /* the first per-CPU chunk, all CPUs: from the boot messages */
};

#define UNLISTED_NONE ((struct unlisted){-1, -1, -1, -1})

#endif
