/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The loaded BPF programs: new (open, size, load), attach, gate, read, free. Everything the kernel
 * side knows is read through the tables mapped here; nothing above this file speaks to libbpf.
 */
#ifndef KMEMTRACE_TRACE_TRACER_H
#define KMEMTRACE_TRACE_TRACER_H

#include <stdbool.h>
#include <stdint.h>

#include "kmemtrace.h"
#include "trace/cost.h"
#include "trace/plan.h"
#include "trace/sizes.h"

_Static_assert((int)POOL_SLAB == KMT_SLAB && (int)POOL_VMALLOC == KMT_VMALLOC &&
		       (int)POOL_PERCPU == KMT_PERCPU && (int)POOL_KSTACK == KMT_KSTACK &&
		       (int)POOL_PAGE == KMT_PAGE && (int)POOL_PAGETABLE == KMT_POOLS,
	       "a pool has one number on both sides");

struct tracer_options {
	bool exact;
	bool governed;         /* an exact recording that may fall to sampling */
	uint64_t sample_bytes; /* mean bytes between samples, where not exact */
	uint64_t memory;       /* for all tables; 0: a default, see sizes.h */
	uint64_t max_live; /* objects the live table must hold; 0: as many as there is memory for */
	uint64_t min_size; /* smaller allocations are not looked at */
	uint64_t max_size; /* nor larger ones; 0: no limit */
	bool sizes_fit; /* these two are those of the caches named below, and leave out nothing more
			 */
	int32_t pid;    /* only this process (thread group); 0: all */
	uint64_t cgroup;           /* only this cgroup and those below it (its inode); 0: all */
	uint32_t cgroup_level;     /* how deep it lies, 0 the root */
	const char *const *caches; /* --cache: only these */
	size_t nr_caches;          /* ≤ KMT_FILTER_CACHES */
	uint32_t thread_size;      /* bytes of a kernel stack; see host_thread_size() */
	uint32_t audit_every;      /* hits of the unwinder, a power of two; 0: the default */
};

/* The shared tables, mapped read-only: written by the kernel side while they are read. */
struct tracer_tables {
	const struct kmt_cpu *cpus;
	uint32_t nr_cpus;
	const struct kmt_bucket *live;
	uint32_t nr_buckets;
	const struct kmt_stack *stacks;
	uint32_t nr_stacks;
	const struct kmt_process *processes;
	uint32_t nr_processes;
	const struct kmt_tally *tallies;
	uint32_t nr_tallies;
	const struct kmt_traffic *stack_traffic;
	const struct kmt_traffic *cache_traffic;
	const struct kmt_cache_key *cache_keys;
	const struct kmt_cache_info *cache_info;
	uint32_t nr_caches;
	const uint32_t *weights;       /* for kmt_weight() */
	const struct kmt_audit *audit; /* answers of the audit's programs */
	struct kmt_audit_item
		*audit_items; /* the one table the loader writes: KMT_AUDIT_CHUNK rows */
};

struct tracer;

#define TRACER_WHY_MAX 512
/*
 * How large the tables of such a recording are, now and here. Returns 0 or −errno, with what to do
 * about it in `why` and the smallest tables in *out.
 */
int tracer_sizes(const struct tracer_options *options, struct sizes *out, char why[TRACER_WHY_MAX]);

/* Open, size and load the programs of the plan. Prints why on failure, returns −errno. */
int tracer_new(const struct plan *plan, const struct tracer_options *options, struct tracer **out);
/* Attach all of them, frees first. Nothing is recorded before the gate opens. */
int tracer_attach(struct tracer *t);
/* Detach; the tables stay readable until tracer_free(). */
void tracer_detach(struct tracer *t);
void tracer_free(struct tracer *t);

void tracer_enable_pools(struct tracer *t, bool open);

