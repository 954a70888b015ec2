/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one way of an allocation and of a free, for every source: live table, traffic, losses. Nothing else
 * writes these maps.
 *
 * The live table is an open-addressing hash in plain arrays: a bucket is one cache line of seven keys, an
 * object lies in one of three buckets. It needs no lock and no helper call, because one address is never
 * allocated by two at a time: a key is claimed with compare-and-swap (KMT_BUSY), the object written, then
 * the key; it is freed by storing 0. Against a BPF hash map it saves some 100 ns for each pair, and the
 * loader reads it through mmap. Counts of live objects are never kept: they are counted in the table.
 *
 * Traffic (how much came and went) is kept by each CPU for the (path, cache) pairs it meets most, and moves
 * on to the shared totals only when a pair is displaced: nothing shared is written on the hot path, and
 * 512 CPUs do not multiply the path table.
 */
#ifndef KMEMTRACE_TRACK_BPF_H
#define KMEMTRACE_TRACK_BPF_H

#include "state.bpf.h"
#include "sample.bpf.h"
#include "unwind.bpf.h"

#define TABLE(map, row_type)                        \
	struct {                                    \
		__uint(type, BPF_MAP_TYPE_ARRAY);   \
		__uint(map_flags, BPF_F_MMAPABLE);  \
		__uint(max_entries, 1);             \
		__type(key, __u32);                 \
		__type(value, row_type);            \
	} map SEC(".maps") WEAK

TABLE(live_keys, struct kmt_bucket);
TABLE(live_objects, struct kmt_object);
TABLE(owners, struct kmt_owner);
TABLE(tallies, struct kmt_tally);         /* cfg_tallies for each CPU */
TABLE(path_traffic, struct kmt_traffic);  /* by path */
TABLE(cache_traffic, struct kmt_traffic); /* by cache */

/* ---- owners: the process and cgroup that allocated ---- */

GLOBAL int owner_intern(__u32 cpu_id, __u32 tgid, __u64 cgroup, __u64 exec)
{
	struct kmt_cpu *cpu = cpu_of(cpu_id);
	__u64 hash = (tgid * 0x9E3779B97F4A7C15ull ^ cgroup * 0xC2B2AE3D27D4EB4Full ^ exec << 1) | 1;
	struct task_struct *task = compat_task_cast(compat_task());
	__u32 h = hash_row(hash, cfg_owner_shift);

	for (int i = 0; i < KMT_PROBES; i++) {
		__u32 row = h + i;
		struct kmt_owner *o = bpf_map_lookup_elem(&owners, &row);

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
			bpf_probe_read_kernel_str(o->comm, sizeof(o->comm), TASK_READ(task, group_leader)->comm);
		o->ready = 1;
		return row;
	}
	if (cpu)
		cpu->losses[KMT_LOSS_OWNER_FULL]++;
	return 0;
}

static __always_inline __u32 owner_current(struct kmt_cpu *cpu, __u32 cpu_id, bool irq)
{
	struct task_struct *task = compat_task();
	__u64 cgroup, exec;
	__u32 tgid, row;

	if (irq)
		return owner_intern(cpu_id, 0, 0, 0);
	tgid = TASK_READ(task, tgid);
	exec = TASK_READ(task, self_exec_id);
	cgroup = TASK_READ(compat_task_cast(task), cgroups, dfl_cgrp, kn, id);
	if (cpu->owner && cpu->owner_task == tgid && cpu->owner_exec == exec && cpu->owner_cgroup == cgroup)
		return cpu->owner;
	row = owner_intern(cpu_id, tgid, cgroup, exec);
	if (cpu->nest == 1) { /* an interrupting program must not leave a mixture behind */
		cpu->owner = 0;
		barrier();
		cpu->owner_task = tgid;
		cpu->owner_exec = exec;
		cpu->owner_cgroup = cgroup;
		barrier();
		cpu->owner = row;
	}
	return row;
}

