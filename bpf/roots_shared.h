/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the programs of roots.bpf.c and user/trace/refs_roots.c share. Places in memory are bytes
 * from the first page frame, as in refs_shared.h: never addresses.
 */
#ifndef KMEMTRACE_ROOTS_SHARED_H
#define KMEMTRACE_ROOTS_SHARED_H

#include "kmemtrace.h"

#define KMT_ROOT_PLACES  14 /* objects that belong to one task or one open file */
#define KMT_ROOT_STEPS   3  /* pointers to follow from there to such an object */
#define KMT_ROOT_STACK   8  /* pages of a kernel stack */
#define KMT_ROOT_TEXT    64
#define KMT_ROOT_PAGES   64           /* of a vmalloc area that one run tells */
#define KMT_ROOT_NOWHERE (1ull << 62) /* no place: the pointer leads out of memory, or is NULL */

/* How to come from a task or a file to an object: offsets of pointers, by the kernel's BTF. */
struct kmt_root_path {
	__u32 steps; /* 0: this path is not used */
	__u32 offsets[KMT_ROOT_STEPS];
};

/* An area of vmalloc. It has addresses: these stay inside the tool. */
struct kmt_root_area {
	__u64 start, bytes; /* 0 bytes: it is none */
	__u64 caller;       /* an address of code */
	__u64 vm;           /* place of its vm_struct */
	__u32 pages, spare;
};

/* What a process has: the objects of one of its tasks, or of one of its open files. */
struct kmt_root {
	__u64 self;
	__u64 places[KMT_ROOT_PLACES];
	__u64 stack[KMT_ROOT_STACK]; /* the struct pages of the task's stack: bytes from the first
				      */
	__u64 cgroup;
	__u32 tgid, file; /* file: 1 if this is an open file */
	char comm[16];
};

#endif
