/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The contract between the BPF programs and the loader: what lies in the shared maps. Fixed width,
 * checked sizes, no pointers. All tables are preallocated arrays that the loader maps into its
 * address space, so that reading a million live objects takes no system call and stops nobody
 * (bpf/track.bpf.h says how they are written).
 */
#ifndef KMEMTRACE_BPF_CONTRACT_H
#define KMEMTRACE_BPF_CONTRACT_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#define KMT_FRAMES 64 /* frames kept of one stack; deeper ones are marked truncated */
#define KMT_WAYS   32 /* memos looked at for one stack, see unwind.bpf.h */
#define KMT_PROBES \
	16 /* rows looked at in the path, owner and cache tables before they count as full */
#define KMT_NAME          64 /* longest cache name kept */
#define KMT_COMM          16
#define KMT_CACHES        1024
#define KMT_TALLIES       4096 /* most per CPU; fewer where CPUs are many */
#define KMT_TALLY_WAYS    4
#define KMT_EVERY         1    /* the sampling period that takes every object */
#define KMT_NEST          4    /* task, softirq, hardirq, NMI; 2 where CPUs are very many */
#define KMT_SCRATCH       2048 /* bytes of a scratch row at most */
#define KMT_FILTER_CACHES 16   /* caches that --cache can name */

enum kmt_pool {
	KMT_SLAB,
	KMT_VMALLOC,
	KMT_PERCPU,
	KMT_KSTACK,
	KMT_PAGE, /* page tables and other pages: told apart by stack, in user space */
	KMT_POOLS
};
#define KMT_ALL_POOLS ((1u << KMT_POOLS) - 1)

/* Everything that was not seen, by reason. The loader names each in record/loss_counters.c. */
enum kmt_loss {
	KMT_LOSS_LIVE_FULL,     /* no room in the live table: the allocation is not tracked */
	KMT_LOSS_STACK_FULL,    /* no room in the path table: counted to path 0 */
	KMT_LOSS_PROCESS_FULL,  /* no room in the owner table: counted to owner 0 */
	KMT_LOSS_CACHE_FULL,    /* no room in the cache table: counted to cache 0 */
	KMT_LOSS_STACK_FAILED,  /* bpf_get_stack failed: counted to a path of one frame */
	KMT_LOSS_NESTED,        /* nested deeper than KMT_NEST: not tracked */
	KMT_LOSS_NO_CPU,        /* CPU number beyond the tables: not tracked */
	KMT_LOSS_UNKNOWN_CACHE, /* the object's cache could not be found: counted to cache 0 */
	KMT_LOSS_CONTENDED, /* a row stayed locked (before 5.12 only): taken or freed, it was not
			       noted */
	KMT_LOSSES
};

/* What the programs did, for the report and for finding out why it is slow. */
enum kmt_stat {
	KMT_STAT_ALLOCS,        /* allocations tracked */
	KMT_STAT_FREES,         /* frees of tracked objects */
	KMT_STAT_UNWIND_HITS,   /* stacks recognised by the memo */
	KMT_STAT_REUSED,        /* allocations at an address still marked live: unseen frees */
	KMT_STAT_UNKNOWN_FREES, /* frees of objects not tracked: older than the capture, or not
				   sampled */
	KMT_STAT_SAMPLING_NS,   /* time that taking samples took, not where every object is taken */
	KMT_STAT_RCU_PENDING,   /* tracked objects given to kfree_rcu(), where that can be seen */
	KMT_STAT_UNWIND_MISSES, /* stacks walked by bpf_get_stack */
	KMT_STAT_UNWIND_LEARNED, /* … of which the memo could learn */
	KMT_STAT_UNWIND_FULL,    /* … not learned because all ways were taken */
	KMT_STAT_UNWIND_AUDITED, /* hits walked again to check them */
	KMT_STAT_UNWIND_WRONG,   /* … that disagreed */
	KMT_STATS
};

/*
 * One CPU's own state, on cache lines of its own. Programs nest (an interrupt may run one inside
 * another): a nested program leaves `nest` as it found it; a lost increment of a counter is
 * harmless. What every tracked object needs is on the first line.
 */
