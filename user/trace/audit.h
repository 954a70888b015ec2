/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The liveness audit, from the loader's side: chooses tracked slab objects and pages, has the
 * kernel side look them up in the allocator's free lists and in struct page (bpf/audit.bpf.c), and
 * keeps the results for the collector. Objects found free leave the live table at once and count as
 * unseen frees.
 */
#ifndef KMEMTRACE_TRACE_AUDIT_H
#define KMEMTRACE_TRACE_AUDIT_H

#include "trace/tracer.h"
#include "data/snapshot.h"

/* While tracing, younger objects are not looked at: most will be freed soon, by an event. */
#define AUDIT_AGE_MS 1000

struct audit;

struct audit_counts {
	uint64_t runs, ns;       /* ns: wall time of all runs, of one CPU */
	uint64_t verified, live; /* verdicts */
	uint64_t unseen_frees;   /* found free and taken out */
	uint64_t unsure;         /* no verdict: the lists moved */
};

/* Objects of one (path, owner, cache) that the last run found free, of its sample. */
struct audit_unseen_frees {
	uint32_t stack, process;
	uint16_t cache; /* 0: page tables */
	uint64_t nr;
};

/* The tracer is borrowed. Learns the kernel's layout: call when attached, before the gate opens. */
int audit_new(struct tracer *t, struct audit **out);
void audit_free(struct audit *a);

/* "ok", or why nothing can be looked up. */
const char *audit_state(const struct audit *a);

/*
 * Look objects up, for about `limit_s` seconds at most: all of them when that is enough, else a
 * sample of each (cache, path) group and some of what earlier runs found live
 * (trace/audit_sample.h). Those allocated after `allocated_until_ms` are left out; that must be
 * before coarse_now_ms, because a row that a new object takes over meanwhile is told by its time. 0
 * or −errno; without effect where audit_state() is not "ok".
 */
int audit_run(struct audit *a, uint32_t allocated_until_ms, double limit_s);

/*
 * Of the last run: was the object in `row` of the live table in its sample, and live? (Another
 * object that took the row since is told by kmt_object.checked, which is then 0.) And the unseen
 * frees it found.
 */
bool audit_sampled(const struct audit *a, uint32_t row);
size_t audit_unseen_frees(const struct audit *a, const struct audit_unseen_frees **out);

/* Give each cache there is by now its row in the tables: by its name, --cache finds it. 0 or
 * −errno; as below. */
int audit_list_caches(struct audit *a);

/*
 * Count, for each cache, the free objects that slabinfo takes for active: on CPUs' free lists, in
 * their partial slabs, in sheaves and barns. Into slab_level.cpu_free of the lines of `slabs`, read
 * a moment ago; those that could not be counted stay −1. 0 or −errno; without effect where
 * audit_state() is not "ok".
 */
int audit_count_free(struct audit *a, struct slab_levels *slabs);

const struct audit_counts *audit_counts(const struct audit *a);

#endif
