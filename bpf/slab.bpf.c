// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slab objects: kmem:kmalloc, kmem_cache_alloc, kfree and kmem_cache_free. Objects are paired by address,
 * whichever function freed them: kfree() frees objects of kmem_cache_alloc() and the reverse.
 */
#include "caches.bpf.h"
#include "track.bpf.h"

#define ZERO_SIZE_PTR 16 /* kmalloc(0) */

/* Track the object at `addr` in the cache of row `cache`. */
static __always_inline void slab_track(struct bpf_raw_tracepoint_args *ctx, struct kmt_cpu *cpu, __u32 cpu_id,
				       struct unwind_scratch *s, __u32 scratch_row, __u32 cache, __u64 size,
				       __u64 mean)
{
	s->site = ctx->args[0];
	s->addr = ctx->args[1];
	s->object = (struct kmt_object){.size = size, .period = mean, .cache = cache, .pool = KMT_SLAB};
	track_alloc(ctx, cpu, cpu_id, s, scratch_row);
}

/* An allocation that may be taken, its cache in argument 2: NULL for large kmalloc, which has a size instead. */
GLOBAL int slab_cache_taken(struct bpf_raw_tracepoint_args *ctx, __u32 cpu_id, __u64 size)
{
	struct kmt_cpu *cpu = cpu_of(cpu_id);
	struct kmt_cache_key *cache;
	struct unwind_scratch *s;
	__u32 row, at;
	__u64 mean;

	if (!cpu)
		return loss_shared(KMT_LOSS_NO_CPU);
	if (!sample_weigh(cpu, cpu_id, KMT_SLAB, &mean) || !gate || !narrow_wants(size) ||
	    ctx->args[1] <= ZERO_SIZE_PTR)
		return 0;
	cache = cache_find(cpu, ctx->args[2] ?: KMT_CACHE_LARGE, &at);
	if (!cache || (cfg_focus && !(cache->state & KMT_CACHE_WANTED)))
		return 0;
	s = track_enter(cpu, cpu_id, &row);
	if (!s)
		return 0;
	slab_track(ctx, cpu, cpu_id, s, row, at, cache->size ?: size, mean);
	track_leave(cpu);
	return 0;
}

/*
 * The row of the cache that holds an object whose event names none; large kmalloc lies in none and has a row
 * of its own, row 0 is for what cannot be told.
 */
static __always_inline struct kmt_cache_key *slab_cache_of(struct kmt_cpu *cpu, struct unwind_scratch *s,
							   __u64 addr, __u64 size, __u32 *row)
{
	__u64 ptr = 0;

	if (bpf_get_kmem_cache) {
		ptr = scratch_number(s, bpf_get_kmem_cache(addr));
	} else if (page_base) {
		ptr = compat_page_cache(page_of(addr));
	} else if (size <= cfg_page_size * 2) { /* KMALLOC_MAX_CACHE_SIZE of SLUB */
		cpu->losses[KMT_LOSS_UNKNOWN_CACHE]++;
		*row = 0;
		return bpf_map_lookup_elem(&cache_keys, row);
	}
	return cache_find(cpu, ptr ?: KMT_CACHE_LARGE, row);
}

/* The same where the event names no cache: its arguments 2 and 3 are bytes asked for and taken. */
GLOBAL int slab_sized_taken(struct bpf_raw_tracepoint_args *ctx, __u32 cpu_id)
{
	struct kmt_cpu *cpu = cpu_of(cpu_id);
	struct kmt_cache_key *cache;
	struct unwind_scratch *s;
	__u32 row, at;
	__u64 mean;

	if (!cpu)
		return loss_shared(KMT_LOSS_NO_CPU);
	if (!sample_weigh(cpu, cpu_id, KMT_SLAB, &mean) || !gate || !narrow_wants(ctx->args[3]) ||
	    ctx->args[1] <= ZERO_SIZE_PTR)
		return 0;
	s = track_enter(cpu, cpu_id, &row);
	if (!s)
		return 0;
	cache = slab_cache_of(cpu, s, ctx->args[1], ctx->args[3], &at);
	if (cache && (!cfg_focus || (cache->state & KMT_CACHE_WANTED)))
		slab_track(ctx, cpu, cpu_id, s, row, at, ctx->args[3], mean);
	track_leave(cpu);
	return 0;
}

