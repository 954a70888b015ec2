/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rows of a capture. record/ fills them, and capture/ writes them to a file and reads them back
 * as one struct capture, which model/, diff/, findings/ and render/ use. Ids are dense and start at
 * 1; 0 means none. These structs hold data only: no I/O here.
 *
 * A new table begins in capture/schema.sql: CONTRIBUTING.md, "A capture table".
 */
#ifndef KMEMTRACE_DATA_CAPTURE_H
#define KMEMTRACE_DATA_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "data/census.h"
#include "data/pool.h"
#include "data/refs.h"
#include "data/snapshot.h"
#include "data/source_lines.h"

#define AGE_BUCKETS \
	16 /* bucket 0: ages below 1 s; bucket b: [2^(b−1), 2^b) s; the last: all older ones */

struct cap_frame {
	char *symbol;    /* "[unknown]" when it could not be resolved */
	uint64_t offset; /* bytes into symbol */
	char *module;    /* "vmlinux", a module's name, or "bpf" */
	char *build_id;  /* hex, "" when unknown */
};

struct cap_stack {
	uint32_t nr_frames;
	uint32_t *frames; /* ids of struct cap_frame, innermost first, without the allocator's own
			     frames */
	bool truncated;   /* deeper than the tracer records */
};

struct cap_cache {
	char *name;
	int64_t object_size; /* bytes that the object's user asked for: s->object_size */
	int64_t size;        /* bytes that one object takes in the slab: s->size */
	bool reclaimable;    /* SLAB_RECLAIM_ACCOUNT */
	bool large; /* the pseudo cache "kmalloc-large": part of Slab, without a line in slabinfo */
	bool merged_away;         /* the tracer never saw it; kept only for its slabinfo levels */
	ARRAY_OF(char *) aliases; /* the other names of a merged cache */
};

struct cap_process {
	int32_t tgid;    /* 0: interrupt context, so no process */
	char *comm;      /* of the thread group leader; "[interrupt]" for tgid 0 */
	char *cmdline;   /* "" when the process was gone or is a kernel thread */
	uint32_t cgroup; /* id of a cgroup path, 0 unknown */
};

/*
 * Objects of one (pool, class, cache, stack, process) that are outstanding at a checkpoint:
 * allocated while tracing and not seen freed. In sampled mode the figures are unbiased estimates.
 */
struct cap_held {
	enum pool pool;
	char class_[24]; /* within the pool: "thread", "vmap", "pte", …; "" for slab */
	uint32_t cache;  /* id, 0 outside slab */
	uint32_t stack;
	uint32_t process;
	int64_t tracked; /* objects in the live table */
	double objects;  /* tracked objects, each weighted by 1 / its sampling probability */
	double bytes;
	double bytes_var;    /* variance of `bytes`, 0 when exact */
	double bytes_missed; /* what one sample more would have stood for, at the longest period
				that was in force for these call sites; 0: every object was seen */
	double age_hist[AGE_BUCKETS]; /* objects by age */
	double oldest_s;
	/* The liveness audit's last run: objects it checked, and those of them it found live.
	 * Objects found free count as `verified`, but are no longer `tracked`. */
	int64_t verified;
	int64_t verified_live;
	int64_t verified_twice; /* tracked objects that two runs, a second or more apart, found
				   live, whether the last run checked them or not */
};

/* Traffic since tracing began, by call path. A free counts for the call path that allocated the
 * object. Weighted like cap_held.objects. */
struct cap_churn {
	enum pool pool;
	uint32_t stack;
	double allocs, alloc_bytes;
	double frees, free_bytes; /* with a free event */
	/* without one: the address was reused, or the audit found the object free */
	double unseen_frees, unseen_free_bytes;
	double alloc_bytes_var; /* variance of alloc_bytes, 0 when exact; NAN unknown */
};

struct cap_cache_churn {
	uint32_t cache;
	double allocs, frees, unseen_frees;
};

struct cap_count {
	char *name;
	int64_t value;
};

/* One hook of the attach plan, and what became of it. */
struct cap_hook {
	char *name; /* "kmem:kmalloc" */
	enum pool pool;
	char *how;    /* "raw_tp", "fentry", "iter"; "" when not attached */
	char *reason; /* why it is not attached, or "" */
	char *cost;   /* what the report lacks without it, or "" */
};

/* The columns of a held row that a history over many checkpoints needs. */
struct cap_brief {
	uint8_t pool;  /* enum pool */
	uint8_t place; /* enum class_place of its class */
	uint32_t cache, stack, process;
	double bytes;
};

