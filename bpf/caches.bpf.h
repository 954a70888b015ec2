/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The cache table: gives each struct kmem_cache a small number (its row) and keeps its size in that
 * row, so that the hot path reads no kernel memory to learn an object's size. Called by slab.bpf.c
 * for each sampled object and by audit.bpf.c to list all caches. It reads a cache's name once, when
 * it makes the row, and never changes a row after that.
 */
#ifndef KMEMTRACE_CACHES_BPF_H
#define KMEMTRACE_CACHES_BPF_H

#include "state.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, KMT_CACHES + KMT_PROBES);
	__type(key, __u32);
	__type(value, struct kmt_cache_key);
} cache_keys SEC(".maps") WEAK;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, KMT_CACHES + KMT_PROBES);
	__type(key, __u32);
	__type(value, struct kmt_cache_info);
} cache_info SEC(".maps") WEAK;

/* Is this one of the caches that --cache names? */
static __always_inline bool cache_wanted(const struct kmt_cache_info *info)
{
	for (__u32 f = 0; f < KMT_FILTER_CACHES; f++) {
		bool same = true;

		if (f >= cfg_filter_caches)
			break;
		for (int i = 0; i < KMT_NAME; i++) {
			if (info->name[i] != cfg_filter_cache_name[f][i]) {
				same = false;
				break;
			}
			if (!info->name[i])
				break;
		}
		if (same)
			return true;
	}
	return false;
}

/* Can the cache at `ptr` be one that --cache names? Compares addresses only and reads no cache. */
static __always_inline bool cache_may_be_wanted(__u64 ptr)
{
	if (!cfg_filter_caches ||
	    !*(volatile __u32 *)&filter_caches_known) /* volatile, or the compiler loads it before
							 it tests cfg_filter_caches */
		return true;
	for (__u32 f = 0; f < KMT_FILTER_CACHES && f < cfg_filter_caches; f++)
		if (filter_cache_at[f] == ptr)
			return true;
	return false;
}

/* Make a row for the cache at `ptr`. Returns the row, or 0 if the table is full. */
GLOBAL int cache_intern(__u64 ptr)
{
	struct kmem_cache *s = (void *)ptr;
	__u32 h = ptr == KMT_CACHE_LARGE ? 1 : hash_row(ptr, 64 - 10);

	for (int i = 0; i < KMT_PROBES; i++) {
		__u32 row = h + i;
		struct kmt_cache_key *k = bpf_map_lookup_elem(&cache_keys, &row);
		struct kmt_cache_info *info = bpf_map_lookup_elem(&cache_info, &row);

		if (!k || !info)
			break;
		if (!row)
			continue;
		if (k->ptr || !compat_swap(&k->ptr, row, 0, ptr)) {
			if (k->ptr == ptr)
				return row;
			continue;
		}
		if (ptr != KMT_CACHE_LARGE) {
			const char *name = BPF_CORE_READ(s, name);

			k->size = BPF_CORE_READ(s, size);
			info->object_size = BPF_CORE_READ(s, object_size);
			info->reclaimable = compat_cache_reclaimable(BPF_CORE_READ(s, flags));
			bpf_probe_read_kernel_str(info->name, sizeof(info->name), name);
		} else {
			__builtin_memcpy(info->name, "kmalloc-large", sizeof("kmalloc-large"));
		}
		k->state = KMT_CACHE_READY | (cache_wanted(info) ? KMT_CACHE_WANTED : 0);
		return row;
	}
	return 0;
}

/* The row of the cache at `ptr`, with its number in *row. It is row 0 if there is no room. */
static __always_inline struct kmt_cache_key *cache_find(struct kmt_cpu *cpu, __u64 ptr, __u32 *row)
{
	__u32 h = ptr == KMT_CACHE_LARGE ? 1 : hash_row(ptr, 64 - 10);

	for (int i = 0; i < KMT_PROBES; i++) {
		struct kmt_cache_key *k;

		*row = h + i;
		k = bpf_map_lookup_elem(&cache_keys, row);
		if (!k || !k->ptr)
			break;
		if (k->ptr == ptr)
			return k;
	}
	*row = cache_intern(ptr);
	if (!*row)
		cpu->losses[KMT_LOSS_CACHE_FULL]++;
	return bpf_map_lookup_elem(&cache_keys, row);
}

#endif
