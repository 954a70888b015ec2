/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pools that allocations are attributed to, and their names. All rooms of user/ use this enum;
 * none may define another one.
 *
 * CONTRIBUTING.md, "A pool", lists the steps of adding one; bpf/kmemtrace.h has the other half.
 */
#ifndef KMEMTRACE_DATA_POOL_H
#define KMEMTRACE_DATA_POOL_H

/*
 * All but POOL_PAGETABLE have the values of enum kmt_pool in the BPF programs (trace/tracer.h
 * checks this). The tracer sees page tables as pages; their call paths tell them apart.
 */
enum pool { POOL_SLAB, POOL_VMALLOC, POOL_PERCPU, POOL_KSTACK, POOL_PAGE, POOL_PAGETABLE, POOLS };

/* The pool whose events show the allocations of `pool`. */
static inline enum pool pool_traced_as(enum pool pool)
{
	return pool == POOL_PAGETABLE ? POOL_PAGE : pool;
}

/* "slab", "vmalloc", "percpu", "kstack", "pagetable", "page": names in JSON and in captures. */
const char *pool_name(enum pool pool);
/* 0 and *out, or −EINVAL. */
int pool_parse(const char *name, enum pool *out);

/* The names by which people know the pools: lines of /proc/meminfo, and Unaccounted. */
#define POOL_LABELS 7
struct pool_label {
	const char *name;
	enum pool pool; /* whose allocations it counts */
};
extern const struct pool_label pool_labels[POOL_LABELS];

/* The same for what people type: also "KernelStack" and the other lines of /proc/meminfo. */
int pool_parse_any(const char *name, enum pool *out);

#endif
