/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracking of one allocation and one free, for every source: the live table, the traffic and the
 * losses. The programs of every pool call track_handle_alloc() and track_handle_free(), the audit
 * calls track_evict(). Apart from the audit's marks (kmt_object.checked), nothing else writes these
 * maps, and nothing here may take a lock or wait (but see compat_swap()).
 *
 * The live table is an open-addressing hash in a plain array. A bucket has six keys on one cache
 * line and their objects on the next three; an object is in one of four buckets. It needs no lock
 * and no helper call, because no two allocations have the same address at the same time: an
 * allocation claims a key with compare-and-swap (KMT_BUSY), writes the object, then writes the key.
 * A free only exchanges the key for 0. Compared with a BPF hash map, this saves some 100 ns for
 * each allocation and each free, and the loader can read the table through mmap. There is no
 * counter of live objects: the loader counts them in the table, and what was freed is what was
 * allocated and is not in the table any more.
 *
 * Each CPU keeps the traffic (what was allocated) of the (stack, cache) pairs that it sees most. A
 * pair's traffic moves to the shared totals only when another pair displaces it: the hot path
 * writes nothing shared, and a stack needs one row of traffic, not one for each CPU.
 */
#ifndef KMEMTRACE_TRACK_BPF_H
#define KMEMTRACE_TRACK_BPF_H

#include "state.bpf.h"
#include "sample.bpf.h"
#include "unwind.bpf.h"

TABLE(live, struct kmt_bucket);

/* The live table where it is larger than one part. The loader creates the parts. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_ARRAY);
			__uint(map_flags, BPF_F_MMAPABLE);
			__uint(max_entries, 1);
			__type(key, __u32);
			__type(value, struct kmt_bucket);
		});
} live_parts SEC(".maps") WEAK;

TABLE(processes, struct kmt_process);
TABLE(tallies, struct kmt_tally);         /* cfg_tallies rows for each CPU */
TABLE(stack_traffic, struct kmt_traffic); /* by stack */
TABLE(cache_traffic, struct kmt_traffic); /* by cache */

/* ---- processes: the process and cgroup that allocated ---- */

/*
 * The row of a process: the current task's, or tgid 0 for interrupts. It is inlined because the
 * call chain is already at the depth limit.
 */
static __always_inline __u32 process_intern(struct kmt_cpu *cpu, struct task_struct *task,
					    __u32 tgid, __u64 cgroup, __u32 exec)
{
	__u64 hash =
		(tgid * 0x9E3779B97F4A7C15ull ^ cgroup * 0xC2B2AE3D27D4EB4Full ^ (__u64)exec << 1) |
		1;
	__u32 h = hash_row(hash, cfg_process_shift);

	for (int i = 0; i < KMT_PROBES; i++) {
		__u32 row = h + i;
		struct kmt_process *o = bpf_map_lookup_elem(&processes, &row);

		if (!o)
			break;
		if (!row)
			continue;
		if (o->hash == hash)
			return row;
		if (o->hash || !compat_swap(&o->hash, row, 0, hash)) {
			if (o->hash == hash)
				return row;
			continue;
		}
		o->cgroup = cgroup;
		o->tgid = tgid;
		if (tgid)
			bpf_probe_read_kernel_str(o->comm, sizeof(o->comm),
						  TASK_READ(task, group_leader)->comm);
		o->ready = 1;
		return row;
	}
	cpu->losses[KMT_LOSS_PROCESS_FULL]++;
	return 0;
}

/*
 * The process row of this allocation. It caches a task's row in `cpu` for the next time if this
 * program may write there.
 */
GLOBAL int process_row(__u32 cpu_id, bool irq)
{
	struct task_struct *task = compat_task_cast(compat_task());
	struct kmt_cpu *cpu = cpu_of(cpu_id);
	__u64 css_set = 0, cgroup = 0;
	__u32 tgid = 0, exec = 0, row;

	if (!cpu)
		return 0;
	if (!irq) {
		tgid = TASK_READ(task, tgid);
		exec = TASK_READ(task, self_exec_id);
		css_set = (__u64)TASK_READ(task, cgroups);
		barrier(); /* read css_set before the cgroup: if the task moves in between, it no
			      longer has this css_set, and the cached row is not used */
		cgroup = TASK_READ(task, cgroups, dfl_cgrp, kn, id);
	}
	row = process_intern(cpu, task, tgid, cgroup, exec);
	if (!irq &&
	    cpu->nest == 1) { /* an interrupting program must not leave a mixture of old and new */
		cpu->process = 0;
		barrier();
		cpu->process_tgid = tgid;
		cpu->process_exec = exec;
		cpu->process_css_set = css_set;
		barrier();
		cpu->process = row;
	}
	return row;
}

