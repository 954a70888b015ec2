/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Turns the kinds of a census into figures: of each cache, which share of its objects is of which
 * kind, with a 95 % interval, and how many objects and how much memory that is. Pure.
 *
 * The interval is Wilson's (Brown, Cai & DasGupta 2001, Stat. Sinica 16), with as many objects as
 * the sample stands for (census_kind.effective), and with the correction for a finite population.
 */
#ifndef KMEMTRACE_MODEL_KINDS_H
#define KMEMTRACE_MODEL_KINDS_H

#include <stddef.h>

#include "data/census.h"

struct kind_row {
	const struct census_kind *kind; /* NULL: all other objects of the cache */
	double share, share_low, share_high;
	double objects;
	double kb; /* that these objects occupy, without free ones */
	/* The cgroup that most of them are charged to, and their share; NULL: not known. */
	const struct census_cgroup *cgroup;
	double cgroup_share, cgroup_low, cgroup_high;
};

/* The kinds of a cache. */
struct kind_cache_row {
	uint32_t cache;     /* index in the census */
	uint32_t live;      /* objects in the sample */
	double objects, kb; /* in use */
	struct kind_row rows[KINDS_OF_CACHE + 1];
	size_t nr;
};

struct kinds_sheet {
	ARRAY_OF(struct kind_cache_row); /* in the order of the census: the largest first */
	/* The same rows from all caches, those with most memory first. */
	struct {
		ARRAY_OF(struct kind_top);
	} top;
};

struct kind_top {
	uint32_t cache;
	const struct kind_row *row;
};

/* `out` borrows from `c`. objects[i]: in use of each cache. Returns 0 or −ENOMEM. */
int kinds_sheet_build(const struct census *c, const double *objects, struct kinds_sheet *out);
void kinds_sheet_free(struct kinds_sheet *k);
/* The kinds of the cache with that index; NULL: none were taken. */
const struct kind_cache_row *kinds_sheet_find(const struct kinds_sheet *k, uint32_t cache);

/* Wilson's interval of a share of which `share` was seen in `nr` of `all` objects. */
void share_interval(double share, double nr, double all, double *low, double *high);
#define SHARE_OF_MANY 1e15 /* `all`, where any sample is a small part of it */

#endif
