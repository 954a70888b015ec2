/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the files of the tracer: tracer.c, tracer_cost.c, tracer_parts.c and tracer_strata.c.
 * No other file may include it.
 */
#ifndef KMEMTRACE_TRACE_TRACER_INTERNAL_H
#define KMEMTRACE_TRACE_TRACER_INTERNAL_H

#include "trace/tracer.h"
#include "tracer.skel.h"

#define TRACER_TABLES   13                  /* each one mapping … */
#define TRACER_MAPPINGS (TRACER_TABLES + 1) /* … and one for the parts of the live table */

struct tracer {
	struct tracer_bpf *skel;
	const struct plan *plan;
	struct bpf_link *links[PLAN_HOOKS_MAX];
	struct tracer_tables tables;
	struct sizes sizes;
	int *parts; /* descriptors of the live table's parts; once they are mapped, only the first
		       stays open */
	uint32_t nr_parts; /* 0: the live table has no parts and is the map `live` */
	struct {
		void *addr;
		size_t len;
	} mapped[TRACER_MAPPINGS];
	int nr_mapped;
	int nr_cpus;
	int stats_fd;
	struct stats_helper *stats_helper; /* requests run-time counting; NULL: this process
					      requests it itself */
	struct cost_reading
		cost_began; /* reading at the window's start; its cpu_ns holds the start time */
	struct {
		uint64_t ns, at_ns; /* time spent on samples, up to at_ns, … */
		uint64_t samples;   /* … and their number */
	} sampling;
	uint32_t period[KMT_STRATA];  /* that tracer_strata_set() set last; 0: none yet */
	uint32_t longest[KMT_STRATA]; /* of those before it, which were in force for a tick */
	uint64_t random;              /* for random_next(); 0: not yet begun */
};

/*
 * The parts of a live table that is larger than one map may be. In this order: make them before the
 * programs are loaded; after loading, put them into the map live_parts, where the programs find
 * them; map them contiguously, so that readers see one table. Return 0 or −errno.
 */
int tracer_parts_make(struct tracer *t);
int tracer_parts_put(struct tracer *t);
int tracer_parts_map(const struct tracer *t, void **addr, size_t *len);
void tracer_parts_free(struct tracer *t);

#endif
