/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Decides which page frames a scan for references reads, and in which order. Apart from BPF, so
 * that tests can lay out memory that does not exist.
 */
#ifndef KMEMTRACE_TRACE_REFS_MEMORY_H
#define KMEMTRACE_TRACE_REFS_MEMORY_H

#include <stdint.h>

#include "proc/iomem.h"
#include "trace/census_sample.h"

#define REFS_CHUNK 2048 /* page frames in a chunk, at most; chunks begin at multiples of it */

struct refs_memory {
	ARRAY_OF(struct frame_range); /* chunks, in random order */
	uint64_t frames;              /* in all of them */
	uint64_t end;                 /* the frame after the last */
};

struct refs_memory_input {
	const struct frame_ranges *zones;
	const struct iomem_ranges *ram;
	uint32_t page_shift;
	const uint64_t *own; /* frames of the tool itself, sorted; they are left out */
	size_t nr_own;
	uint64_t seed; /* of the order; not 0 */
};

/*
 * The frames of the zones that are RAM, without the tool's own, in chunks in random order: a scan
 * that is stopped has then read a random sample. Returns 0, −ENODATA if there is none, or −ENOMEM.
 */
int refs_memory_build(const struct refs_memory_input *in, struct refs_memory *out);

#endif
