/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The attach plan: which program goes to which kernel event, and why not where it does not. A pure
 * function of (what the kernel allows, what was asked); `doctor` prints the very plan that `record`
 * carries out.
 */
#ifndef KMEMTRACE_TRACE_PLAN_H
#define KMEMTRACE_TRACE_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "data/pool.h"
#include "trace/kernel_facts.h"

#define PLAN_HOOKS_MAX 48

/* Not attached: run when what they tell is wanted. */
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
	const char *how;  /* "raw_tp", or HOW_TEST_RUN: attached to nothing */
	int typed_arg;    /* which of them must be of `type`; 0 none (the first is never typed) */
	const char *type;
	bool frees;    /* sees frees: attached before what sees allocations */
	bool required; /* without it nothing can be recorded */
	bool legacy;   /* of older kernels: that newer ones have no such event is no loss */
};

struct plan_hook {
	const struct hook_def *def;
	bool on;
	char reason[160]; /* why not, "" when on */
};

struct plan {
	struct plan_hook hooks[PLAN_HOOKS_MAX];
	size_t nr;
	bool asked[POOLS]; /* pools that were named; none: all are watched */
	bool can_record;
	bool preemptible; /* the programs must turn preemption off */
	bool reads;       /* … can read kernel memory without a helper call */
	bool legacy; /* the programs that need neither compare-and-exchange nor the kernel's own BTF
		      */
	const char *btf_path; /* that of --btf, or NULL: the kernel's own. Not owned */
	char refusal[512];    /* why record would refuse and what to do, "" when it would not */
	char notes[10][240];  /* what works, but less well */
	size_t nr_notes;
};

struct plan_request {
	bool pools[POOLS]; /* all false: all */
	bool no_kmalloc;   /* nothing that kmalloc() serves was asked for */
};

bool hook_is_attached(const struct hook_def *def);

/* How it looks objects up in the allocator, NULL when it does not. */
const struct hook_def *plan_audits(const struct plan *plan);

void plan_build(const struct kernel_facts *facts, const struct plan_request *request,
		struct plan *out);

#endif
