/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a stack says about the memory it allocated: the pool and the class within it, by the names
 * of its functions. Pure; the kernel's own functions are all it knows (see the tables in
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
 * Of a stack, innermost frame first, by which the events of `traced` saw an allocation (page tables
 * are traced as POOL_PAGE). The innermost function that says anything decides.
 */
void classify_stack(enum pool traced, const struct classify_frame *frames, size_t nr,
		    struct stack_class *out);

/* Is this function (normalised) the allocator of `traced` itself? Such frames at a stack's inner
 * end name nobody. */
bool classify_is_allocator(enum pool traced, const char *symbol);

#endif
