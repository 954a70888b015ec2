/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What of one capture can be compared with another: levels and growth as rows with an identity that
 * holds across boots, hosts and kernels (diff_match.h). A profile owns its strings, so that the
 * capture may go: a thousand captures of a baseline are read one after the other.
 */
#ifndef KMEMTRACE_DIFF_PROFILE_H
#define KMEMTRACE_DIFF_PROFILE_H

#include "diff/match.h"
#include "model/growth.h"
#include "model/series.h"

enum profile_section {
	PROFILE_POOLS,       /* levels: lines of /proc/meminfo, and what no line explains */
	PROFILE_CACHES,      /* levels: slab caches, by pages */
	PROFILE_VMALLOC,     /* levels: callers of vmalloc */
	PROFILE_STACKS,      /* levels: kernel stacks by process name, or cgroup */
	PROFILE_PAGE_TABLES, /* levels: page tables likewise */
	PROFILE_GROWTH,      /* rates: what was allocated and is held, and all that was allocated */
	PROFILE_SECTIONS
};

#define PROFILE_LEVELS PROFILE_GROWTH /* the sections before it are levels */

const char *profile_section_name(enum profile_section s); /* of JSON: "pools", … */

struct profile_row {
	char *key;   /* the identity; rows of a section are sorted by it, each key once */
	char *loose; /* of a path: see match_path(); else NULL */
	char *name;  /* for people, as captured; "" for paths */
	/* growth */
	enum pool pool;
	char class_[24];
	uint32_t stack;          /* the largest path, in its capture; 0 none */
	char *cache;             /* that holds most of it; "" none */
	char *who;               /* process that holds most of it; "" none */
	double held, held_var;   /* bytes at the end, and the variance of their estimate */
	double objects, young;   /* held objects, and bytes that may only be in flight */
	double churn, churn_var; /* bytes allocated while it lasted; NaN where not kept */
	/* levels */
	double level, noise; /* bytes at the end; what it varies by itself (standard deviation) */
	double change;       /* bytes, end − start */
	double level_objects;
	enum pattern pattern; /* of pools and caches, over time, */
	double range;         /* and how far apart its least and most were */
	bool reclaimable;
};

struct profile_rows {
	ARRAY_OF(struct profile_row);
	bool measured; /* the capture says something about this section at all */
};

struct profile {
	struct profile_rows sections[PROFILE_SECTIONS];
	enum growth_by by;
	double duration_s, cpus, mem_total_kb;
	double sample_bytes; /* 0: exact */
	double own_bytes;    /* of the recorder's tables, left out of VmallocUsed and its callers */
	double weight;       /* bytes that one sample of what is held stands for, 0 exact */
	bool traces[POOLS];
	bool focused, complete;
};

/*
 * The profile of a view; `m` gives the identities. With `brief` the rows' noise, pattern and what
 * is only for people (cache, who, loose) is left out. 0 or −ENOMEM. Free with profile_free().
 */
int profile_build(const struct view *v, const struct match *m, enum growth_by by, bool brief,
		  struct profile *out);
void profile_free(struct profile *p);

/* The row with this key, or NULL. */
struct profile_row *profile_find(const struct profile_rows *rows, const char *key);

#endif
