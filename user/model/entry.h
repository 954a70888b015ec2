/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a call path entered the kernel: the system call, page fault, interrupt, softirq, work item or
 * kernel thread, read from the names of its frames. growth.c groups by it (--by syscall), and
 * diff/match.c needs it because kernels spell the entry differently. Pure.
 */
#ifndef KMEMTRACE_MODEL_ENTRY_H
#define KMEMTRACE_MODEL_ENTRY_H

#include "data/capture.h"

enum entry_kind {
	ENTRY_UNKNOWN, /* the stack was truncated, or no frame is in our table */
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
	uint32_t frames; /* innermost frames below the entry; the others are the entry code */
	char label[ENTRY_LABEL_MAX]; /* "pipe2()", "page fault", "softirq net_rx_action", …; names
					in it are as captured */
};

/* The innermost entry counts: a page fault during a system call is a page fault. */
void entry_of_stack(const struct capture *c, uint32_t stack, struct entry *out);

#endif
