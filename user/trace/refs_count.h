/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Decides what an object counts as after both scans, adds up the parts, and chooses what a part is
 * compared with: its control. Pure.
 */
#ifndef KMEMTRACE_TRACE_REFS_COUNT_H
#define KMEMTRACE_TRACE_REFS_COUNT_H

#include "trace/refs_scan.h"

#define REFS_CONTROL_LEAST 30

/* Objects that are counted together. */
struct refs_part {
	const struct refs_cache *cache;
	enum refs_control as; /* REFS_CONTROL_NONE: it is asked about, and control for others */
	struct refs_counts counts;
};

struct refs_parts {
	ARRAY_OF(struct refs_part);
};

/* What is known of an object in the end. */
struct refs_known {
	const struct refs_object *object;
	const struct refs_outcome *first; /* NULL: only the second scan looked for it */
	const struct refs_outcome *second;
	bool dropped; /* only objects of its own cache lead to it, and nothing else to these */
};

/* Count it. Returns whether something may hold it: a leaked dentry still has its super block. */
bool refs_count_object(const struct refs_known *k, struct refs_counts *c);

/* Fill in out->control: objects of the same cache are the better one, if there are enough. */
void refs_control_choose(const struct refs_parts *parts, uint32_t part, struct refs *out);

#endif
