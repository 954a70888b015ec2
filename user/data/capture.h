/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a capture holds, row by row. `record` fills the rows and capture/ stores them; the reader
 * gives them back as one struct capture, which model/ and render/ read. Ids are dense from 1; 0
 * means none.
 */
#ifndef KMEMTRACE_DATA_CAPTURE_H
#define KMEMTRACE_DATA_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "data/pool.h"
#include "data/snapshot.h"

#define AGE_BUCKETS                                                                                  \
	16 /* bucket b holds ages in [2^(b−1), 2^b) seconds, bucket 0 below 1 s, the last the rest \
	    */

struct cap_frame {
	char *symbol;    /* "[unknown]" when it could not be resolved */
	uint64_t offset; /* bytes into symbol */
	char *module;    /* "vmlinux", a module's name, or "bpf" */
	char *build_id;  /* hex, "" when unknown */
};

struct cap_stack {
	uint32_t nr_frames;
	uint32_t *frames; /* ids of struct cap_frame, innermost first; allocator frames are already
			     stripped */
	bool truncated;   /* deeper than the tracer records */
};

struct cap_cache {
	char *name;
	int64_t object_size; /* what was asked for: s->object_size */
	int64_t size;        /* what one object takes: s->size */
	bool reclaimable;    /* SLAB_RECLAIM_ACCOUNT */
	bool large;          /* the pseudo cache "kmalloc-large": in Slab, in no slabinfo line */
	bool merged_away;    /* never seen by the tracer; here for its slabinfo levels only */
	ARRAY_OF(char *) aliases; /* other names of a merged cache, without its own */
};

struct cap_process {
	int32_t tgid;    /* 0: interrupt context, no process to name */
	char *comm;      /* of the thread group leader; "[interrupt]" for tgid 0 */
	char *cmdline;   /* "" when it was gone or is a kernel thread */
	uint32_t cgroup; /* id of a cgroup path, 0 unknown */
};

/*
 * Outstanding at the end of an interval: objects allocated while tracing and not seen freed, of one
 * (pool, class, cache, stack, process). Figures are estimates when sampled: unbiased, with their
 * variance.
 */
struct cap_held {
	enum pool pool;
	char class_[24]; /* within the pool: "thread", "vmap", "pte", …; "" for slab */
	uint32_t cache;  /* id, 0 outside slab */
	uint32_t stack;
	uint32_t process;
	int64_t tracked; /* objects actually in the live table */
	double objects;  /* tracked, each weighted by 1 / its sampling probability */
	double bytes;
	double bytes_var;             /* variance of `bytes`, 0 when exact */
	double age_hist[AGE_BUCKETS]; /* objects by age */
	double oldest_s;
	/* the sample of the last run of the liveness audit: those found free are in `judged` and no
	 * more in `tracked` */
	int64_t verified;
	int64_t verified_live;
	int64_t verified_twice; /* of `tracked`: found live by two runs, at least a second apart; of
				   the sample or not */
};

/* Traffic since tracing began, by stack; frees are counted to the stack that allocated. Weighted.
 */
struct cap_churn {
	enum pool pool;
	uint32_t stack;
	double allocs, alloc_bytes;
	double frees, free_bytes; /* seen by a free event */
	double unseen_frees,
		unseen_free_bytes; /* freed unseen: address reuse, or found by the audit */
};

struct cap_cache_churn {
	uint32_t cache;
	double allocs, frees, unseen_frees;
};

struct cap_count {
	char *name;
	int64_t value;
};

/* One row of the attach plan as it was carried out: what `doctor` prints. */
struct cap_hook {
	char *name; /* "kmem:kmalloc" */
	enum pool pool;
	char *how;    /* "raw_tp", "fentry", "iter", "" when off */
	char *reason; /* why not, or "" */
	char *cost;   /* what the report loses without it, or "" */
};

/* What a course over many intervals needs of a held row. */
struct cap_brief {
	uint8_t pool;  /* enum pool */
	uint8_t place; /* enum class_place of its class */
	uint32_t cache, stack, process;
	double bytes;
};

