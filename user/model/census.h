/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Turns a census into figures: kB with a 95 % interval, each class of pages beside the line of
 * /proc/meminfo that counts the same pages. Pure.
 *
 * The interval of a sample is that of a stratified sample with two units in each stratum (Cochran,
 * Sampling Techniques, 5A.12). Where few units had any of a figure, it is at least that of their
 * number, which is Poisson distributed: what is rare and in one place would otherwise seem certain.
 */
#ifndef KMEMTRACE_MODEL_CENSUS_H
#define KMEMTRACE_MODEL_CENSUS_H

#include <stdbool.h>

#include "data/census.h"
#include "model/kinds.h"
#include "model/lenses.h"
#include "model/site_groups.h"

struct census_figure {
	double kb, low_kb, high_kb; /* low and high are equal to kb if all page frames were counted
				     */
};

/* A class of pages. */
struct census_row {
	enum census_class class;
	struct census_figure figure;
	/*
	 * The line of /proc that counts the same pages, and the middle of its values during the
	 * scan. NULL: there is none. It may count a second class, too, `with`; CENSUS_CLASSES: no
	 * other.
	 */
	const char *line;
	enum census_class with;
	double line_kb;
	double difference_kb; /* census − line; NaN without a line */
	double lag_kb;        /* by how much the two may differ for no reason */
	bool differs;         /* they differ by more than that */
	bool checked;         /* the two should agree */
};

/* What a cgroup holds of a cache, or of a class of pages. */
struct census_charge_row {
	const struct census_cgroup *cgroup;
	struct census_figure objects; /* or pages */
	struct census_figure figure;  /* the memory of these */
	uint32_t cache;               /* index of the row; CENSUS_NO_CACHE: pages */
	enum census_class class;
};

/* A slab cache. */
struct census_cache_row {
	const struct census_cache *cache;
	struct census_figure figure;  /* the memory of its slabs */
	struct census_figure objects; /* in use */
	double free_kb;               /* of objects that are free, in slabs and on CPUs' lists */
	double empty_kb;              /* of slabs with no object in use */
	double charged;               /* objects in use that are charged to a cgroup */
	double used_share;            /* of the room in its slabs that is in use, 0 to 1 */
	const struct census_charge_row *charges; /* of it, the largest first */
	size_t nr_charges;
};

/* All that is charged to a cgroup itself, without the cgroups below it. */
struct census_cgroup_row {
	const struct census_cgroup *cgroup;
	struct census_figure figure;       /* all of it */
	struct census_figure slab;         /* objects of slab caches */
	double classes_kb[CENSUS_CLASSES]; /* pages, by class; without slab caches */
};

struct census_sheet {
	const struct census *census;
	ARRAY_OF(struct census_charge_row); /* of caches, by cache; those of pages are not kept */
	struct census_cache_row *caches;    /* the largest first, as in the census */
	size_t nr_caches;
	struct census_cgroup_row *cgroups; /* the largest first */
	size_t nr_cgroups;
	struct kinds_sheet kinds; /* of objects of the largest caches */
	struct lens_sheet lenses; /* dentries, inodes, sockets, … */
	struct site_groups sites; /* what /proc/allocinfo says; no part of the sums */
	/* Removed cgroups: at least so many, with so much of slab caches and other pages. */
	uint64_t removed;
	double removed_kb;
	struct census_figure total; /* of all classes: memory with struct pages */
	struct census_row rows[CENSUS_CLASSES];
	double counted_share; /* of units: 1 if all memory was counted */
};

/*
 * The figure of a sum that was counted in units; `kb` is what one of it is worth, and a unit has at
 * most `full` of it.
 */
struct census_figure census_estimate(const struct census *c, const struct census_sum *sum,
				     double full, double kb);

/* `out` borrows from `c`. Returns 0 or −ENOMEM; on failure, `out` is unchanged. */
int census_sheet_build(const struct census *c, struct census_sheet *out);
void census_sheet_free(struct census_sheet *s);

/* Does this kernel mark pages of the class? */
static inline bool census_tells(const struct census *c, enum census_class class)
{
	return !(c->unknown >> class & 1);
}

#endif
