/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Levels by holder, at the start and the end of a view: processes and cgroups that hold kernel
 * stacks and page tables (task iterator), and callers that hold vmalloc areas (/proc/vmallocinfo).
 * They also cover memory older than the capture, and measure how much of it was freed: the ledger's
 * "preexisting freed". report_findings.c calls it; ledger.c and findings/ read it.
 */
#ifndef KMEMTRACE_MODEL_HOLDERS_H
#define KMEMTRACE_MODEL_HOLDERS_H

#include "model/outstanding.h"

struct level_change {
	double start, end;
};

static inline double level_change_delta(const struct level_change *c)
{
	return c->end - c->start;
}

/* One process, or all processes of one cgroup. */
struct process_level {
	int32_t tgid;       /* 0 in rows of cgroups */
	const char *comm;   /* owned by the capture; "" in rows of cgroups */
	uint64_t cgroup_id; /* the kernel's; 0 unknown */
	const char *cgroup; /* path, owned by the capture; "" unknown */
	bool replaced;      /* same tgid, another program: exec, or the tgid was reused */
	struct level_change threads, stack_kb, pgtables_kb;
};

/* All vmalloc areas with pages of one caller. */
struct caller_level {
	const char *caller; /* owned by the capture; "" when the kernel printed none */
	bool stacks;        /* the areas are thread stacks */
	struct level_change areas, kb;
	double attributed_kb;        /* outstanding areas whose call path contains this caller */
	double attributed_var;       /* its variance, kB² */
	double preexisting_freed_kb; /* as in the ledger; NaN without events */
};

/* VmallocUsed and its parts at one moment. kB; NaN unknown. */
struct vmalloc_sum {
	double used_kb;
	double info_kb;           /* Σ pages= of vmallocinfo; must equal used_kb */
	double stacks_kb;         /* areas of thread stacks, including cached ones */
	double cached_stacks_kb;  /* stacks_kb that KernelStack does not count */
	double without_stacks_kb; /* used_kb − stacks_kb */
	bool comparable, agrees;  /* used_kb and info_kb are known; they are equal */
	double rounding_kb;       /* pages beyond the areas' sizes without guard pages */
};

struct holders {
	bool tasks_known, callers_known; /* read at both ends */
	ARRAY_OF(struct process_level)
	processes;                     /* by pgtables_kb.end + stack_kb.end, descending */
	struct process_level *cgroups; /* in the same order */
	size_t nr_cgroups;
	ARRAY_OF(struct caller_level) callers; /* by kb.end, descending */
	struct vmalloc_sum vmalloc_start, vmalloc_end;
	/* What processes held at the start and no longer hold at the end. At least this much older
	 * memory was freed. */
	double stacks_lost_kb, pgtables_lost_kb;
	/* At the end: KernelStack beyond the stacks of all listed processes. They belong to tasks
	 * outside the recorder's PID namespace, and to idle tasks, which are in none. */
	double unlisted_stacks_kb;
};

/* 0 or −ENOMEM. Free with holders_free(). */
int holders_build(const struct view *v, const struct outstanding *outstanding, struct holders *out);
void holders_free(struct holders *l);

#endif
