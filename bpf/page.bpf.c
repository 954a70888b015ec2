// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unmovable pages, by struct page: page tables, other pages, and the pages behind the other pools.
 * User space tells them apart by stack (user/record/classify.c). The kernel runs these programs for
 * each page of user memory, too, so they must reject movable allocations with the first check.
 * mm_page_free reports every page freed (mm_page_free_batched fires in addition).
 * alloc_pages_bulk() fires no event: only the frees of its pages are seen, as unknown frees.
 *
 * A block of pages that is not compound may be freed in pieces, so each of its pages is tracked on
 * its own, up to PAGE_PIECES. A larger block is one object, and counts as freed when its first page
 * is.
 */
#include "track.bpf.h"

#define GFP_HIGHMEM  0x02
#define GFP_MOVABLE  0x08
#define GFP_COMP     0x40000
#define GFP_HARDWALL 0x100000

/*
 * How many pages are tracked in each 32 KiB of struct pages (about 2 MiB of memory). The kernel
 * keeps unmovable pages apart from user pages, so the free of a user page mostly finds a zero, in a
 * cache line that other frees of user pages use too, however many objects are tracked. If blocks
 * share a row, or a count stays too high, the only cost is a useless lookup.
 */
#define PAGE_BLOCKS 16
__u32 page_blocks[1 << PAGE_BLOCKS] WEAK = {};

static __always_inline __u32 *page_block(__u64 page)
{
	return &page_blocks[page >> 15 & ((1 << PAGE_BLOCKS) - 1)];
}

/*
 * Single pages that only the kernel maps, in its own address space: those of per-CPU chunks, and
 * those that vmalloc does not allocate in bulk. There are few, and all are tracked: the sum for
 * Percpu is exact to the page only if none of them is left to sampling. On kernels where these flag
 * bits differ, they are sampled like the rest.
 */
static __always_inline bool page_is_chunk(__u64 gfp, __u64 order)
{
	return !order && (gfp & (GFP_HIGHMEM | GFP_MOVABLE | GFP_HARDWALL)) == GFP_HIGHMEM;
}

/* The stratum of pages: their event names no call site, but flags and order tell most apart. */
static __always_inline __u32 page_stratum(__u64 gfp, __u64 order)
{
	__u32 hash = stratum_hash(gfp ^ order << 28, 4);

	barrier_var(hash); /* the verifier of 6.1 knows the result's limit only by the mask */
	return KMT_STRATUM_PAGE + (hash & (KMT_STRATA_PAGE - 1));
}

/*
 * Track those of `nr` pages that are sampled: pages of one stack, the first of them at s->addr.
 */
static __always_inline void page_track_pieces(struct unwind_scratch *s, __u32 scratch_row,
					      __u32 cpu_id, __u32 stack, __u32 nr)
{
	__u32 stratum = KMT_STRATUM_PAGE + (s->object.stratum & (KMT_STRATA_PAGE - 1)), mean;

	barrier_var(stratum);
	for (__u32 i = 0; i < 1 << PAGE_PIECES; i++) {
		if (i >= nr || (s->irq && !filter_wants_irq()))
			break;
		if ((cfg_exact || sample_hit_on(cpu_id, stratum, cfg_page_size)) &&
		    sample_weigh(cpu_id, stratum, cfg_page_size, &mean)) {
			s->object.period = mean;
			if (track_object_apart(cpu_id, scratch_row, stack))
				__sync_fetch_and_add(page_block(s->addr), 1);
		}
		s->addr += bpf_core_type_size(struct page);
	}
}

/*
 * Handle an allocation of pages that may be freed one by one. They share one stack, but each page
 * is sampled on its own.
 */