/*
 * One checkpoint: what was outstanding at end_s, and traffic and losses since tracing began. A
 * recording has one at its end and usually more before it; --every sets how far they are apart.
 */
struct cap_checkpoint {
	double start_s, end_s; /* since tracing began */
	bool is_brief;         /* only `brief` was read, see capture_read_part() */
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
#define META_MODE       "mode"   /* "exact", "sampled", "focused", MODE_CENSUS */
#define MODE_CENSUS     "census" /* a census without a recording */
#define META_PERIOD     "sample_bytes"
#define META_FILTER     "narrowed" /* "of process 42"; absent when everything was traced */
#define META_POOLS      "pools" /* those of --pool ("slab, vmalloc"); absent when all were traced */
#define META_COMMAND    "command"
#define META_TOOL       "tool_version"
#define META_OVERHEAD   "overhead_cpu_percent"
#define META_OWN_BYTES  "own_kernel_bytes" /* the tool's own maps and programs */
#define META_STACKS     "stack_symbols"    /* "ok", or why frames have no names */
#define META_EXACT_UNTIL \
	"exact_until_s" /* when an exact recording switched to sampling; absent if it never did */
#define META_NOT_WATCHED \
	"not_watched" /* pools that --max-overhead paused, and for how long; else absent */
#define META_PERIODS                                                                            \
	"sample_bytes_in_force" /* "slab 1363149 524288 5033165; …": of each sampled pool the \
				   mean, least and most bytes between two samples */
#define META_CACHE_PERIODS                                                                        \
	"cache_sample_bytes" /* lines "4194304 kmalloc-64": of each cache the most bytes between  \
				two samples, if 4096 or more; absent if caches are not told apart \
			      */
#define META_SAMPLING    "sampling_cpu_percent" /* the part of META_OVERHEAD that samples took */
#define META_PIDS_LIMITS "pids_limits" /* cgroups with pids.max: lines "max start end path" */
#define META_AUDIT       "audit" /* "ok", or why no object could be checked; absent when not tried */
#define META_COPY        "proc_copy" /* directory of copies of /proc; stored in no file */
#define META_CENSUS      "census" /* "ok", or why there is no census; absent in captures before it */
#define META_PROOF       "proof"  /* "ok", or why not, or not all of it; absent without --prove */
#define META_COMPLETE    "complete" /* "0" until capture_finish() */

#define CAPTURE_SNAPSHOTS_MAX 600

struct cap_meta {
	char *key, *value;
};

struct capture {
	ARRAY_OF(struct cap_meta) meta;
	bool complete;
	/*
	 * Complete snapshots in time order; at least one. Of more than CAPTURE_SNAPSHOTS_MAX, the
	 * reader keeps the first, the last and evenly spaced ones between: one per second for a day
	 * would need 4 GB here.
	 */
	struct snapshot *snapshots;
	size_t nr_snapshots;
	size_t nr_snapshots_stored;
	/* Tables indexed by id; row 0 of each is empty. */
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
	struct cap_checkpoint *checkpoints; /* in time order; an incomplete capture may have none */
	size_t nr_checkpoints;
	struct census *census[CENSUS_MOMENTS]; /* NULL: none was taken */
	struct {
		ARRAY_OF(struct proof);
	} proofs;                   /* of call paths, at the end of the recording */
	struct source_lines *lines; /* --lines: from debug information; NULL: not asked for */
};

void capture_free(struct capture *c);

static inline void capture_free_func(struct capture **c)
{
	capture_free(*c);
}

#define _cleanup_capture_ _cleanup_(capture_free_func)

/* The checkpoint nearest to t_s; NULL when the start of the recording is nearer. */
struct cap_checkpoint *capture_checkpoint_near(const struct capture *c, double t_s);
/* The number of held rows of a checkpoint, and row i in brief form. The checkpoint need not be
 * brief. */
size_t checkpoint_briefs(const struct cap_checkpoint *at);
struct cap_brief checkpoint_brief(const struct cap_checkpoint *at, size_t i);

const char *capture_meta(const struct capture *c, const char *key); /* "" when absent */
/* Why what this fact is about is missing; NULL: it is there, or was not asked for. */
const char *capture_why(const struct capture *c, const char *key);
/* Is it a census without a recording? */
bool capture_is_census(const struct capture *c);
/*
 * `missing` when absent or not a finite number, and for a number that no machine can have (no CPUs,
 * a negative size).
 */
double capture_meta_number(const struct capture *c, const char *key, double missing);

#endif
