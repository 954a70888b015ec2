/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds who holds the objects of a sample: from what points to them, or from what they belong to,
 * on to what processes have (refs_roots.h), to super blocks and namespaces. An object for which
 * this leads nowhere has no holder: it is better to say nothing than something wrong. Memory is
 * read through functions of the caller, so that tests need no kernel.
 */
#ifndef KMEMTRACE_TRACE_REFS_HOLDERS_H
#define KMEMTRACE_TRACE_REFS_HOLDERS_H

#include "proc/slab_alias.h"
#include "trace/refs_belongs.h"
#include "trace/refs_closure.h"
#include "trace/refs_roots.h"
#include "trace/refs_scan.h"

struct refs_holding {
	const struct refs_types *types;
	struct refs_belongs_table *belongs;
	const struct slab_aliases *aliases; /* names of merged caches; may be NULL */
	const struct refs_roots *roots;
	const struct refs_closure
		*closure; /* how objects of the cache lead to each other, or NULL */
	/* the place that the word at `place` points to; KMT_ROOT_NOWHERE: none */
	uint64_t (*follow)(void *arg, uint64_t place);
	bool (*name)(void *arg, enum refs_holder_kind kind, uint64_t place, char *name,
		     size_t size);
	void *arg; /* of both */
	/*
	 * Look for what points to other objects: one more level. *out is by object. 0, −ETIME: no
	 * time, or −errno.
	 */
	int (*scan)(void *arg, const struct refs_objects *objects, struct refs_places *out);
	void *scan_arg;
	uint32_t levels; /* scans, at most */
};

/* An object of the sample has a holder: a row of out->holders. */
struct refs_claim {
	uint32_t object, row;
};

struct refs_claims {
	ARRAY_OF(struct refs_claim);
};

/*
 * Find holders of all objects of the sample. `places`: what points to them, by object. Adds rows to
 * out->holders, and fills in out->levels. Returns 0 or −errno.
 */
int refs_holders_find(const struct refs_holding *how, const struct refs_objects *sample,
		      const struct refs_places *places, struct refs_claims *claims,
		      struct refs *out);

/* Count the objects of each holder, of those for which `counts` is set, and drop the others. */
void refs_holders_count(struct refs_claims *claims, const bool *counts, struct refs *out);

#endif
