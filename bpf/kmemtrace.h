/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The contract between the BPF programs and the loader: the layout of the shared maps. Included by
 * bpf/ and by user/.
 * Structs have fixed widths and checked sizes, and hold no pointers. All tables are preallocated
 * arrays. The loader maps them into its address space, so it reads them without a system call while
 * the programs go on writing (bpf/track.bpf.h says how). Never change a struct on one side only.
 */
#ifndef KMEMTRACE_BPF_CONTRACT_H
#define KMEMTRACE_BPF_CONTRACT_H

#ifndef __bpf__
#include <stdint.h>

#include <linux/types.h>
#else
#define UINT16_MAX 0xffff
#endif

#define KMT_FRAMES 64 /* frames kept of one stack; deeper stacks are marked truncated */
#define KMT_WAYS   32 /* memos tried for one stack, see unwind.bpf.h */
#define KMT_PROBES \
	16 /* rows probed in the stack, process and cache tables before one counts as full */
#define KMT_NAME          64 /* longest cache name kept */
#define KMT_COMM          16
#define KMT_CACHES        1024
#define KMT_TALLIES       4096 /* most per CPU; fewer on hosts with many CPUs */
#define KMT_TALLY_WAYS    4
#define KMT_EVERY         1 /* the sampling period that tracks every object */
#define KMT_NEST          4 /* levels: task, softirq, hardirq, NMI; 2 on hosts with very many CPUs */
#define KMT_SCRATCH       2048 /* largest size of a scratch row, in bytes */
#define KMT_FILTER_CACHES 16   /* caches that --cache can name */

enum kmt_pool {
	KMT_SLAB,
	KMT_VMALLOC,
	KMT_PERCPU,
	KMT_KSTACK,
	KMT_PAGE, /* page tables and other pages; user space tells them apart by stack */
	KMT_POOLS
};
#define KMT_ALL_POOLS ((1u << KMT_POOLS) - 1)

/*
 * Everything that was not seen, by reason. The loader names each reason in
 * user/record/loss_counters.c.
 */
enum kmt_loss {
	KMT_LOSS_LIVE_FULL,     /* no room in the live table: the allocation is not tracked */
	KMT_LOSS_STACK_FULL,    /* no room in the stack table: counted under stack 0 */
	KMT_LOSS_PROCESS_FULL,  /* no room in the process table: counted under process 0 */
	KMT_LOSS_CACHE_FULL,    /* no room in the cache table: counted under cache 0 */
	KMT_LOSS_STACK_FAILED,  /* bpf_get_stack() failed: counted under a stack of one frame */
	KMT_LOSS_NESTED,        /* nested deeper than KMT_NEST: not tracked */
	KMT_LOSS_NO_CPU,        /* CPU number beyond the tables: not tracked */
	KMT_LOSS_UNKNOWN_CACHE, /* the object's cache could not be found: counted under cache 0 */
	KMT_LOSS_CONTENDED, /* a row stayed locked (before 5.12 only): the allocation or free was
			       not recorded */
	KMT_LOSSES
};

/* What the programs did: for the report, and to find out why the tracer is slow. */
enum kmt_stat {
	KMT_STAT_ALLOCS,        /* allocations tracked */
	KMT_STAT_FREES,         /* frees of tracked objects */
	KMT_STAT_UNWIND_HITS,   /* stacks recognised by a memo */
	KMT_STAT_REUSED,        /* allocations at an address still marked live: unseen frees */
	KMT_STAT_UNKNOWN_FREES, /* frees of objects that are not tracked: older than the capture, or
				   not sampled */
	KMT_STAT_SAMPLING_NS,   /* time spent on sampled objects and their frees; not measured where
				   every object is tracked */
	KMT_STAT_RCU_PENDING,   /* tracked objects given to kfree_rcu(), where that is seen */
	KMT_STAT_UNWIND_MISSES, /* stacks walked by bpf_get_stack() */
	KMT_STAT_UNWIND_LEARNED, /* … of these, learned by a memo */
	KMT_STAT_UNWIND_FULL,    /* … of these, not learned because there was no room */
	KMT_STAT_UNWIND_AUDITED, /* hits that were unwound again to check them */
	KMT_STAT_UNWIND_WRONG,   /* … of these, hits that disagreed */
	KMT_STATS
};

