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

struct census_figure {
	double kb, low_kb, high_kb; /* low and high are equal to kb if all page frames were counted
				     */
};

/* A class of pages. */
struct census_row {
	enum census_class class;
	struct census_figure figure;
	/*
	 * The line of /proc that counts the same pages, and its mean before and after the scan.
	 * NULL: there is none. It may count a second class, too, `with`; CENSUS_CLASSES: no other.
	 */
	const char *line;
	enum census_class with;
	double line_kb;
	double difference_kb; /* census − line; NaN without a line */
	double lag_kb;        /* by how much the two may differ for no reason */
	bool differs;         /* they differ by more than that */
	bool checked;         /* the two should agree */
};

struct census_sheet {
	const struct census *census;
	struct census_figure total; /* of all classes: memory with struct pages */
	struct census_row rows[CENSUS_CLASSES];
	double counted_share; /* of units: 1 if all memory was counted */
};

/* The figure of a sum that was counted in units; `kb` is what one of it is worth. */
struct census_figure census_estimate(const struct census *c, const struct census_sum *sum,
				     double kb);

void census_sheet_build(const struct census *c, struct census_sheet *out);

/* Does this kernel mark pages of the class? */
static inline bool census_tells(const struct census *c, enum census_class class)
{
	return !(c->unknown >> class & 1);
}

#endif
