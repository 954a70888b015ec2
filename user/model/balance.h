/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The balance sheet: MemTotal of one snapshot taken apart, each page in one line, down to what no
 * line explains. Ledger (its pool Unaccounted) and `kmemtrace balance` stand on it. Where two
 * figures of the kernel count the same page, the line says so and only one of them has it. All
 * sizes in kB.
 */
#ifndef KMEMTRACE_MODEL_BALANCE_H
#define KMEMTRACE_MODEL_BALANCE_H

#include <stdbool.h>

#include "data/snapshot.h"
#include "data/unlisted.h"

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

/* What a line is: the same for every machine. */
struct balance_def {
	const char *name;  /* stable: a name of the JSON */
	const char *label; /* for people, up to 30 columns */
	enum balance_group group;
	const char *source;   /* the figures it is made of */
	const char *explain;  /* one sentence */
	const char *overlaps; /* "" or what else the kernel counts these pages under */
};

extern const struct balance_def balance_defs[BALANCE_LINES];
const char *balance_group_name(enum balance_group group);  /* "free", …, for JSON */
const char *balance_group_label(enum balance_group group); /* for people */

#define BALANCE_SUSPECTS 12

/* Memory that is in Unaccounted, as far as anything counts it. */
struct balance_suspect {
	const char *name;
	double kb;
	bool at_most; /* a part of it is in other lines */
	const char *source;
	const char *explain;
};

struct balance {
	double total_kb;
	double kb[BALANCE_LINES]; /* sums to total_kb exactly; only BALANCE_REST may be negative */
	bool placed;              /* false: no per-CPU lists (zoneinfo), they are in the rest */
	bool stacks_are_vmalloc;
	bool balloon_in_total;
	double vmallocinfo_kb;   /* Σ pages=; NaN when vmallocinfo could not be read */
	double vmalloc_used_kb;  /* VmallocUsed, with thread stacks */
	double cached_stacks_kb; /* stacks kept for the next thread: in VmallocUsed, not in
				    KernelStack; NaN unknown */
	double percpu_first_kb;  /* part of Percpu that is not in MemTotal: the first chunk; NaN
				    unknown */
	struct balance_suspect suspects[BALANCE_SUSPECTS]; /* largest first */
	size_t nr_suspects;
};

/*
 * The sheet of one snapshot; `unlisted` may be NULL (a capture has none). Without a MemTotal every
 * line is NaN. Never fails.
 */
void balance_build(const struct snapshot *s, double page_bytes, const struct unlisted *unlisted,
		   struct balance *out);

/* The same for two moments of one machine, so that a line means the same in both. */
void balance_pair(const struct snapshot *start, const struct snapshot *end, double page_bytes,
		  struct balance *start_out, struct balance *end_out);

/* Sum of the group's lines. */
double balance_group_kb(const struct balance *b, enum balance_group group);

/* Pages of thread stacks in vmallocinfo, cached ones included; NaN when it names none or was not
 * read. */
double balance_vmalloc_stacks_kb(const struct snapshot *s, double page_bytes);

/* Is this caller, as vmallocinfo prints it, where thread stacks are allocated? */
bool balance_is_stack_caller(const char *caller);

#endif
