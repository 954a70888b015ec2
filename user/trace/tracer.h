/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The loaded BPF programs. Life cycle: new (open, size, load), attach, enable pools, read, detach,
 * free. The recorder drives it; the collector and the audit read the kernel side's tables, which
 * are mapped here. No file that uses this header may call libbpf itself.
 */
#ifndef KMEMTRACE_TRACE_TRACER_H
#define KMEMTRACE_TRACE_TRACER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/file_read.h"
#include "kmemtrace.h"
#include "trace/cost.h"
#include "trace/plan.h"
#include "trace/sizes.h"

_Static_assert((int)POOL_SLAB == KMT_SLAB && (int)POOL_VMALLOC == KMT_VMALLOC &&
		       (int)POOL_PERCPU == KMT_PERCPU && (int)POOL_KSTACK == KMT_KSTACK &&
		       (int)POOL_PAGE == KMT_PAGE && (int)POOL_PAGETABLE == KMT_POOLS,
	       "both sides must number the pools alike");

struct tracer_options {
	bool exact;
	bool governed;         /* an exact recording that may switch to sampling */
	uint64_t sample_bytes; /* the shortest mean between samples, if not exact; KMT_EVERY: the
				  governor chooses */
	uint64_t memory;       /* bytes for all tables; 0: a default, see sizes.h */
	uint64_t max_live; /* objects the live table must hold; 0: as many as fit in the memory */
	uint64_t min_size; /* --min-size: smaller allocations are ignored; 0: no limit */
	uint64_t cache_min_size; /* derived from the caches below: their smallest object; 0: none */
	uint64_t cache_max_size; /* … and their largest; 0: no limit */
	int32_t pid;             /* only this process (thread group); 0: all */
	uint64_t cgroup;         /* inode of a cgroup: only it and its descendants; 0: all */
	uint32_t cgroup_level;   /* its depth; 0: the root */
	const char *cgroup_path; /* of the cgroup; NULL: none */
	const char *const *caches; /* --cache: only these */
	size_t nr_caches;          /* ≤ KMT_FILTER_CACHES */
	uint32_t thread_size;      /* bytes of a kernel stack; see host_thread_size() */
	uint32_t audit_every; /* check one in so many hits of the unwinder's memo; a power of two;
				 0: the default */
};

/* The shared tables, mapped read-only. The kernel side writes them while they are read. */
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
	const uint32_t *weights;          /* for kmt_weight() */
	const struct kmt_audit *audit;    /* results of the audit's programs */
	const struct kmt_stratum *strata; /* KMT_STRATA rows for each CPU */
	/* the only tables written from user space: */
	struct kmt_audit_item *audit_items; /* KMT_AUDIT_CHUNK rows */
	struct kmt_sampler *samplers;       /* a row for each CPU */
};

/* What is known of a stratum since tracing began. */
struct stratum_counts {
	double alloc_bytes; /* estimated, including what the filters leave out */
	double held_bytes;  /* estimated */
	uint64_t samples;
	double longest; /* period that was in force, in bytes */
	uint32_t size;  /* of the last sample */
	uint32_t cache; /* its row in the cache table; 0: none, or not slab */
};

struct tracer;

#define TRACER_WHY_MAX 512
/*
 * Table sizes of a recording with these options, on this host, now. Returns 0 or −errno; on failure
 * `why` says what to do and *out holds the smallest tables.
 */
int tracer_sizes(const struct tracer_options *options, struct sizes *out, char why[TRACER_WHY_MAX]);

/* Open, size and load the programs of the plan. Returns 0, or −errno after printing the reason. */
int tracer_new(const struct plan *plan, const struct tracer_options *options, struct tracer **out);
/* Attach all programs, those that see frees first. Nothing is recorded until pools are enabled. */
int tracer_attach(struct tracer *t);
/* Detach; the tables stay readable until tracer_free(). */
void tracer_detach(struct tracer *t);
void tracer_free(struct tracer *t);

void tracer_enable_pools(struct tracer *t, bool open);

enum tracer_watch {
	WATCH_NOT,    /* no program is attached to the pool's events */
	WATCH_PROBE,  /* attached to measure the cost; nothing is recorded */
	WATCH_RECORD, /* attached and recording, as after tracer_enable_pools(true) */
};
/*
 * Change how one pool (enum kmt_pool) is watched, after pools were enabled. Objects already in the
 * tables stay there; if they are freed while the pool is not watched, only the audit finds out.
 * Returns 0, or −errno after printing why it cannot attach.
 */
