/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds what points to objects whose addresses a recording knows: those that call paths hold at its
 * end. It is the proof of `record --prove`; refs.h does the same for a random sample of a cache.
 */
#ifndef KMEMTRACE_TRACE_REFS_PROVE_H
#define KMEMTRACE_TRACE_REFS_PROVE_H

#include "trace/kinds_tracked.h"
#include "trace/plan.h"
#include "trace/refs_options.h"
#include "data/refs.h"

#define PROVE_PATHS_MOST    20
#define PROVE_OBJECTS_LEAST 10    /* of a path: fewer tell nothing (model/refs.c) */
#define PROVE_PATH_BYTES    65536 /* the verdict of a report leaves smaller paths out */

/* Objects to look for. */
struct prove_objects {
	struct tracked_objects paths;  /* of the paths that are asked about: at most that many */
	struct tracked_objects others; /* of other paths in the same caches: the control */
};

/*
 * Draw objects of the paths that hold most in slab caches that the kernel cannot reclaim. See
 * tracked_objects_draw() for when. Returns 0 or −ENOMEM; on failure *out is unchanged.
 */
int prove_objects_draw(const struct tracer_tables *t, const struct audit *a,
		       struct prove_objects *out);
void prove_objects_free(struct prove_objects *p);

/*
 * Look for what points to them; options->cache and objects do not matter. The result for path i of
 * objects->paths is out[i]; free each. The tables of the recording have all these addresses in
 * them, but a process can map the tables, so they are not read. Returns 0; or −errno with nothing
 * to free, and refs_failure() says in words what that means.
 */
int refs_prove(const struct plan *plan, const struct refs_options *options,
	       const struct prove_objects *objects, struct refs *out);

#endif
