// SPDX-License-Identifier: GPL-2.0-only
/*
 * Levels by process: every task there is, with its stack and its page tables, as a stream of
 * fixed-size records. Run at the start and the end of a recording, not while it lasts.
 */
#include "state.bpf.h"

SEC("?iter/task")
int tasks_dump(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct seq_file *seq = ctx->meta->seq;
	struct kmt_task t = {};
	struct mm_struct *mm;

	if (!task) /* the end */
		return 0;
	mm = task->mm;
	t.mm = (__u64)mm;
	if (mm)
		t.pgtables_bytes = mm->pgtables_bytes.counter;
	t.cgroup = task->cgroups->dfl_cgrp->kn->id;
	t.pid = task->pid;
	t.tgid = task->tgid;
	t.stack = task->stack != NULL;
	bpf_probe_read_kernel_str(t.comm, sizeof(t.comm), task->group_leader->comm);
	bpf_seq_write(seq, &t, sizeof(t));
	return 0;
}
