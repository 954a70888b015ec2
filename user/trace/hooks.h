/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of what can be attached: one row per program of bpf/. plan.c decides from it what is
 * attached on this kernel. The table is constant data and must never depend on the running kernel.
 *
 * CONTRIBUTING.md, "A hook", lists the steps of adding one.
 */
#ifndef KMEMTRACE_TRACE_HOOKS_H
#define KMEMTRACE_TRACE_HOOKS_H

#include <stdbool.h>

#include "data/pool.h"
#include "trace/kernel_facts.h"

/*
 * How a program gets its event, besides "raw_tp". Test runs and iterators are attached to nothing;
 * they run on demand.
 */
#define HOW_TEST_RUN "test_run"
#define HOW_FENTRY   "fentry"
#define HOW_FEXIT    "fexit"
#define HOW_ITER     "iter"

/*
 * One way to see one kernel event. Hooks that are not required come in pairs, frees first; neither
 * is attached without the other.
 */
struct hook_def {
	const char *name;    /* "kmem:kmalloc" */
	const char *program; /* in the skeleton */
	enum pool pool;
	enum kernel_event event;
	int args;         /* arguments the event must carry */
	const char *cost; /* what the report loses without it */
	const char *how;  /* "raw_tp", or HOW_… */
	int typed_arg; /* index of the argument that must be of `type`; 0: none (the first is never
			  typed) */
	const char *type;
	bool frees;    /* sees frees: attached before the hooks that see allocations */
	bool required; /* without it nothing can be recorded */
	bool legacy;   /* of older kernels only; newer ones lose nothing without it */
};

/* All hooks, ended by a row without a name. The frees of a pair come first. */
extern const struct hook_def hook_defs[];

/* True if the hook attaches to something, false if it runs on demand. */
bool hook_is_attached(const struct hook_def *def);
/* True if the hook attaches to a kernel function instead of a tracepoint. */
bool hook_is_function(const struct hook_def *def);

#endif