/*
 * One CPU's state, on its own cache lines. Programs nest: an interrupt may run one inside another.
 * A nested program leaves `nest` as it found it. A lost increment of a counter is harmless. The
 * first cache line holds what every tracked object needs.
 */
struct kmt_cpu {
	__u32 nest;
	__u32 process; /* row of the last process, or 0. It is valid for: this tgid, … */
	__u32 process_tgid;
	__u32 process_exec;    /* … this value of task->self_exec_id, … */
	__u64 process_css_set; /* … and this css_set (the task's cgroups) */
	__u32 sample_tick;     /* the tick of the loader (sample_tick) in which … */
	__u32 samples;         /* … so many samples were taken */
	__u64 stats[KMT_STATS];
	__u64 losses[KMT_LOSSES];
} __attribute__((aligned(128)));

/*
 * Strata: groups of allocations that are sampled with one period (sample.bpf.h). The first strata
 * are those of the other pools; those of slab follow.
 */
#define KMT_STRATA_PAGE    16
#define KMT_STRATA_PERCPU  15
#define KMT_STRATUM_PAGE   0
#define KMT_STRATUM_PERCPU KMT_STRATA_PAGE
#define KMT_STRATUM_KSTACK (KMT_STRATUM_PERCPU + KMT_STRATA_PERCPU)
#define KMT_STRATUM_SLAB   (KMT_STRATUM_KSTACK + 1)
#define KMT_STRATA_BITS    10 /* log2 of those of slab */
#define KMT_STRATA         (KMT_STRATUM_SLAB + (1 << KMT_STRATA_BITS))
#define KMT_STRATA_ROOM    2048 /* a power of two, for the verifier */
#define KMT_STRATA_CPUS                                                                         \
	512 /* with more CPUs, two CPUs share a countdown; if both allocate at the same moment, \
	       one of the allocations may not be counted */
#define KMT_NO_STRATUM UINT16_MAX /* of an object that is tracked in any case */

/*
 * A CPU's countdown to its next sample of any stratum. An allocation of s bytes in stratum i takes
 * s << rate[i] off it, and touches nothing else if it is not sampled. A stratum with this rate has
 * a period of 2^(KMT_PERIOD_BITS − rate) bytes, or every object is tracked.
 */
#define KMT_PERIOD_BITS 26
#define KMT_PERIOD_MOST (1u << KMT_PERIOD_BITS)
#define KMT_RATE_EVERY  31 /* more for one byte than any countdown lasts */
#define KMT_LEFT_TAKING \
	(1ll << 62) /* a sample is being taken: what interrupts that is not sampled */
struct kmt_sampler {
	__s64 left;
	__u8 rate[KMT_STRATA];
} __attribute__((aligned(64)));

static inline __u32 kmt_period(__u8 rate)
{
	return rate < KMT_PERIOD_BITS ? 1u << (KMT_PERIOD_BITS - rate) : KMT_EVERY;
}

/* What a CPU knows of a stratum. Bytes are estimates from its samples, in 1/KMT_ONE. */
struct kmt_stratum {
	__u64 alloc_bytes; /* allocated, including what the filters leave out */
	__s64 held_bytes;  /* tracked, less what was freed on this CPU */
	__u32 samples;
	__u32 size;    /* of the last sample, in bytes */
	__u16 cache;   /* … and the row of its cache */
	__u16 tick;    /* the tick of the loader (sample_tick) in which … */
	__u16 in_tick; /* … so many samples were taken */
	__u16 longest; /* log2 of the longest period that this CPU set itself in a burst */
};

/*
 * The free filter: how many live objects hash to each lane. The free of an object that is not
 * tracked should cost one load from a table that stays in the nearest caches. While there are few
 * live objects, the `few` lanes are enough. When there are many, the program also reads the `lane`
 * array. Counts change by an atomic add to a whole word of lanes. The filter is neither kept nor
 * read when every object is tracked, or when so many are that a lane could overflow.
 */
#define KMT_FREE_FILTER     (1 << 17) /* number of lanes */
#define KMT_FREE_FILTER_FEW (1 << 11)
#define KMT_FREE_FILTER_MOST                                                                      \
	(16ull * KMT_FREE_FILTER) /* objects: 16 for each lane (at most 255), 2048 for each `few` \
				     lane (at most 65535) */
