/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Findings about the recording itself: what it lost, which hooks were not attached and what that
 * cost, and whether objects could be checked in the allocator. report_findings.c calls it. Pure.
 */
#ifndef KMEMTRACE_FINDINGS_RECORDING_FINDINGS_H
#define KMEMTRACE_FINDINGS_RECORDING_FINDINGS_H

#include "findings/finding.h"
#include "model/liveness.h"
#include "model/losses.h"
#include "model/view.h"

#define RECORDING_ROWS_MAX                                                     \
	64 /* counters, and hooks, that are named; more are in no real capture \
	    */

/* Append the findings of PART_LOSSES, PART_AUDIT and PART_HOOKS. */
void recording_findings_build(const struct view *v, const struct losses *losses,
			      const struct liveness *liveness, struct findings *out);

#endif