GLOBAL int page_handle_pieces(struct bpf_raw_tracepoint_args *ctx, __u32 order)
{
	__u32 nr = 1 << (order & 31), row, cpu_id, stack,
	      stratum = page_stratum(ctx->args[2], order);
	__u64 size = cfg_page_size;
	struct unwind_scratch *s;
	struct kmt_cpu *cpu;

	cpu = cpu_row(&cpu_id);
	if (!cpu)
		return loss_shared(KMT_LOSS_NO_CPU);
	if (!pool_enabled(KMT_PAGE) || !filter_wants(size * nr)) {
		sample_take(cpu_id, stratum, size * nr); /* draws the next countdown */
		return 0;
	}
	s = track_enter(cpu, cpu_id, &row);
	if (!s)
		return 0;
	s->site = 0;
	s->addr = ctx->args[0];
	s->object = (struct kmt_object){.size = size, .stratum = stratum, .pool = KMT_PAGE};
	stack = unwind_stack(ctx, s, row, cpu, cpu_id);
	barrier(); /* if the compiler carries a register into the loop, the verifier of 6.1 refuses
		      it */
	page_track_pieces(s, row, cpu_id, stack, nr);
	track_leave(cpu, s);
	return 0;
}

/* Handle an allocation that is sampled. */
static __always_inline int page_handle_alloc(struct bpf_raw_tracepoint_args *ctx, __u64 page,
					     __u64 order, __u64 gfp)
{
	__u32 how =
		page_is_chunk(gfp, order) ? TRACK_EVERY : TRACK_STRATUM(page_stratum(gfp, order));

	if (order && order <= PAGE_PIECES && !(gfp & GFP_COMP))
		return page_handle_pieces(ctx, order);
	if (how != TRACK_EVERY)
		sample_begin();
	if (track_handle_alloc(ctx, KMT_PAGE | how, 0, page, (__u64)cfg_page_size << (order & 31)))
		__sync_fetch_and_add(page_block(page), 1);
	return 0;
}

/* Arguments: page, order, gfp, migrate type. */
static __always_inline bool page_hit(__u64 page, __u64 order, __u64 gfp)
{
	return page &&
	       (page_is_chunk(gfp, order) ||
		sample_may_hit(page_stratum(gfp, order), (__u64)cfg_page_size << (order & 31)));
}

PROGRAM_ALLOC(page_alloc, "mm_page_alloc", !(ctx->args[2] & GFP_MOVABLE),
	      page_hit(ctx->args[0], ctx->args[1], ctx->args[2]),
	      page_handle_alloc(ctx, ctx->args[0], ctx->args[1], ctx->args[2]))

GLOBAL int page_handle_single_free(__u64 page)
{
	if (track_handle_free(KMT_PAGE, page))
		__sync_fetch_and_add(page_block(page), -1);
	return 0;
}

GLOBAL int page_handle_pieces_free(__u64 page, __u32 order)
{
	for (__u32 i = 0; i < 1 << PAGE_PIECES; i++) {
		if (i >> order)
			break;
		page_handle_single_free(page + i * bpf_core_type_size(struct page));
	}
	return 0;
}

/* Handle the free of a page or block that may be tracked. */
GLOBAL int page_handle_free(__u64 page, __u32 order)
{
	if (order && order <= PAGE_PIECES && !compat_page_compound(page))
		return page_handle_pieces_free(page, order);
	return page_handle_single_free(page);
}

/*
 * Arguments: page, order. The first check tells nearly all user pages: no page near them is
 * tracked. The free filter only knows single pages; most are.
 */
PROGRAM_FREE(page_free, "mm_page_free", ctx->args[0], *page_block(freed),
	     free_filter_has(freed) || ctx->args[1], page_handle_free(freed, ctx->args[1]))

/*
 * User space recognises page tables by the functions in their stack, where functions have names.
 * Nearly all page tables are of the lowest level. Where this program can be attached, it marks the
 * stacks of these. They are then recognised without function names.
 */
GLOBAL int page_stack_is_pte(__u64 page)
{
	struct live_place at = {};
	struct kmt_object *o;
	struct kmt_stack *p;
	__u32 stack;

	if (!*page_block(page) || !live_find(&at, kmt_key(KMT_PAGE, page)))
		return 0;
	o = live_object(&at);
	stack = o ? o->stack : 0;
	p = bpf_map_lookup_elem(&stacks, &stack);
	if (p && stack && !(p->flags & KMT_STACK_PTE))
		p->flags |= KMT_STACK_PTE;
	return 0;
}

SEC("?fexit/pte_alloc_one")
int page_is_pte(void *ctx)
{
	__u64 page = 0;

	bpf_get_func_ret(ctx, &page);
	page_stack_is_pte(page);
	return 0;
}