struct kmt_free_filter {
	union {
		__u64 few_words[KMT_FREE_FILTER_FEW / 4];
		__u16 few[KMT_FREE_FILTER_FEW];
	};
	union {
		__u64 lane_words[KMT_FREE_FILTER / 8];
		__u8 lane[KMT_FREE_FILTER];
	};
};

struct kmt_object {
	__u64 size;    /* bytes that the object occupies */
	__u32 period;  /* mean bytes between samples at that time; 0: every object is tracked */
	__u16 stratum; /* or KMT_NO_STRATUM */
	__u16 spare;
	__u32 stack;
	__u32 process;
	__u32 alloc_ms; /* allocation time since tracing began, read from coarse_now_ms */
	__u16 cache;    /* 0 outside slab */
	__u8 pool;
	__u8 checked; /* result of the liveness audit: 0 (none yet), or … */
};
#define KMT_CHECKED_ONCE  1 /* found live */
#define KMT_CHECKED_TWICE 2 /* found live by two audits, some time apart */
#define KMT_RCU_PENDING \
	3 /* given to kfree_rcu(): as good as freed, whether the audit finds it live or not */

/*
 * The live table: each bucket has one cache line of keys and three lines with their objects. Object
 * i of bucket b has the number b × KMT_KEYS + i. A key is 0 (free), KMT_BUSY (being filled),
 * KMT_EVICTING (being verified by the audit), or an object's key: its address with the pool XORed
 * into the top byte, because addresses of different pools can be equal.
 */
#define KMT_KEYS     6
#define KMT_BUSY     1
#define KMT_EVICTING 2 /* every larger key is an object's key */
#define KMT_NEAR_ROWS                                                                             \
	128 /* buckets that are the first choice for the objects in 32 KiB of memory; every table \
	       has at least as many */
/*
 * A larger live table is split into parts of this many buckets, 16 MiB, each in a map of its own.
 * The kernel creates a map in one go, and on 6.18 no other task runs on that CPU meanwhile
 * (docs/performance.md has the times).
 */
#define KMT_PART_BITS 16
struct kmt_bucket {
	__u64 spilled; /* objects whose first choice is this bucket but that were placed in a
			  further choice */
	__u64 key[KMT_KEYS];
	__u64 spare;
	struct kmt_object object[KMT_KEYS];
};

static inline __u64 kmt_key(__u32 pool, __u64 addr)
{
	return addr ^ ((__u64)pool << 56);
}

/*
 * The polynomial hash of a stack, one return address after the other. The factor fits one
 * instruction's operand, and its powers have no small ratios modulo 2^64: two stacks that differ in
 * two frames, each by less than 128 MiB (the range of kernel or module code), never have the same
 * sum (tests/unit/test_contract.c). Any other two stacks collide with probability 2^-64.
 */
#define KMT_SUM_FACTOR 0x61C88647
static inline __u64 kmt_sum(__u64 sum, __u64 ip)
{
	return sum * KMT_SUM_FACTOR + ip;
}

/* A distinct stack. Row 0 means "not known". */
struct kmt_stack {
	__u64 hash;      /* of the frames; 0: the row is free */
	__u64 call_site; /* the call site that the tracepoint names, or 0 */
	__u32 nr;        /* number of frames; 0 until the row is filled */
	__u32 flags;
	__u64 ip[KMT_FRAMES]; /* return addresses, innermost first; they begin at the call site
				 where it is known */
};
#define KMT_STACK_TRUNCATED 1
#define KMT_STACK_IRQ \
	2 /* allocated in interrupt context; the stack is cut where the interrupt began */
#define KMT_STACK_PTE 4 /* its pages are page tables: pte_alloc_one() returned one */
#define KMT_STACK_TABLE \
	8 /* its pages are page tables: the audit found a page that is marked as one */
#define KMT_STACK_POOL 8 /* bit number: the pool is in this bit and those above */

/* How to recognise a stack without unwinding (unwind.bpf.h). Row 0 means "none". */
struct kmt_memo {
	__u64 key;  /* see unwind_locate(); 0: the row is free */
	__u64 next; /* the row learned next for the same hash of the key; 0: none */
	__u64 sum;  /* of the return addresses */
	__u32 stack;
	__u32 part; /* low half of the sum of the first UNWIND_PART frames; tells most stacks of one
		       call site apart */
	__u16 nr;   /* number of frames; set to 0 for good when a check disagrees */
	__u16 depth; /* words from ctx to the end of the stack when the stack was learned */
	/*
	 * Where each return address lies. A value of 0 or more counts words above ctx. A negative
	 * value counts words from the end of the stack.
	 */
	__s16 word[KMT_FRAMES];
};
#define KMT_MEMOS_A_HEAD 2 /* rows of memos for each row of memo_heads */

