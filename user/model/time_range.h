/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A time range of a recording, from one checkpoint to another. Its held rows are net: held at the
 * end minus held at the start. A row is negative when more was freed than allocated. Both
 * checkpoints are first corrected by their own liveness audit, so the rows have no verified objects
 * left. Traffic and losses are those of the time range. report (--from, --to) and diff call it.
 */
#ifndef KMEMTRACE_MODEL_TIME_RANGE_H
#define KMEMTRACE_MODEL_TIME_RANGE_H

#include "model/view.h"

struct time_range {
	struct view view;
	struct cap_checkpoint own; /* view.at points to it, unless the range begins at the start of
				      the recording */
};

/*
 * Build the time range between the checkpoints nearest to from_s and to to_s (NaN: the recording's
 * own ends); view.start and view.end are the snapshots chosen. Returns 0, −ENOMEM, or −ERANGE when
 * both ends fall on the same checkpoint or snapshot (too few were recorded, or from ≥ to). `out`
 * must not move. Free with time_range_free(); c must outlive it.
 */
int time_range_build(const struct capture *c, double from_s, double to_s, struct time_range *out);
void time_range_free(struct time_range *p);

#endif
