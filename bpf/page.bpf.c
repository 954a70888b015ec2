// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unmovable pages, by struct page: page tables, other pages, and what backs the other pools; user space tells
 * them apart by stack (live/classify.c). These events fire for each page of user memory, too: movable
 * allocations leave at the first test. Every page freed comes by mm_page_free (mm_page_free_batched fires
 * besides); alloc_pages_bulk() fires no event, so of its pages only the frees are seen, and are unknown.
 *
 * A block of pages that is not compound may be freed piece by piece, so it is tracked page by page, up to
 * PAGE_PIECES; a larger one is one object, which goes when its first page does.
 */
#include "track.bpf.h"

#define GFP_HIGHMEM 0x02
#define GFP_MOVABLE 0x08
#define GFP_COMP    0x40000
#define GFP_HARDWALL 0x100000
#define PAGE_PIECES 5 /* order */

/*
 * How many pages are tracked in each 32 KiB of struct pages, that is 2 MiB of memory or so: the kernel keeps
 * unmovable pages in blocks of their own, so that the free of a user page mostly finds a zero, near its
 * neighbours'. Blocks that share a row, or a count left too high, only cost a look in vain.
 */
#define PAGE_BLOCKS 16
__u32 page_blocks[1 << PAGE_BLOCKS] WEAK = {};

static __always_inline __u32 *page_block(__u64 page)
{
	return &page_blocks[page >> 15 & ((1 << PAGE_BLOCKS) - 1)];
}

/* An allocation that falls to the sample. Of pieces each may, by itself. */
GLOBAL int page_taken(struct bpf_raw_tracepoint_args *ctx, __u32 cpu_id)
{
	struct kmt_cpu *cpu = cpu_of(cpu_id);
	__u64 size = cfg_page_size, mean;
	struct unwind_scratch *s;
	__u32 order = ctx->args[1], nr = 1, row;
	int path = -1;

	if (!cpu)
		return loss_shared(KMT_LOSS_NO_CPU);
	if (!gate_open(KMT_PAGE) || !narrow_wants(size << (order & 31)))
		return sample_draw(cpu_id, KMT_PAGE);
	if (order && order <= PAGE_PIECES && !(ctx->args[2] & GFP_COMP))
		nr = 1 << order;
	else
		size <<= order & 31;
	s = track_enter(cpu, cpu_id, KMT_PAGE, &row);
	if (!s)
		return 0;
	s->site = 0;
	s->addr = ctx->args[0];
	s->object = (struct kmt_object){.size = size, .pool = KMT_PAGE};
	cpu->countdown[KMT_PAGE] += size * nr; /* from the beginning, now piece by piece */
	barrier(); /* carried into the loop in a register, it would begin one that the verifier of 6.1 refuses */
	for (__u32 i = 0; i < 1 << PAGE_PIECES; i++) {
		if (i >= nr)
			break;
		if (sample_count_down(cpu, KMT_PAGE, size) && sample_weigh(cpu, cpu_id, KMT_PAGE, &mean)) {
			if (path < 0)
				path = unwind_path(ctx, row, cpu_id);
			s->object.period = mean;
			if (s->irq && !narrow_wants_irq())
				break;
			track_object(cpu_id, row, path);
			__sync_fetch_and_add(page_block(s->addr), 1);
		}
		s->addr += bpf_core_type_size(struct page);
	}
	track_leave(cpu, s);
	return 0;
}

/*
 * Single pages that only the kernel maps, in its own address space: those of per-CPU chunks, and what
 * vmalloc does not take in bulk. Few; and Percpu closes to the page only when none of them is left to chance.
 * Where the bits are others, they are sampled like the rest.
 */
static __always_inline bool page_is_chunk(__u64 gfp, __u64 order)
{
	return !order && (gfp & (GFP_HIGHMEM | GFP_MOVABLE | GFP_HARDWALL)) == GFP_HIGHMEM;
}

GLOBAL int page_of_chunk(struct bpf_raw_tracepoint_args *ctx)
{
	__sync_fetch_and_add(page_block(ctx->args[0]), 1);
	return track_taken(ctx, KMT_PAGE | TRACK_EVERY, 0, ctx->args[0], cfg_page_size);
}

static __always_inline int page_allocated(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 cpu_id;

	if ((ctx->args[2] & GFP_MOVABLE) || !ctx->args[0])
		return 0;
	if (page_is_chunk(ctx->args[2], ctx->args[1]))
		return page_of_chunk(ctx);
	if (sample_falls(KMT_PAGE, (__u64)cfg_page_size << (ctx->args[1] & 31), &cpu_id))
		page_taken(ctx, cpu_id);
	return 0;
}

PROGRAM(page_alloc, "mm_page_alloc", page_allocated(ctx))

GLOBAL int page_freed(__u64 page)
{
	if (track_freed(KMT_PAGE, page))
		__sync_fetch_and_add(page_block(page), -1);
	return 0;
}

GLOBAL int page_free_pieces(__u64 page, __u32 order)
{
	for (__u32 i = 0; i < 1 << PAGE_PIECES; i++) {
		if (i >> order)
			break;
		page_freed(page + i * bpf_core_type_size(struct page));
	}
	return 0;
}

static __always_inline int page_released(__u64 page, __u32 order)
{
	if (!*page_block(page))
		return 0;
	if (order && order <= PAGE_PIECES && !compat_page_compound(page))
		page_free_pieces(page, order);
	else if (filter_has(kmt_key(KMT_PAGE, page)))
		page_freed(page);
	return 0;
}

PROGRAM(page_free, "mm_page_free", page_released(ctx->args[0], ctx->args[1]))

/*
 * User space knows page tables by the functions of their path, where functions have names. Those of the lowest
 * level, nearly all of them, are known without as well, where this can be attached: their path is marked.
 */
GLOBAL int page_path_is_pte(__u64 page)
{
	struct live_place at = {};
	struct kmt_object *o;
	struct kmt_path *p;
	__u32 row, path;

	if (!*page_block(page) || !live_find(&at, kmt_key(KMT_PAGE, page)))
		return 0;
	row = live_object_row(&at);
	o = bpf_map_lookup_elem(&live_objects, &row);
	path = o ? o->path : 0;
	p = bpf_map_lookup_elem(&paths, &path);
	if (p && path && !(p->flags & KMT_PATH_PTE))
		p->flags |= KMT_PATH_PTE;
	return 0;
}

SEC("?fexit/pte_alloc_one")
int page_is_pte(void *ctx)
{
	__u64 page = 0;

	bpf_get_func_ret(ctx, &page);
	page_path_is_pte(page);
	return 0;
}
