/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads what the kernel keeps in debugfs about allocations by call path: page_owner
 * (Documentation/mm/page_owner.rst, mm/page_owner.c) and alloc_traces of slab caches (mm/slub.c).
 * These files may be huge and hold names that processes chose, so they are added up by call path as
 * they stream by, within bounds of time and memory.
 */
#ifndef KMEMTRACE_PROC_ALLOC_PATHS_H
#define KMEMTRACE_PROC_ALLOC_PATHS_H

#include <stddef.h>
#include <stdint.h>

#include "data/alloc_records.h"

enum alloc_format {
	ALLOC_FORMAT_PAGES, /* page_owner: a record for each allocation, "Page allocated via …" */
	ALLOC_FORMAT_STACKS, /* page_owner_stacks/show_stacks: one for each call path (6.10) */
	ALLOC_FORMAT_SLAB,   /* slab/CACHE/alloc_traces: one for each call path and task */
};

struct alloc_paths_sum;

/* `unit` is what one page, or one object of the cache, occupies. Returns NULL without memory. */
struct alloc_paths_sum *alloc_paths_new(enum alloc_format format, uint64_t unit);
/*
 * For file_read_pieces(), `arg` is the sum: take whole lines off buf[len]; with `last`, all of it.
 * Returns how many bytes were taken, or −ENOMEM. What is no record is skipped and counted.
 */
ssize_t alloc_paths_take(const char *buf, size_t len, bool last, void *arg);
/*
 * Append the `most` call paths with most memory to `out`, and add their sums to `about`. Returns 0
 * or −ENOMEM; then both are unchanged.
 */
int alloc_paths_end(struct alloc_paths_sum *sum, const struct alloc_path *like, size_t most,
		    struct alloc_paths *out, struct alloc_source *about);
void alloc_paths_sum_free(struct alloc_paths_sum *sum); /* NULL is fine */

#endif
