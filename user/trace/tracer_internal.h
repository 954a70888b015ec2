/* SPDX-License-Identifier: GPL-2.0-only */
/* What the four files of the tracer share: tracer.c, tracer_layout.c, tracer_cost.c and
 * tracer_parts.c. Nobody else's. */
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
	int *parts; /* descriptors of the live table's parts while they are made, then of the first
		       alone */
	uint32_t nr_parts; /* 0: it has one, in the map `live` */
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

/*
 * The parts of a live table that is larger than one map may be. Make them before the programs are
 * loaded, put them where the programs look after that, and map them one behind the other: readers
 * see one table. 0 or −errno.
 */
int tracer_parts_make(struct tracer *t);
int tracer_parts_put(struct tracer *t);
int tracer_parts_map(const struct tracer *t, void **addr, size_t *len);
void tracer_parts_free(struct tracer *t);

/* What learns where struct page is. */
struct bpf_program *tracer_pages_program(const struct tracer *t);

#endif