/* ---- traffic ---- */

enum track_way { TRACK_ALLOC, TRACK_FREE, TRACK_GHOST };

static __always_inline void traffic_add(struct kmt_traffic *t, __u32 way, __u64 n, __u64 bytes)
{
	if (way == TRACK_ALLOC) {
		t->allocs += n;
		t->alloc_bytes += bytes;
	} else if (way == TRACK_FREE) {
		t->frees += n;
		t->free_bytes += bytes;
	} else {
		t->ghosts += n;
		t->ghost_bytes += bytes;
	}
}

static __always_inline void traffic_merge(struct kmt_traffic *to, const struct kmt_traffic *from)
{
	if (from->allocs) {
		__sync_fetch_and_add(&to->allocs, from->allocs);
		__sync_fetch_and_add(&to->alloc_bytes, from->alloc_bytes);
	}
	if (from->frees) {
		__sync_fetch_and_add(&to->frees, from->frees);
		__sync_fetch_and_add(&to->free_bytes, from->free_bytes);
	}
	if (from->ghosts) {
		__sync_fetch_and_add(&to->ghosts, from->ghosts);
		__sync_fetch_and_add(&to->ghost_bytes, from->ghost_bytes);
	}
}

static __always_inline void traffic_share(__u32 path, __u32 cache, const struct kmt_traffic *t)
{
	struct kmt_traffic *by_path = bpf_map_lookup_elem(&path_traffic, &path);
	struct kmt_traffic *by_cache = bpf_map_lookup_elem(&cache_traffic, &cache);

	if (by_path)
		traffic_merge(by_path, t);
	if (by_cache)
		traffic_merge(by_cache, t);
}

/* Move a tally on to the shared totals and give its row to another pair. */
GLOBAL int tally_displace(__u32 row, __u32 path, __u32 cache)
{
	struct kmt_tally *t = bpf_map_lookup_elem(&tallies, &row);

	if (!t)
		return 0;
	traffic_share(t->path, t->cache, &t->t);
	__builtin_memset(&t->t, 0, sizeof(t->t));
	t->path = path;
	t->cache = cache;
	return 0;
}

/* Nested programs write to the shared totals: the CPU's tallies belong to the one they interrupted. */
GLOBAL int traffic_nested(__u32 path, __u32 cache, __u32 way, __u64 n, __u64 bytes)
{
	struct kmt_traffic t = {};

	traffic_add(&t, way, n, bytes);
	traffic_share(path, cache, &t);
	return 0;
}

/* The same of an object, by whoever is not sure to have the CPU's own rows to himself. */
static __always_inline void traffic_shared(const struct kmt_object *o, enum track_way way)
{
	__u64 size = o->size, n = o->period ? sample_weight(size, o->period) : KMT_ONE;

	traffic_nested(o->path, o->cache, way, n, size * n);
}

static __always_inline void traffic_count(struct kmt_cpu *cpu, __u32 cpu_id, const struct kmt_object *o,
					  enum track_way way)
{
	__u64 n = o->period ? sample_weight(o->size, o->period) : KMT_ONE;
	__u32 path = o->path, cache = o->cache;
	__u32 at = cpu_id * cfg_tallies + ((path ^ cache * 31) & (cfg_tallies - 1));
	struct kmt_tally *t, *second;

	if (cpu->nest > 1) {
		traffic_nested(path, cache, way, n, o->size * n);
		return;
	}
	t = bpf_map_lookup_elem(&tallies, &at);
	if (!t)
		return;
	if (t->path != path || t->cache != cache) {
		at ^= 1;
		second = bpf_map_lookup_elem(&tallies, &at);
		if (!second)
			return;
		if (second->path != path || second->cache != cache)
			tally_displace(at, path, cache);
		t = second;
	}
	traffic_add(&t->t, way, n, o->size * n);
}

/* ---- the live table ---- */