/* One closed interval of a recording. A plain recording has one; --every makes several. */
struct cap_checkpoint {
	double start_s, end_s; /* since tracing began */
	bool is_brief;         /* its held rows are in `brief`, the rest was not kept: see
				  capture_read_part() */
	ARRAY_OF(struct cap_brief) brief;
	ARRAY_OF(struct cap_held) held;
	ARRAY_OF(struct cap_churn) churn;
	ARRAY_OF(struct cap_cache_churn) cache_churn;
	ARRAY_OF(struct cap_count) losses; /* cumulative */
};

/* Facts with one value: the meta table. Names are documented in docs/capture-format.md. */
#define META_HOST       "host"
#define META_RELEASE    "kernel_release"
#define META_VERSION    "kernel_version"
#define META_ARCH       "arch"
#define META_BUILD_ID   "kernel_build_id"
#define META_LOCKDOWN   "lockdown"
#define META_CPUS       "cpus_online"
#define META_POSSIBLE   "cpus_possible"
#define META_VIRT       "virtualization"
#define META_BOOT_ID    "boot_id"
#define META_MACHINE_ID "machine_id"
#define META_UPTIME     "uptime_s"
#define META_PAGE_SIZE  "page_size"
#define META_START      "start_wall_s"
#define META_MODE       "mode" /* "exact", "sampled", "focused" */
#define META_PERIOD     "sample_bytes"
#define META_NARROWED \
	"narrowed" /* what alone was traced ("process 42"); absent when everything was */
#define META_POOLS     "pools" /* those of --pool ("slab, vmalloc"); absent when all were watched */
#define META_COMMAND   "command"
#define META_TOOL      "tool_version"
#define META_OVERHEAD  "overhead_cpu_percent"
#define META_OWN_BYTES "own_kernel_bytes" /* the tool's own maps and programs */
#define META_STACKS    "stack_symbols"    /* "ok", or why frames have no names */
#define META_EXACT_UNTIL \
	"exact_until_s" /* when an exact recording began to sample; absent when it did not */
#define META_NOT_WATCHED \
	"not_watched" /* pools that --max-overhead paused, and for how long; absent when none */
#define META_AUDIT    "audit" /* "ok", or why no object could be looked up; absent when not tried */
#define META_COMPLETE "complete" /* "0" until capture_finish() */

#define CAPTURE_SNAPSHOTS_MAX 600

struct cap_meta {
	char *key, *value;
};

struct capture {
	ARRAY_OF(struct cap_meta) meta;
	bool complete;
	/*
	 * In time order, whole, nr_snapshots ≥ 1. Of a recording with more than
	 * CAPTURE_SNAPSHOTS_MAX the first, the last and evenly spaced ones between: a day at one a
	 * second would be 4 GB in this form.
	 */
	struct snapshot *snapshots;
	size_t nr_snapshots;
	size_t nr_snapshots_stored;
	/* index 0 of each is an empty row, so that ids index directly */
	struct cap_frame *frames;
	size_t nr_frames;
	struct cap_stack *stacks;
	size_t nr_stacks;
	struct cap_cache *caches;
	size_t nr_caches;
	struct cap_process *processes;
	size_t nr_processes;
	char **cgroups;
	size_t nr_cgroups;
	struct cap_hook *hooks;
	size_t nr_hooks;
	struct cap_checkpoint *checkpoints; /* in time order; may be 0 in an incomplete capture */
	size_t nr_checkpoints;
};

void capture_free(struct capture *c);

static inline void capture_free_func(struct capture **c)
{
	capture_free(*c);
}

#define _cleanup_capture_ _cleanup_(capture_free_func)

/* The checkpoint nearest in time; NULL when the recording's beginning (nothing held) is nearer. */
struct cap_checkpoint *capture_checkpoint_near(const struct capture *c, double t_s);
/* The held rows of an interval, brief or not, in brief: how many, and row i. */
size_t checkpoint_briefs(const struct cap_checkpoint *at);
struct cap_brief checkpoint_brief(const struct cap_checkpoint *at, size_t i);

const char *capture_meta(const struct capture *c, const char *key); /* "" when absent */
double capture_meta_number(const struct capture *c, const char *key, double missing);

#endif
