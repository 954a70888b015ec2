/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Classifies an allocation by the function names of its call stack: the pool and the class within
 * it. stacks.c calls it. Pure; it must only match functions of the kernel itself (tables in
 * classify.c).
 */
#ifndef KMEMTRACE_RECORD_CLASSIFY_H
#define KMEMTRACE_RECORD_CLASSIFY_H

#include <stdbool.h>
#include <stddef.h>

#include "data/capture.h"

struct classify_frame {
	const char
		*symbol; /* normalised: without compiler suffixes and _noprof (base/normalise.h) */
	const char *module; /* "vmlinux", "bpf", or a module's name */
};

struct stack_class {
	enum pool pool;
	const char *class_; /* static, "" when the pool has no classes */
};

/*
 * Classify the stack of an allocation, innermost frame first. The events of the pool `traced` saw
 * the allocation (page tables are traced as POOL_PAGE). The innermost function with a rule decides.
 */
void classify_stack(enum pool traced, const struct classify_frame *frames, size_t nr,
		    struct stack_class *out);

/*
 * Is this function (normalised) part of the allocator of `traced`? Such frames at the inner end do
 * not name the user of the memory.
 */
bool classify_is_allocator(enum pool traced, const char *symbol);

#endif
