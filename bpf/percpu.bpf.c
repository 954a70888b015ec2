// SPDX-License-Identifier: GPL-2.0-only
/*
 * Per-CPU memory, by per-CPU pointer. The kernel runs these programs at each event. One allocation
 * takes its size on each possible CPU. Do not use bytes_alloc of the event: it includes the memory
 * controller's side table, which Percpu does not count.
 */
#include "track.bpf.h"

/*
 * The arguments of percpu_alloc_percpu:
 * from 6.0  (call_site, reserved, is_atomic, size, align, base_addr, off, ptr, bytes_alloc, gfp)
 *           (f67bed134a05)
 * before    (reserved, is_atomic, size, align, base_addr, off, ptr)
 */
PROGRAM_ALLOC(percpu_alloc, "percpu_alloc_percpu", true,
	      sample_hit(KMT_PERCPU, ctx->args[3] * cfg_cpus),
	      track_handle_alloc(ctx, KMT_PERCPU, ctx->args[0], ctx->args[7],
				 ctx->args[3] * cfg_cpus))
PROGRAM_ALLOC(percpu_alloc_old, "percpu_alloc_percpu", true,
	      sample_hit(KMT_PERCPU, ctx->args[2] * cfg_cpus),
	      track_handle_alloc(ctx, KMT_PERCPU, 0, ctx->args[6], ctx->args[2] * cfg_cpus))
TRACK_FREE(percpu_free, "percpu_free_percpu", KMT_PERCPU, ctx->args[2])
