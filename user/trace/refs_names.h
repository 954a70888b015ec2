/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names words outside of slab caches: the static variable that they are in, the per-CPU variable,
 * or the code that made their vmalloc area. Used by refs_look.c; refs_referrers.c asks for the
 * names.
 */
#ifndef KMEMTRACE_TRACE_REFS_NAMES_H
#define KMEMTRACE_TRACE_REFS_NAMES_H

#include "trace/refs_areas.h"
#include "trace/refs_percpu.h"
#include "trace/refs_scan.h"

struct refs_names {
	ARRAY_OF(struct refs_name); /* by place */
};

/* What a word is in. */
struct refs_name {
	uint64_t place;
	char where[REFS_FIELD]; /* "": not known */
};

struct refs_naming {
	struct refs_slabs *slabs;
	const struct refs_follower *follower;
	const struct slab_aliases *aliases;
	const struct refs_roots *roots; /* pages of stacks have a name */
	struct refs_percpu percpu;
	uint64_t direct; /* address of the first page frame in the direct map */
	uint32_t page_shift;
	const char *kallsyms; /* "/proc/kallsyms" */
};

/* Name the places that are in no slab cache. Returns 0 or −errno. */
int refs_names_find(const struct refs_naming *how, const struct refs_places *places,
		    struct refs_names *out);
void refs_names_free(struct refs_names *n);

/* The name of a place; "": not known. */
const char *refs_names_at(const struct refs_names *n, uint64_t place);

#endif