/*
 * A key's buckets. The first choice of what lies in one page of memory is in one page of buckets: the rows of a
 * load that takes and gives back the same few pages stay in the caches and in the TLB, however large the table.
 * The others are anywhere, so that what fills its page of buckets finds room while the table has any.
 */
static __always_inline __u32 live_row(__u64 key)
{
	return hash_row(key >> 12, cfg_live_shift) ^ (key >> 6 & (KMT_PAGE_ROWS - 1));
}

static __always_inline __u32 live_second(__u64 key)
{
	return hash_row(key >> 3, cfg_live_shift);
}

static __always_inline __u32 live_third(__u64 key)
{
	return (key * 0xC2B2AE3D27D4EB4Full) >> (cfg_live_shift & 63);
}

/* Begin to fetch the lines that an allocation will most likely need, while its stack is looked at. */
static __always_inline void live_prefetch(__u64 key)
{
	__u32 row = live_row(key), first = row * KMT_KEYS;
	struct kmt_bucket *b = bpf_map_lookup_elem(&live_keys, &row);
	struct kmt_object *o = bpf_map_lookup_elem(&live_objects, &first);

	if (b)
		*(volatile __u64 *)&b->spilled;
	if (o)
		*(volatile __u64 *)&o->size;
}

/* A place in the live table. The index is kept apart from the bucket so that the verifier can bound it. */
struct live_place {
	struct kmt_bucket *bucket;  /* NULL: nowhere */
	struct kmt_bucket *spilled; /* the first choice, when this is the second */
	__u32 row, i;
};

static __always_inline __u32 live_object_row(const struct live_place *p)
{
	return p->row * KMT_KEYS + p->i;
}

static __always_inline void live_store(const struct live_place *p, __u64 key)
{
	__u64 i = p->i;

	barrier_var(i);
	if (i < KMT_KEYS)
		p->bucket->key[i] = key;
}

/* Found: true, for the two that look. */
static __always_inline bool bucket_place(struct live_place *p, struct kmt_bucket *b, __u32 row, __u32 i)
{
	p->bucket = b;
	p->row = row;
	p->i = i;
	return true;
}

static __always_inline bool bucket_find(struct live_place *p, struct kmt_bucket *b, __u32 row, __u64 key)
{
	for (__u32 i = 0; b && i < KMT_KEYS; i++)
		if (b->key[i] == key)
			return bucket_place(p, b, row, i);
	return false;
}

/* Claim a free key of a bucket (KMT_BUSY). */
static __always_inline bool bucket_claim(struct live_place *p, struct kmt_bucket *b, __u32 row)
{
	for (__u32 i = 0; b && i < KMT_KEYS; i++)
		if (!b->key[i] && compat_swap(&b->key[i], row, 0, KMT_BUSY))
			return bucket_place(p, b, row, i);
	return false;
}

static __always_inline struct kmt_bucket *bucket_of(__u32 row)
{
	return bpf_map_lookup_elem(&live_keys, &row);
}

/* Where `key` lies. */
static __always_inline bool live_find(struct live_place *p, __u64 key)
{
	__u32 row = live_row(key);
	struct kmt_bucket *first = bucket_of(row);

	p->spilled = NULL;
	if (bucket_find(p, first, row, key))
		return true;
	if (!first || !first->spilled)
		return false;
	p->spilled = first;
	row = live_second(key);
	if (bucket_find(p, bucket_of(row), row, key))
		return true;
	row = live_third(key);
	return bucket_find(p, bucket_of(row), row, key);
}

/* Where the object of `key` is to be written; false when all its buckets are full. */
static __always_inline bool live_claim(struct live_place *p, __u64 key)
{
	__u32 row = live_row(key);
	struct kmt_bucket *first = bucket_of(row);

	p->spilled = NULL;
	if (bucket_claim(p, first, row))
		return true;
	p->spilled = first;
	row = live_second(key);
	if (!first)
		return false;
	if (!bucket_claim(p, bucket_of(row), row)) {
		row = live_third(key);
		if (!bucket_claim(p, bucket_of(row), row))
			return false;
	}
	__sync_fetch_and_add(&first->spilled, 1);
	return true;
}

