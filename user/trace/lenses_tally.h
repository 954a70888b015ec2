/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Adds up what the lenses find, block by block, into rows with names and intervals. Apart from BPF,
 * so that tests can make records.
 *
 * Blocks of a cache are looked at in random order. If not all are, the share of a row among the
 * objects that were looked at is multiplied by the objects that the census counted (the ratio
 * estimator; Cochran, Sampling Techniques, 6.4). If the census itself is a sample, the blocks are a
 * simple random sample of all memory.
 */
#ifndef KMEMTRACE_TRACE_LENSES_TALLY_H
#define KMEMTRACE_TRACE_LENSES_TALLY_H

#include "data/lenses.h"
#include "kmemtrace.h"

_Static_assert((int)LENSES + 1 == KMT_LENSES && (int)LENS_MOUNTS + 1 == KMT_LENS_MOUNT &&
		       (int)LENS_SOCKETS + 1 == KMT_LENS_SOCKET,
	       "both sides must number the lenses alike");

/* What is behind an address. */
struct lens_asking {
	/* A super block or a protocol. NULL: it is gone. */
	const struct kmt_lens_name *(*name)(void *arg, uint32_t lens, uint64_t address);
	/* Index of the cgroup of an owner; LENS_NO_CGROUP if it is not known. */
	uint32_t (*cgroup)(void *arg, uint64_t owner);
	/* The name of the device with this number. */
	void (*device)(void *arg, bool block, uint32_t number, char name[24]);
	/* The path of a dentry, as bpf/lenses.bpf.c reads it; NULL: it is gone. */
	const struct kmt_lens_path *(*path)(void *arg, uint64_t dentry, uint64_t super,
					    uint64_t mount);
	void *arg;
};

/* The blocks of a cache. */
struct lens_population {
	uint64_t blocks;  /* in which the census found slabs of the cache */
	double objects;   /* in use in all of these */
	uint32_t bytes;   /* that an object occupies */
	uint64_t units;   /* blocks of all memory, … */
	uint64_t counted; /* … and those that the census counted */
	uint32_t page_bytes;
};

struct lens_tally;

struct lens_tally *lens_tally_new(const struct lens_asking *asking); /* NULL: memory is short */
void lens_tally_free(struct lens_tally *t);

/*
 * One block of the current cache was looked at: `used` objects were in use when the census counted.
 * Its records follow. Return 0 or −ENOMEM.
 */
void lens_tally_block(struct lens_tally *t, double used);
int lens_tally_add(struct lens_tally *t, const struct kmt_lens_record *records, size_t nr);

/* All blocks of the cache that will be looked at were: turn the sums into rows. 0 or −ENOMEM. */
int lens_tally_cache(struct lens_tally *t, const struct lens_population *population);

/* A path in words: "/" for the root, "…" and its end if it is longer. */
void lens_path_words(const struct kmt_lens_path *p, char path[256]);

/* Move the rows to `out`, the largest first, and add what had no room to out->lost. */
void lens_tally_finish(struct lens_tally *t, struct census_lenses *out);

#endif
