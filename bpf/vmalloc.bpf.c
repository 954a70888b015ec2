// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmalloc areas, by address: vmalloc:alloc_vmap_area and free_vmap_area_noflush (6.2). Every kind of area
 * comes by here: user space tells by the stack which of them hold memory (live/classify.c).
 */
#include "track.bpf.h"

/* The area ends with a guard page, which is address space but no memory (no VM_NO_GUARD area holds any). */
static __always_inline void vmalloc_area(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 addr = ctx->args[0], size = ctx->args[1], failed = ctx->args[5];

	if (!failed)
		track_taken(ctx, KMT_VMALLOC | TRACK_EVERY, 0, addr, size > cfg_page_size ? size - cfg_page_size : size);
}

PROGRAM(vmalloc_alloc, "alloc_vmap_area", vmalloc_area(ctx))
PROGRAM(vmalloc_free, "free_vmap_area_noflush", track_free(KMT_VMALLOC, ctx->args[0]))
