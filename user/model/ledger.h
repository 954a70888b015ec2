/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ledger: for each pool, end − start = attributed − freed that predates the capture + allocator
 * overhead + residual. Each term is measured from its own source and only the residual is the rest
 * (docs/ledger.md has the definitions in full). A term that was not measured is NaN, and so is the
 * residual then: it is printed as "–" and null, never as 0.
 *
 * Slab:
 *   attributed      Σ bytes of traced outstanding objects (what they take: s->size), corrected by
 * the audit. overhead        Σ over caches of Δ(num_slabs × pages_per_slab × page − active objects
 * × size): free slots, padding and page ends, from slabinfo alone. freed that      per cache, where
 * active objects grew by less than is outstanding: objects that were predates        there before
 * and went. An event shows their free but nothing of their size or cache, so they are taken from
 * slabinfo: outstanding − Δactive × size, 0 inside the sampling error, and never more than the
 * cache held at the start. Frees that no event showed and no audit found look the same; the cache's
 * trust says so. What exceeds the bound is left in the residual. residual        what is left:
 * allocations no event showed, objects on CPU lists (slabinfo counts them active), sampling error,
 * the moments between reading two files.
 */
#ifndef KMEMTRACE_MODEL_LEDGER_H
#define KMEMTRACE_MODEL_LEDGER_H

#include "model/caches.h"

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
	double preexisting_freed_kb;
	double allocator_overhead_kb;
	double residual_kb;
	struct trend trend;
	double *series; /* level in kB of nr_series snapshots, NaN where unknown: for the sparkline
			 */
	size_t nr_series;
};

struct ledger {
	struct ledger_row rows[LEDGER_POOLS];
};

/* 0 or −ENOMEM. Free with ledger_free(). */
int ledger_build(const struct view *v, const struct held *held, const struct caches *caches,
		 struct ledger *out);
void ledger_free(struct ledger *l);

#endif