/* ---- the filter: may this key be in the live table? ---- */

struct kmt_filter live_filter WEAK; /* of fixed size: its place is a constant */

/*
 * The objects of a page share a line, and are spread over its lanes. Of a key nothing but the address counts: its
 * pool lies above what the product brings down.
 */
static __always_inline __u32 filter_hash(__u64 key)
{
	return (key >> 12) * 0x61C88647 >> 24 ^ key >> 6;
}

/* To be asked first. */
static __always_inline bool filter_few_have(__u64 addr)
{
	return !cfg_filter || live_filter.few[filter_hash(addr) & (KMT_FILTER_FEW - 1)];
}

static __always_inline bool filter_has(__u64 addr)
{
	return !cfg_filter || live_filter.lane[filter_hash(addr) & (KMT_FILTER - 1)];
}

static __always_inline void filter_add(__u64 key, __s64 n)
{
	__u32 lane = filter_hash(key) & (KMT_FILTER - 1), few = lane & (KMT_FILTER_FEW - 1);

	if (!cfg_filter)
		return;
	__sync_fetch_and_add(&live_filter.lane_words[lane / 8], n << lane % 8 * 8);
	__sync_fetch_and_add(&live_filter.few_words[few / 4], n << few % 4 * 16);
}

/* Exchange the key at a place, so that only one of those who try succeeds. False: it was not `from`. */
static __always_inline bool live_swap(const struct live_place *p, __u64 from, __u64 to)
{
	__u64 i = p->i;

	barrier_var(i);
	return i < KMT_KEYS && compat_swap(&p->bucket->key[i], p->row, from, to);
}

/*
 * Take the object at `p`, whose key there is `held`, out of the live table. False when somebody else did so
 * meanwhile: the liveness audit, or an allocation of the same address.
 */
static __always_inline bool live_remove(const struct live_place *p, __u64 key, __u64 held)
{
	if (!live_swap(p, held, 0))
		return false;
	if (p->spilled)
		__sync_fetch_and_add(&p->spilled->spilled, -1);
	filter_add(key, -1);
	return true;
}

/* How an object went that is found gone: was its free announced? */
static __always_inline enum track_way track_gone(const struct kmt_object *o)
{
	return o->looked == KMT_LEAVING ? TRACK_FREE : TRACK_GHOST;
}

/* ---- the ways in ---- */

/* What an allocation leaves behind: an object in the live table, and its traffic. */
GLOBAL int track_object(__u32 cpu_id, __u32 scratch_row, __u32 path)
{
	struct unwind_scratch *s = scratch_of(scratch_row);
	struct kmt_cpu *cpu = cpu_of(cpu_id);
	struct live_place at = {};
	struct kmt_object *o;
	__u64 key;
	__u32 row;

	if (!cpu || !s)
		return 0;
	key = kmt_key(s->object.pool, s->addr);
	if (live_find(&at, key) && live_swap(&at, key, KMT_BUSY)) {
		/* its last owner was freed, and nobody said so */
		row = live_object_row(&at);
		o = bpf_map_lookup_elem(&live_objects, &row);
		if (o)
			traffic_count(cpu, cpu_id, o, track_gone(o));
		cpu->stats[KMT_STAT_REUSED]++;
	} else if (!live_claim(&at, key)) {
		cpu->losses[KMT_LOSS_LIVE_FULL]++;
		return 0;
	} else {
		filter_add(key, 1);
	}
	row = live_object_row(&at);
	o = bpf_map_lookup_elem(&live_objects, &row);
	if (!o)
		return 0;
	*o = s->object;
	o->path = path;
	o->owner = owner_current(cpu, cpu_id, s->irq);
	o->born_ms = clock_ms;
	traffic_count(cpu, cpu_id, o, TRACK_ALLOC);
	live_store(&at, key);
	cpu->stats[KMT_STAT_ALLOCS]++;
	return 0;
}

