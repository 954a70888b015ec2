/* SPDX-License-Identifier: GPL-2.0-only */
/* What the three files of the tracer share: tracer.c, tracer_layout.c and tracer_cost.c. Nobody
 * else's. */
#ifndef KMEMTRACE_TRACE_TRACER_INTERNAL_H
#define KMEMTRACE_TRACE_TRACER_INTERNAL_H

#include "trace/tracer.h"
#include "tracer.skel.h"

#define TRACER_MAPPINGS 11

struct tracer {
	struct tracer_bpf *skel;
	const struct plan *plan;
	struct bpf_link *links[PLAN_HOOKS_MAX];
	struct tracer_tables tables;
	struct sizes sizes;
	struct {
		void *addr;
		size_t len;
	} mapped[TRACER_MAPPINGS];
	int nr_mapped;
	int nr_cpus;
	int stats_fd;
	struct stats_helper *stats_helper; /* has run times counted, or NULL: we do */
	struct cost_reading cost_began;    /* its cpu_ns is the time */
	struct {
		uint64_t ns, at_ns; /* what samples took, up to then */
	} sampling;
};

/* What learns where struct page is. */
struct bpf_program *tracer_pages_program(const struct tracer *t);

#endif
