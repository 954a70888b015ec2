/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pattern over time of the largest groups of growth (call paths, processes, …), from what they
 * held at each checkpoint. Checkpoints are 1 s apart for the first 12 s, then 2, 4, … s apart, or
 * as far as --every says; a pattern needs 8 of them. report_findings.c calls it.
 */
#ifndef KMEMTRACE_MODEL_HISTORY_H
#define KMEMTRACE_MODEL_HISTORY_H

#include "model/growth.h"
#include "model/series.h"

#define HISTORY_GROUPS 128

struct history {
	struct trend *trends; /* of the first nr groups; in kB */
	size_t nr;
};

/* 0 or −ENOMEM. Free with history_free(). */
int history_build(const struct view *v, const struct growth *g, struct history *out);
/* The trend of group `i`; one of pattern unknown for groups beyond the first nr. */
const struct trend *history_trend(const struct history *h, size_t i);
void history_free(struct history *h);

#endif