/*
 * Traffic of a stack or a cache: counts and bytes in units of 1/KMT_ONE, weighted by sampling. Seen
 * frees need no counter: they are allocated − live − unseen frees.
 */
struct kmt_traffic {
	__u64 allocs, alloc_bytes;
	__u64 alloc_var; /* variance of alloc_bytes, in units of KMT_VAR_UNIT² bytes² */
	__u64 unseen_frees, unseen_free_bytes; /* freed without an event */
};
#define KMT_ONE      256
#define KMT_VAR_UNIT 64

/*
 * A CPU's traffic of one (stack, cache) pair, either allocations or unseen frees, since it was last
 * moved to the shared totals.
 */
struct kmt_tally {
	__u32 stack;
	__u32 cache; /* row of the cache; with KMT_TALLY_UNSEEN_FREES if this counts unseen frees */
	__u64 nr;
	__u64 bytes;
	__u64 var; /* as kmt_traffic.alloc_var */
};
#define KMT_TALLY_UNSEEN_FREES (1u << 31)

/*
 * How many objects one sampled object of `size` stands for, × KMT_ONE: 1 / (1 − e^(−size/mean)).
 * The table holds 1 / (1 − e^(−i/4)) × KMT_ONE for i up to 64.
 */
static inline __u64 kmt_weight(__u64 size, __u64 mean, const volatile __u32 *table)
{
	__u64 x, row, a, b;

	if (!mean || !size || size >= mean << 4)
		return KMT_ONE;
	x = (size << 16) / mean;
	if (x < 1 << 16) /* 1/x + 1/2 + x/12 is within 0.2 % for x below 1 */
		return mean * KMT_ONE / size + KMT_ONE / 2 + (x * KMT_ONE / 12 >> 16);
	row = x >> 14;
	if (row > 63)
		return KMT_ONE;
	a = table[row];
	b = table[row + 1];
	return a - ((a - b) * (x & 0x3fff) >> 14);
}

/*
 * What one sampled object of weight n adds to the variance of a sum of bytes, in units of
 * KMT_VAR_UNIT²: (1 − p) / p² × size² (Horvitz & Thompson 1952), where n = KMT_ONE / p.
 */
static inline __u64 kmt_variance(__u64 size, __u64 n)
{
	return (size * n / (KMT_ONE * KMT_VAR_UNIT)) *
	       (size * (n - KMT_ONE) / (KMT_ONE * KMT_VAR_UNIT));
}

struct kmt_process {
	__u64 hash; /* 0: the row is free */
	__u64 cgroup;
	__u32 tgid; /* 0: interrupts */
	__u32 ready;
	char comm[KMT_COMM];
};

/* Row 0 means "cache not known". */
struct kmt_cache_key {
	__u64 ptr;   /* struct kmem_cache *, or KMT_CACHE_LARGE; 0: the row is free */
	__u32 size;  /* bytes that one object occupies; 0 for KMT_CACHE_LARGE */
	__u32 state; /* KMT_CACHE_READY, and KMT_CACHE_WANTED if --cache names this cache */
};
#define KMT_CACHE_READY  1
#define KMT_CACHE_WANTED 2
#define KMT_CACHE_LARGE  8 /* the pseudo cache of large kmalloc */

struct kmt_cache_info {
	__u32 object_size;
	__u32 reclaimable;
	char name[KMT_NAME];
};

/* One task. bpf/tasks.bpf.c writes a stream of these. */
struct kmt_task {
	__u64 mm; /* address of its mm_struct, so that a shared one is counted once; 0: none (kernel
		     threads, tasks that exited) */
	__u64 pgtables_bytes;
	__u64 cgroup;
	__u32 pid;
	__u32 tgid;
	__u32 stack; /* 1: it still has its stack; a task loses it on exit, before its task struct
			is freed */
	__u32 spare;
	char comm[KMT_COMM]; /* of the thread group leader */
};

/* ---- the liveness audit (audit.bpf.c): the loader runs it, one chunk at a time ---- */

