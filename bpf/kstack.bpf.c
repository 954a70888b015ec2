// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kernel stacks, one for each task, by the task's address. The kernel runs these programs when a
 * task is created and when it exits. The creating task, which is the current one, allocates the
 * stack. Do not wait until the task struct is freed: KernelStack is counted down on exit (5.18,
 * 1a03d3f13ffe; before that, a moment later), and a zombie holds no stack.
 */
#include "track.bpf.h"

PROGRAM_ALLOC(kstack_alloc, "task_newtask", true, sample_hit(KMT_STRATUM_KSTACK, cfg_thread_size),
	      track_handle_alloc(ctx, KMT_KSTACK | TRACK_STRATUM(KMT_STRATUM_KSTACK), 0,
				 ctx->args[0], cfg_thread_size))
TRACK_FREE(kstack_free, "sched_process_exit", KMT_KSTACK, ctx->args[0])