enum tracer_watch {
	WATCH_NOT,    /* nothing is attached that sees the pool's events */
	WATCH_PROBE,  /* attached, to see what that costs, but nothing is recorded */
	WATCH_RECORD, /* as after tracer_enable_pools(true) */
};
/*
 * How one pool (enum kmt_pool) is watched from here on, the gate being open. What was allocated
 * before stays in the tables: that some of it is freed meanwhile only the audit finds out. 0, or
 * −errno when it cannot attach (the reason is printed).
 */
int tracer_watch(struct tracer *t, int pool, enum tracer_watch how);
/* Set coarse_now_ms: milliseconds since tracer_enable_pools(). Call at least every 100 ms. */
void tracer_clock(struct tracer *t, uint32_t ms);

/* The mean bytes between samples of a pool (enum kmt_pool), or KMT_EVERY; from each CPU's next
 * sample on. */
void tracer_period_set(struct tracer *t, int pool, uint64_t bytes);

/*
 * Tell the programs where the caches that --cache names are, of those that have a row by now: what
 * comes from others is then left alone at once. Without effect where no cache is named.
 */
void tracer_filter_caches(struct tracer *t);

const struct tracer_tables *tracer_tables(const struct tracer *t);
const struct sizes *tracer_sizes_of(const struct tracer *t);

/*
 * Learn where the kernel keeps struct page and each CPU's variables: what the audit needs, and what
 * tells the cache of a kmalloc'ed object before 6.13. Call when attached, before the gate opens. 0,
 * −ENOTSUP when the plan has no audit or the kernel's layout does not fit, or −errno.
 */
int tracer_learn_layout(struct tracer *t);

/* Memory nodes there can be, numbered from 0. */
uint32_t tracer_nodes(const struct tracer *t);

/* Programs that attach to nothing and are run on demand: see bpf/audit.bpf.c and unwind.bpf.c for
 * their arguments. */
enum tracer_call {
	TRACER_AUDIT_CPU,
	TRACER_AUDIT_GATHER,
	TRACER_AUDIT_CACHES,
	TRACER_AUDIT_VERIFY,
	TRACER_FIND_SYSCALL,
	TRACER_CALLS
};
/* Run one with up to three arguments, on `cpu` or (−1) here. 0 or −errno. */
int tracer_run(struct tracer *t, enum tracer_call call, const uint64_t args[3], int cpu);
/* Sums over CPUs; losses include what the kernel counted (recursion misses) as the last entry. */
struct tracer_counts {
	uint64_t losses[KMT_LOSSES];
	uint64_t stats[KMT_STATS];
	uint64_t recursion_misses;
};
void tracer_counts(const struct tracer *t, struct tracer_counts *out);

/*
 * Run an iterator of the plan to its end: what it wrote, NUL-terminated, to be freed by the caller.
 * −ENOENT when the plan has it off.
 */
int tracer_iter(const struct tracer *t, const char *program, char **buf, size_t *len);

/* Kernel memory that the programs and maps take, in bytes, as the kernel accounts it. */
uint64_t tracer_own_bytes(const struct tracer *t);

/*
 * The programs' own run time. The kernel keeps it only while asked to, and that costs some 25 ns a
 * run: so it is asked for short windows. begin and end bracket one; end gives what the programs did
 * in it. 0 or −errno.
 */
struct stats_helper;
void tracer_stats_by(struct tracer *t,
		     struct stats_helper *helper); /* asks the kernel, from now on */
int tracer_cost_begin(struct tracer *t);
int tracer_cost_end(struct tracer *t, struct cost_reading *out);

/*
 * Does the kernel let this process go on: ask programs for their figures, run them, attach them
 * again? Nothing is run or attached to find out.
 */
bool tracer_is_permitted(const struct tracer *t);

/* The descriptor of a loaded program, for test runs (BPF_PROG_TEST_RUN); −ENOENT when it is not
 * loaded. */
int tracer_program_fd(const struct tracer *t, const char *program);

#endif