enum kmt_verdict {
	KMT_UNSURE,     /* the allocator's lists changed while they were read, or the page is not
			   understood */
	KMT_LIVE,       /* on none of the free lists */
	KMT_FREED_PAGE, /* its page no longer holds objects of its cache, or is no longer that page
			   table or block */
	KMT_FREED_SLAB, /* on its slab's free list */
	KMT_FREED_CPU,  /* on a CPU's free list or in a sheaf */
	KMT_VERDICTS
};

#define KMT_AUDIT_CHUNK     512   /* objects verified in one run; preemption is off during a run */
#define KMT_AUDIT_CPUS      16    /* CPUs whose lists are read in one run */
#define KMT_ON_CPU_FREELIST 16384 /* free objects on per-CPU lists that one run can report */
#define KMT_SLAB_MAX        32768 /* most objects in one slab: the kernel counts them in 15 bits */

/* An object to verify. The loader fills in everything but the verdict and `evicted`. */
struct kmt_audit_item {
	__u64 key;            /* its key in the live table */
	__u64 cache;          /* struct kmem_cache *; 0: large kmalloc, or not a slab object */
	__u32 row;            /* its number in the live table */
	__u32 alloc_ms;       /* as the loader read it: if it differs now, this is another object */
	__u8 on_cpu_freelist; /* it is on a per-CPU list (kmt_audit.on_cpu_freelist) */
	__u8 check; /* what to store in kmt_object.checked if it is live; 0: store nothing */
	__u8 verdict;
	__u8 evicted;
	__u32 pool; /* KMT_SLAB or KMT_PAGE */
};

#define KMT_SEEN 64
struct kmt_audit {
	/* answers of the last run */
	__u64 page_base; /* audit_pages: the struct page of address 0 (0: not found yet), … */
	__u64 page_for, page_against; /* … and how many slabs agree and disagree */
	__u64 seed;                   /* audit_pages: a cache; 0: none was seen */
	__u32 on_cpu_freelist_nr;
	__u32 incomplete;   /* lists that did not fit or changed while they were read */
	__u32 partial_free; /* free objects in the slabs on CPUs' partial lists, besides those in
			       on_cpu_freelist */
	__u32 spare0;
	__u64 seen[KMT_SEEN]; /* audit_pages_old: the last pages allocated */
	__u64 seen_nr;
	/*
	 * State of a run. It is kept in memory because loops that keep it in registers are too
	 * complex for the verifier.
	 */
	__u64 cache, random;
	__u32 offset, size; /* offset of the free pointer in an object; bytes from one object to the
			       next */
	__u32 order, min_order; /* kmem_cache.oo and .min: order << 16 | objects */
	__u64 base, bytes;      /* of the current slab */
	__u64 next;             /* next object on the current free list */
	__u32 steps, objects;   /* objects walked, and the most there can be */
	__u32 broken, spare;
	__u64 free[KMT_SLAB_MAX / 64]; /* bitmap of the current slab: objects on its free list */
	__u64 on_cpu_freelist[KMT_ON_CPU_FREELIST];
};

/* ---- the census (census.bpf.c): the loader runs it, a few blocks of page frames at a time ---- */

/* What a page is used for. data/census.h has the same numbers, and says what each means. */
enum kmt_page_class {
	KMT_PAGE_FREE,
	KMT_PAGE_CPU_FREE,
	KMT_PAGE_SLAB,
	KMT_PAGE_LARGE,
	KMT_PAGE_TABLE,
	KMT_PAGE_ANON,
	KMT_PAGE_FILE,
	KMT_PAGE_UNMAPPED,
	KMT_PAGE_HUGETLB,
	KMT_PAGE_POOL,
	KMT_PAGE_ZSMALLOC,
	KMT_PAGE_OFFLINE,
	KMT_PAGE_UNACCEPTED,
	KMT_PAGE_RESERVED,
	KMT_PAGE_REST,
	KMT_PAGE_CLASSES
};

#define KMT_CENSUS_FRAMES 64  /* page frames in a block */
#define KMT_CENSUS_BLOCKS 32  /* blocks in one run; a power of two */
#define KMT_PAGE_BYTES    128 /* no struct page is larger */

/* A block of page frames. The loader fills in the first two members. */
struct kmt_census_block {
	__u64 pfn;
	__u32 frames;                  /* to classify, at most KMT_CENSUS_FRAMES */
	__u32 present;                 /* frames that have a struct page: all or none */
	__u32 pages[KMT_PAGE_CLASSES]; /* by class */
	__u32 spare;
};

