/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The list "Memory allocations" of an OOM report: with memory allocation profiling, kernels from
 * 6.10 on print the places in their source that hold the most memory (mm/show_mem.c). oom_report.c
 * calls it. Pure.
 */
#ifndef KMEMTRACE_PROC_OOM_SITES_H
#define KMEMTRACE_PROC_OOM_SITES_H

#include "base/text.h"
#include "data/oom_report.h"

/* "    38.4 MiB     5505 mm/slub.c:3075 [module] func:alloc_slab_page", after any prefix. False for
 * any other line. */
bool oom_site_parse(struct text line, struct oom_site *out);

/*
 * Add a place to sites[OOM_SITES], largest first; the smallest is dropped. Before 6.18, two CPUs
 * could print their lists at the same time, mixed into each other: a place counts once.
 */
void oom_sites_add(struct oom_site *sites, size_t *nr, const struct oom_site *site);

#endif
