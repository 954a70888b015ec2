// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slab objects: the events kmem:kmalloc, kmem_cache_alloc, kfree and kmem_cache_free, and functions
 * that allocate or free in bulk. The kernel runs these programs at each event; the loader attaches
 * those that fit the kernel (user/trace/plan.c). A free is paired with its allocation by address,
 * never by function: kfree() also frees objects of kmem_cache_alloc(), and kmem_cache_free() those
 * of kmalloc().
 */
#include "caches.bpf.h"
#include "track.bpf.h"

#define ZERO_SIZE_PTR 16 /* kmalloc(0) */

/* Fill in the allocated object, in the cache of row `cache`, for track_alloc(). */
static __always_inline void slab_object(const struct bpf_raw_tracepoint_args *ctx,
					struct unwind_scratch *s, __u32 stratum, __u32 cache,
					__u64 size, __u32 mean)
{
	s->site = ctx->args[0];
	s->addr = ctx->args[1];
	s->object = (struct kmt_object){
		.size = size, .period = mean, .stratum = stratum, .cache = cache, .pool = KMT_SLAB};
}

/* `what`: see stratum_slab(). */
static __always_inline bool slab_size_hit(__u64 site, __u64 what, __u64 size)
{
	return filter_fits(size) && sample_hit(stratum_slab(site, what), size);
}

/*
 * Handle an allocation whose event names its cache in argument 2: NULL for large kmalloc, which has
 * a size instead. If `size` is 0 and compat_reads() is off, only a helper call can read the cache's
 * size. Then the program did not check whether the allocation is sampled, and this function checks
 * it.
 */
GLOBAL int slab_handle_alloc(struct bpf_raw_tracepoint_args *ctx, __u64 size)
{
	struct kmt_cache_key *cache;
	struct unwind_scratch *s;
	struct kmt_cpu *cpu;
	__u32 row, at, cpu_id, stratum, mean = 0;
	bool taken;

	if (cfg_exact ||
	    compat_reads()) /* it is sampled already; otherwise that is checked below */
		live_prefetch(kmt_key(KMT_SLAB, ctx->args[1]));
	cpu = cpu_row(&cpu_id);
	if (!cpu)
		return loss_shared(KMT_LOSS_NO_CPU);
	stratum = stratum_slab(ctx->args[0], ctx->args[2]);
	if (!size && compat_reads())
		size = compat_cache_size(ctx->args[2]);
	taken = size;
	if (taken && !sample_weigh(cpu_id, stratum, size, &mean))
		return 0;
	cache = cache_find(cpu, ctx->args[2] ?: KMT_CACHE_LARGE, &at);
	if (!cache)
		return 0;
	size = cache->size ?: size;
	if (!taken && (!slab_size_hit(ctx->args[0], ctx->args[2], size) ||
		       !sample_weigh(cpu_id, stratum, size, &mean)))
		return 0;
	if (!pool_enabled(KMT_SLAB) || ctx->args[1] <= ZERO_SIZE_PTR)
		return 0;
	if (cfg_filter_caches && !(cache->state & KMT_CACHE_WANTED))
		return 0;
	if (!filter_wants(size))
		return 0;
	s = track_enter(cpu, cpu_id, &row);
	if (!s)
		return 0;
	slab_object(ctx, s, stratum, at, size, mean);
	track_alloc(ctx, cpu, cpu_id, s, row);
	track_leave(cpu, s);
	return 0;
}

/*
 * The row of the cache that holds an object whose event names no cache. Large kmalloc has a row of
 * its own; row 0 means that the cache is not known.
 */
static __always_inline struct kmt_cache_key *slab_cache_of(struct kmt_cpu *cpu,
							   struct unwind_scratch *s, __u64 addr,
							   __u64 size, __u32 *row)
{
	__u64 ptr = 0;

	if (bpf_get_kmem_cache) {
		ptr = scratch_number(s, bpf_get_kmem_cache(addr));
	} else if (page_base) {
		ptr = compat_page_cache(page_of(addr));
	} else if (size <= cfg_page_size * 2) { /* up to KMALLOC_MAX_CACHE_SIZE of SLUB, it is not a
						   large kmalloc */
		cpu->losses[KMT_LOSS_UNKNOWN_CACHE]++;
		*row = 0;
		return bpf_map_lookup_elem(&cache_keys, row);
	}
	return cache_find(cpu, ptr ?: KMT_CACHE_LARGE, row);
}

/*
 * The same where the event names no cache: its arguments 2 and 3 are the bytes requested and
 * allocated.
 */
