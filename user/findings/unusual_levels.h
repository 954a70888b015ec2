/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Levels that are unusual for the machine or its workload. Fixed rules, each with its source in
 * docs/interpretation.md, are applied to the levels at the end of the view. Also holds the cautions
 * for virtual machines and containers. report_findings.c calls it. A finding is a place to look,
 * not a fault.
 */
#ifndef KMEMTRACE_FINDINGS_UNUSUAL_LEVELS_H
#define KMEMTRACE_FINDINGS_UNUSUAL_LEVELS_H

#include "findings/finding.h"
#include "model/holders.h"

/* Append the findings of PART_LEVELS: warnings, each with its figure and "limit", then cautions. */
void unusual_levels_build(const struct view *v, const struct holders *holders,
			  struct findings *out);

#endif
