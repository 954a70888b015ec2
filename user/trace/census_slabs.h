/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Adds up what a census found about slab caches, and about the cgroups that memory is charged to.
 * The kernel side sends records with addresses of caches and owners; here each address is asked for
 * its name once, and only names are kept. Apart from BPF, so that tests can make records.
 */
#ifndef KMEMTRACE_TRACE_CENSUS_SLABS_H
#define KMEMTRACE_TRACE_CENSUS_SLABS_H

#include "data/census.h"
#include "kmemtrace.h"
#include "trace/census_sample.h"

/* Ask the kernel what is at an address. The answers are valid until the next call. NULL if it
 * cannot be read. */
struct census_asking {
	const struct kmt_census_cache *(*cache)(void *arg, uint64_t cache);
	const struct kmt_census_owner *(*owner)(void *arg, uint64_t owner);
	const char *(*pool)(void *arg, uint64_t pool); /* the device of a page pool */
	void *arg;
};

/* The path of an owner's cgroup; "…" and its end if it is longer. */
void census_owner_path(const struct kmt_census_owner *o, char path[256]);

struct census_slabs;

/* NULL if memory is short. */
struct census_slabs *census_slabs_new(const struct census_asking *asking, uint32_t page_bytes);
void census_slabs_free(struct census_slabs *s);
/* Forget all records, but not the names. */
void census_slabs_forget(struct census_slabs *s);

/* Add the records of a run. Returns 0 or −ENOMEM. */
int census_slabs_add(struct census_slabs *s, const struct kmt_census_record *records, size_t nr,
		     const struct census_run *run);

/* What is at the address of a cache; NULL if that is not known. */
const struct kmt_census_cache *census_slabs_cache(struct census_slabs *s, uint64_t address);
/* *cgroup: index of the cgroup at this address, or CENSUS_NO_CGROUP. Returns 0 or −ENOMEM. */
int census_slabs_cgroup(struct census_slabs *s, uint64_t address, uint32_t *cgroup);

/* The same of one that was asked for before; CENSUS_NO_CGROUP if it was not. Also works after
 * census_slabs_finish(). */
uint32_t census_slabs_cgroup_known(const struct census_slabs *s, uint64_t address);

/*
 * Write caches, cgroups, charges, nodes and page pools of `out`, the largest caches first.
 * *addresses, if not NULL, becomes the address of each cache, to be freed by the caller. Returns 0
 * or −ENOMEM; on failure, `out` may have some of them.
 */
int census_slabs_finish(struct census_slabs *s, struct census *out, uint64_t **addresses);

#endif