/*
 * Begin to track an allocation of a pool: the scratch row of this CPU and nesting level, its number in *row; NULL
 * when nested too deep. The caller fills s->addr, s->site and s->object (size, period from sample_weigh(), cache,
 * pool), calls track_alloc(), and always track_leave().
 */
static __always_inline struct unwind_scratch *track_enter(struct kmt_cpu *cpu, __u32 cpu_id, __u32 pool,
							   __u32 *row)
{
	struct unwind_scratch *s;

	if (cpu->nest >= cfg_nest) {
		cpu->losses[KMT_LOSS_NESTED]++;
		return NULL;
	}
	*row = cpu_id * cfg_nest + cpu->nest;
	s = scratch_of(*row);
	if (!s)
		return NULL;
	cpu->nest++;
	s->began = !cfg_exact && pool < KMT_POOLS && period[pool] != KMT_EVERY ? bpf_ktime_get_ns() : 0;
	return s;
}

static __always_inline void track_alloc(struct bpf_raw_tracepoint_args *ctx, struct kmt_cpu *cpu,
					__u32 cpu_id, struct unwind_scratch *s, __u32 row)
{
	__u32 path;

	live_prefetch(kmt_key(s->object.pool, s->addr));
	path = unwind_path(ctx, row, cpu_id);
	if (!s->irq || narrow_wants_irq())
		track_object(cpu_id, row, path);
}

static __always_inline void track_leave(struct kmt_cpu *cpu, const struct unwind_scratch *s)
{
	if (!cfg_exact && s->began)
		cpu->stats[KMT_STAT_SAMPLING_NS] += bpf_ktime_get_ns() - s->began;
	cpu->nest--;
}

#define TRACK_EVERY 0x100 /* with a pool: this one is taken, whatever the mode */

/* An allocation that may be taken. */
GLOBAL int track_taken(struct bpf_raw_tracepoint_args *ctx, __u32 pool, __u64 site, __u64 addr, __u64 size)
{
	struct unwind_scratch *s;
	struct kmt_cpu *cpu;
	__u32 cpu_id, row;
	__u64 mean = 0;

	cpu = cpu_row(&cpu_id);
	if (!cpu)
		return loss_shared(KMT_LOSS_NO_CPU);
	if (pool < KMT_POOLS && !sample_weigh(cpu_id, pool, &mean))
		return 0;
	if (!gate_open(pool) || !narrow_wants(size))
		return 0;
	s = track_enter(cpu, cpu_id, pool & ~TRACK_EVERY, &row);
	if (!s)
		return 0;
	s->site = site;
	s->addr = addr;
	s->object = (struct kmt_object){.size = size, .period = mean, .pool = pool & ~TRACK_EVERY};
	track_alloc(ctx, cpu, cpu_id, s, row);
	track_leave(cpu, s);
	return 0;
}

/* A free that may be of a tracked object. Returns whether it was. */
GLOBAL int track_freed(__u32 pool, __u64 addr)
{
	__u64 key = kmt_key(pool, addr);
	struct live_place at = {};
	struct kmt_object *o;
	struct kmt_cpu *cpu;
	__u32 row, cpu_id;

	if (!gate_open(pool))
		return 0;
	cpu = cpu_row(&cpu_id);
	if (!cpu)
		return loss_shared(KMT_LOSS_NO_CPU);
	if (!live_find(&at, key)) {
		cpu->stats[KMT_STAT_UNKNOWN_FREES]++;
		return 0;
	}
	cpu->nest++;
	row = live_object_row(&at);
	o = bpf_map_lookup_elem(&live_objects, &row);
	if (o)
		traffic_count(cpu, cpu_id, o, TRACK_FREE);
	live_remove(&at, key, key);
	cpu->stats[KMT_STAT_FREES]++;
	cpu->nest--;
	return 1;
}

