/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel itself says about allocations by place in its source, on kernels that were
 * booted with sysctl.vm.mem_profiling=1: /proc/allocinfo. A second witness beside the census.
 */
#ifndef KMEMTRACE_DATA_ALLOC_SITES_H
#define KMEMTRACE_DATA_ALLOC_SITES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/array.h"

/* A line of the kernel's source that allocates. */
struct alloc_site {
	char file[96]; /* "mm/slub.c"; the end, after "…", if it is longer */
	uint32_t line;
	char module[56]; /* "": in the kernel itself */
	char function[64];
	uint64_t bytes, calls; /* allocated there, and not freed */
	bool inaccurate;       /* the kernel says that it missed some */
};

struct alloc_sites {
	ARRAY_OF(struct alloc_site); /* those with memory, the largest first */
	uint64_t bytes;              /* of all sites */
	uint64_t bad_lines;          /* that could not be read, or had no room */
};

#endif
