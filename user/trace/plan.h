/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The attach plan: which program attaches to which kernel event, and for those that do not, why. A
 * pure function of the kernel's facts and the user's request: it must never ask the kernel itself.
 * `record` carries the plan out; `doctor` prints the same plan.
 */
#ifndef KMEMTRACE_TRACE_PLAN_H
#define KMEMTRACE_TRACE_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "data/pool.h"
#include "trace/hooks.h"
#include "trace/kernel_facts.h"

#define PLAN_HOOKS_MAX 48

struct plan_hook {
	const struct hook_def *def;
	bool on;
	char reason[160]; /* why not; "" if on */
};

struct plan {
	struct plan_hook hooks[PLAN_HOOKS_MAX];
	size_t nr;
	bool asked[POOLS]; /* pools the user named; if none, all are watched */
	bool can_record;
	bool preemptible; /* the programs must turn preemption off */
	bool reads;       /* the programs can read kernel memory without a helper call */
	bool legacy; /* use the programs that need neither compare-and-exchange nor the kernel's own
			BTF */
	char btf_source[32]; /* where to read the file of --btf; "" for the kernel's own */
	char refusal[512];   /* why record refuses and what to do; "" if it does not */
	char notes[10][240]; /* what works, but with limits */
	size_t nr_notes;
};

struct plan_request {
	bool pools[POOLS]; /* all false: all pools */
	bool no_kmalloc;   /* the user asked for nothing that kmalloc() serves */
};

/* The hook by which the audit checks objects; NULL if the plan has no audit. */
const struct hook_def *plan_audits(const struct plan *plan);

void plan_build(const struct kernel_facts *facts, const struct plan_request *request,
		struct plan *out);

#endif
