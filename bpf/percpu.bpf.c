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
static __always_inline __u32 percpu_stratum(__u64 site, __u64 size)
{
	return KMT_STRATUM_PERCPU +
	       ((__u64)hash_row(site ^ size << 40, 32) * KMT_STRATA_PERCPU >> 32);
}

/* Called with the size on one CPU; `site` is 0 where the event does not name it. */
static __always_inline int percpu_handle_alloc(struct bpf_raw_tracepoint_args *ctx, __u64 site,
					       __u64 ptr, __u64 size)
{
	return track_handle_alloc(ctx, KMT_PERCPU | TRACK_STRATUM(percpu_stratum(site, size)), site,
				  ptr, size * cfg_cpus);
}

PROGRAM_ALLOC(percpu_alloc, "percpu_alloc_percpu", true,
	      sample_hit(percpu_stratum(ctx->args[0], ctx->args[3]), ctx->args[3] * cfg_cpus),
	      percpu_handle_alloc(ctx, ctx->args[0], ctx->args[7], ctx->args[3]))
PROGRAM_ALLOC(percpu_alloc_old, "percpu_alloc_percpu", true,
	      sample_hit(percpu_stratum(0, ctx->args[2]), ctx->args[2] * cfg_cpus),
	      percpu_handle_alloc(ctx, 0, ctx->args[6], ctx->args[2]))
TRACK_FREE(percpu_free, "percpu_free_percpu", KMT_PERCPU, ctx->args[2])