struct kmt_cpu {
	__u32 nest;
	__u32 process; /* the last owner, or 0: of process process_tgid, … */
	__u32 process_tgid;
	__u32 process_exec;    /* … since its so manyth exec, … */
	__u64 process_css_set; /* … where the task was in these cgroups */
	__u64 stats[KMT_STATS];
	__u64 losses[KMT_LOSSES];
} __attribute__((aligned(128)));

/* A CPU's countdowns to the next sample of each pool: all that an allocation that is not sampled
 * touches. */
#define KMT_COUNTDOWNS                                                                            \
	512 /* of more CPUs two share one: of allocations at the same moment one may go uncounted \
	     */
struct kmt_countdown {
	__s64 left[KMT_POOLS];   /* bytes */
	__u64 period[KMT_POOLS]; /* the mean it was drawn with: the sample's weight */
} __attribute__((aligned(128)));

/*
 * The filter: how many live objects fall to each lane, so that the free of an object that is not
 * sampled costs one load of a table that stays in the caches nearest: of the few lanes while live
 * objects are few, of the others' as well where they are many. Changed by adding to a whole word of
 * lanes. Where every object is tracked, or so many that a lane could overflow, it is neither kept
 * nor asked.
 */
#define KMT_FREE_FILTER     (1 << 17) /* lanes */
#define KMT_FREE_FILTER_FEW (1 << 11)
#define KMT_FREE_FILTER_MOST \
	(16ull * KMT_FREE_FILTER) /* objects: 16 a lane of 255, 2048 a few lane of 65535 */
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
	__u64 size;   /* bytes it takes */
	__u64 period; /* mean bytes between samples when it was chosen; 0: every object is */
	__u32 stack;
	__u32 process;
	__u32 alloc_ms; /* since tracing began, as coarse as the loader's clock hand */
	__u16 cache;    /* 0 outside slab */
	__u8 pool;
	__u8 checked; /* by the liveness audit, which found it live: 0, or … */
};
#define KMT_CHECKED_ONCE  1
#define KMT_CHECKED_TWICE 2 /* … by two runs, some time apart */
#define KMT_RCU_PENDING \
	3 /* it was given to kfree_rcu(): found live or not, it is as good as freed */

/*
 * Live table: buckets of one cache line of keys and three of their objects. Object i of bucket b is
 * number b × KMT_KEYS + i. A key is 0 (free), KMT_BUSY (being filled), KMT_EVICTING (being judged
 * by the audit) or the object's: its address, with the pool turned over in the top byte (addresses
 * of different pools can be equal).
 */
#define KMT_KEYS     6
#define KMT_BUSY     1
#define KMT_EVICTING 2 /* every larger key is an object's */
#define KMT_NEAR_ROWS                                                                          \
	128 /* buckets that are first choice for the objects in 32 KiB of memory: no table has \
	       fewer */
/*
 * A larger live table consists of parts of this many buckets, 16 MiB, each a map of its own. The
 * kernel makes a map in one go, and on 6.18 no other task runs on that CPU meanwhile
 * (docs/performance.md has the times).
 */
#define KMT_PART_BITS 16
struct kmt_bucket {
	__u64 spilled; /* objects that belong here but found no room and lie in a further choice */
	__u64 key[KMT_KEYS];
	__u64 spare;
	struct kmt_object object[KMT_KEYS];
};

static inline __u64 kmt_key(__u32 pool, __u64 addr)
{
	return addr ^ ((__u64)pool << 56);
}

/*
 * The sum of a path, one return address after the other. The factor is one instruction's operand,
 * and the powers of it have no small ratios modulo 2^64: paths of which two frames differ, each by
 * less than 128 MiB (code of the kernel, or of modules), never have the same sum
 * (tests/unit/test_contract.c). Others have with probability 2^-64.
 */
#define KMT_SUM_FACTOR 0x61C88647
static inline __u64 kmt_sum(__u64 sum, __u64 ip)
{
	return sum * KMT_SUM_FACTOR + ip;
}

