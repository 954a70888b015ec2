/* SPDX-License-Identifier: GPL-2.0-only */
/* What makes objects one row: shared by the sums over caches (lenses_tally.c) and over processes
 * (lenses_holders.c). */
#ifndef KMEMTRACE_TRACE_LENSES_TALLY_INTERNAL_H
#define KMEMTRACE_TRACE_LENSES_TALLY_INTERNAL_H

#include "trace/lenses_tally.h"

/* By address, as the kernel side says it. */
struct lens_key {
	uint64_t what, op;
	uint32_t lens, detail, space, cgroup;
};

/* By name, as it is printed. */
struct lens_row_key {
	uint32_t lens, space, cgroup, spare;
	char what[32], device[32], kind[24], state[16], family[12];
};

/* Names instead of addresses. Returns 0 or −ENOMEM. */
int lens_row_key_build(struct lens_tally *t, const struct lens_key *key, const char *text,
		       struct lens_row_key *k);

/* Something that has a path. */
struct lens_place {
	uint64_t dentry, super, mount; /* as the arguments of lens_asking.path() */
	enum lens lens;
};

/*
 * Add a row for its path, of which the caller fills in who has it, and how often. *out is NULL if
 * it is gone. Returns 0 or −ENOMEM.
 */
int lens_path_add(struct lens_tally *t, const struct lens_place *place, struct lens_path **out);

#endif
