/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Levels that are unusual for the machine or its workload. Fixed rules, each with its source in
 * docs/interpretation.md, are applied to the levels at the end of the view. Also holds the cautions
 * for virtual machines and containers. report_findings.c calls it. A finding is a place to look,
 * not a fault.
 */
#ifndef KMEMTRACE_FINDINGS_UNUSUAL_LEVELS_H
#define KMEMTRACE_FINDINGS_UNUSUAL_LEVELS_H

#include "model/holders.h"

#define UNUSUAL_LEVELS_MAX 16
#define UNUSUAL_LEVEL_TEXT 560

struct unusual_level {
	const char *rule;              /* its name in docs/interpretation.md */
	bool high;                     /* an unusual level; false: a caution */
	double value, limit;           /* in the rule's own unit; NaN for cautions */
	char text[UNUSUAL_LEVEL_TEXT]; /* one or two sentences; names in it are as captured */
};

struct unusual_levels {
	struct unusual_level items[UNUSUAL_LEVELS_MAX];
	size_t nr;
};

void unusual_levels_build(const struct view *v, const struct holders *holders,
			  struct unusual_levels *out);

#endif
