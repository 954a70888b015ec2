// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reduces a capture to comparable rows: see profile.h. profile_levels.c and profile_growth.c fill
 * the sections.
 */
#include "diff/profile_internal.h"

#include <errno.h>

#include "model/sampling.h"

int profile_build(const struct view *v, const struct match *m, enum growth_by by, bool brief,
		  struct profile *out)
{
	struct profile p = {
		.by = by,
		.duration_s = v->duration_s,
		.cpus = v->cpus,
		.mem_total_kb = snapshot_meminfo(v->end, "MemTotal"),
		.own_bytes = capture_meta_number(v->c, META_OWN_BYTES, 0),
		.cache_filter = v->cache_filter,
		.complete = v->complete,
	};
	struct profile_builder b = {.v = v, .m = m, .brief = brief, .p = &p};
	struct sampling sampling;

	sampling_of(v, POOL_SLAB, &sampling);
	p.sample_bytes = sampling.mean;
	for (int pool = 0; pool < POOLS; pool++)
		p.traces[pool] = view_traces(v, pool);
	if (profile_levels(&b) || profile_growth(&b)) {
		profile_free(&p);
		return -ENOMEM;
	}
	*out = p;
	return 0;
}
