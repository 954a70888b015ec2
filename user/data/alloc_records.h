/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel itself says about its allocations, if it was built and booted for that: by line
 * of source (/proc/allocinfo), and by call path (page_owner, alloc_traces of slab caches). It
 * stands beside the census and is never part of its sums.
 */
#ifndef KMEMTRACE_DATA_ALLOC_RECORDS_H
#define KMEMTRACE_DATA_ALLOC_RECORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/array.h"

/* Names of sources, as in captures and in JSON. */
#define ALLOC_SITES "allocinfo"   /* /proc/allocinfo */
#define ALLOC_PAGES "page_owner"  /* debugfs: page_owner */
#define ALLOC_SLABS "slab_traces" /* debugfs: slab/CACHE/alloc_traces */

/* Sums beyond this are not taken: 2^53, which captures can hold. */
#define ALLOC_BYTES_MAX (UINT64_C(1) << 53)

/* A source that was read. */
struct alloc_source {
	char name[16];
	uint64_t bytes;     /* of all its allocations, also of those that have no row */
	uint64_t bad_lines; /* that could not be read, or had no room */
	char lacks[400];    /* sentences: what it does not cover; "": it covers all */
};

/* A line of the kernel's source that allocates. */
struct alloc_site {
	char file[96]; /* "mm/slub.c"; the end, after "…", if it is longer */
	uint32_t line;
	char module[56]; /* "": in the kernel itself */
	char function[64];
	uint64_t bytes, calls; /* allocated there, and not freed */
	bool inaccurate;       /* the kernel says that it missed some */
};

/* A call path that allocates pages, or objects of a slab cache. */
#define ALLOC_FRAME_END " < "
struct alloc_path {
	char source[16];   /* ALLOC_PAGES or ALLOC_SLABS */
	char cache[64];    /* "": pages */
	char frames[1024]; /* "f+0x10 < g+0x2 [module]", the innermost first; "…": cut */
	uint64_t bytes;    /* allocated there, and not freed */
	uint64_t nr;       /* allocations; 0: not known */
};

struct alloc_sources {
	ARRAY_OF(struct alloc_source);
};

struct alloc_sites {
	ARRAY_OF(struct alloc_site); /* those with memory, the largest first */
};

struct alloc_paths {
	ARRAY_OF(struct alloc_path); /* by source; of each, the largest first */
};

struct alloc_records {
	struct alloc_sources sources;
	struct alloc_sites sites;
	struct alloc_paths paths;
};

/* The source of this name; NULL: the kernel has none, or it was not read. */
const struct alloc_source *alloc_source_get(const struct alloc_records *r, const char *name);
void alloc_records_free(struct alloc_records *r);

/* Add a sentence to what it lacks, if there is room for it. */
__attribute__((format(printf, 2, 3))) void alloc_source_lacks(struct alloc_source *s,
							      const char *fmt, ...);

/* Does a kernel keep records of a source? */
enum alloc_use {
	ALLOC_UNKNOWN, /* debugfs is not mounted */
	ALLOC_ABSENT,  /* no: it was not built for it, or not booted for it */
	ALLOC_OFF,     /* it can, but does not */
	ALLOC_ON,
};

struct alloc_uses {
	enum alloc_use sites, pages, slabs;
};

/* The name in JSON: "on". */
const char *alloc_use_name(enum alloc_use use);

#endif
