/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every program shares: the settings fixed at load time (read as constants, so that what is
 * not asked for costs nothing), the gate, the clock hand, and each CPU's own row with its losses.
 * Included by every source; maps and variables are weak, so that the objects link into one.
 */
#ifndef KMEMTRACE_STATE_BPF_H
#define KMEMTRACE_STATE_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
/* From libbpf 1.5, bpf_core_read.h declares this kfunc, too: compat.bpf.h decides how we call it.
 */
#define bpf_rdonly_cast libbpf_rdonly_cast
#include <bpf/bpf_core_read.h>
#undef bpf_rdonly_cast

#include "kmemtrace.h"
#include "compat.bpf.h"

#define WEAK __attribute__((weak))

char LICENSE[] SEC("license") WEAK = "GPL";

/*
 * A function the verifier checks once, by itself, instead of along every path that leads to it.
 * Arguments are ctx and numbers only (5.10 knows no others): rows of tables, looked up again
 * inside.
 */
#define GLOBAL WEAK __noinline

/* What is rare is laid out behind what is not: where caches are cold each line of code counts.
 * libbpf 1.6 has both. */
#undef likely
#undef unlikely
#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/*
 * ---- settings, written by the loader before load ----
 * It makes them numbers in the instructions (trace/const_fold.c), and the verifier drops what they
 * rule out.
 */
const volatile bool cfg_preemptible WEAK =
	false; /* events leave preemption on: see PROGRAM_BODY() */
const volatile bool cfg_reads WEAK =
	false; /* kernel memory can be read without a helper call, see compat.bpf.h */
const volatile bool cfg_exact WEAK = false;      /* every object, for good; else see KMT_EVERY */
const volatile bool cfg_free_filter WEAK = true; /* see free_filter in track.bpf.h */
const volatile bool cfg_filtered WEAK = false;   /* one of cfg_min_size to cfg_cgroup is set */
const volatile __u32 cfg_filter_caches WEAK = 0; /* caches named by --cache; 0: all */
const volatile __u32 cfg_page_size WEAK = 4096;
const volatile __u32 cfg_page_shift WEAK = 12;
const volatile __u32 cfg_cpus WEAK = 1;          /* rows of the per-CPU tables: possible CPUs */
const volatile __u32 cfg_live_shift WEAK = 64;   /* 64 − log2 of the rows of each table */
const volatile bool cfg_live_parts WEAK = false; /* the table is in live_parts, not in `live` */
const volatile __u32 cfg_stack_shift WEAK = 64;
const volatile __u32 cfg_memo_shift WEAK = 64;
const volatile __u32 cfg_process_shift WEAK = 64;
const volatile __u32 cfg_tallies WEAK = 2; /* rows of each CPU: a power of two */
const volatile __u32 cfg_nest WEAK = KMT_NEST;
const volatile __u32 cfg_thread_size WEAK = 16384;
const volatile __u32 cfg_audit WEAK =
	4095; /* every so manyth hit of the unwinder is checked: 2^n − 1 */
const volatile __u64 cfg_min_size WEAK = 0;
const volatile __u64 cfg_max_size WEAK = ~0ull;
const volatile __s32 cfg_pid WEAK = 0;
const volatile __u32 cfg_cgroup_level WEAK = 0;
const volatile __u64 cfg_cgroup WEAK = 0;
const volatile char cfg_filter_cache_name[KMT_FILTER_CACHES][KMT_NAME] WEAK = {};
const volatile __u16 cfg_log2[257] WEAK = {};  /* log2(1 + i/256) × 2^16 − 1, see sample.bpf.h */
const volatile __u32 cfg_weight[65] WEAK = {}; /* 1 / (1 − e^(−i/4)) × KMT_ONE */

/* ---- written by the loader while tracing; the first of them share a cache line ---- */
__u64 page_base WEAK = 0; /* struct page of address 0, once it is known: see audit.bpf.c */
__u32 enabled_pools WEAK =
	0; /* a bit for each pool: of the others nothing is recorded, see tracer_watch() */
__u32 coarse_now_ms WEAK =
	0; /* milliseconds since the gate opened: an object's birthday costs no clock read */
