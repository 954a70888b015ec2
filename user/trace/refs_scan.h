/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One scan of the kernel's memory for pointers to some objects. What is found is checked at once: a
 * word in a free object, or in a sheaf, is no reference.
 */
#ifndef KMEMTRACE_TRACE_REFS_SCAN_H
#define KMEMTRACE_TRACE_REFS_SCAN_H

#include "data/refs.h"
#include "trace/refs_objects.h"

/* What was found of one object. */
struct refs_outcome {
	uint32_t strong; /* words that point to it */
	uint32_t own;    /* of these, in objects of its own cache */
	uint32_t weak;   /* words that point to a page of its slab */
	bool more;       /* more words point to it, of which nothing is known */
};

/* Add that one thread saw so many words; of each kind, it kept KMT_REFS_KEPT at most. */
void refs_outcome_seen(struct refs_outcome *o, uint32_t strong, uint32_t weak);

/* A word that points to an object. */
struct refs_place {
	uint32_t object; /* its number */
	enum census_class class;
	const struct refs_cache *cache; /* of the object that the word is in; NULL: in no slab */
	uint32_t offset;                /* of the word in that object, or REFS_NO_OFFSET */
	uint64_t at;                    /* place of the word */
};
#define REFS_NO_OFFSET UINT32_MAX

struct refs_places {
	ARRAY_OF(struct refs_place);
};

void refs_places_sort(struct refs_places *p); /* by object */

/* What a scan answers, besides the outcome of each object. */
struct refs_scanned {
	struct refs_places places; /* by object */
	struct refs_scan scan;
};

/*
 * Scan within a share of the budget, for at most KMT_REFS_TARGETS − 1 objects. `outcomes` has room
 * for one of each. The caller frees out->places, also on failure. Returns 0 or −errno.
 */
struct refs_scan_how {
	double budget_share;
	bool pages; /* look for pointers to the pages of the objects, too */
};
int refs_scan_memory(struct refs_slabs *s, struct refs_run *run, const struct refs_objects *o,
		     const struct refs_scan_how *how, struct refs_outcome *outcomes,
		     struct refs_scanned *out);

#endif
