// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmalloc areas, by address: the events vmalloc:alloc_vmap_area and free_vmap_area_noflush (6.2).
 * The kernel runs these programs for every kind of area, also for those that hold no memory. The
 * programs record them all; user space tells by the stack which hold memory
 * (user/record/classify.c).
 */
#include "track.bpf.h"

/*
 * Each area ends with a guard page, which takes address space but no memory (areas without one,
 * VM_NO_GUARD, hold no memory).
 */
static __always_inline __u64 vmalloc_size(__u64 size)
{
	return size > cfg_page_size ? size - cfg_page_size : size;
}

/* Arguments: addr, size, align, vstart, vend, failed. */
PROGRAM_ALLOC(vmalloc_alloc, "alloc_vmap_area", !ctx->args[5], true,
	      track_handle_alloc(ctx, KMT_VMALLOC | TRACK_EVERY, 0, ctx->args[0],
				 vmalloc_size(ctx->args[1])))
TRACK_FREE(vmalloc_free, "free_vmap_area_noflush", KMT_VMALLOC, ctx->args[0])
