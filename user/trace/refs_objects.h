/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Chooses live objects of slab caches, and checks whether objects are live. The caches that
 * it meets are kept by address, with their names.
 */
#ifndef KMEMTRACE_TRACE_REFS_OBJECTS_H
#define KMEMTRACE_TRACE_REFS_OBJECTS_H

#include <stdbool.h>
#include <stdint.h>

#include "trace/refs_run.h"

/* A cache that was met. */
struct refs_cache {
	uint64_t address;
	char name[KMT_NAME];
	uint32_t size, object_size;
	bool known;  /* false: there is no cache at this address */
	bool merged; /* objects of other caches are in it, too */
	bool wanted; /* the one that the user named, or one of those asked about */
	/* free objects on CPUs' lists and in sheaves, by place, sorted */
	struct {
		ARRAY_OF(uint64_t);
		bool incomplete; /* they changed while they were read */
		uint32_t round;  /* when they were read */
	} cpu_free;
};

/* An object. */
struct refs_object {
	uint64_t start; /* place */
	uint64_t slab;  /* first page frame of its slab */
	const struct refs_cache *cache;
	uint64_t hash; /* of its contents when it was last found live */
	bool live;     /* in the last check */
	bool sure;     /* the last check could tell */
	bool changed;  /* its contents differ between two checks */
	uint32_t part; /* of struct refs_looking */
};

struct refs_objects {
	ARRAY_OF(struct refs_object);
};

struct refs_slabs;

/* `name` is the cache that the user named; NULL: none. Returns NULL if memory is short. */
struct refs_slabs *refs_slabs_new(struct refs_run *run, const char *name);
void refs_slabs_free(struct refs_slabs *s);

/*
 * Find all slabs, within a quarter of the budget. Returns 0; −ENOENT if there is no cache of that
 * name; −ETIME if none was found in that time; or −errno.
 */
int refs_slabs_find(struct refs_slabs *s);
bool refs_slabs_found_all(const struct refs_slabs *s);
/* Objects in use in the wanted cache; those on CPUs' lists count, too. */
uint64_t refs_slabs_used(const struct refs_slabs *s);
const struct refs_cache *refs_slabs_wanted(const struct refs_slabs *s); /* NULL: not met */

/* The cache at an address is one of those asked about: it is no other. NULL if memory is short. */
struct refs_cache *refs_slabs_want(struct refs_slabs *s, uint64_t address);
/* The cache at an address; NULL if memory is short. */
struct refs_cache *refs_slabs_cache(struct refs_slabs *s, uint64_t address);
/* Is the object at `start` on a CPU's list of its cache? The lists are read once in a round. */
bool refs_slabs_cpu_free(struct refs_slabs *s, struct refs_cache *c, uint64_t start);
/* From now on, read the lists anew. */
void refs_slabs_round(struct refs_slabs *s);

/*
 * Draw about `want` live objects of the wanted cache (or of all others, with `others`), each with
 * the same probability; *all is set if these are all. Returns 0 or −errno.
 */
int refs_objects_draw(struct refs_slabs *s, bool others, size_t want, struct refs_objects *out,
		      bool *all);
/* Drop objects at random until `want` are left, and sort these. */
void refs_objects_thin(struct refs_slabs *s, struct refs_objects *o, size_t want);
/* Add the object at an address. Returns it, valid until the next is added; NULL: memory is short.
 */
struct refs_object *refs_objects_add(struct refs_slabs *s, const struct refs_cache *cache,
				     uint64_t address, struct refs_objects *out);
/* Collect up to `want` places of the wanted cache that are free now, and used next. */
int refs_objects_free_now(struct refs_slabs *s, size_t want, struct refs_objects *out);

/* All live objects of the caches that have one of these names. Returns 0 or −errno. */
int refs_objects_of(struct refs_slabs *s, const char *const *names, size_t nr,
		    struct refs_objects *out);

/* Sort by cache and place, and drop objects that are there twice. */
void refs_objects_sort(struct refs_objects *o);
/*
 * Check them: sets live, sure, hash and changed. It takes least time if they are sorted. Returns 0
 * or −errno.
 */
int refs_objects_check(struct refs_slabs *s, struct refs_objects *o);
/* Keep those that are live for sure. */
void refs_objects_keep_live(struct refs_objects *o);

#endif
