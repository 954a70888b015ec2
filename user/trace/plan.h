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
#include "trace/hooks.h"
#include "trace/kernel_facts.h"

#define PLAN_HOOKS_MAX 48

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

/* How it looks objects up in the allocator, NULL when it does not. */
const struct hook_def *plan_audits(const struct plan *plan);

void plan_build(const struct kernel_facts *facts, const struct plan_request *request,
		struct plan *out);

#endif
