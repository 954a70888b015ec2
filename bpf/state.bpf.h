/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every program shares: settings fixed at load time (constants to the verifier, so a feature
 * that is off costs nothing), the enabled pools, the coarse clock, and how a program runs. Every
 * source includes it. Nothing here belongs to one pool or one program.
 * All sources are compiled as one unit, once for each variant (Makefile, compat.bpf.h), so no
 * linker merges these maps and variables. On them, WEAK changes nothing: it only marks what all
 * sources share. Only functions marked GLOBAL need to be weak: see there.
 */
#ifndef KMEMTRACE_STATE_BPF_H
#define KMEMTRACE_STATE_BPF_H

#include "cpus.bpf.h"
#include "compat.bpf.h"

char LICENSE[] SEC("license") WEAK = "GPL";

/*
 * Move rare code behind the common code: with cold caches, each line of code counts. libbpf 1.6
 * defines both macros, too.
 */
#undef likely
#undef unlikely
#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/*
 * ---- settings, written by the loader before load ----
 * The loader turns them into constants in the instructions (user/trace/const_fold.c), and the
 * verifier drops the code that they rule out.
 */
const volatile bool cfg_preemptible WEAK =
	false; /* events leave preemption on: see program_run_preemptible() */
const volatile bool cfg_exact WEAK =
	false; /* track every object, for the whole run; otherwise see KMT_EVERY */
const volatile bool cfg_free_filter WEAK = true; /* see free_filter in track.bpf.h */
const volatile bool cfg_filtered WEAK =
	false; /* at least one of cfg_min_size to cfg_cgroup is set */
const volatile __u32 cfg_filter_caches WEAK =
	0; /* number of caches that --cache names; 0: all caches */
const volatile __u32 cfg_page_size WEAK = 4096;
const volatile __u32 cfg_page_shift WEAK = 12;
const volatile __u32 cfg_cpus WEAK = 1;          /* rows of the per-CPU tables: possible CPUs */
const volatile __u32 cfg_live_shift WEAK = 64;   /* 64 − log2(rows), for each table */
const volatile bool cfg_live_parts WEAK = false; /* the table is in live_parts, not in live */
const volatile __u32 cfg_stack_shift WEAK = 64;
const volatile __u32 cfg_memo_shift WEAK = 64;
const volatile __u32 cfg_process_shift WEAK = 64;
const volatile __u32 cfg_tallies WEAK = 2; /* rows for each CPU: a power of two */
const volatile __u32 cfg_nest WEAK = KMT_NEST;
const volatile __u32 cfg_thread_size WEAK = 16384;
const volatile __u32 cfg_audit WEAK =
	4095; /* check every (cfg_audit + 1)th hit of the unwinder; 2^n − 1 */
const volatile __u64 cfg_min_size WEAK = 0;
const volatile __u64 cfg_max_size WEAK = ~0ull;
const volatile __s32 cfg_pid WEAK = 0;
const volatile __u32 cfg_cgroup_level WEAK = 0;
const volatile __u64 cfg_cgroup WEAK = 0;
const volatile char cfg_filter_cache_name[KMT_FILTER_CACHES][KMT_NAME] WEAK = {};
const volatile __u16 cfg_log2[257] WEAK = {};  /* log2(1 + i/256) × 2^16 − 1, see sample.bpf.h */
const volatile __u32 cfg_weight[65] WEAK = {}; /* 1 / (1 − e^(−i/4)) × KMT_ONE */

/* ---- written by the loader while tracing; the first of them share a cache line ---- */
__u64 page_base WEAK = 0; /* struct page of address 0; 0 until it is known: see freelists.bpf.h */
__u32 enabled_pools WEAK =
	0; /* one bit for each pool; events of other pools are not recorded: see tracer_watch() */
__u32 coarse_now_ms WEAK = 0; /* milliseconds since the pools were enabled, so that the time of an
				 allocation costs no clock read */
__u32 sample_every WEAK = 0;  /* 1: every object is tracked, as yet */
__u32 sample_tick WEAK = 0;   /* counts the times that the governor decided */
__u32 sample_step_bits WEAK = 0; /* see sample.bpf.h */
__u32 sample_cpu_bits WEAK = 0;
__u32 syscall_at WEAK = 0;                    /* 0 until it is known: see unwind.bpf.c */
__u8 stratum_rate[KMT_STRATA_ROOM] WEAK = {}; /* without throttling: see kmt_sampler */
__u32 filter_caches_known WEAK =
	0; /* 1: the addresses of the caches that --cache names are known … */
__u64 filter_cache_at[KMT_FILTER_CACHES] WEAK = {}; /* … and are here */

/*
 * The array of struct page is linear in the physical page number (CONFIG_SPARSEMEM_VMEMMAP), and so
 * are the addresses of the direct map.
 */
static __always_inline __u64 page_of(__u64 addr)
{
	return page_base + (addr >> cfg_page_shift) * bpf_core_type_size(struct page);
}

