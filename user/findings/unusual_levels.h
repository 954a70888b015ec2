/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is out of proportion to the machine and the workload: fixed rules, each with its source in
 * docs/interpretation.md, applied to the levels at the end; and the cautions of virtual machines
 * and containers. A finding is a place to look at, not a fault.
 */
#ifndef KMEMTRACE_FINDINGS_UNUSUAL_LEVELS_H
#define KMEMTRACE_FINDINGS_UNUSUAL_LEVELS_H

#include "model/holders.h"

#define UNUSUAL_LEVELS_MAX 12
#define UNUSUAL_LEVEL_TEXT 400

struct unusual_level {
	const char *rule;              /* its name in docs/interpretation.md */
	bool high;                     /* out of proportion; else a caution */
	double value, limit;           /* in the rule's own unit; NaN for cautions */
	char text[UNUSUAL_LEVEL_TEXT]; /* one sentence or two; names in it are as captured */
};

struct unusual_levels {
	struct unusual_level items[UNUSUAL_LEVELS_MAX];
	size_t nr;
};

void unusual_levels_build(const struct view *v, const struct holders *levels,
			  struct unusual_levels *out);

#endif
