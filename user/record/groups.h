/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The live objects of one interval, added up by pool, cache, path and process: what the collector
 * (collector.c) makes the rows of a capture of. The recorder's own memory grows with their number,
 * so that has a limit.
 */
#ifndef KMEMTRACE_RECORD_GROUPS_H
#define KMEMTRACE_RECORD_GROUPS_H

#include <stdbool.h>
#include <stdint.h>

#include <uthash.h>

#include "capture/capture.h"
#include "kmemtrace.h"

struct group_key {
	uint32_t stack, process;
	uint16_t cache;
	uint16_t pool;
};

struct held_group {
	struct group_key key;
	struct cap_held held;
	uint64_t nr, bytes; /* in 1/KMT_ONE, by the weights that traffic is counted with */
	UT_hash_handle hh;
};

struct held_groups {
	struct held_group *by_key;
	uint32_t nr, most; /* how many there are, and may be; beyond, one more for each cache */
	uint64_t merged;   /* objects that are not in a group of their own process and path; the
			      caller counts */
};

/*
 * The group that an object counts to, made where it is new; NULL without memory. Where three
 * quarters of the groups are taken, new ones have no process (0), where all are, no path either
 * (0): sums by cache stay whole.
 */
struct held_group *groups_get(struct held_groups *groups, const struct kmt_object *o);
/* The group that objects of this key count to, NULL when there is none. */
struct held_group *groups_find(const struct held_groups *groups, const struct group_key *key);
/* Is it the object's own, down to process and path? */
bool group_is_of(const struct held_group *g, const struct kmt_object *o);
void groups_free(struct held_groups *groups);

#endif