/*
 * The row of the current process, from the cache in `cpu` if it is still valid. The css_set stands
 * for the cgroup, because following the pointers to the cgroup loads three more cache lines. A
 * process is counted under its old cgroup only if it moves twice, its new css_set is allocated
 * where the first one was, and nothing else allocates on this CPU meanwhile.
 */
static __always_inline __u32 process_current(struct kmt_cpu *cpu, __u32 cpu_id,
					     const struct unwind_scratch *s)
{
	struct task_struct *task;

	if (unlikely(s->irq))
		return process_row(cpu_id, true);
	task = compat_task_known(s->task);
	if (cpu->process && cpu->process_tgid == (__u32)TASK_READ(task, tgid) &&
	    cpu->process_exec == (__u32)TASK_READ(task, self_exec_id) &&
	    cpu->process_css_set == (__u64)TASK_READ(task, cgroups))
		return cpu->process;
	return process_row(cpu_id, false);
}

/* ---- traffic ---- */

static __always_inline void traffic_add(struct kmt_traffic *t, bool unseen_frees, __u64 n,
					__u64 bytes, __u64 var)
{
	if (!t)
		return;
	if (!unseen_frees) {
		__sync_fetch_and_add(&t->allocs, n);
		__sync_fetch_and_add(&t->alloc_bytes, bytes);
		if (var)
			__sync_fetch_and_add(&t->alloc_var, var);
	} else {
		__sync_fetch_and_add(&t->unseen_frees, n);
		__sync_fetch_and_add(&t->unseen_free_bytes, bytes);
	}
}

/* Add to the shared totals. Here and below, `cache` may include KMT_TALLY_UNSEEN_FREES. */
GLOBAL int traffic_share(__u32 stack, __u32 cache, __u64 n, __u64 bytes, __u64 var)
{
	bool unseen_frees = cache & KMT_TALLY_UNSEEN_FREES;

	cache &= ~KMT_TALLY_UNSEEN_FREES;
	traffic_add(bpf_map_lookup_elem(&stack_traffic, &stack), unseen_frees, n, bytes, var);
	traffic_add(bpf_map_lookup_elem(&cache_traffic, &cache), unseen_frees, n, bytes, var);
	return 0;
}

/* Move a tally to the shared totals and give its row to another pair. */
GLOBAL int tally_displace(__u32 row, __u32 stack, __u32 cache)
{
	struct kmt_tally *t = bpf_map_lookup_elem(&tallies, &row);

	if (!t)
		return 0;
	traffic_share(t->stack, t->cache, t->nr, t->bytes, t->var);
	t->nr = 0;
	t->bytes = 0;
	t->var = 0;
	t->stack = stack;
	t->cache = cache;
	return 0;
}

/* This CPU's tally of a (stack, cache) pair. */
static __always_inline struct kmt_tally *tally_of(struct kmt_cpu *cpu, __u32 cpu_id, __u32 stack,
						  __u32 cache)
{
	__u32 first = cpu_id * cfg_tallies + ((stack ^ cache * 31) & (cfg_tallies - 1)), row;
	struct kmt_tally *t;

#pragma clang loop unroll(disable)
	for (__u32 way = 0; way < KMT_TALLY_WAYS; way++) {
		row = first ^ way;
		t = bpf_map_lookup_elem(&tallies, &row);
		if (!t || (t->stack == stack && t->cache == cache))
			return t;
	}
	row = first ^ (cpu->stats[KMT_STAT_ALLOCS] & (KMT_TALLY_WAYS - 1)); /* pick any of them */
	tally_displace(row, stack, cache);
	return bpf_map_lookup_elem(&tallies, &row);
}

/* How many objects this one stands for, × KMT_ONE. */
static __always_inline __u64 traffic_weight(const struct kmt_object *o)
{
	return cfg_exact || !o->period ? KMT_ONE : sample_weight(o->size, o->period);
}

/*
 * An object came into the live table (sign 1) or left it (−1): count what its stratum holds, for
 * the loader, which sets the periods by it.
 */
