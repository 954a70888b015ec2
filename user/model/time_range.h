/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A part of a recording: from one checkpoint to another. What is held then is net: held at the end
 * less held at the start, row by row, so that a row may be negative (more of what was there went
 * than came). Either is first corrected by what the liveness audit had found by then, so the rows
 * name no judged objects any more. Traffic and losses are those of the part.
 */
#ifndef KMEMTRACE_MODEL_TIME_RANGE_H
#define KMEMTRACE_MODEL_TIME_RANGE_H

#include "model/view.h"

struct time_range {
	struct view view;
	struct cap_checkpoint
		own; /* what view.at points to, unless the part begins with the recording */
};

/*
 * The part from the checkpoint nearest to from_s to that nearest to to_s (NaN: the recording's own
 * ends); view.start and view.end say which snapshots that made. 0, −ENOMEM, or −ERANGE when no two
 * different checkpoints or snapshots are that near (recorded with too few, or from ≥ to). out must
 * stay in place. Free with time_range_free(); c must outlive it.
 */
int time_range_build(const struct capture *c, double from_s, double to_s, struct time_range *out);
void time_range_free(struct time_range *p);

#endif
