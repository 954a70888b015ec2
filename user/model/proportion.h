/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is out of proportion to the machine and the workload: fixed rules, each with its source in
 * docs/interpretation.md, applied to the levels at the end; and the cautions of virtual machines and
 * containers. A finding is a place to look at, not a fault.
 */
#ifndef KMEMTRACE_MODEL_PROPORTION_H
#define KMEMTRACE_MODEL_PROPORTION_H

#include "model/levels.h"

#define PROPORTIONS_MAX 12
#define PROPORTION_TEXT 400

struct proportion {
	const char *rule; /* its name in docs/interpretation.md */
	bool high;	  /* out of proportion; else a caution */
	double value, limit; /* in the rule's own unit; NaN for cautions */
	char text[PROPORTION_TEXT]; /* one sentence or two; names in it are as captured */
};

struct proportions {
	struct proportion items[PROPORTIONS_MAX];
	size_t nr;
};

void proportion_build(const struct view *v, const struct levels *levels, struct proportions *out);

#endif