static __always_inline void stratum_count(__u32 cpu_id, const struct kmt_object *o, int sign)
{
	struct kmt_stratum *s;
	__s64 bytes;

	if (cfg_exact || o->stratum == KMT_NO_STRATUM)
		return;
	s = stratum_of(cpu_id, o->stratum);
	if (!s)
		return;
	bytes = o->size * traffic_weight(o);
	s->held_bytes += sign > 0 ? bytes : -bytes;
	if (sign > 0)
		s->cache = o->cache;
}

/*
 * Count an object in the shared totals. `kind` is KMT_TALLY_UNSEEN_FREES or 0. For nested programs,
 * and for any caller that may not be the only one to write the CPU's own rows.
 */
static __always_inline void traffic_shared(const struct kmt_object *o, __u32 kind)
{
	__u64 n = traffic_weight(o);

	traffic_share(o->stack, o->cache | kind, n, o->size * n, kmt_variance(o->size, n));
}

static __always_inline void traffic_count(struct kmt_cpu *cpu, __u32 cpu_id,
					  const struct kmt_object *o, __u32 kind)
{
	struct kmt_tally *t;
	__u64 n;

	if (unlikely(cpu->nest > 1)) {
		traffic_shared(o, kind);
		return;
	}
	t = tally_of(cpu, cpu_id, o->stack, o->cache | kind);
	if (!t)
		return;
	n = traffic_weight(o);
	t->nr += n;
	t->bytes += o->size * n;
	if (!cfg_exact)
		t->var += kmt_variance(o->size, n);
}

/* ---- the live table ---- */

/*
 * A key's first bucket. Objects in the same 256 bytes of memory share a bucket, and nearby memory
 * has nearby buckets: when a workload allocates and frees from the same few slabs, their rows and
 * TLB entries stay in the caches, however large the table is. The further choices are spread over
 * the whole table, so that an object finds room while the table has any.
 */
static __always_inline __u32 live_row(__u64 key)
{
	return hash_row(key >> 15, cfg_live_shift) ^ (key >> 8 & (KMT_NEAR_ROWS - 1));
}

#define LIVE_FURTHER 3

static __always_inline __u32 live_further(__u64 key, __u32 choice)
{
	static const __u64 odd[LIVE_FURTHER] = {0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F,
						0xD6E8FEB86659FD93};

	return (key >> 3) * odd[choice] >> (cfg_live_shift & 63);
}

/* In a large table, finding a bucket costs one more load, of a pointer that stays in the caches. */
static __always_inline struct kmt_bucket *bucket_of_part(__u32 row)
{
	__u32 part;
	void *map;

	barrier_var(row); /* else the compiler does part of this work where there are no parts */
	part = row >> KMT_PART_BITS;
	map = bpf_map_lookup_elem(&live_parts, &part);
	if (!map)
		return NULL;
	row &= (1u << KMT_PART_BITS) - 1;
	return bpf_map_lookup_elem(map, &row);
}

/* The verifier drops one of the two branches. */
static __always_inline struct kmt_bucket *bucket_of(__u32 row)
{
	if (unlikely(cfg_live_parts))
		return bucket_of_part(row);
	return bpf_map_lookup_elem(&live, &row);
}

/*
 * Start fetching the cache lines that an allocation most likely needs, while its stack is unwound.
 */
static __always_inline void live_prefetch(__u64 key)
{
	struct kmt_bucket *b = bucket_of(live_row(key));

	if (b) {
		*(volatile __u64 *)&b->spilled;
		*(volatile __u64 *)&b->object[0].size;
	}
}

/*
 * A place in the live table. The index is separate from the bucket so that the verifier can bound
 * it.
 */
struct live_place {
	struct kmt_bucket *bucket;  /* NULL: no place */
	struct kmt_bucket *spilled; /* the first choice, if this bucket is another one */
	__u32 row, i;
};

static __always_inline struct kmt_object *live_object(const struct live_place *p)
{
	__u64 i = p->i;

	barrier_var(i);
	return i < KMT_KEYS ? &p->bucket->object[i] : NULL;
}

static __always_inline void live_store(const struct live_place *p, __u64 key)
{
	__u64 i = p->i;

	barrier_var(i);
	if (i < KMT_KEYS)
		p->bucket->key[i] = key;
}

