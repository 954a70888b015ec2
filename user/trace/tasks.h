/* SPDX-License-Identifier: GPL-2.0-only */
/* Levels by process, from what bpf/tasks.bpf.c wrote: stacks and page tables of each thread
 * group. */
#ifndef KMEMTRACE_TRACE_TASKS_H
#define KMEMTRACE_TRACE_TASKS_H

#include "kmemtrace.h"
#include "trace/tracer.h"
#include "data/snapshot.h"

/*
 * Add tasks up by process. A stack counts thread_size; an address space that several processes
 * share counts for the first of them, so that the sum over all is what there is. 0 or −ENOMEM.
 */
int tasks_sum(const struct kmt_task *tasks, size_t nr, uint32_t thread_size,
	      struct task_levels *out);

/* Run the iterator now; an empty list when the plan has it off. 0 or −errno. */
int tasks_read(const struct tracer *t, uint32_t thread_size, struct task_levels *out);

#endif
