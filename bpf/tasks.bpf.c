// SPDX-License-Identifier: GPL-2.0-only
/*
 * Levels by process: a stream of fixed-size records, one for each task, with its kernel stack and
 * its page tables. The loader runs this iterator at the start and at the end of a recording
 * (user/trace/tasks.c), never during it.
 */
#include "state.bpf.h"

SEC("?iter/task")
int tasks_dump(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct seq_file *seq = ctx->meta->seq;
	struct kmt_task t = {};
	struct mm_struct *mm;

	if (!task) /* the end of the list */
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