/* Fill in a place. Returns true, so that bucket_find() and bucket_claim() can return it. */
static __always_inline bool bucket_place(struct live_place *p, struct kmt_bucket *b, __u32 row,
					 __u32 i)
{
	p->bucket = b;
	p->row = row;
	p->i = i;
	return true;
}

/* These loops are not unrolled: they run with cold caches, where short code is faster. */
static __always_inline bool bucket_find(struct live_place *p, struct kmt_bucket *b, __u32 row,
					__u64 key)
{
#pragma clang loop unroll(disable)
	for (__u32 i = 0; b && i < KMT_KEYS; i++)
		if (b->key[i] == key)
			return bucket_place(p, b, row, i);
	return false;
}

/* Claim a free key of a bucket by setting it to KMT_BUSY. */
static __always_inline bool bucket_claim(struct live_place *p, struct kmt_bucket *b, __u32 row)
{
#pragma clang loop unroll(disable)
	for (__u32 i = 0; b && i < KMT_KEYS; i++)
		if (!b->key[i] && compat_swap(&b->key[i], row, 0, KMT_BUSY))
			return bucket_place(p, b, row, i);
	return false;
}

/*
 * A place as one number, for global functions, which can neither get nor return a place (GLOBAL).
 * Numbers stay below 2^31, so a function that finds no place returns NO_PLACE.
 */
#define NO_PLACE (-1)

static __always_inline int place_number(const struct live_place *p)
{
	return p->row * KMT_KEYS + p->i;
}

/* The place of this number. False if it is NO_PLACE or beyond the table. */
static __always_inline bool place_of_number(struct live_place *p, int number)
{
	__u32 row = (__u32)number / KMT_KEYS;

	if (number == NO_PLACE)
		return false;
	return bucket_place(p, bucket_of(row), row, (__u32)number % KMT_KEYS) && p->bucket;
}

/*
 * Exchange the key at a place. Of several that try at once, only one succeeds. False if the key was
 * not `from`.
 */
static __always_inline bool live_swap(const struct live_place *p, __u64 from, __u64 to)
{
	__u64 i = p->i;

	barrier_var(i);
	return i < KMT_KEYS && compat_swap(&p->bucket->key[i], p->row, from, to);
}

/*
 * Find `key` in its further choices. Few objects are there, so this code is out of line. Returns
 * the object's number or NO_PLACE.
 */
GLOBAL int live_find_further(__u64 key)
{
	struct live_place p = {};

	for (__u32 i = 0; i < LIVE_FURTHER; i++) {
		__u32 row = live_further(key, i);

		if (bucket_find(&p, bucket_of(row), row, key))
			return place_number(&p);
	}
	return NO_PLACE;
}

/*
 * Claim the object of `key` in its further choices, to overwrite it. Returns its number, or
 * NO_PLACE if it is in none of them.
 */
GLOBAL int live_reclaim_further(__u64 key)
{
	struct kmt_bucket *first = bucket_of(live_row(key));
	struct live_place p = {};
	int number;

	if (!first || !first->spilled)
		return NO_PLACE;
	number = live_find_further(key);
	if (!place_of_number(&p, number) || !live_swap(&p, key, KMT_BUSY))
		return NO_PLACE;
	return number;
}

/* Claim a free key in any choice of `key`. Returns its number, or NO_PLACE if all are full. */
GLOBAL int live_claim_further(__u64 key)
{
	__u32 row = live_row(key);
	struct kmt_bucket *first = bucket_of(row);
	struct live_place p = {};

	if (!first)
		return NO_PLACE;
	if (bucket_claim(&p, first, row))
		return place_number(&p);
	for (__u32 i = 0; i < LIVE_FURTHER; i++) {
		row = live_further(key, i);
		if (!bucket_claim(&p, bucket_of(row), row))
			continue;
		__sync_fetch_and_add(&first->spilled, 1);
		return place_number(&p);
	}
	return NO_PLACE;
}

/* Find the place of `key`. */
static __always_inline bool live_find(struct live_place *p, __u64 key)
{
	__u32 row = live_row(key);
	struct kmt_bucket *first = bucket_of(row);

	p->spilled = NULL;
	if (bucket_find(p, first, row, key))
		return true;
	if (!first || likely(!first->spilled))
		return false;
	p->spilled = first;
	return place_of_number(p, live_find_further(key));
}