/*
 * What the census found about slabs and owners in a block. A slab: `cache`, `objects` and `used`
 * (those not on the slab's free list), no owner. Objects of a cache or pages of a class that are
 * charged to `owner`: `used` of them; without a cache, they are pages.
 */
struct kmt_census_record {
	__u64 cache; /* struct kmem_cache *, or 0 */
	__u64 owner; /* who is charged: see kmt_census_owner; 0: a slab */
	__u16 block;
	__u16 class;
	__u32 objects;
	__u32 used;
	__u32 frame; /* a slab: its first page in the block */
};
#define KMT_CENSUS_RECORDS 16384 /* a power of two */
#define KMT_CENSUS_MEMCG   2   /* owner: this bit is set if it is a mem_cgroup, not an obj_cgroup */
#define KMT_CENSUS_LEVELS  12  /* of a cgroup's path: those nearest to it */
#define KMT_CENSUS_NAME    128 /* bytes of a directory's name */
#define KMT_CENSUS_ENTRIES 64  /* owners of objects read at a time */

/* A cache or a cgroup that the loader asked for. */
struct kmt_census_cache {
	__u32 size, object_size;
	__u32 order, min_order; /* kmem_cache.oo and .min */
	__u32 flags, spare;
	char name[KMT_NAME];
};

struct kmt_census_owner {
	__u64 id; /* inode of the cgroup's directory; 0: it could not be read */
	__u32 levels;
	__u8 offline;   /* the cgroup was removed */
	__u8 inherited; /* it is an obj_cgroup of a removed cgroup below this one */
	__u8 spare[2];
	char name[KMT_CENSUS_LEVELS][KMT_CENSUS_NAME]; /* its own first, then those above */
};

#define KMT_CENSUS_SEEN 256 /* a power of two */

struct kmt_census {
	struct kmt_census_block blocks[KMT_CENSUS_BLOCKS];
	/* what census_self() and census_seen() answer */
	__u64 self;                  /* the loader's task */
	__u32 page_bytes;            /* of a struct page */
	__u32 unknown;               /* bit mask of classes that this kernel does not mark */
	__u64 seen_nr;               /* pages that the loader allocated, … */
	__u64 seen[KMT_CENSUS_SEEN]; /* … and their struct pages */
	__u32 records_nr, lost;      /* records, and how many had no room */
	struct kmt_census_record records[KMT_CENSUS_RECORDS];
	struct kmt_census_cache cache;
	struct kmt_census_owner owner;
	char pool[KMT_NAME]; /* device of a page pool; "": not known */
	/* State of a run. It is kept in memory to keep the loops simple for the verifier. */
	__u64 until_ns;  /* the run ends then */
	__u32 resume;    /* where the next run goes on: a block, and a frame in the upper half */
	__u32 slab_read; /* a slab was read since the time was looked at */
	__u64 run_owner; /* the objects' owner that was read last, … */
	__u64 run_nr;    /* … for so many objects */
	__u64 slab_cache;
	__u64 entries[KMT_CENSUS_ENTRIES];
	__u64 head_owner;  /* of the compound block */
	__u64 next_pfn;    /* the frame after the last one */
	__u64 free_until;  /* frames below this one belong to the current free block */
	__u64 head;        /* the first page of the current compound block, … */
	__u32 head_class;  /* … and its class */
	__u32 placed;      /* 0 at the first frame after a jump: a block may reach it */
	__u64 first_owner; /* of the first page of the last block */
	__u64 listed;      /* the last frame that was on a CPU's list; 0: another came after it */
	__u8 head_copy[KMT_PAGE_BYTES];
	__u8 copy[KMT_CENSUS_FRAMES * KMT_PAGE_BYTES];
};

/* ---- lenses (lenses.bpf.c): what the objects of some slab caches are ---- */

enum kmt_lens {
	KMT_LENS_PROBE, /* not a lens: find out which of them fits a cache */
	KMT_LENS_DENTRY,
	KMT_LENS_INODE,
	KMT_LENS_SOCKET,
	KMT_LENS_FILE,
	KMT_LENS_NET,
	KMT_LENS_MOUNT,
	KMT_LENSES,
	KMT_LENS_PATH /* not a lens: where an open file is, or what a Unix socket is bound to */
};

