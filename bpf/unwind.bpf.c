// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the unwinder has to find out first: where on its stack a task keeps the number of its system
 * call. A task's stack begins with the registers of what called the kernel, at its end or, with
 * CONFIG_X86_FRED, 16 bytes below (task_pt_regs()). The loader runs this, and says the number of
 * the call by which it does so. Where nothing is found the number is taken for 0, and paths take
 * longer to recognise.
 */
#include "unwind.bpf.h"

#define ABOVE_MOST 16

SEC("?raw_tp")
int unwind_find_syscall(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 end = (__u64)BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), stack) +
		    cfg_thread_size;

	for (__u32 above = 0; above <= ABOVE_MOST; above += ABOVE_MOST)
		if ((__u32)compat_read_word(end - above - compat_syscall_at()) ==
		    (__u32)ctx->args[0])
			syscall_at = above + compat_syscall_at();
	return 0;
}