/* The same where a task can be preempted: nothing of the CPU's own is used, but counters that may miss one. */
GLOBAL int track_freed_shared(__u32 pool, __u64 addr)
{
	__u64 key = kmt_key(pool, addr);
	struct live_place at = {};
	struct kmt_object *o, gone;
	struct kmt_cpu *cpu;
	__u32 row, cpu_id;

	if (!gate_open(pool))
		return 0;
	cpu = cpu_row(&cpu_id);
	if (!cpu)
		return loss_shared(KMT_LOSS_NO_CPU);
	if (!live_find(&at, key)) {
		cpu->stats[KMT_STAT_UNKNOWN_FREES]++;
		return 0;
	}
	row = live_object_row(&at);
	o = bpf_map_lookup_elem(&live_objects, &row);
	if (!o)
		return 0;
	gone = *o;
	if (live_remove(&at, key, key)) {
		traffic_shared(&gone, TRACK_FREE);
		cpu->stats[KMT_STAT_FREES]++;
	}
	return 0;
}

/*
 * An object that will be freed when RCU readers are done with it. It stays in the table: its memory is in use until
 * then, for up to 5 s (mm/slab_common.c, KFREE_DRAIN_JIFFIES), and slabinfo and the audit say so too. But it is
 * held by nobody, so it never counts as found live twice, and when it is found gone that is no unseen free.
 */
GLOBAL int track_leaving(__u32 pool, __u64 addr)
{
	struct live_place at = {};
	struct kmt_object *o;
	struct kmt_cpu *cpu;
	__u32 row, cpu_id;

	if (!gate_open(pool) || !live_find(&at, kmt_key(pool, addr)))
		return 0;
	row = live_object_row(&at);
	o = bpf_map_lookup_elem(&live_objects, &row);
	cpu = cpu_row(&cpu_id);
	if (!o || !cpu)
		return 0;
	o->looked = KMT_LEAVING;
	cpu->stats[KMT_STAT_LEAVING]++;
	return 0;
}

/* What frees an object of a pool and nothing else. */
#define TRACK_FREE(name, event, pool, object) \
	PROGRAM_FREE(name, event, object, filter_few_have(freed), filter_has(freed), track_freed(pool, freed))

/*
 * Take out the object in `row` of live_objects, whose key and birthday the caller read some time ago and which
 * it then found on a free list of the allocator. True when it was still that object; it counts as a ghost, unless
 * its free was announced.
 *
 * Against what other CPUs do with the same address meanwhile:
 * - It was on a free list, and free events fire before an object gets there: a free event seen of this
 *   object has long taken the key, and the exchange fails.
 * - It was allocated again, and that was seen: track_object() holds the key (KMT_BUSY) and the exchange fails,
 *   or has written a younger birthday, and the key is given back. A free event in between finds no key and
 *   leaves a ghost for the next audit.
 * - It was allocated again and that was not seen (not sampled, in bulk): what is in the table is a ghost.
 */
static __always_inline bool track_evict(__u64 key, __u32 row, __u32 born_ms)
{
	struct live_place at = {.row = row / KMT_KEYS, .i = row % KMT_KEYS};
	struct kmt_object *o = bpf_map_lookup_elem(&live_objects, &row);
	struct kmt_object gone;
	__u32 home = live_row(key);

	at.bucket = bpf_map_lookup_elem(&live_keys, &at.row);
	if (!o || !at.bucket || !live_swap(&at, key, KMT_EVICTING))
		return false;
	if (*(volatile __u32 *)&o->born_ms != born_ms) {
		live_swap(&at, KMT_EVICTING, key);
		return false;
	}
	gone = *o;
	at.spilled = home == at.row ? NULL : bpf_map_lookup_elem(&live_keys, &home);
	if (!live_remove(&at, key, KMT_EVICTING))
		return false;
	traffic_shared(&gone, track_gone(&gone));
	return true;
}

#endif