/* A distinct stack. Row 0 stands for "not known". */
struct kmt_stack {
	__u64 hash;      /* of the frames; 0: row free */
	__u64 call_site; /* of the tracepoint, or 0 */
	__u32 nr;        /* 0 until filled */
	__u32 flags;
	__u64 ip[KMT_FRAMES]; /* return addresses, innermost first; from the call site on where it
				 is known */
};
#define KMT_STACK_TRUNCATED 1
#define KMT_STACK_IRQ       2 /* allocated in interrupt context, cut where the interrupt began */
#define KMT_STACK_PTE       4 /* its pages are page tables: pte_alloc_one() returned one */
#define KMT_STACK_TABLE     8 /* its pages are page tables: the audit found one that is marked so */
#define KMT_STACK_POOL      8 /* from this bit on: the pool that it allocates from */

/* How to recognise a path without unwinding (unwind.bpf.h). Row 0 stands for none. */
struct kmt_memo {
	__u64 key;  /* call site and depth; 0: row free */
	__u64 next; /* the row that was learned after it, of those whose keys have the same hash; 0:
		       none */
	__u64 sum;  /* of the return addresses */
	__u32 stack;
	__u32 part; /* low half of the sum of the first UNWIND_PART: tells most paths of a call site
		       apart */
	__u16 nr;   /* 0 for good when an audit disagreed */
	__u16 depth;            /* words from ctx to the end of the stack, when it was learned */
	__u16 word[KMT_FRAMES]; /* where each return address lay, in words from ctx, or … */
};
#define KMT_FAR          0x8000 /* … from here on: from the end of the stack, less 2^16 */
#define KMT_MEMOS_A_HEAD 2      /* rows, for each hash of keys that leads to the first memo of it */

/*
 * Traffic of a path or a cache: counts and bytes in 1/KMT_ONE, weighted by sampling. What was freed
 * is not counted: it is what came and is neither live nor a ghost.
 */
struct kmt_traffic {
	__u64 allocs, alloc_bytes;
	__u64 unseen_frees, unseen_free_bytes; /* freed, but no event said so */
};
#define KMT_ONE 256

/* A CPU's traffic of one (path, cache), allocations or ghosts, since it last moved on to the shared
 * totals. */
struct kmt_tally {
	__u32 stack;
	__u32 cache; /* with KMT_TALLY_UNSEEN_FREES */
	__u64 nr;
	__u64 bytes;
	__u64 spare;
};
#define KMT_TALLY_UNSEEN_FREES (1u << 31)

/*
 * Objects that one sampled object of `size` stands for, × KMT_ONE: 1 / (1 − e^(−size/mean)). The
 * table has 1 / (1 − e^(−i/4)) × KMT_ONE for i to 64.
 */
static inline __u64 kmt_weight(__u64 size, __u64 mean, const volatile __u32 *table)
{
	__u64 x, row, a, b;

	if (!mean || !size || size >= mean << 4)
		return KMT_ONE;
	x = (size << 16) / mean;
	if (x < 1 << 16) /* 1/x + 1/2 + x/12, within 0.2 % below 1 */
		return mean * KMT_ONE / size + KMT_ONE / 2 + (x * KMT_ONE / 12 >> 16);
	row = x >> 14;
	if (row > 63)
		return KMT_ONE;
	a = table[row];
	b = table[row + 1];
	return a - ((a - b) * (x & 0x3fff) >> 14);
}

struct kmt_process {
	__u64 hash; /* 0: row free */
	__u64 cgroup;
	__u32 tgid; /* 0: interrupt */
	__u32 ready;
	char comm[KMT_COMM];
};

/* Row 0 stands for "no cache known". */
struct kmt_cache_key {
	__u64 ptr;   /* struct kmem_cache *, or KMT_CACHE_LARGE; 0: row free */
	__u32 size;  /* bytes one object takes; 0 for KMT_CACHE_LARGE */
	__u32 state; /* KMT_CACHE_READY, with KMT_CACHE_WANTED when --cache asks for it */
};
#define KMT_CACHE_READY  1
#define KMT_CACHE_WANTED 2
#define KMT_CACHE_LARGE  8 /* the pseudo cache of large kmalloc */

struct kmt_cache_info {
	__u32 object_size;
	__u32 reclaimable;
	char name[KMT_NAME];
};