/*
 * Claim a place for the object of `key` (KMT_BUSY). False if all its buckets are full. *again is
 * set if the key was there already: the free of the previous object was not seen.
 */
static __always_inline bool live_claim(struct live_place *p, __u64 key, bool *again)
{
	__u32 row = live_row(key);
	struct kmt_bucket *first = bucket_of(row);
	int number;

	*again = bucket_find(p, first, row, key);
	if (*again ? live_swap(p, key, KMT_BUSY)
		   : first && !first->spilled && bucket_claim(p, first, row))
		return true;
	number = live_reclaim_further(key);
	*again = number != NO_PLACE;
	if (!*again)
		number = live_claim_further(key);
	return place_of_number(p, number);
}

/* ---- the free filter: can this key be in the live table? ---- */

struct kmt_free_filter free_filter WEAK; /* of fixed size, so that its address is a constant */

/*
 * The objects of one page share a cache line and are spread over its lanes. The pool in the top
 * byte of the key does not matter: it changes only high bits of the result, and the callers use
 * only low bits. So an address alone gives the same lane as its key.
 */
static __always_inline __u32 free_filter_hash(__u64 key)
{
	return (key >> 12) * 0x61C88647 >> 24 ^ key >> 6;
}

/* The first check: a smaller table. */
static __always_inline bool free_filter_few_have(__u64 addr)
{
	return !cfg_free_filter ||
	       free_filter.few[free_filter_hash(addr) & (KMT_FREE_FILTER_FEW - 1)];
}

static __always_inline bool free_filter_has(__u64 addr)
{
	return !cfg_free_filter || free_filter.lane[free_filter_hash(addr) & (KMT_FREE_FILTER - 1)];
}

static __always_inline void free_filter_add(__u64 key, __s64 n)
{
	__u32 lane = free_filter_hash(key) & (KMT_FREE_FILTER - 1),
	      few = lane & (KMT_FREE_FILTER_FEW - 1);

	if (!cfg_free_filter)
		return;
	__sync_fetch_and_add(&free_filter.lane_words[lane / 8], n << lane % 8 * 8);
	__sync_fetch_and_add(&free_filter.few_words[few / 4], n << few % 4 * 16);
}

/*
 * Remove the object at `p` from the live table; its key there is `held`. False if somebody else
 * removed it meanwhile: the liveness audit, or an allocation at the same address.
 */
static __always_inline bool live_remove(const struct live_place *p, __u64 key, __u64 held)
{
	if (!live_swap(p, held, 0))
		return false;
	if (p->spilled)
		__sync_fetch_and_add(&p->spilled->spilled, -1);
	free_filter_add(key, -1);
	return true;
}

/* An object was found gone: is that an unseen free? Not if it was given to kfree_rcu(). */
static __always_inline bool track_is_unseen_free(const struct kmt_object *o)
{
	return o->checked != KMT_RCU_PENDING;
}

/*
 * A block of pages of up to this order is one object only if it is compound. Otherwise each page is
 * tracked on its own.
 */
#define PAGE_PIECES 5

/* ---- entry points ---- */

/*
 * The object of this number is about to be overwritten by a new object at the same address. So it
 * was freed, but no event reported that.
 */
GLOBAL int track_reused(__u32 cpu_id, int number)
{
	struct kmt_cpu *cpu = cpu_of(cpu_id);
	struct live_place at = {};
	struct kmt_object *o;

	if (!cpu || !place_of_number(&at, number))
		return 0;
	o = live_object(&at);
	if (o && track_is_unseen_free(o))
		traffic_count(cpu, cpu_id, o, KMT_TALLY_UNSEEN_FREES);
	if (o)
		stratum_count(cpu_id, o, -1);
	cpu->stats[KMT_STAT_REUSED]++;
	return 0;
}

/*
 * Record an allocation: an object in the live table, and its traffic. Returns whether there was
 * room.
 */
static __always_inline int track_object(struct kmt_cpu *cpu, __u32 cpu_id, struct unwind_scratch *s,
					__u32 stack)
{
	__u64 key = kmt_key(s->object.pool, s->addr);
	struct live_place at = {};
	struct kmt_object *o;
	bool again;

	if (unlikely(!live_claim(&at, key, &again))) {
		cpu->losses[KMT_LOSS_LIVE_FULL]++;
		return 0;
	}
	if (unlikely(again))
		track_reused(cpu_id, place_number(&at));
	else
		free_filter_add(key, 1);
	o = live_object(&at);
	if (!o)
		return 0;
	*o = s->object;
	o->stack = stack;
	o->process = process_current(cpu, cpu_id, s);
	o->alloc_ms = coarse_now_ms;
	traffic_count(cpu, cpu_id, o, 0);
	stratum_count(cpu_id, o, 1);
	live_store(&at, key);
	cpu->stats[KMT_STAT_ALLOCS]++;
	return 1;
}

