/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that no line of /proc/meminfo shows, but that another file in /proc or /sys counts or
 * hints at. A member is −1 or "" if this machine does not report it. proc/unlisted.c fills it for
 * the balance sheet (model/suspects.c).
 */
#ifndef KMEMTRACE_DATA_UNLISTED_H
#define KMEMTRACE_DATA_UNLISTED_H

#include <stddef.h>
#include <stdint.h>

#define UNLISTED_SITES 5
#define UNLISTED_NAME  32
#define UNLISTED_SITE  96

/* A place in the kernel's source that allocates whole pages: /proc/allocinfo. */
struct unlisted_site {
	int64_t bytes;
	char where[UNLISTED_SITE]; /* "drivers/net/…/ice_txrx.c:681 [ice] ice_alloc_mapped_page" */
};

struct unlisted {
	int64_t socket_pages;       /* TCP and UDP buffers: /proc/net/sockstat "mem", of the whole
				       machine */
	int64_t fragment_bytes;     /* IP fragments waiting for reassembly */
	int64_t trace_kb;           /* ring buffers of ftrace's main instance, all CPUs */
	int64_t percpu_first_pages; /* the first per-CPU chunk, all CPUs: from the boot messages */
	int64_t balloon_kb; /* what a balloon driver's own file says: hv-balloon, vmmemctl */
	int64_t arc_bytes;  /* ZFS: size of arcstats */
	int64_t gtt_bytes;  /* system memory that AMD GPUs use: mem_info_gtt_used */
	int64_t ttm_pages;  /* free pages that graphics drivers keep: ttm/page_pool */
	int64_t perf_kb, packet_kb, uring_kb; /* rings that processes map, by /proc/PID/maps */
	int64_t pinned_kb;                    /* VmPin of all processes */
	int64_t page_pool_bytes;              /* receive buffers of network devices */
	char pinned_by[UNLISTED_NAME + 16];   /* the process with most of it: "name[pid]" */
	char balloon_driver[UNLISTED_NAME];   /* a module that is loaded, as hv_balloon */
	char hypervisor[UNLISTED_NAME];       /* "microsoft", "vmware", … */
	struct unlisted_site sites[UNLISTED_SITES]; /* largest first */
	size_t nr_sites;
};

#define UNLISTED_NONE                                \
	((struct unlisted){.socket_pages = -1,       \
			   .fragment_bytes = -1,     \
			   .trace_kb = -1,           \
			   .percpu_first_pages = -1, \
			   .balloon_kb = -1,         \
			   .arc_bytes = -1,          \
			   .gtt_bytes = -1,          \
			   .ttm_pages = -1,          \
			   .perf_kb = -1,            \
			   .packet_kb = -1,          \
			   .uring_kb = -1,           \
			   .pinned_kb = -1,          \
			   .page_pool_bytes = -1})

#endif