/* One task, as bpf/tasks.bpf.c writes it: a stream of these. */
struct kmt_task {
	__u64 mm; /* its address, to count shared ones once; 0: none (kernel threads, the dead) */
	__u64 pgtables_bytes;
	__u64 cgroup;
	__u32 pid;
	__u32 tgid;
	__u32 stack; /* it has one: the dead lose it before they are buried */
	__u32 spare;
	char comm[KMT_COMM]; /* of the leader */
};

/* ---- the liveness audit, see audit.bpf.c: driven by the loader, one chunk a run ---- */

enum kmt_verdict {
	KMT_UNSURE,     /* the allocator's lists changed under us, or the page is not understood */
	KMT_LIVE,       /* on none of the allocator's free lists */
	KMT_FREED_PAGE, /* its page holds no object of its cache any more, or is no more the page
			   table or block it was */
	KMT_FREED_SLAB, /* on its slab's free list */
	KMT_FREED_CPU,  /* on a CPU's free list or in a sheaf */
	KMT_VERDICTS
};

#define KMT_AUDIT_CHUNK     512   /* objects judged in one run: preemption is off meanwhile */
#define KMT_AUDIT_CPUS      16    /* CPUs whose lists are read in one run */
#define KMT_ON_CPU_FREELIST 16384 /* free objects on per-CPU lists that one run can report */
#define KMT_SLAB_MAX        32768 /* objects in one slab: 15 bits count them */

/* An object to be judged. The loader fills all but the verdict. */
struct kmt_audit_item {
	__u64 key;            /* of the live table */
	__u64 cache;          /* struct kmem_cache *, 0: large kmalloc, or not slab */
	__u32 row;            /* its number in the live table */
	__u32 alloc_ms;       /* as the loader saw it: another value means another object */
	__u8 on_cpu_freelist; /* it lies on a per-CPU list (kmt_audit.resting) */
	__u8 check;           /* for kmt_object.looked when it is live, 0: leave no mark */
	__u8 verdict;
	__u8 evicted;
	__u32 pool; /* KMT_SLAB or KMT_PAGE */
};

#define KMT_SEEN 64
struct kmt_audit {
	/* answers of the last run */
	__u64 page_base; /* audit_pages: the struct page of address 0, 0: not found out … */
	__u64 page_for, page_against; /* … and how many slabs say so, and otherwise */
	__u64 seed;                   /* audit_pages: a cache, 0: none was met */
	__u32 on_cpu_freelist_nr;
	__u32 incomplete;   /* there were more, or they changed while they were read */
	__u32 partial_free; /* free in the slabs on CPUs' lists of partial ones, besides what is in
			       `resting` */
	__u32 spare0;
	__u64 seen[KMT_SEEN]; /* audit_pages_old: pages that were allocated of late */
	__u64 seen_nr;
	/* what a run keeps: loops with their state in registers are too much for the verifier */
	__u64 cache, random;
	__u32 offset, size;     /* of the free pointer in an object; bytes from object to object */
	__u32 order, min_order; /* kmem_cache.oo and .min: order << 16 | objects */
	__u64 base, bytes;      /* of the slab in hand */
	__u64 next;             /* of the free list in hand */
	__u32 steps, objects;   /* taken, and the most there can be */
	__u32 broken, spare;
	__u64 free[KMT_SLAB_MAX / 64]; /* of the slab in hand: which are on its free list */
	__u64 on_cpu_freelist[KMT_ON_CPU_FREELIST];
};

#ifndef __bpf__
_Static_assert(sizeof(struct kmt_task) == 56, "task size");
_Static_assert(sizeof(struct kmt_audit_item) == 32, "item size");
_Static_assert(sizeof(struct kmt_cpu) % 128 == 0, "CPUs must not share lines");
_Static_assert(sizeof(struct kmt_countdown) == 128, "CPUs must not share lines");
_Static_assert(sizeof(struct kmt_bucket) == 256, "a bucket is four cache lines");
_Static_assert(sizeof(struct kmt_object) == 32, "object size");
_Static_assert(sizeof(struct kmt_memo) == 168, "memo size");
_Static_assert(sizeof(struct kmt_tally) == 32, "two tallies are one cache line");
#endif

#endif