/* The same for callers in a loop: as a global function it is verified only once. */
GLOBAL int track_object_apart(__u32 cpu_id, __u32 scratch_row, __u32 stack)
{
	struct unwind_scratch *s = scratch_of(scratch_row);
	struct kmt_cpu *cpu = cpu_of(cpu_id);

	return cpu && s ? track_object(cpu, cpu_id, s, stack) : 0;
}

/* Time what a sample takes: tracking the object, and removing it when it is freed. 0: do not. */
static __always_inline __u64 sampling_begin(void)
{
	return !cfg_exact && !sample_every ? bpf_ktime_get_ns() : 0;
}

static __always_inline void sampling_end(struct kmt_cpu *cpu, __u64 began)
{
	if (!cfg_exact && began)
		cpu->stats[KMT_STAT_SAMPLING_NS] += bpf_ktime_get_ns() - began;
}

/*
 * Begin to track an allocation. Returns the scratch row of this CPU and nesting level,
 * with its number in *row, or NULL if programs are nested too deep. The caller fills in s->addr,
 * s->site and s->object (size, period from sample_weigh(), stratum, cache, pool), calls
 * track_alloc(), and always calls track_leave().
 */
static __always_inline struct unwind_scratch *track_enter(struct kmt_cpu *cpu, __u32 cpu_id,
							  __u32 *row)
{
	struct unwind_scratch *s;

	__u32 nest = cfg_nest;

	if (cpu->nest >= nest) {
		cpu->losses[KMT_LOSS_NESTED]++;
		return NULL;
	}
	*row = cpu_id * nest + cpu->nest;
	s = scratch_of(*row);
	if (!s)
		return NULL;
	cpu->nest++;
	s->began = sampling_begin();
	return s;
}

/* Returns whether the allocation is now tracked. */
static __always_inline int track_alloc(struct bpf_raw_tracepoint_args *ctx, struct kmt_cpu *cpu,
				       __u32 cpu_id, struct unwind_scratch *s, __u32 row)
{
	__u32 stack = unwind_stack(ctx, s, row, cpu, cpu_id);

	return (!s->irq || filter_wants_irq()) && track_object(cpu, cpu_id, s, stack);
}

static __always_inline void track_leave(struct kmt_cpu *cpu, const struct unwind_scratch *s)
{
	sampling_end(cpu, s->began);
	cpu->nest--;
}

#define TRACK_EVERY                                                                     \
	0x100 /* with a pool: track this allocation, whatever the sampling mode; or … \
	       */
#define TRACK_STRATUM(stratum) ((stratum) << 16) /* … its stratum */

/* Handle an allocation that passed the program's filters. Returns whether it is tracked. */
GLOBAL int track_handle_alloc(struct bpf_raw_tracepoint_args *ctx, __u32 pool, __u64 site,
			      __u64 addr, __u64 size)
{
	__u32 stratum = pool & TRACK_EVERY ? KMT_NO_STRATUM : pool >> 16, cpu_id, row, mean = 0;
	struct unwind_scratch *s;
	struct kmt_cpu *cpu;
	int taken;

	cpu = cpu_row(&cpu_id);
	if (!cpu)
		return loss_shared(KMT_LOSS_NO_CPU);
	if (stratum != KMT_NO_STRATUM && !sample_weigh(cpu_id, stratum, size, &mean))
		return 0;
	pool &= 0xff;
	if (!pool_enabled(pool) || !filter_wants(size))
		return 0;
	live_prefetch(kmt_key(pool, addr));
	s = track_enter(cpu, cpu_id, &row);
	if (!s)
		return 0;
	s->site = site;
	s->addr = addr;
	s->object =
		(struct kmt_object){.size = size, .period = mean, .stratum = stratum, .pool = pool};
	taken = track_alloc(ctx, cpu, cpu_id, s, row);
	track_leave(cpu, s);
	return taken;
}