__u64 period[KMT_POOLS] WEAK = {};  /* mean bytes between samples, set by the governor */
__u32 syscall_at WEAK = 0;          /* once it is known: see unwind.bpf.c */
__u32 filter_caches_known WEAK = 0; /* 1: where the caches are that --cache names is known, … */
__u64 filter_cache_at[KMT_FILTER_CACHES] WEAK = {}; /* … and here */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct kmt_cpu);
} cpus SEC(".maps") WEAK;

/* struct page is an array that runs in step with the addresses (CONFIG_SPARSEMEM_VMEMMAP). */
static __always_inline __u64 page_of(__u64 addr)
{
	return page_base + (addr >> cfg_page_shift) * bpf_core_type_size(struct page);
}

/*
 * The programs of raw tracepoints. Nearly all events are of no use, and the code for those is laid
 * out straight, with a return wherever it ends: where memory is given and taken in many places
 * caches are cold, and each line of code and each jump counts. First `may` asks what takes nothing
 * of the CPU's own, then `wants`; `does` is a call.
 *
 * From 7.0 on (a46023d5616e) events leave preemption on; but what is done to a CPU's own rows is
 * done by one at a time, and the kernel skips this CPU's events of a program while one that was
 * preempted in it waits for its turn (recursion_misses). So it is turned off here. The verifier
 * leaves one of the two in the program.
 */
#define RETURN_HERE()                         \
	({                                    \
		asm volatile("w0 = 0; exit"); \
		__builtin_unreachable();      \
	})

#define PROGRAM_BODY(prefilter, filter, handler)        \
	if (!(prefilter))                               \
		RETURN_HERE();                          \
	if (!cfg_preemptible || !bpf_preempt_disable) { \
		if (!(filter))                          \
			RETURN_HERE();                  \
		return (handler), 0;                    \
	}                                               \
	bpf_preempt_disable();                          \
	if (filter)                                     \
		handler;                                \
	bpf_preempt_enable();                           \
	return 0;

#define PROGRAM_ALLOC(name, event, prefilter, filter, handler) \
	SEC("?raw_tp/" event)                                  \
	int name(struct bpf_raw_tracepoint_args *ctx)          \
	{                                                      \
		PROGRAM_BODY(prefilter, filter, handler)       \
	}

/* `freed` is what `object` says, once: asked for again it would take a register through all of it.
 */
#define PROGRAM_FREE(name, event, object, prefilter, filter, handler) \
	SEC("?raw_tp/" event)                                         \
	int name(struct bpf_raw_tracepoint_args *ctx)                 \
	{                                                             \
		__u64 freed = object;                                 \
                                                                      \
		PROGRAM_BODY(prefilter, filter, handler)              \
	}

/* The row of CPU `id`, for functions that were given its number. */
static __always_inline struct kmt_cpu *cpu_of(__u32 id)
{
	return bpf_map_lookup_elem(&cpus, &id);
}

/* A loss that no CPU's row is at hand for: counted on row 0. */
GLOBAL int loss_shared(__u32 loss)
{
	struct kmt_cpu *cpu = cpu_of(0);

	if (cpu && loss < KMT_LOSSES)
		__sync_fetch_and_add(&cpu->losses[loss], 1);
	return 0;
}

/* Is the pool watched, with everything attached that it takes? */
static __always_inline bool pool_enabled(__u32 pool)
{
	return enabled_pools >> (pool & 31) & 1;
}

/* This CPU's row, NULL when its number is beyond the table. */
static __always_inline struct kmt_cpu *cpu_row(__u32 *id)
{
	*id = bpf_get_smp_processor_id();
	return bpf_map_lookup_elem(&cpus, id);
}

/* By its size, can the event be one of those that were asked for? */
static __always_inline bool filter_fits(__u64 size)
{
	return !cfg_filtered || (size >= cfg_min_size && size <= cfg_max_size);
}

/* Is it one of them? */
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

/* Whose process or cgroup it is can only be said outside interrupts. */
static __always_inline bool filter_wants_irq(void)
{
	return !cfg_filtered || (!cfg_pid && !cfg_cgroup);
}

/* Fibonacci hashing: the high bits of a product spread best; shift is 64 − log2(rows). */
static __always_inline __u32 hash_row(__u64 v, __u32 shift)
{
	return (v * 0x9E3779B97F4A7C15ull) >> (shift & 63);
}

#endif