/*
 * ---- the programs of raw tracepoints ----
 * Most events are rejected, and in a workload that allocates and frees in many places caches are
 * cold: each line of code and each jump counts. So a program runs in three steps:
 * - `prefilter` must not use the CPU's own data, because the task may still be preempted;
 * - `filter` may use it;
 * - `handler` handles the few events that pass both, by a call, so that the code here is short.
 */

/*
 * Leave the program at once and return 0; it never returns to its caller, so the caller must be
 * inlined into a program. For a plain `return 0`, clang 14 places one exit at the end of the
 * program, and each rejected event jumps there, over the code for those that pass. With this, the
 * exit stands beside the condition.
 */
#define EXIT_PROGRAM()                        \
	do {                                  \
		asm volatile("w0 = 0; exit"); \
		__builtin_unreachable();      \
	} while (0)

typedef bool (*program_condition)(struct bpf_raw_tracepoint_args *ctx, __u64 freed);
typedef void (*program_handler)(struct bpf_raw_tracepoint_args *ctx, __u64 freed);

/*
 * From 7.0 (a46023d5616e), events leave preemption on. But only one program at a time may change a
 * CPU's rows. And while a program is preempted, the kernel skips the events of that program on this
 * CPU (recursion_misses). So preemption is turned off here.
 */
static __always_inline int program_run_preemptible(struct bpf_raw_tracepoint_args *ctx, __u64 freed,
						   program_condition filter,
						   program_handler handler)
{
	bpf_preempt_disable();
	if (filter(ctx, freed))
		handler(ctx, freed);
	bpf_preempt_enable();
	return 0;
}

/* The body of every program. The verifier keeps only one of its two variants. */
static __always_inline int program_run(struct bpf_raw_tracepoint_args *ctx, __u64 freed,
				       program_condition prefilter, program_condition filter,
				       program_handler handler)
{
	if (!prefilter(ctx, freed))
		EXIT_PROGRAM();
	if (!cfg_preemptible || !bpf_preempt_disable) {
		if (!filter(ctx, freed))
			EXIT_PROGRAM();
		handler(ctx, freed);
		return 0;
	}
	return program_run_preemptible(ctx, freed, filter, handler);
}

/*
 * Define the program `name` of the raw tracepoint `event`. The other arguments are expressions of
 * `ctx`. The last three may also use `freed`, the value of `object`: if they evaluated `object`
 * themselves, ctx would occupy a register throughout.
 */
#define PROGRAM_FREE(name, event, object, prefilter, filter, handler)                             \
	static __always_inline bool name##_prefilter(struct bpf_raw_tracepoint_args *ctx,         \
						     __u64 freed)                                 \
	{                                                                                         \
		return prefilter;                                                                 \
	}                                                                                         \
	static __always_inline bool name##_filter(struct bpf_raw_tracepoint_args *ctx,            \
						  __u64 freed)                                    \
	{                                                                                         \
		return filter;                                                                    \
	}                                                                                         \
	static __always_inline void name##_handler(struct bpf_raw_tracepoint_args *ctx,           \
						   __u64 freed)                                   \
	{                                                                                         \
		handler;                                                                          \
	}                                                                                         \
	SEC("?raw_tp/" event)                                                                     \
	int name(struct bpf_raw_tracepoint_args *ctx)                                             \
	{                                                                                         \
		return program_run(ctx, object, name##_prefilter, name##_filter, name##_handler); \
	}

/* The same for an event that frees nothing. */
#define PROGRAM_ALLOC(name, event, prefilter, filter, handler) \
	PROGRAM_FREE(name, event, 0, prefilter, filter, handler)

/* Is the pool enabled, that is, are all programs that it needs attached? */
static __always_inline bool pool_enabled(__u32 pool)
{
	return enabled_pools >> (pool & 31) & 1;
}

/* Does the size alone allow this event to pass the filters? */
static __always_inline bool filter_fits(__u64 size)
{
	return !cfg_filtered || (size >= cfg_min_size && size <= cfg_max_size);
}

/* Does this event pass the filters? */
static __always_inline bool filter_wants(__u64 size)
{
	if (!cfg_filtered)
		return true;
	if (!filter_fits(size))
		return false;
	if (cfg_pid && TASK_READ(compat_task(), tgid) != cfg_pid)
		return false;
	return !cfg_cgroup || compat_in_cgroup(cfg_cgroup_level, cfg_cgroup);
}

/* Does an event in interrupt context pass the filters? Its process and cgroup are not known. */
static __always_inline bool filter_wants_irq(void)
{
	return !cfg_filtered || (!cfg_pid && !cfg_cgroup);
}

/* Fibonacci hashing: the high bits of the product are spread best. shift is 64 − log2(rows). */
static __always_inline __u32 hash_row(__u64 v, __u32 shift)
{
	return (v * 0x9E3779B97F4A7C15ull) >> (shift & 63);
}

#endif
