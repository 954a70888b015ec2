/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The balance sheet: breaks MemTotal of one snapshot down into lines, so that each page is in
 * exactly one line; the last line is the unexplained rest. When two of the kernel's figures count
 * the same page, only one line gets it, and its `overlaps` says so. ledger.c (pool Unaccounted) and
 * `kmemtrace balance` call it. All sizes in kB.
 */
#ifndef KMEMTRACE_MODEL_BALANCE_H
#define KMEMTRACE_MODEL_BALANCE_H

#include <stdbool.h>

#include "data/snapshot.h"
#include "data/unlisted.h"
#include "model/believable.h"
#include "model/suspects.h"

enum balance_group {
	BALANCE_FREE,
	BALANCE_USER,
	BALANCE_HUGE,
	BALANCE_KERNEL,
	BALANCE_HARDWARE,
	BALANCE_UNACCOUNTED,
	BALANCE_GROUPS
};

enum balance_id {
	BALANCE_MEM_FREE,
	BALANCE_PER_CPU_LISTS,
	BALANCE_ANON_SMALL,
	BALANCE_ANON_HUGE,
	BALANCE_SHMEM,
	BALANCE_FILES,
	BALANCE_BUFFERS,
	BALANCE_SWAP_CACHE,
	BALANCE_OTHER_LRU,
	BALANCE_HUGETLB,
	BALANCE_SLAB_RECLAIMABLE,
	BALANCE_SLAB_UNRECLAIMABLE,
	BALANCE_MISC_RECLAIMABLE,
	BALANCE_KERNEL_STACK,
	BALANCE_VMALLOC,
	BALANCE_PAGE_TABLES,
	BALANCE_SEC_PAGE_TABLES,
	BALANCE_PERCPU,
	BALANCE_COMPRESSED,
	BALANCE_GPU,
	BALANCE_BOUNCE,
	BALANCE_WRITEBACK_TMP,
	BALANCE_BALLOON,
	BALANCE_POISONED,
	BALANCE_REST,
	BALANCE_LINES
};

/* The definition of a line; the same on every machine. */
struct balance_def {
	const char *name;  /* its name in JSON; must never change */
	const char *label; /* for people, up to 30 columns */
	enum balance_group group;
	const char *source;   /* the kernel's figures it is computed from */
	const char *explain;  /* one sentence */
	const char *overlaps; /* which other figures count these pages too, or "" */
};

extern const struct balance_def balance_defs[BALANCE_LINES];
const char *balance_group_name(enum balance_group group);  /* "free", …, for JSON */
const char *balance_group_label(enum balance_group group); /* for people */

struct balance {
	double total_kb;
	double kb[BALANCE_LINES]; /* sums to total_kb exactly; only BALANCE_REST may be negative */
	bool unknown[BALANCE_LINES]; /* the figure cannot be believed: kb is 0, and BALANCE_REST
					includes the memory */
	struct beliefs beliefs;      /* which figures the lines are computed from */
	bool contradiction; /* the rest is so far below 0 that lagging counters cannot explain it */
	bool placed;        /* false: zoneinfo is missing, so the rest includes per-CPU lists */
	bool stacks_are_vmalloc;
	bool balloon_in_total;
	double vmallocinfo_kb;   /* Σ pages=; NaN when vmallocinfo could not be read */
	double vmalloc_used_kb;  /* VmallocUsed, including thread stacks */
	double cached_stacks_kb; /* stacks kept for new threads: in VmallocUsed, not in
				    KernelStack; NaN unknown */
	double percpu_first_kb;  /* the first per-CPU chunk: in Percpu, not in MemTotal; NaN
				    unknown */
	struct balance_candidate candidates[BALANCE_CANDIDATES]; /* largest first */
	size_t nr_candidates;
};

/*
 * Build the sheet of one snapshot from the figures that can be believed (believable.h). `unlisted`
 * may be NULL (captures do not have it). Without a MemTotal above 0, every line is NaN. Never
 * fails.
 */
void balance_build(const struct snapshot *s, const struct beliefs_hint *hint,
		   const struct unlisted *unlisted, struct balance *out);

/* Build the sheets of two moments of one machine, so that each line means the same in both. */
void balance_pair(const struct snapshot *start, const struct snapshot *end,
		  const struct beliefs_hint *hint, struct balance *start_out,
		  struct balance *end_out);

/* The line's size in kB; NaN when it is unknown. */
double balance_line_kb(const struct balance *b, enum balance_id line);

/* The sum of the group's lines. */
double balance_group_kb(const struct balance *b, enum balance_group group);

/* Thread stacks in vmallocinfo, including cached ones; NaN when it shows none or was not read. */
double balance_vmalloc_stacks_kb(const struct snapshot *s, double page_bytes);

/* Does this caller, as vmallocinfo prints it, allocate thread stacks? */
bool balance_is_stack_caller(const char *caller);

#endif
