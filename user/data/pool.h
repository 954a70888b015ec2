/* SPDX-License-Identifier: GPL-2.0-only */
/* The pools that allocations are attributed to, and their names. */
#ifndef KMEMTRACE_DATA_POOL_H
#define KMEMTRACE_DATA_POOL_H

enum pool { POOL_SLAB, POOL_VMALLOC, POOL_PERCPU, POOL_KSTACK, POOL_PAGETABLE, POOL_PAGE, POOLS };

/* "slab", "vmalloc", "percpu", "kstack", "pagetable", "page": the contract's names. */
const char *pool_name(enum pool pool);
/* 0 and *out, or −EINVAL. */
int pool_parse(const char *name, enum pool *out);

#endif
