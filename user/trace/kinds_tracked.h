/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Draws objects that a recording tracks, so that the census at its end can tell of what kind the
 * objects of each call path are (kinds.c), and a proof what points to them (refs_prove.h). Only
 * objects that the last audit found live are drawn, of the paths that hold most first. It reads the
 * tables only; addresses stay in this process, and only until the recording ends.
 */
#ifndef KMEMTRACE_TRACE_KINDS_TRACKED_H
#define KMEMTRACE_TRACE_KINDS_TRACKED_H

#include <stdint.h>

#include "base/array.h"
#include "trace/audit.h"

/* An object that was drawn. */
struct tracked_object {
	uint64_t cache, address;
	uint32_t path; /* index */
};

/* What a call path holds in a cache. */
struct tracked_path {
	uint64_t cache;
	uint32_t stack;   /* row of the table of stacks; later, id in the capture, 0 if unknown */
	uint32_t tracked; /* objects in the live table */
	double objects;   /* these, each weighted: what they stand for */
	double bytes;     /* the same in bytes */
};

struct tracked_objects {
	ARRAY_OF(struct tracked_object); /* by cache, then by address */
	struct {
		ARRAY_OF(struct tracked_path);
	} paths;
};

struct tracked_wish {
	uint32_t objects; /* at most */
	uint32_t of_path; /* enough of one path */
	/* is the object of a path that is asked about? NULL: all are */
	bool (*fits)(const void *arg, const struct tracer_tables *t, const struct kmt_object *o);
	const void *arg;
};

/* What the census wants: some objects of each path. */
extern const struct tracked_wish tracked_for_kinds;

/*
 * Draw after the last audit, and after the pools were disabled. Returns 0 or −ENOMEM; on failure
 * *out is unchanged.
 */
int tracked_objects_draw(const struct tracer_tables *t, const struct audit *a,
			 const struct tracked_wish *wish, struct tracked_objects *out);
void tracked_objects_free(struct tracked_objects *t);

#endif
