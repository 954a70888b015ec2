/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which of the kernel's own figures can be believed. Kernels print wrong figures: leaked counters,
 * address space instead of memory, zeros. This module is the one place that decides: it compares
 * the figures of one snapshot with each other and believes, corrects or drops each, by a rule. A
 * rule has a name, a reason, and the kernels that are known to need it. model/balance.c, ledger.c,
 * diff/ and findings/ take their figures from here; findings/balance_findings.c writes the
 * sentences. Pure.
 */
#ifndef KMEMTRACE_MODEL_BELIEVABLE_H
#define KMEMTRACE_MODEL_BELIEVABLE_H

#include <stdbool.h>

#include "data/snapshot.h"

/* The lines of /proc/meminfo that are judged, in the kernel's order. */
enum figure {
	FIGURE_MEM_TOTAL,
	FIGURE_MEM_FREE,
	FIGURE_MEM_AVAILABLE,
	FIGURE_BUFFERS,
	FIGURE_CACHED,
	FIGURE_SWAP_CACHED,
	FIGURE_ACTIVE,
	FIGURE_INACTIVE,
	FIGURE_ACTIVE_ANON,
	FIGURE_INACTIVE_ANON,
	FIGURE_ACTIVE_FILE,
	FIGURE_INACTIVE_FILE,
	FIGURE_UNEVICTABLE,
	FIGURE_ZSWAP,
	FIGURE_ANON_PAGES,
	FIGURE_MAPPED,
	FIGURE_SHMEM,
	FIGURE_K_RECLAIMABLE,
	FIGURE_SLAB,
	FIGURE_S_RECLAIMABLE,
	FIGURE_S_UNRECLAIM,
	FIGURE_KERNEL_STACK,
	FIGURE_PAGE_TABLES,
	FIGURE_SEC_PAGE_TABLES,
	FIGURE_BOUNCE,
	FIGURE_WRITEBACK_TMP,
	FIGURE_VMALLOC_USED,
	FIGURE_PERCPU,
	FIGURE_HARDWARE_CORRUPTED,
	FIGURE_ANON_HUGE_PAGES,
	FIGURE_BALLOON,
	FIGURE_GPU_ACTIVE,
	FIGURE_GPU_RECLAIM,
	FIGURE_HUGETLB,
	FIGURES
};

enum belief {
	BELIEF_ABSENT,       /* this kernel does not print it */
	BELIEF_BELIEVED,     /* nothing contradicts it */
	BELIEF_CORRECTED,    /* taken from another source */
	BELIEF_CONTRADICTED, /* cannot be true, and nothing replaces it: unknown */
	BELIEF_MISSING,      /* every kernel prints it, but this input has none: unknown */
};

enum belief_rule {
	RULE_NONE,
	RULE_LINE_MISSING,
	RULE_LRU_BEYOND_MEMORY,
	RULE_GPU_BEYOND_MEMORY,
	RULE_BEYOND_MEMORY,
	RULE_AVAILABLE_BEYOND_MEMORY,
	RULE_AVAILABLE_FROM_BROKEN,
	RULE_VMALLOC_ADDRESS_SPACE,
	RULE_VMALLOC_ZERO,
	RULE_DISTRUSTED,
	RULE_NOT_IN_OOM_REPORT,
	BELIEF_RULES
};

struct belief_rule_def {
	const char *name;    /* in JSON; must never change */
	const char *reason;  /* why the figure cannot be true; one sentence */
	const char *kernels; /* where it is known from, "" any */
};

extern const struct belief_rule_def belief_rules[BELIEF_RULES];

struct believed {
	enum belief belief;
	enum belief_rule rule;
	double read_kb;     /* as /proc/meminfo has it; NaN: not there */
	double kb;          /* to be used; NaN: unknown, or this kernel has none */
	const char *source; /* of a corrected figure, or NULL */
};

struct beliefs {
	struct believed figures[FIGURES];
	double used_kb;    /* MemTotal - MemFree */
	double managed_kb; /* of all zones; NaN: zoneinfo does not say */
	bool container;    /* MemTotal is a container's, other files are the machine's (lxcfs) */
	double page_bytes; /* of the machine that the figures are from */
	double cpus;       /* NaN unknown */
	bool oom_report;   /* the figures are of one: some lines are never there */
};

/* What the caller knows besides the snapshot. */
struct beliefs_hint {
	double page_bytes;
	double cpus;         /* 0: as zoneinfo says */
	uint64_t distrusted; /* figures not to believe, as bits by enum figure: see
				beliefs_distrust() */
	bool oom_report;     /* the snapshot was read from one, which leaves some lines out */
};

/* The name of a figure's line in /proc/meminfo. */
const char *figure_name(enum figure f);
/* The figure of this line, or FIGURES for a line that is not judged. */
enum figure figure_named(const char *line);

/* Judge all figures of one snapshot. Never fails; without MemTotal nothing can be contradicted. */
void beliefs_judge(const struct snapshot *s, const struct beliefs_hint *hint, struct beliefs *out);

/*
 * The figures that one of these snapshots contradicts, as bits. A counter that is broken at one
 * moment of a recording is not believed at any moment, because its repair would look like growth.
 */
uint64_t beliefs_distrust(const struct snapshot *snapshots, size_t nr,
			  const struct beliefs_hint *hint);

/* The figure in kB; NaN unknown. beliefs_sum_kb() takes an unknown one as 0. */
double beliefs_kb(const struct beliefs *b, enum figure f);
double beliefs_sum_kb(const struct beliefs *b, enum figure f);

/* How far the sum of a machine's counters may be off because CPUs have not passed on theirs. */
double beliefs_lag_kb(const struct beliefs *b);

/*
 * The page size of the machine that a copy of /proc comes from. It is derived from figures that the
 * copy has both in kB and in pages; else from the largest power of two that divides all sizes; else
 * from MemTotal and zoneinfo; else it is `fallback`. *source says what it is derived from; NULL for
 * `fallback`.
 */
double beliefs_page_bytes(const struct snapshot *s, double fallback, const char **source);

#endif