/* kmt_lens_record.detail of a dentry, and bits in that of an inode, a namespace and a socket. */
#define KMT_LENS_IN_USE      0
#define KMT_LENS_UNUSED      1 /* nothing refers to it: the kernel frees it when memory is short */
#define KMT_LENS_NEGATIVE    2 /* of a file that does not exist */
#define KMT_LENS_STATE_SHIFT 16

/* kmt_lens_record.detail of a file: its type, i_mode >> 12. These are devices. */
#define KMT_LENS_CHARACTER   2
#define KMT_LENS_BLOCK       6
#define KMT_LENS_SOCKET_FILE 12

#define KMT_LENS_RECORDS 1024
#define KMT_LENS_TEXT    24
#define KMT_LENS_OBJECTS 256  /* after so many in one run, no other slab is begun: about 0.1 ms */
#define KMT_LENS_COPY    1024 /* bytes of an object that are searched for a struct inode */

/* Live objects of one kind in a block of page frames. */
struct kmt_lens_record {
	__u64 owner;  /* who is charged: see kmt_census_owner; 0: nobody */
	__u64 what;   /* address of its super block, or of a socket's struct proto */
	__u64 op;     /* a file: address of its operations; a socket from kmalloc(): its size */
	__u64 bytes;  /* an inode: pages in the page cache; a socket: received and queued */
	__u64 bytes2; /* a socket: queued to be sent */
	__u32 detail; /* state, type of file, family: by lens */
	__u32 space;  /* inode number of the network or mount namespace; a device: its number; 0:
			 none */
	__u32 lens;
	__u32 nr;
	/* If names are wanted, of what the path is asked for: a dentry's parent, a mount's mount
	   point, an open file. `mount`: the struct vfsmount that it is in; 0: only its path below
	   the root of the file system is asked for. */
	__u64 dentry, mount;
	char text[KMT_LENS_TEXT]; /* what the kernel calls a file without a file system */
};

/* What a process has open, of one kind: what the iterator lens_holders writes. */
struct kmt_lens_holder {
	__u32 tgid, spare;
	char comm[16];
	/* Without owner, and without namespace. Of KMT_LENS_PATH, `detail` is KMT_LENS_FILE or
	   KMT_LENS_SOCKET. */
	struct kmt_lens_record held;
};
#define KMT_LENS_HELD 64 /* records after which they are written */

#define KMT_LENS_LEVELS 16 /* of a path: those nearest to its end */
#define KMT_LENS_NAME   64 /* bytes of a name in it */

/* The path of a file or a directory: its own name first. */
struct kmt_lens_path {
	__u32 known;   /* it is still there */
	__u32 levels;  /* names that were read */
	__u32 more;    /* there are more above these */
	__u32 deleted; /* it has no name any more; this was the last one */
	char name[KMT_LENS_LEVELS][KMT_LENS_NAME];
};

/* The answer about a super block or a protocol. */
struct kmt_lens_name {
	__u32 known, spare;
	char type[32], device[32];
};

struct kmt_lenses {
	/* what the loader asks for */
	__u64 cache, pfn;
	__u32 frames; /* frames [next, frames) of the block are looked at */
	__u32 lens;
	__u32 offset; /* of the struct inode in an object */
	/* answers; `next` is where to go on */
	__u32 next;
	__u32 records_nr, lost;
	__u32 live;             /* objects that were looked at */
	__u32 doubtful;         /* slabs whose free list changed meanwhile */
	__u32 fits[KMT_LENSES]; /* while probing: objects that fit the lens */
	__u32 offset_found;
	__u32 names; /* asked for: records say of what the path is wanted */
	struct kmt_lens_record records[KMT_LENS_RECORDS];
	struct kmt_lens_name name;
	struct kmt_lens_path path;
	/* By process: the loader says when to stop, and learns how many files were left out. */
	__u64 until_ns, late;
	struct kmt_lens_holder holder; /* the current process */
	/* State of a run. */
	__u64 net_ops;   /* what marks a network namespace */
	__u64 super;     /* the super block that was checked last */
	__u64 at, mount; /* while a path is read: the dentry, and the struct vfsmount it is in */
	__u64 owners;    /* the slab's vector of owners */
	__u32 stride, object_bytes;
	struct kmt_lens_record found;
	__u8 copy[KMT_LENS_COPY];
};

/* ---- pages in no line of /proc/meminfo (origins.bpf.c): what the iterator writes ---- */

