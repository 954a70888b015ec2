/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel log says of memory when it ran out: the "Mem-Info" of an OOM report, as levels.
 * proc/oom_report.c fills it from a log; findings/ says what is special about it.
 */
#ifndef KMEMTRACE_DATA_OOM_REPORT_H
#define KMEMTRACE_DATA_OOM_REPORT_H

#include <stdbool.h>

#include "data/snapshot.h"

#define OOM_CACHES      5
#define OOM_TEXT_MAX    128
#define OOM_RELEASE_MAX 64
#define OOM_CACHE_NAME  40
#define OOM_SITES       10 /* as many as the kernel prints */
#define OOM_PLACE_MAX   96
#define OOM_NAME_MAX    64

struct oom_cache {
	char name[OOM_CACHE_NAME];
	double kb;
};

/* A place in the kernel's source that allocates memory, and what it holds. */
struct oom_site {
	char place[OOM_PLACE_MAX]; /* "mm/slub.c:3075" */
	char function[OOM_NAME_MAX];
	char module[OOM_NAME_MAX]; /* "": vmlinux */
	double kb, calls;          /* calls: allocations that are still held */
};

struct oom_report {
	struct snapshot s; /* the levels under the names of /proc; no time */
	double page_bytes; /* from the free lists; 0: the report has none */
	size_t line;       /* of its "Mem-Info:", from 1 */
	size_t reports;    /* complete ones in the log; this is the last */
	bool later_cut;    /* a later one is cut */
	bool mixed;        /* two reports are mixed into each other: the first values count */
	bool is_oom;   /* false: memory was shown for another reason (a failed allocation, SysRq) */
	double rss_kb; /* of all processes, shared pages counted more than once; NaN unknown */
	size_t processes;
	char trigger[OOM_TEXT_MAX]; /* "java invoked oom-killer: gfp_mask=…"; "" unknown */
	char release[OOM_RELEASE_MAX];
	struct oom_cache caches[OOM_CACHES]; /* unreclaimable slab, largest first */
	size_t nr_caches;
	struct oom_site sites[OOM_SITES]; /* largest first */
	size_t nr_sites;
	bool profiling_off; /* `sites` may be old or too small */
};

static inline void oom_report_free(struct oom_report *r)
{
	snapshot_free(&r->s);
}

#endif
