/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What changed between two censuses: of one recording, or of two captures. Classes of pages, slab
 * caches, cgroups, what lenses say of objects, and functions of /proc/allocinfo are matched by
 * name. Where a census was sampled, each change has a 95 % interval, and one that includes 0 may be
 * chance: Zou and Donner, "Construction of confidence limits about effect measures" (2008), for
 * intervals that are not symmetrical. Pure.
 */
#ifndef KMEMTRACE_MODEL_CENSUS_DELTA_H
#define KMEMTRACE_MODEL_CENSUS_DELTA_H

#include "model/census.h"

struct census_change {
	const char *name; /* of a class, a cache, a cgroup, objects, or a function */
	const struct census_cgroup *cgroup; /* of a cgroup, which may be removed; else NULL */
	enum lens lens;                     /* of objects; else LENSES */
	struct census_figure before, after; /* 0 where it was not there */
	struct census_figure kb;            /* after − before */
	double objects;                     /* change of those in use; NaN if it has none */
	bool surely;                        /* the interval does not include 0 */
};

struct census_changes {
	ARRAY_OF(struct census_change); /* the largest first, whether up or down */
};

struct census_delta {
	struct census_changes pages, caches, cgroups;
	struct census_changes objects; /* empty if one of the two has no lenses */
	struct census_changes sites;   /* of /proc/allocinfo; empty if one of the two has none */
};

/* Borrows from both sheets. Returns 0 or −ENOMEM; on failure, `out` is unchanged. */
int census_delta_build(const struct census_sheet *before, const struct census_sheet *after,
		       struct census_delta *out);
void census_delta_free(struct census_delta *d);

#endif