/* An allocation from a cache whose size takes a helper call to find out. */
GLOBAL int slab_cache_unsized(struct bpf_raw_tracepoint_args *ctx)
{
	struct kmt_cache_key *cache;
	struct kmt_cpu *cpu;
	__u64 size = 0;
	__u32 cpu_id, row;

	cpu = cpu_row(&cpu_id);
	if (cpu && (!cfg_exact || cfg_narrow)) {
		cache = cache_find(cpu, ctx->args[2], &row);
		size = cache ? cache->size : 0;
	}
	if (sample_falls(KMT_SLAB, size, &cpu_id))
		slab_cache_taken(ctx, cpu_id, size);
	return 0;
}

/*
 * The programs proper: what happens to an allocation that is not sampled, and to the free of an object that
 * is not tracked, and nothing else. The rest is behind calls, so that not even registers are saved for it.
 */
static __always_inline int slab_from_cache_sized(struct bpf_raw_tracepoint_args *ctx, __u64 size)
{
	__u32 cpu_id;

	if (sample_falls(KMT_SLAB, size, &cpu_id))
		slab_cache_taken(ctx, cpu_id, size);
	return 0;
}

static __always_inline int slab_from_cache(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 size = compat_cache_size(ctx->args[2]);

	return size ? slab_from_cache_sized(ctx, size) : slab_cache_unsized(ctx);
}

/* kmalloc() from a cache that the event does not name. */
static __always_inline int slab_from_size(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 cpu_id;

	if (sample_falls(KMT_SLAB, ctx->args[3], &cpu_id))
		slab_sized_taken(ctx, cpu_id);
	return 0;
}

/*
 * One program for each shape of an event; the plan takes those that fit. The arguments:
 *           kmem_cache_alloc                      kmalloc
 * to 5.18   (site, ptr, asked, taken, gfp)        the same
 * 5.19      (site, ptr, cache, asked, taken, gfp) the same; b347aa7b5747
 * from 6.1  (site, ptr, cache, gfp, node)         (site, ptr, asked, taken, gfp, node); 11e9734bcb6a
 * Up to 6.0 both have a twin, NAME_node, with the node as one argument more.
 */
PROGRAM(slab_kmem_cache_alloc, "kmem_cache_alloc", slab_from_cache(ctx))
PROGRAM(slab_kmem_cache_alloc_old, "kmem_cache_alloc", slab_from_size(ctx))
PROGRAM(slab_kmem_cache_alloc_node, "kmem_cache_alloc_node", slab_from_cache(ctx))
PROGRAM(slab_kmem_cache_alloc_node_old, "kmem_cache_alloc_node", slab_from_size(ctx))
PROGRAM(slab_kmalloc_event, "kmalloc", slab_from_size(ctx))
PROGRAM(slab_kmalloc_cache, "kmalloc", slab_from_cache_sized(ctx, ctx->args[4]))
PROGRAM(slab_kmalloc_node, "kmalloc_node", slab_from_size(ctx))
PROGRAM(slab_kmalloc_node_cache, "kmalloc_node", slab_from_cache_sized(ctx, ctx->args[4]))

/* Half of all calls of kfree() free NULL. */
static __always_inline void slab_freed(__u64 addr)
{
	if (addr > ZERO_SIZE_PTR)
		track_free(KMT_SLAB, addr);
}

PROGRAM(slab_kmem_cache_free, "kmem_cache_free", track_free(KMT_SLAB, ctx->args[1]))
PROGRAM(slab_kfree, "kfree", slab_freed(ctx->args[1]))

#define BULK_MAX 512 /* objects of one call; what goes beyond is found by the audit */

/* Objects freed together, by the array of their addresses. */
GLOBAL int slab_freed_together(__u64 array, __u32 nr)
{
	for (__u32 i = 0; i < BULK_MAX; i++) {
		if (i >= nr)
			break;
		slab_freed(compat_read_word(array + i * 8));
	}
	return 0;
}

/* (name of the RCU flavour, how many, the array): with CONFIG_RCU_TRACE alone */
PROGRAM(slab_rcu_kfree_bulk, "rcu_invoke_kfree_bulk_callback", slab_freed_together(ctx->args[2], ctx->args[1]))

/* (the cache or NULL, how many, the array): a pointer to pointers is not to be had from ctx itself */
SEC("?fentry/kmem_cache_free_bulk")
int slab_free_bulk(void *ctx)
{
	__u64 nr = 0, array = 0;

	bpf_get_func_arg(ctx, 1, &nr);
	bpf_get_func_arg(ctx, 2, &array);
	slab_freed_together(array, nr);
	return 0;
}
