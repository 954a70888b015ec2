/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Adds up the words that point to objects: by cache and field, by kernel stack, or by class of
 * page. Pure.
 */
#ifndef KMEMTRACE_TRACE_REFS_REFERRERS_H
#define KMEMTRACE_TRACE_REFS_REFERRERS_H

#include "trace/refs_names.h"
#include "trace/refs_roots.h"
#include "trace/refs_scan.h"
#include "trace/refs_types.h"

/*
 * Fill out->referrers and out->referenced from the places that point to objects for which `counts`
 * is set (one for each of `nr` objects). `own` is the cache of the sample. Returns 0 or −ENOMEM.
 */
struct refs_counted {
	const bool *counts;
	size_t nr;
	const struct refs_cache *own;
	const struct refs_roots *roots; /* to name kernel stacks; NULL: none are known */
	const struct refs_names
		*names; /* … and other words outside of slabs; NULL: none are known */
	uint32_t page_shift;
};
int refs_referrers_build(const struct refs_places *places, const struct refs_counted *objects,
			 const struct refs_types *types, struct refs *out);

#endif
