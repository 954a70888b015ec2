/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Growth: outstanding objects added up by call path, cache, call site, process, cgroup, module,
 * pool or kernel entry, largest group first. report_findings.c and diff/profile_growth.c call it. A
 * group never mixes pools.
 */
#ifndef KMEMTRACE_MODEL_GROWTH_H
#define KMEMTRACE_MODEL_GROWTH_H

#include "model/outstanding.h"

enum growth_by {
	GROWTH_BY_STACK,
	GROWTH_BY_CACHE,
	GROWTH_BY_SITE,
	GROWTH_BY_PROCESS,
	GROWTH_BY_CGROUP,
	GROWTH_BY_MODULE,
	GROWTH_BY_POOL,
	GROWTH_BY_SYSCALL, /* or interrupt, kernel thread, …: model/entry.h */
	GROWTH_BYS
};

#define GROWTH_BY_WORDS "stack, cache, site, process, cgroup, module, pool or syscall"

const char *growth_by_name(enum growth_by by);
/* 0, or −EINVAL. */
int growth_by_parse(const char *name, enum growth_by *out);

/* The bytes of a group that one process, cgroup, cache or call path holds. */
struct growth_share {
	uint32_t id;
	double bytes;
};

struct growth_shares {
	const struct growth_share *items; /* by bytes, largest first */
	size_t nr;
};

struct growth_group {
	enum pool pool;
	uint32_t key; /* id of the stack, cache, frame, process or cgroup; else index into names */
	double bytes, bytes_var, bytes_low, bytes_high; /* estimate and its 95 % interval */
	double bytes_missed;                            /* the most of cap_held.bytes_missed */
	double objects;
	double traced_bytes, traced_var; /* before correction by the audit */
	double tracked, verified, verified_live, verified_twice; /* see struct cap_held */
	double verified_share; /* of the checked objects, those found live; NaN: none was checked */
	double age_hist[AGE_BUCKETS];          /* objects, corrected */
	size_t age_buckets;                    /* of age_hist up to the oldest object */
	double age_p50_s, age_p90_s, oldest_s; /* NaN without ages */
	/* traffic of the group's call paths; NaN when groups share call paths */
	double allocs, frees, unseen_frees;
	struct growth_shares stacks, caches, processes, cgroups; /* id 0: unknown */
	double stack_share; /* of the largest call path in bytes */
	/* module of the largest call path's first frame outside vmlinux, or "vmlinux" */
	const char *module;
	/* class of the group's first row ("thread", "pte", …; "" for slab); all rows of a call path
	 * have the same */
	const char *class_;
};

struct growth {
	enum growth_by by;
	struct growth_group *groups; /* by bytes, largest first */
	size_t nr;
	double bytes;                   /* of all groups */
	struct growth_share *shares[4]; /* storage for the groups' shares */
	/* For modules and kernel entries, which have no table in a capture: their names, and the
	 * index of each stack's name. */
	ARRAY_OF(char *) names;
	uint32_t *name_of;
};

/* 0 or −ENOMEM. O(rows · log rows). Free with growth_free(). */
int growth_build(const struct view *v, const struct outstanding *outstanding, enum growth_by by,
		 struct growth *out);
void growth_free(struct growth *g);

struct caches;

/* The cache with most of the group's bytes; NULL outside slab. */
const struct cache_row *growth_cache(const struct growth_group *g, const struct caches *caches);

/* True if the group has more objects of its cache than slabinfo counts in all: their frees fired no
 * event. */
bool growth_is_contradicted(const struct growth_group *g, const struct caches *caches);

/* The number of keys: every key is below it. */
size_t growth_keys(const struct growth *g, const struct capture *c);
/* The key of a held row, and of a brief one. */
uint32_t growth_key(const struct growth *g, const struct capture *c, const struct cap_held *h);
uint32_t growth_brief_key(const struct growth *g, const struct capture *c,
			  const struct cap_brief *h);
/* The key of a call path's traffic; UINT32_MAX when traffic is not counted by this dimension. */
uint32_t growth_traffic_key(const struct growth *g, const struct capture *c, uint32_t stack);

/* The age that `share` of the objects are younger than; linear within a bucket, at most `oldest`.
 * NaN without objects. */
double age_quantile(const double hist[AGE_BUCKETS], double oldest, double share);
/* The age in seconds that all objects of the first `buckets` buckets are younger than. */
double age_buckets_end_s(size_t buckets);

/* The sampling period that a group's figures rest on, in bytes; 0 if they are exact. */
double growth_period(const struct growth_group *g);

#endif
