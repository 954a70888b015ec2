/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The live objects of one checkpoint, added up by pool, cache, stack and process. The collector
 * (collector.c) turns the groups into rows of the capture. The recorder's memory grows with the
 * number of groups, so it must never exceed a limit.
 */
#ifndef KMEMTRACE_RECORD_GROUPS_H
#define KMEMTRACE_RECORD_GROUPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "capture/capture.h"
#include "kmemtrace.h"

struct group_key {
	uint32_t stack, process;
	uint16_t cache;
	uint16_t pool;
};

struct live_group {
	struct group_key key;
	struct cap_held held;
	uint64_t nr, bytes; /* in 1/KMT_ONE, weighted like traffic */
	UT_hash_handle hh;
};

struct live_groups {
	struct live_group *by_key;
	uint32_t nr, most; /* groups, and their limit; beyond it, only one more per cache */
	uint64_t merged; /* objects not in a group of their own process and stack; the caller counts
			    them */
};

/*
 * The group of an object, created if it is new; NULL if memory runs out. Once three quarters of the
 * groups exist, new ones get no process (0); once all exist, no stack either (0). Sums by cache
 * stay complete.
 */
struct live_group *groups_get(struct live_groups *groups, const struct kmt_object *o);
/* The group of this key; NULL: none. */
struct live_group *groups_find(const struct live_groups *groups, const struct group_key *key);
/* Does the group match the object, down to process and stack? */
bool group_is_of(const struct live_group *g, const struct kmt_object *o);
void groups_free(struct live_groups *groups);

#endif
