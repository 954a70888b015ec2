// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slab objects: kmem:kmalloc, kmem_cache_alloc, kfree and kmem_cache_free. Objects are paired by address,
 * whichever function freed them: kfree() frees objects of kmem_cache_alloc() and the reverse.
 */
#include "caches.bpf.h"
#include "track.bpf.h"

char LICENSE[] SEC("license") WEAK = "GPL";

#define ZERO_SIZE_PTR 16 /* kmalloc(0) */

static __always_inline int slab_alloc(struct bpf_raw_tracepoint_args *ctx, __u64 site, __u64 addr,
				      __u64 cache_ptr)
{
	struct kmt_cache_key *cache;
	struct unwind_scratch *s;
	struct kmt_cpu *cpu;
	__u32 cpu_id, row, at;
	__u64 mean, size;

	if (!gate || addr <= ZERO_SIZE_PTR)
		return 0;
	cpu = cpu_row(&cpu_id);
	if (!cpu)
		return 0;
	cache = cache_find(cpu, cache_ptr, &at);
	if (!cache)
		return 0;
	size = cache->size;
	if (cfg_focus && !(cache->state & KMT_CACHE_WANTED))
		return 0;
	if (size < cfg_min_size || !sample_take(cpu, cpu_id, KMT_SLAB, size, &mean))
		return 0;
	s = track_enter(cpu, cpu_id, &row);
	if (!s)
		return 0;
	s->site = site;
	s->addr = addr;
	s->object = (struct kmt_object){.size = size, .period = mean, .cache = at, .pool = KMT_SLAB};
	track_alloc(ctx, cpu, cpu_id, s, row);
	track_leave(cpu);
	return 0;
}

/* The row of the cache that holds the kmalloc'ed object; large ones lie in none and share a row. */
static __always_inline struct kmt_cache_key *slab_cache_of(struct kmt_cpu *cpu, struct unwind_scratch *s,
							   __u64 addr, __u32 *row)
{
	__u64 ptr = 0;

	if (bpf_get_kmem_cache)
		ptr = scratch_number(s, bpf_get_kmem_cache(addr));
	return cache_find(cpu, ptr ?: KMT_CACHE_LARGE, row);
}

static __always_inline int slab_kmalloc(struct bpf_raw_tracepoint_args *ctx, __u64 site, __u64 addr,
					__u64 size)
{
	struct kmt_cache_key *cache;
	struct unwind_scratch *s;
	struct kmt_cpu *cpu;
	__u32 cpu_id, row, at;
	__u64 mean = 0;

	if (!gate || addr <= ZERO_SIZE_PTR || size < cfg_min_size)
		return 0;
	cpu = cpu_row(&cpu_id);
	if (!cpu || (!cfg_focus && !sample_take(cpu, cpu_id, KMT_SLAB, size, &mean)))
		return 0;
	s = track_enter(cpu, cpu_id, &row);
	if (!s)
		return 0;
	cache = slab_cache_of(cpu, s, addr, &at);
	if (cache && (!cfg_focus || ((cache->state & KMT_CACHE_WANTED) &&
				     sample_take(cpu, cpu_id, KMT_SLAB, size, &mean)))) {
		s->site = site;
		s->addr = addr;
		s->object = (struct kmt_object){.size = size, .period = mean, .cache = at, .pool = KMT_SLAB};
		track_alloc(ctx, cpu, cpu_id, s, row);
	}
	track_leave(cpu);
	return 0;
}

static __always_inline int slab_free(__u64 addr)
{
	if (!gate || addr <= ZERO_SIZE_PTR)
		return 0;
	return track_free(KMT_SLAB, addr);
}

SEC("?raw_tp/kmem_cache_alloc")
int slab_kmem_cache_alloc(struct bpf_raw_tracepoint_args *ctx)
{
	return slab_alloc(ctx, ctx->args[0], ctx->args[1], ctx->args[2]);
}

SEC("?raw_tp/kmalloc")
int slab_kmalloc_event(struct bpf_raw_tracepoint_args *ctx)
{
	return slab_kmalloc(ctx, ctx->args[0], ctx->args[1], ctx->args[3]);
}

SEC("?raw_tp/kmem_cache_free")
int slab_kmem_cache_free(struct bpf_raw_tracepoint_args *ctx)
{
	return slab_free(ctx->args[1]);
}

SEC("?raw_tp/kfree")
int slab_kfree(struct bpf_raw_tracepoint_args *ctx)
{
	return slab_free(ctx->args[1]);
}
