/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A profile: the levels and growth of one capture as rows with identities that hold across boots,
 * hosts and kernels (match.h). cmd_diff.c builds it; diff.c and baseline.c compare it. It owns its
 * strings, so the capture may be freed: a baseline reads a thousand captures one after the other.
 */
#ifndef KMEMTRACE_DIFF_PROFILE_H
#define KMEMTRACE_DIFF_PROFILE_H

#include "diff/match.h"
#include "model/growth.h"
#include "model/series.h"

enum profile_section {
	PROFILE_POOLS,       /* levels: lines of /proc/meminfo, and Unaccounted */
	PROFILE_CACHES,      /* levels: pages of slab caches */
	PROFILE_VMALLOC,     /* levels: callers of vmalloc */
	PROFILE_STACKS,      /* levels: kernel stacks by process name or cgroup */
	PROFILE_PAGE_TABLES, /* levels: page tables by process name or cgroup */
	PROFILE_GROWTH,      /* rates: held memory, and traffic */
	PROFILE_SECTIONS
};

#define PROFILE_LEVELS PROFILE_GROWTH /* all sections before it are levels */

const char *profile_section_name(enum profile_section s); /* its name in JSON: "pools", … */

struct profile_row {
	char *key;   /* the identity; rows of a section are sorted by it, each key once */
	char *loose; /* of a call path, see match_stack(); else NULL */
	char *name;  /* for people, as captured; "" for call paths */
	/* growth */
	enum pool pool;
	char class_[24];
	uint32_t stack;           /* id of the largest call path in its capture; 0 none */
	char *cache;              /* the cache with most of its bytes; "" none */
	char *who;                /* the process with most of its bytes; "" none */
	uint32_t process, cgroup; /* ids of that process, and of the cgroup with most of its bytes,
				     in the capture; 0 none */
	double who_share;         /* of the row's bytes, those of that process: 0 … 1 */
	double held, held_var;    /* bytes at the end, and the variance of their estimate */
	double held_missed;       /* the most of cap_held.bytes_missed */
	double objects, young;    /* held objects, and bytes that may be in flight */
	double churn, churn_var;  /* bytes allocated during the view; NaN unknown */
				  /* levels */
	double level, noise; /* bytes at the end, and the level's own noise (standard deviation) */
	double change;       /* bytes, end − start */
	double level_objects;
	enum pattern pattern; /* over time; pools and caches only */
	double range;         /* maximum − minimum over time; pools and caches only */
	bool reclaim_known;   /* the capture says whether the cache is reclaimable */
	bool reclaimable;
};

struct profile_rows {
	ARRAY_OF(struct profile_row);
	bool measured; /* the capture has data for this section */
};

struct profile {
	struct profile_rows sections[PROFILE_SECTIONS];
	enum growth_by by;
	double duration_s, cpus, mem_total_kb;
	double sample_bytes; /* mean between samples of slab while recording; 0: exact */
	double own_bytes; /* the recorder's own tables, left out of VmallocUsed and its callers */
	double weight;    /* bytes that one sample of held memory stands for; 0: exact */
	bool traces[POOLS];
	bool cache_filter, complete;
};

/*
 * Build the profile of a view; `m` gives the identities. `brief` leaves out noise, patterns and the
 * members cache, who, process, cgroup and loose. 0 or −ENOMEM. Free with profile_free().
 */
int profile_build(const struct view *v, const struct match *m, enum growth_by by, bool brief,
		  struct profile *out);
void profile_free(struct profile *p);

/* The level of a pool at up to PROFILE_SERIES snapshots: t in seconds since tracing began, y in
 * bytes. Snapshots that do not show the pool are left out. */
#define PROFILE_SERIES 128
struct profile_series {
	double t[PROFILE_SERIES], y[PROFILE_SERIES];
	size_t nr;
};
/* `pool` is a row's name in PROFILE_POOLS, and `p` the profile of the view. */
void profile_pool_series(const struct view *v, const struct profile *p, const char *pool,
			 struct profile_series *out);

/* The level divided by the number of CPUs of its machine, or by its memory in GiB; in the level's
 * unit. */
double profile_per_cpu(const struct profile *p, double level);
double profile_per_gib(const struct profile *p, double level);

/* The row with this key, or NULL. */
struct profile_row *profile_find(const struct profile_rows *rows, const char *key);

#endif
