/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a call path was entered: the system call, page fault, interrupt, softirq, work item or kernel
 * thread it belongs to, read from the names of its frames. Used to add growth up by it (--by
 * syscall) and to compare paths of different kernels, whose way in is spelled differently. Pure.
 */
#ifndef KMEMTRACE_MODEL_ENTRY_H
#define KMEMTRACE_MODEL_ENTRY_H

#include "data/capture.h"

enum entry_kind {
	ENTRY_UNKNOWN, /* cut off before it, or named by nothing we know */
	ENTRY_SYSCALL,
	ENTRY_FAULT,
	ENTRY_INTERRUPT,
	ENTRY_SOFTIRQ,
	ENTRY_WORK,
	ENTRY_THREAD,
	ENTRY_KINDS
};

/* "unknown", "syscall", "page-fault", "interrupt", "softirq", "work", "kernel-thread" */
const char *entry_kind_name(enum entry_kind kind);

#define ENTRY_LABEL_MAX 80

struct entry {
	enum entry_kind kind;
	uint32_t frames; /* of the stack that are inside of it, from the innermost; the rest is the
			    way in */
	char label[ENTRY_LABEL_MAX]; /* "pipe2()", "page fault", "softirq net_rx_action", …, as
					captured */
};

/* The innermost boundary counts: a page fault in a system call is a page fault. */
void entry_of_stack(const struct capture *c, uint32_t stack, struct entry *out);

#endif
