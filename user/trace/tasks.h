/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel stacks and page tables of each process, added up from the task records that the iterator
 * bpf/tasks.bpf.c writes. The recorder calls tasks_read() for each snapshot; tasks_sum() is pure.
 */
#ifndef KMEMTRACE_TRACE_TASKS_H
#define KMEMTRACE_TRACE_TASKS_H

#include "kmemtrace.h"
#include "trace/tracer.h"
#include "data/snapshot.h"

/*
 * Add up tasks by process. Each stack counts thread_size. An address space that several processes
 * share counts for the first one only, so that the sum over all processes is right. Returns 0 or
 * −ENOMEM.
 */
int tasks_sum(const struct kmt_task *tasks, size_t nr, uint32_t thread_size,
	      struct task_levels *out);

/* Run the iterator now. *out is empty if the plan has it off. Returns 0 or −errno. */
int tasks_read(const struct tracer *t, uint32_t thread_size, struct task_levels *out);

#endif