GLOBAL int slab_handle_sized(struct bpf_raw_tracepoint_args *ctx)
{
	struct kmt_cache_key *cache;
	struct unwind_scratch *s;
	struct kmt_cpu *cpu;
	__u32 row, at, cpu_id, stratum, mean;

	cpu = cpu_row(&cpu_id);
	if (!cpu)
		return loss_shared(KMT_LOSS_NO_CPU);
	stratum = stratum_slab(ctx->args[0], ctx->args[3] << STRATUM_SIZE);
	if (!sample_weigh(cpu_id, stratum, ctx->args[3], &mean) || !pool_enabled(KMT_SLAB) ||
	    !filter_wants(ctx->args[3]) || ctx->args[1] <= ZERO_SIZE_PTR)
		return 0;
	live_prefetch(kmt_key(KMT_SLAB, ctx->args[1]));
	s = track_enter(cpu, cpu_id, &row);
	if (!s)
		return 0;
	cache = slab_cache_of(cpu, s, ctx->args[1], ctx->args[3], &at);
	if (cache && (!cfg_filter_caches || (cache->state & KMT_CACHE_WANTED))) {
		slab_object(ctx, s, stratum, at, ctx->args[3], mean);
		track_alloc(ctx, cpu, cpu_id, s, row);
	}
	track_leave(cpu, s);
	return 0;
}

/*
 * One program for each form of an event; the plan picks those that fit the kernel. The arguments:
 *            kmem_cache_alloc                           kmalloc
 * to 5.18    (site, ptr, req, alloc, gfp)               the same
 * 5.19, 6.0  (site, ptr, cache, req, alloc, gfp)        the same (b347aa7b5747)
 * from 6.1   (site, ptr, cache, gfp, node)              (site, ptr, req, alloc, gfp, node)
 *                                                       (11e9734bcb6a)
 * Up to 6.0 each event has a twin, NAME_node, with the node as one more argument.
 */
#define SLAB_FROM_CACHE(name, event)                                                     \
	PROGRAM_ALLOC(name, event, cache_may_be_wanted(ctx->args[2]),                    \
		      !compat_reads() || slab_size_hit(ctx->args[0], ctx->args[2],       \
						       compat_cache_size(ctx->args[2])), \
		      slab_handle_alloc(ctx, 0))
#define SLAB_FROM_SIZED_CACHE(name, event)                                                        \
	PROGRAM_ALLOC(name, event, true, slab_size_hit(ctx->args[0], ctx->args[2], ctx->args[4]), \
		      slab_handle_alloc(ctx, ctx->args[4]))
#define SLAB_FROM_SIZE(name, event)                                                            \
	PROGRAM_ALLOC(name, event, true,                                                       \
		      slab_size_hit(ctx->args[0], ctx->args[3] << STRATUM_SIZE, ctx->args[3]), \
		      slab_handle_sized(ctx))

SLAB_FROM_CACHE(slab_kmem_cache_alloc, "kmem_cache_alloc")
SLAB_FROM_CACHE(slab_kmem_cache_alloc_node, "kmem_cache_alloc_node")
SLAB_FROM_SIZE(slab_kmem_cache_alloc_old, "kmem_cache_alloc")
SLAB_FROM_SIZE(slab_kmem_cache_alloc_node_old, "kmem_cache_alloc_node")
SLAB_FROM_SIZE(slab_kmalloc_event, "kmalloc")
SLAB_FROM_SIZE(slab_kmalloc_node, "kmalloc_node")
SLAB_FROM_SIZED_CACHE(slab_kmalloc_cache, "kmalloc")
SLAB_FROM_SIZED_CACHE(slab_kmalloc_node_cache, "kmalloc_node")

TRACK_FREE(slab_kmem_cache_free, "kmem_cache_free", KMT_SLAB, ctx->args[1])
/* Half of all calls free NULL. */
PROGRAM_FREE(slab_kfree, "kfree", ctx->args[1],
	     freed > ZERO_SIZE_PTR && free_filter_few_have(freed), free_filter_has(freed),
	     track_handle_free(KMT_SLAB, freed))

/* ---- bulk allocation and free: no event reports them ---- */

#define BULK_MAX 512 /* objects handled in one call; those beyond are not seen */

/* Objects freed together, given the array of their addresses. */
GLOBAL int slab_handle_bulk_free(__u64 array, __u32 nr)
{
	for (__u32 i = 0; i < BULK_MAX; i++) {
		__u64 addr;

		if (i >= nr)
			break;
		addr = compat_read_word(array + i * 8);
		if (addr > ZERO_SIZE_PTR && free_filter_few_have(addr) && free_filter_has(addr))
			track_handle_free(KMT_SLAB, addr);
	}
	return 0;
}

/* Arguments: name of the RCU flavour, number, array. Exists only with CONFIG_RCU_TRACE. */
PROGRAM_FREE(slab_rcu_kfree_bulk, "rcu_invoke_kfree_bulk_callback", ctx->args[2], true, true,
	     slab_handle_bulk_free(freed, ctx->args[1]))

