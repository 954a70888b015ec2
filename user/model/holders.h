/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Levels by holder, at the start and the end of a report: the processes and cgroups that hold
 * kernel stacks and page tables (task iterator), the callers that hold vmalloc areas
 * (/proc/vmallocinfo). They name what was there before tracing began, and measure how much of that
 * went: the ledger's "preexisting freed".
 */
#ifndef KMEMTRACE_MODEL_HOLDERS_H
#define KMEMTRACE_MODEL_HOLDERS_H

#include "model/outstanding.h"

struct level_change {
	double start, end;
};

/* One process, or all processes of one cgroup. */
struct process_level {
	int32_t tgid;       /* 0 in rows of cgroups */
	const char *comm;   /* borrowed from the capture; "" in rows of cgroups */
	uint64_t cgroup_id; /* the kernel's; 0 unknown */
	const char *cgroup; /* path, borrowed; "" when the capture does not know it */
	bool replaced;      /* same number, another program: exec, or the number was used again */
	struct level_change threads, stack_kb, pgtables_kb;
};

/* All vmalloc areas with pages that have one caller. */
struct caller_level {
	const char *caller; /* borrowed from the capture; "" where the kernel printed none */
	bool stacks;        /* thread stacks */
	struct level_change areas, kb;
	double attributed_kb;  /* areas allocated while tracing, not freed, whose stack has this
				  caller */
	double attributed_var; /* its variance, kB² */
	double preexisting_freed_kb; /* as the ledger's: NaN without events */
};

/* VmallocUsed, and what is known of it, at one moment. kB; NaN unknown. */
struct vmalloc_sum {
	double used_kb;
	double info_kb;          /* Σ pages= of vmallocinfo: the same, or the identity is broken */
	double stacks_kb;        /* areas of thread stacks, cached ones too */
	double cached_stacks_kb; /* of those, what KernelStack does not count */
	double rounding_kb;      /* pages beyond the areas' size without their guard page */
};

struct holders {
	bool tasks_known, callers_known; /* at both ends */
	ARRAY_OF(struct process_level)
	processes;                     /* by pgtables_kb.end + stack_kb.end, descending */
	struct process_level *cgroups; /* the same */
	size_t nr_cgroups;
	ARRAY_OF(struct caller_level) callers; /* by kb.end, descending */
	struct vmalloc_sum vmalloc_start, vmalloc_end;
	/* Held by processes at the start, and no longer at the end: at least so much of the old was
	 * freed. */
	double stacks_lost_kb, pgtables_lost_kb;
};

/* 0 or −ENOMEM. Free with holders_free(). */
int holders_build(const struct view *v, const struct outstanding *held, struct holders *out);
void holders_free(struct holders *l);

#endif