int tracer_watch(struct tracer *t, int pool, enum tracer_watch how);
/* Set coarse_now_ms: milliseconds since tracer_enable_pools(). Call at least every 100 ms. */
void tracer_clock(struct tracer *t, uint32_t ms);

/* What is known of each stratum, summed over all CPUs. */
void tracer_strata(const struct tracer *t, struct stratum_counts out[KMT_STRATA]);
/*
 * Begin a tick: set the period of stratum i to periods[i], KMT_STRATA of them, each a power of two,
 * and let each CPU take some `cpu_samples` before it throttles itself. NULL: track every object.
 */
void tracer_strata_set(struct tracer *t, const uint32_t *periods, double cpu_samples);

/*
 * Tell the programs the addresses of the --cache caches that have a row by now, so that they can
 * reject objects of other caches at once. Does nothing without --cache.
 */
void tracer_filter_caches(struct tracer *t);

const struct tracer_tables *tracer_tables(const struct tracer *t);
const struct sizes *tracer_sizes_of(const struct tracer *t);

/*
 * Learn where the kernel keeps struct page and each CPU's variables. The audit needs both; before
 * 6.13 they also give the cache of a kmalloc'ed object. Call after attaching, before pools are
 * enabled. Returns 0; −ENOTSUP if the plan has no audit or the kernel's layout does not fit; or
 * −errno.
 */
int tracer_learn_layout(struct tracer *t);

/* The number of possible memory nodes, numbered from 0. */
uint32_t tracer_nodes(const struct tracer *t);

/*
 * Programs that attach to nothing and are run on demand. Their arguments: bpf/audit.bpf.c and
 * unwind.bpf.c.
 */
enum tracer_call {
	TRACER_AUDIT_GATHER,
	TRACER_AUDIT_CACHES,
	TRACER_AUDIT_VERIFY,
	TRACER_FIND_SYSCALL,
	TRACER_CALLS
};
/*
 * Run one with up to three arguments, on `cpu` or, if −1, on the current CPU. Returns 0 or −errno.
 */
int tracer_run(struct tracer *t, enum tracer_call call, const uint64_t args[3], int cpu);
/* Sums over all CPUs. recursion_misses are the events that the kernel itself skipped. */
struct tracer_counts {
	uint64_t losses[KMT_LOSSES];
	uint64_t stats[KMT_STATS];
	uint64_t recursion_misses;
};
void tracer_counts(const struct tracer *t, struct tracer_counts *out);

/*
 * Run an iterator of the plan to its end and give its output to `take`, piece by piece: see
 * base/file_read.h. Returns 0, −ENOENT if the plan has it off, or −errno.
 */
int tracer_iter(const struct tracer *t, const char *program, file_take_t take, void *arg);

/* Bytes of kernel memory used by the programs and maps, by the kernel's own accounting. */
uint64_t tracer_own_bytes(const struct tracer *t);
/* The memory that the kernel charges for a map or program; 0 unknown. */
uint64_t bpf_fd_bytes(int fd);
/* The same of all maps and programs of an object that is loaded. */
struct bpf_object;
uint64_t bpf_object_bytes(const struct bpf_object *obj);

/*
 * The programs' own run time. The kernel counts it only on request, and counting costs about 25 ns
 * a run, so it is requested for short windows. _begin and _end bracket a window; _end returns what
 * the programs did in it. Return 0 or −errno.
 */
struct stats_helper;
void tracer_stats_by(struct tracer *t,
		     struct stats_helper *helper); /* requests run-time counting from now on */
int tracer_cost_begin(struct tracer *t);
int tracer_cost_end(struct tracer *t, struct cost_reading *out);

/*
 * Does the kernel still permit what a recording needs: reading programs' figures, running them,
 * attaching them again? Nothing is run or attached to find out.
 */
bool tracer_is_permitted(const struct tracer *t);

/*
 * The descriptor of a loaded program, for test runs (BPF_PROG_TEST_RUN); −ENOENT if it is not
 * loaded.
 */
int tracer_program_fd(const struct tracer *t, const char *program);

#endif