/* Remove the object of this key from the live table. Returns whether it was there. */
static __always_inline int track_remove(struct kmt_cpu *cpu, __u32 cpu_id, __u64 key)
{
	struct kmt_object *o, gone = {.stratum = KMT_NO_STRATUM};
	struct live_place at = {};

	if (!live_find(&at, key)) {
		cpu->stats[KMT_STAT_UNKNOWN_FREES]++;
		return 0;
	}
	o = cfg_exact ? NULL : live_object(&at);
	if (o)
		gone = *o;
	if (!live_remove(&at, key, key))
		return 1;
	cpu->stats[KMT_STAT_FREES]++;
	stratum_count(cpu_id, &gone, -1);
	return 1;
}

/*
 * Handle a free that may be of a tracked object. Returns whether it was. Of the CPU's own data it
 * writes only counters, so the task may be preempted here.
 */
GLOBAL int track_handle_free(__u32 pool, __u64 addr)
{
	struct kmt_cpu *cpu;
	__u64 began;
	__u32 cpu_id;
	int tracked;

	if (!pool_enabled(pool))
		return 0;
	cpu = cpu_row(&cpu_id);
	if (!cpu)
		return loss_shared(KMT_LOSS_NO_CPU);
	began = sampling_begin();
	tracked = track_remove(cpu, cpu_id, kmt_key(pool, addr));
	/* other frees that pass the filter are not what sampling periods decide */
	if (tracked)
		sampling_end(cpu, began);
	return tracked;
}

/*
 * Handle an object that is freed after an RCU grace period. It stays in the table, because its
 * memory is in use until then, for up to 5 s (mm/slab_common.c, KFREE_DRAIN_JIFFIES), and slabinfo
 * and the audit count it as well. But nobody holds it any more: it never counts as found live
 * twice, and when it is found gone, that is not an unseen free.
 */
GLOBAL int track_rcu_pending(__u32 pool, __u64 addr)
{
	struct live_place at = {};
	struct kmt_object *o;
	struct kmt_cpu *cpu;
	__u32 cpu_id;

	if (!pool_enabled(pool) || !live_find(&at, kmt_key(pool, addr)))
		return 0;
	o = live_object(&at);
	cpu = cpu_row(&cpu_id);
	if (!o || !cpu)
		return 0;
	o->checked = KMT_RCU_PENDING;
	cpu->stats[KMT_STAT_RCU_PENDING]++;
	return 0;
}

/* The program of an event that frees an object of one pool and does nothing else. */
#define TRACK_FREE(name, event, pool, object)                                                  \
	PROGRAM_FREE(name, event, object, free_filter_few_have(freed), free_filter_has(freed), \
		     track_handle_free(pool, freed))

/*
 * Remove the object of this number. The caller read its key and alloc_ms some time ago and has
 * since found it on a free list of the allocator. True if it was still that object. It counts as an
 * unseen free unless it was given to kfree_rcu().
 *
 * Races with other CPUs that handle the same address meanwhile:
 * - A free event fires before the object is put on a free list. So if the free was seen, the key is
 *   already gone and the exchange fails.
 * - It was allocated again and that was seen: either track_object() holds the key (KMT_BUSY) and
 *   the exchange fails, or it has written a later alloc_ms and the key is restored. A free event
 *   before the key is restored finds no key. Then the next audit finds an unseen free.
 * - It was allocated again and that was not seen (not sampled, or in bulk): the old object, which
 *   is still in the table, is an unseen free.
 */
static __always_inline bool track_evict(__u64 key, __u32 number, __u32 alloc_ms)
{
	__u32 home = live_row(key);
	struct kmt_object *o, gone;
	struct live_place at = {};

	if (!place_of_number(&at, number))
		return false;
	o = live_object(&at);
	if (!o || !live_swap(&at, key, KMT_EVICTING))
		return false;
	if (*(volatile __u32 *)&o->alloc_ms != alloc_ms) {
		live_swap(&at, KMT_EVICTING, key);
		return false;
	}
	gone = *o;
	at.spilled = home == at.row ? NULL : bucket_of(home);
	if (!live_remove(&at, key, KMT_EVICTING))
		return false;
	if (track_is_unseen_free(&gone))
		traffic_shared(&gone, KMT_TALLY_UNSEEN_FREES);
	stratum_count(bpf_get_smp_processor_id(), &gone, -1);
	return true;
}

#endif
