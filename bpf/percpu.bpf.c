// SPDX-License-Identifier: GPL-2.0-only
/*
 * Per-CPU memory, by per-CPU pointer. One allocation takes its size on each possible CPU; bytes_alloc of the
 * event also counts the memory controller's side table, which is not in Percpu.
 */
#include "track.bpf.h"

/* (call_site, reserved, is_atomic, size, align, base_addr, off, ptr, bytes_alloc, gfp): 6.0, f67bed134a05 */
SEC("?raw_tp/percpu_alloc_percpu")
int percpu_alloc(struct bpf_raw_tracepoint_args *ctx)
{
	return track_every(ctx, KMT_PERCPU, ctx->args[0], ctx->args[7], ctx->args[3] * cfg_cpus);
}

/* before: (reserved, is_atomic, size, align, base_addr, off, ptr) */
SEC("?raw_tp/percpu_alloc_percpu")
int percpu_alloc_old(struct bpf_raw_tracepoint_args *ctx)
{
	return track_every(ctx, KMT_PERCPU, 0, ctx->args[6], ctx->args[2] * cfg_cpus);
}

SEC("?raw_tp/percpu_free_percpu")
int percpu_free(struct bpf_raw_tracepoint_args *ctx)
{
	return track_free(KMT_PERCPU, ctx->args[2]);
}
