// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmalloc areas, by address: vmalloc:alloc_vmap_area and free_vmap_area_noflush (6.2). Every kind of area
 * comes by here: user space tells by the stack which of them hold memory (live/classify.c).
 */
#include "track.bpf.h"

/* The area ends with a guard page, which is address space but no memory (no VM_NO_GUARD area holds any). */
SEC("?raw_tp/alloc_vmap_area")
int vmalloc_alloc(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 addr = ctx->args[0], size = ctx->args[1];

	if (ctx->args[5]) /* failed */
		return 0;
	return track_every(ctx, KMT_VMALLOC, 0, addr, size > cfg_page_size ? size - cfg_page_size : size);
}

SEC("?raw_tp/free_vmap_area_noflush")
int vmalloc_free(struct bpf_raw_tracepoint_args *ctx)
{
	return track_free(KMT_VMALLOC, ctx->args[0]);
}
