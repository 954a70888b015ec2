/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ledger: for each pool, end − start = attributed − preexisting freed + allocator overhead +
 * residual (docs/ledger.md defines the terms). Each term except the residual has a source of its
 * own. If a term was not measured, the term and the residual are NaN. They are printed as "–" or
 * null, never as 0.
 *
 * A few terms have no source in any kernel. They are NaN too, the row's remark says which other
 * term includes them, and the residual is still a number. report_findings.c calls it; ledger.c has
 * one row per pool.
 */
#ifndef KMEMTRACE_MODEL_LEDGER_H
#define KMEMTRACE_MODEL_LEDGER_H

#include "model/caches.h"
#include "model/holders.h"

enum ledger_pool {
	LEDGER_SLAB,
	LEDGER_VMALLOC,
	LEDGER_KERNEL_STACK,
	LEDGER_PAGE_TABLES,
	LEDGER_SEC_PAGE_TABLES,
	LEDGER_PERCPU,
	LEDGER_UNMAPPED_LRU, /* pages on LRU lists that nobody maps: no event shows who allocated
				them */
	LEDGER_UNACCOUNTED,
	LEDGER_POOLS
};

struct ledger_row {
	enum pool pool;   /* whose allocations explain it */
	const char *name; /* the line of /proc/meminfo, or "Unaccounted" */
	double start_kb, end_kb, delta_kb;
	double attributed_kb;
	double attributed_sd_kb; /* standard deviation from sampling and audit */
	/* "events"; "vmallocinfo" when vmalloc has no events (kernels before 6.2); "" unknown */
	const char *attributed_from;
	bool from_levels;   /* attributed_kb is from levels, not from events */
	const char *remark; /* what is special about this pool's terms, or "" */
	double preexisting_freed_kb;
	double allocator_overhead_kb;
	double residual_kb;
	/* 95 % interval from sampling and audit; one that includes 0 may be their error alone */
	double residual_low_kb, residual_high_kb;
	bool residual_matters; /* it is large compared with the change, and larger than the error of
				  sampling */
	bool empty;            /* nothing at the start and the end, or unknown */
	bool shown; /* false: the pool is empty, and it is one that most machines do not have */
	struct trend trend;
	/* Level in kB of nr_series snapshots, NaN unknown, and their times in seconds since tracing
	 * began. All pools have the same times. */
	double *series, *series_t;
	size_t nr_series;
};

struct ledger {
	struct ledger_row rows[LEDGER_POOLS];
};

/* 0 or −ENOMEM. Free with ledger_free(). */
int ledger_build(const struct view *v, const struct outstanding *outstanding,
		 const struct caches *caches, const struct holders *holders, struct ledger *out);
void ledger_free(struct ledger *l);

#endif
