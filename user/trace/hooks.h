/* SPDX-License-Identifier: GPL-2.0-only */
/* What there is to attach: one row for each program of bpf/. Whether it is attached, plan.c
 * decides. */
#ifndef KMEMTRACE_TRACE_HOOKS_H
#define KMEMTRACE_TRACE_HOOKS_H

#include <stdbool.h>

#include "data/pool.h"
#include "trace/kernel_facts.h"

/* How it gets at its event, besides "raw_tp". Test runs and iterators are not attached: they run
 * when their answer is wanted. */
#define HOW_TEST_RUN "test_run"
#define HOW_FENTRY   "fentry"
#define HOW_FEXIT    "fexit"
#define HOW_ITER     "iter"

/*
 * One way to see one thing. What is not required comes in pairs, frees first: neither is attached
 * without the other.
 */
struct hook_def {
	const char *name;    /* "kmem:kmalloc" */
	const char *program; /* in the skeleton */
	enum pool pool;
	enum kernel_event event;
	int args;         /* arguments the event must carry */
	const char *cost; /* what the report loses without it */
	const char *how;  /* "raw_tp", or HOW_… */
	int typed_arg;    /* which of them must be of `type`; 0 none (the first is never typed) */
	const char *type;
	bool frees;    /* sees frees: attached before what sees allocations */
	bool required; /* without it nothing can be recorded */
	bool legacy;   /* of older kernels: that newer ones have no such event is no loss */
};

/* All of them, up to one without a name. Frees stand before the allocations they belong to. */
extern const struct hook_def hook_defs[];

/* Is it attached, or run when its answer is wanted? */
bool hook_is_attached(const struct hook_def *def);
/* Is it at a kernel function, not at a tracepoint? */
bool hook_is_function(const struct hook_def *def);

#endif
