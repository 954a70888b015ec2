/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every difference between kernels, one accessor each, the version or commit beside it. The rest of bpf/
 * must not know that there is more than one kernel.
 */
#ifndef KMEMTRACE_COMPAT_BPF_H
#define KMEMTRACE_COMPAT_BPF_H

/* 6.13, a992d7a39732: the cache of a slab object, NULL for anything else. */
extern struct kmem_cache *bpf_get_kmem_cache(__u64 addr) __ksym __weak;
/* 6.2, fd264ca02094: look at any address through a kernel type; loads are checked for faults, not called. */
extern void *bpf_rdonly_cast(void *obj, __u32 btf_id) __ksym __weak;

/* The word at a kernel address, 0 when it cannot be read. */
static __always_inline __u64 compat_read_word(__u64 addr)
{
	__u64 word = 0;

	if (bpf_rdonly_cast) {
		struct timespec64 *t = bpf_rdonly_cast((void *)addr, bpf_core_type_id_kernel(struct timespec64));

		return t->tv_sec;
	}
	bpf_probe_read_kernel(&word, sizeof(word), (void *)addr);
	return word;
}

/* Bytes an object of the cache takes; 0 where it cannot be read without a helper call. */
static __always_inline __u32 compat_cache_size(__u64 cache)
{
	if (bpf_rdonly_cast) {
		struct kmem_cache *s =
			bpf_rdonly_cast((void *)cache, bpf_core_type_id_kernel(struct kmem_cache));

		return s->size;
	}
	return 0;
}

/* SLAB_RECLAIM_ACCOUNT: an enumerator from 6.9 (cc61eb851459), 0x00020000 before. */
enum _slab_flag_bits___new {
	_SLAB_RECLAIM_ACCOUNT___new,
};

static __always_inline bool compat_cache_reclaimable(__u32 flags)
{
	if (bpf_core_enum_value_exists(enum _slab_flag_bits___new, _SLAB_RECLAIM_ACCOUNT___new))
		return flags >> bpf_core_enum_value(enum _slab_flag_bits___new,
						    _SLAB_RECLAIM_ACCOUNT___new) & 1;
	return flags & 0x00020000;
}

#endif
