/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Looks twice for pointers to objects: the steps that refs.c and refs_prove.c share. They choose
 * the objects, in parts: those of a part are counted together. An object counts only if it was live
 * before, between and after the two scans. Nothing points to it only if neither scan found a
 * pointer, and if its contents stayed the same: what changes is in use.
 */
#ifndef KMEMTRACE_TRACE_REFS_LOOK_H
#define KMEMTRACE_TRACE_REFS_LOOK_H

#include "data/refs.h"
#include "trace/plan.h"
#include "trace/refs_closure.h"
#include "trace/refs_count.h"
#include "trace/refs_holders.h"
#include "trace/refs_names.h"
#include "trace/refs_objects.h"
#include "trace/refs_options.h"
#include "trace/refs_roots.h"

#define REFS_CONTROL_WANTED 385

struct refs_looking {
	struct refs_run *run;
	struct refs_slabs *slabs;
	struct refs_objects sample, control; /* what is asked about, and other objects */
	struct refs_parts parts;             /* of both, by refs_object.part */
	struct refs_objects both; /* what a scan looks for: the sample, then the control */
	struct refs_outcome *first, *second; /* of the sample; of both */
	bool *held;                          /* of both: something may hold it */
	struct refs_scanned scanned[REFS_SCANS];
	struct refs_types types;
	struct refs_belongs_table belongs;
	struct slab_aliases *aliases; /* NULL: not known */
	struct refs_roots roots;
	struct refs_follower *follower; /* NULL: this kernel allows none, so no holders are known */
	struct refs_claims claims;
	struct refs_closure closure; /* of the wanted cache, if all.closed */
	struct refs_names names;     /* of words outside of slab caches */
	uint64_t began_ns;
	struct refs all; /* what is true of all parts; its holders are rows of the claims */
};

/* Load all that is needed. Returns 0 or −errno; call refs_looking_end() in any case. */
int refs_looking_begin(struct refs_looking *l, const struct plan *plan,
		       const struct refs_options *options);
void refs_looking_end(struct refs_looking *l);

/* A new part. Returns its number, or −ENOMEM. */
int refs_part_add(struct refs_looking *l, const struct refs_cache *cache, enum refs_control as);
/* Add objects of other caches to the control, each cache as a part. Returns 0 or −errno. */
int refs_control_others(struct refs_looking *l);

/* The first scan of the sample, and the time until the second. */
int refs_look_first(struct refs_looking *l);
/* The second scan, of sample and control; holders; and the last check. */
int refs_look_second(struct refs_looking *l, uint32_t levels);

/* What was found of one part of the sample. The caller frees *out, also on failure. */
int refs_look_sum(struct refs_looking *l, uint32_t part, struct refs *out);

#endif
