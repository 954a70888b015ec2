// SPDX-License-Identifier: GPL-2.0-only
/* Reads a capture and selects a part of it: see capture_input.h. */
#include "capture_input.h"

#include <errno.h>
#include <math.h>

#include "base/bounds.h"
#include "base/log.h"
#include "capture/capture.h"

/* Say why the capture has no such part, and what to do. */
static int no_part(const char *path, const struct capture *c, double from_s)
{
	double lasts_s = c->snapshots[c->nr_snapshots - 1].t_s;

	if (from_s >= lasts_s)
		return log_error(ERANGE, "%s lasts only %.0f s: ask for an earlier part", path,
				 lasts_s);
	if (c->nr_checkpoints < 2)
		return log_error(
			ERANGE,
			"%s (%.0f s) cannot be divided, because it has fewer than two checkpoints; "
			"record with --every, or for longer",
			path, lasts_s);
	return log_error(
		ERANGE,
		"that part of %s contains no interval between two checkpoints (it has %zu "
		"checkpoints in %.0f s): ask for a longer part, or record with a shorter --every",
		path, c->nr_checkpoints, lasts_s);
}

int capture_input_read(const char *path, double from_s, double to_s, struct capture_input *s)
{
	int err = capture_read_part(path, from_s, to_s, &s->c);

	if (err)
		return err;
	err = time_range_build(s->c, from_s, to_s, &s->range);
	if (err == -ERANGE && isnan(from_s) && isnan(to_s)) {
		view_whole(s->c, &s->range.view); /* even a single reading has levels */
		return 0;
	}
	if (err == -ERANGE)
		return no_part(path, s->c, from_s);
	return err ? log_error(ENOMEM, "not enough memory to compute a part of %s%s", path,
			       bounds_memory_hint())
		   : 0;
}

void capture_input_free(struct capture_input *s)
{
	time_range_free(&s->range);
	capture_free(s->c);
}