/*
 * Programs on functions, where lockdown allows them. ctx does not expose pointers to pointers; use
 * bpf_get_func_arg() (5.17). A task can be preempted in these programs.
 */
static __always_inline __u64 slab_argument(void *ctx, __u32 n)
{
	__u64 value = 0;

	bpf_get_func_arg(ctx, n, &value);
	return value;
}

/* Arguments: the cache or NULL, number, array. */
SEC("?fentry/kmem_cache_free_bulk")
int slab_free_bulk(void *ctx)
{
	slab_handle_bulk_free(slab_argument(ctx, 2), slab_argument(ctx, 1));
	return 0;
}

#define RCU_OFFSETS \
	4096 /* smaller values are offsets, not pointers: __is_kvfree_rcu_offset() in 6.1 */

/*
 * Arguments: the rcu_head in the object or NULL, and the object. It is freed after a grace period,
 * usually without an event. Up to 6.1, if there is an rcu_head, the second argument is its offset
 * in the object.
 */
SEC("?fentry/kvfree_call_rcu")
int slab_call_rcu(void *ctx)
{
	__u64 head = slab_argument(ctx, 0), ptr = slab_argument(ctx, 1);

	track_rcu_pending(KMT_SLAB, ptr < RCU_OFFSETS ? head - ptr : ptr);
	return 0;
}

/*
 * Track those objects of a bulk allocation that are sampled: `nr` objects of one cache, with the
 * array of their addresses at s->addr.
 */
GLOBAL int slab_handle_bulk_objects(__u32 scratch_row, __u32 cpu_id, __u32 stack, __u64 ptr,
				    __u32 nr)
{
	struct unwind_scratch *s = scratch_of(scratch_row);
	struct kmt_cpu *cpu = cpu_of(cpu_id);
	struct kmt_cache_key *cache;
	__u32 at, mean, stratum = stratum_slab(0, ptr);
	__u64 size, array;

	cache = cpu && s ? cache_find(cpu, ptr, &at) : NULL;
	if (!cache || (cfg_filter_caches && !(cache->state & KMT_CACHE_WANTED)) ||
	    (s->irq && !filter_wants_irq()))
		return 0;
	size = cache->size;
	array = s->addr;
	for (__u32 i = 0; i < BULK_MAX; i++) {
		if (i >= nr)
			break;
		if ((!cfg_exact && !sample_hit_on(cpu_id, stratum, size)) ||
		    !sample_weigh(cpu_id, stratum, size, &mean))
			continue;
		s->addr = compat_read_word(array + i * 8);
		s->object = (struct kmt_object){.size = size,
						.period = mean,
						.stratum = stratum,
						.cache = at,
						.pool = KMT_SLAB};
		track_object_apart(cpu_id, scratch_row, stack);
	}
	return 0;
}

/* The size of a cache's objects; 0 if they do not pass the filters. */
GLOBAL int slab_size_wanted(__u64 ptr)
{
	__u64 size = BPF_CORE_READ((struct kmem_cache *)ptr, size);

	return filter_wants(size) ? size : 0;
}

/* Arguments: the cache, flags, number, array. The function returns 0 if it failed. */
static __always_inline int slab_handle_bulk(void *ctx)
{
	__u64 cache = slab_argument(ctx, 0), nr = slab_argument(ctx, 2), given = 0;
	struct unwind_scratch *s;
	__u32 cpu_id, row, size;
	struct kmt_cpu *cpu;

	bpf_get_func_ret(ctx, &given);
	size = pool_enabled(KMT_SLAB) && (__u32)given ? slab_size_wanted(cache) : 0;
	if (!size)
		return 0;
	cpu = cpu_row(&cpu_id);
	if (!cpu)
		return loss_shared(KMT_LOSS_NO_CPU);
	if (!sample_may_hit(stratum_slab(0, cache), nr * size))
		return 0;
	s = track_enter(cpu, cpu_id, &row);
	if (!s)
		return 0;
	s->site = 0;
	s->addr = slab_argument(ctx, 3);
	s->object.pool = KMT_SLAB;
	slab_handle_bulk_objects(row, cpu_id, unwind_function(ctx, s, row), cache, nr);
	track_leave(cpu, s);
	return 0;
}

/*
 * Preemption must be off, and only newer kernels allow that in a program that calls global
 * functions: see user/trace/plan.c.
 */
SEC("?fexit/kmem_cache_alloc_bulk_noprof")
int slab_alloc_bulk(void *ctx)
{
	if (!bpf_preempt_disable)
		return 0;
	bpf_preempt_disable();
	slab_handle_bulk(ctx);
	bpf_preempt_enable();
	return 0;
}
