/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ledger: for each pool, end − start = attributed − freed that predates the capture + allocator
 * overhead + residual. Each term is measured from its own source and only the residual is the rest
 * (docs/ledger.md has the definitions in full). A term that was not measured is NaN, and so is the
 * residual then: it is printed as "–" and null, never as 0.
 *
 * A few terms have no source in any kernel: they are NaN too, the row's remark says which other
 * term holds them, and the residual is a number. user/model/ledger.c has one line a pool.
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
	LEDGER_UNACCOUNTED,
	LEDGER_POOLS
};

struct ledger_row {
	const char *name; /* of the /proc/meminfo line; "Unaccounted" for what no line explains */
	double start_kb, end_kb, delta_kb;
	double attributed_kb;
	double attributed_sd_kb; /* standard deviation from sampling and audit */
	const char
		*attributed_from; /* "events", "vmallocinfo" (kernels before 6.2), "" not at all */
	const char *remark;       /* what is special about the terms of this pool, or "" */
	double preexisting_freed_kb;
	double allocator_overhead_kb;
	double residual_kb;
	/* 95 % interval that sampling and audit leave it; around 0, it can be their error alone */
	double residual_low_kb, residual_high_kb;
	struct trend trend;
	double *series; /* level in kB of nr_series snapshots, NaN where unknown: for the sparkline
			 */
	size_t nr_series;
};

struct ledger {
	struct ledger_row rows[LEDGER_POOLS];
};

/* 0 or −ENOMEM. Free with ledger_free(). */
int ledger_build(const struct view *v, const struct outstanding *held, const struct caches *caches,
		 const struct holders *levels, struct ledger *out);
void ledger_free(struct ledger *l);

#endif
