/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The liveness audit, from the loader's side: chooses tracked slab objects and pages, runs the
 * programs that look them up in the allocator's free lists and in struct page (bpf/audit.bpf.c),
 * and keeps the results for the collector. Objects found free leave the live table at once and
 * count as unseen frees.
 */
#ifndef KMEMTRACE_TRACE_AUDIT_H
#define KMEMTRACE_TRACE_AUDIT_H

#include "trace/tracer.h"
#include "data/snapshot.h"

/*
 * While tracing, younger objects are not checked: most of them are freed soon, by a traced event.
 */
#define AUDIT_AGE_MS 1000

struct audit;

struct audit_counts {
	uint64_t runs, ns;       /* ns: wall time of all runs, on one CPU */
	uint64_t verified, live; /* verdicts */
	uint64_t unseen_frees;   /* found free and removed */
	uint64_t unsure;         /* no verdict: the free lists changed meanwhile */
};

/* Sampled objects of one (stack, process, cache) that the last run found free. */
struct audit_unseen_frees {
	uint32_t stack, process;
	uint16_t cache; /* 0: page tables */
	uint64_t nr;
};

/*
 * Borrows the tracer. Learns the kernel's memory layout: call after attaching, before any pool is
 * enabled.
 */
int audit_new(struct tracer *t, struct audit **out);
void audit_free(struct audit *a);

/* "ok", or why nothing can be checked. */
const char *audit_state(const struct audit *a);

/*
 * Look objects up, for about `limit_s` seconds at most: all of them when that is enough, else a
 * sample of each (cache, path) group and some of what earlier runs found live
 * (trace/audit_sample.h). Objects allocated after `allocated_until_ms` are left out. That time must
 * be before coarse_now_ms: if a new object takes over a row during the run, only its later time
 * shows it. Returns 0 or −errno; does nothing unless audit_state() is "ok".
 */
int audit_run(struct audit *a, uint32_t allocated_until_ms, double limit_s);

/*
 * Results of the last run. audit_sampled(): was the object in `row` of the live table in the run's
 * sample, and found live? If another object has the row since then, kmt_object.checked is 0.
 * audit_unseen_frees(): the unseen frees that the run found.
 */
bool audit_sampled(const struct audit *a, uint32_t row);
size_t audit_unseen_frees(const struct audit *a, const struct audit_unseen_frees **out);

/*
 * Give every cache that exists now a row in the tables, so that --cache finds it by name. Returns 0
 * or −errno; does nothing unless audit_state() is "ok".
 */
int audit_list_caches(struct audit *a);

/*
 * Count, for each cache, the free objects that slabinfo reports as active: those on CPUs' free
 * lists, in CPUs' partial slabs, in sheaves and barns. Writes the counts to slab_level.cpu_free in
 * `slabs`, which must have been read a moment ago; a cache that could not be counted keeps −1.
 * Returns 0 or −errno; does nothing unless audit_state() is "ok".
 */
int audit_count_free(struct audit *a, struct slab_levels *slabs);

const struct audit_counts *audit_counts(const struct audit *a);

#endif
