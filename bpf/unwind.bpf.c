// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finds out where on its stack a task keeps its system call number, which the unwinder needs. The
 * registers at kernel entry lie at the end of a task's stack, or with CONFIG_X86_FRED 16 bytes
 * below the end (task_pt_regs()). The loader runs this program by a system call and passes that
 * call's number as the argument. If the number is not found, the unwinder takes it for 0, and
 * recognising a stack takes longer.
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
