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

/*
 * What rows of groups held over time, for pictures: `row_of` gives the row of each group of growth,
 * below nr_rows. Row nr_rows adds up what was held by keys that are in no group, because they hold
 * nothing at the end. Only `max` checkpoints are used, evenly spaced, with the first and the last.
 */
struct history_levels {
	double *t;     /* nr times in seconds since tracing began */
	double *bytes; /* nr_rows + 1 rows of nr figures, not corrected by the audit */
	size_t nr;
};

/* 0 or −ENOMEM. Free with history_levels_free(). */
int history_levels(const struct view *v, const struct growth *g, const uint32_t *row_of,
		   size_t nr_rows, size_t max, struct history_levels *out);
void history_levels_free(struct history_levels *l);

#endif
