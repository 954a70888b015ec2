// SPDX-License-Identifier: GPL-2.0-only
/* Adds up the counters of the liveness audit: see liveness.h. */
#include "model/liveness.h"

#include <math.h>
#include <string.h>

#include "model/losses.h"

void liveness_build(const struct view *v, struct liveness *out)
{
	const char *state = capture_meta(v->c, META_AUDIT);
	struct liveness l = {
		.traced = v->at,
		.worked = !strcmp(state, "ok"),
		.obstacle = state,
		.looked_up = losses_counter(v, "audit_judged") + losses_counter(v, "audit_unsure"),
		.runs = losses_counter(v, "audit_runs"),
		.took_s = losses_counter(v, "audit_ns") / 1e9,
		.pace_s = NAN,
		.live = losses_counter(v, "audit_live"),
		.unseen_frees = losses_counter(v, "audit_ghosts"),
		.unsure = losses_counter(v, "audit_unsure"),
	};

	if (l.looked_up >= LIVENESS_PACE_OBJECTS)
		l.pace_s = l.took_s * LIVENESS_PACE_OBJECTS / l.looked_up;
	*out = l;
}