enum kmt_origin_kind {
	KMT_ORIGIN_PIPE = 1, /* data in a pipe */
	KMT_ORIGIN_PACKET,   /* ring of a packet socket */
	KMT_ORIGIN_PERF,     /* ring of a perf event */
	KMT_ORIGIN_KINDS
};

struct kmt_origin {
	__u64 object; /* address, only to tell objects apart: never stored */
	__u64 pages;
	__u32 tgid;
	__u32 kind;
	char comm[16];
};

/* ---- kinds of objects (kinds.bpf.c): the loader runs it, a few objects at a time ---- */

/* What a word of an object is. data/kinds.h has the same numbers, and says what each means. */
enum kmt_word {
	KMT_WORD_ZERO,
	KMT_WORD_SMALL,
	KMT_WORD_HALF,
	KMT_WORD_OTHER,
	KMT_WORD_POISON,
	KMT_WORD_SELF,
	KMT_WORD_SLAB,
	KMT_WORD_OWNER,
	KMT_WORD_IMAGE,
	KMT_WORD_PAGE,
	KMT_WORD_MEMORY,
	KMT_WORD_VMALLOC,
	KMT_WORD_PERCPU,
	KMT_WORDS
};

/*
 * How what a pointer points to points back, as neighbours in a list or tree do. Bits, because an
 * object that is alone may be both.
 */
#define KMT_LINK_NEXT  1 /* its second word to this word: I am the one before it in a list */
#define KMT_LINK_PREV  2 /* its first word to the word before: I am the one behind it */
#define KMT_LINK_LEFT  4 /* its third word to this word: I am its left child in a tree */
#define KMT_LINK_CHILD 8 /* its first word to the word two before: it is my left child */

#define KMT_KIND_CHUNK 8   /* objects in one run; preemption is off during a run */
#define KMT_KIND_WORDS 128 /* words of an object that are read: the first KiB */
#define KMT_KIND_TABLE 32  /* words of a table of functions that are read */

struct kmt_kind_word {
	/*
	 * KMT_WORD_SLAB, KMT_WORD_OWNER: the struct kmem_cache *; KMT_WORD_IMAGE: the address in
	 * the kernel's image or in a module. The loader asks at once what these are, and keeps only
	 * their names. Else 0.
	 */
	__u64 ref;
	__u32 at;    /* KMT_WORD_SELF, KMT_WORD_SLAB: offset in the object that it points into */
	__u16 class; /* enum kmt_word */
	__u16 shape; /* of a pointer: KMT_LINK_…; of a number: a bit for each byte that is not 0 */
};

/* An object to look at. The loader fills in the first three members. */
struct kmt_kind_item {
	__u64 addr, cache;
	__u32 words;   /* of the object, at most KMT_KIND_WORDS */
	__u32 verdict; /* enum kmt_verdict; the rest is read only if it is KMT_LIVE */
	__u64 owner;   /* the obj_cgroup that it is charged to; 0: none */
	struct kmt_kind_word word[KMT_KIND_WORDS];
};

struct kmt_kinds {
	struct kmt_kind_item items[KMT_KIND_CHUNK];
	/*
	 * What kinds_table() answers: of the words at an address of the image, those that point
	 * into the image. Of others, 1, or 0 for a word that is 0.
	 */
	__u64 table[KMT_KIND_TABLE];
	/* State of a run. It is kept in memory to keep the loops simple for the verifier. */
	__u32 owner_tries; /* pointers of this object that may still be checked for being owners */
	__u32 spare;
	__u8 copy[KMT_PAGE_BYTES];
};

#ifndef __bpf__
_Static_assert(sizeof(struct kmt_task) == 56, "task size");
_Static_assert(sizeof(struct kmt_audit_item) == 32, "item size");
_Static_assert(sizeof(struct kmt_census_block) == 80, "block size");
_Static_assert(sizeof(struct kmt_cpu) % 128 == 0, "CPUs must not share lines");
_Static_assert(sizeof(struct kmt_stratum) == 32, "stratum size");
_Static_assert(sizeof(struct kmt_bucket) == 256, "a bucket is four cache lines");
_Static_assert(sizeof(struct kmt_object) == 32, "object size");
_Static_assert(sizeof(struct kmt_memo) == 168, "memo size");
_Static_assert(sizeof(struct kmt_tally) == 32, "two tallies are one cache line");
#endif

#endif
