/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the kernel keeps struct page and each CPU's variables, and walking the allocator's free
 * lists. The audit (audit.bpf.c) and the census (census.bpf.c) include it. These programs run by
 * BPF_PROG_TEST_RUN; only audit_pages() and audit_pages_old() are attached to an event, for a
 * moment. Nothing here needs the tables of a recording.
 *
 * They read the allocator's live memory without its locks and must never trust what they read: a
 * free pointer is followed only if it points to the start of an object in the same slab, and at
 * most as many times as the slab has objects. A walk of a CPU's list counts only if the list's
 * transaction id did not change.
 */
#ifndef KMEMTRACE_FREELISTS_BPF_H
#define KMEMTRACE_FREELISTS_BPF_H

#include "state.bpf.h"

#define WALK_STEPS  512 /* in one call; enough calls are made for the largest slab */
#define SHEAF_MAX   256 /* objects read from one sheaf */
#define BARN_MAX    64  /* full sheaves read from one barn; the kernel keeps 10 */
#define CPU_PARTIAL 64  /* slabs read from one CPU's partial list; the kernel keeps 30 at most */
#define PARTIAL_TRY 8   /* slabs of a partial list tried to find page_base */
#define SLAB_TRIES  3   /* walks of a slab's free list that changes meanwhile */

TABLE(audit, struct kmt_audit);
TABLE(audit_cpu_offset,
      __u64); /* by CPU: distance from a per-CPU pointer to that CPU's variable; 0: not known */

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} audit_anchor SEC(".maps") WEAK;

const volatile __u32 cfg_nodes WEAK = 1;

static __always_inline struct kmt_audit *audit_shared(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&audit, &zero);
}

/* At the start of a run: the slab that an earlier run read is stale. */
static __always_inline struct kmt_audit *audit_begin(void)
{
	struct kmt_audit *a = audit_shared();

	if (a) {
		a->cache = 0;
		a->bytes = 0;
	}
	return a;
}

#define LOAD(field)         (*(volatile typeof(field) *)&(field))
#define STORE(field, value) (*(volatile typeof(field) *)&(field) = (value))

static __always_inline __u64 address_of(__u64 page)
{
	return (page - page_base) / bpf_core_type_size(struct page) << cfg_page_shift;
}

/* ---- walking a free list ---- */

/* Make the slab at `base` the current one. `order` is order << 16 | objects. */
static __always_inline void slab_take(struct kmt_audit *a, __u64 base, __u32 order)
{
	a->base = base;
	a->objects = order & 0xffff;
	a->bytes = 1ull << (cfg_page_shift + (order >> 16 & 31));
}

/*
 * Walk up to WALK_STEPS objects of the list, from a->next on. Marks each object in a->free, or
 * appends it to a->on_cpu_freelist. Returns 1 if the list ended or is inconsistent (a->broken), 0
 * if there is more.
 */
GLOBAL int audit_walk(__u32 on_cpu_freelist)
{
	struct kmt_audit *a = audit_shared();

	if (!a)
		return 1;
	for (int i = 0; i < WALK_STEPS; i++) {
		__u64 at = LOAD(a->next), place, index;
		__u32 nr;

		if (!at)
			return 1;
		place = at - a->base;
		if (place >= a->bytes || LOAD(a->steps) >= a->objects || !a->size) {
			STORE(a->broken, 1);
			return 1;
		}
		if (on_cpu_freelist) {
			nr = LOAD(a->on_cpu_freelist_nr);
			if (nr >= KMT_ON_CPU_FREELIST) {
				STORE(a->broken, 1);
				return 1;
			}
			a->on_cpu_freelist[nr] = at;
			STORE(a->on_cpu_freelist_nr, nr + 1);
		} else {
			index = place / a->size;
			if (index >= KMT_SLAB_MAX) {
				STORE(a->broken, 1);
				return 1;
			}
			a->free[index >> 6] |= 1ull << (index & 63);
		}
		STORE(a->steps, LOAD(a->steps) + 1);
		STORE(a->next, compat_free_pointer(at + a->offset, a->random));
	}
	return 0;
}

/* Walk the whole list that begins at `first`. Returns whether it ended properly. */
GLOBAL int audit_walk_all(__u64 first, __u32 on_cpu_freelist)
{
	struct kmt_audit *a = audit_shared();

	if (!a)
		return 0;
	STORE(a->next, first);
	STORE(a->steps, 0);
	STORE(a->broken, 0);
	for (int i = 0; i < KMT_SLAB_MAX / WALK_STEPS; i++)
		if (audit_walk(on_cpu_freelist))
			break;
	return !LOAD(a->broken) && !LOAD(a->next);
}

/* Read those fields of a cache that are needed again and again. */
GLOBAL int audit_cache(__u64 cache)
{
	struct kmem_cache *s = (void *)cache;
	struct kmt_audit *a = audit_shared();

	if (!a)
		return 0;
	a->cache = cache;
	a->random = compat_cache_random(s);
	a->offset = BPF_CORE_READ(s, offset);
	a->size = BPF_CORE_READ(s, size);
	a->order = BPF_CORE_READ(s, oo.x);
	a->min_order = BPF_CORE_READ(s, min.x);
	a->bytes = 0;
	return 0;
}

/* ---- where the struct pages and each CPU's variables are ---- */

/*
 * Compute page_base from one slab: the slab's free list points into the slab's own pages. Returns 0
 * if this slab does not tell.
 */
GLOBAL __u64 audit_base(__u64 page, __u64 cache, __u32 order)
{
	__u32 shift = cfg_page_shift + (order >> 16 & 31), inuse, objects;
	__u64 first;

	if (!compat_page_is_slab(page) || compat_slab_cache(page) != cache)
		return 0;
	compat_slab_counts(page, &inuse, &objects);
	first = compat_slab_freelist(page);
	if (!first || objects != (order & 0xffff))
		return 0;
	return page -
	       (first >> shift << (shift - cfg_page_shift)) * bpf_core_type_size(struct page);
}

/* Count the page_base that a slab gives. The loader waits until enough slabs agree. */
static __always_inline void audit_vote(struct kmt_audit *a, __u64 page, __u64 cache, __u32 order)
{
	__u64 base = audit_base(page, cache, order);

	if (base && !a->page_base)
		a->page_base = base;
	if (base)
		__sync_fetch_and_add(base == a->page_base ? &a->page_for : &a->page_against, 1);
}

/*
 * Attached for a moment to an event that names a cache. Each slab on the cache's partial list holds
 * the address of a free object.
 */
SEC("?raw_tp/kmem_cache_alloc")
int audit_pages(struct bpf_raw_tracepoint_args *ctx)
{
	struct kmem_cache *s = (void *)ctx->args[2];
	struct kmt_audit *a = audit_shared();
	__u64 lists, head, entry;
	__u32 order;

	if (!a)
		return 0;
	a->seed = (__u64)s;
	order = BPF_CORE_READ(s, oo.x);
	lists = compat_cache_node(s, 0);
	if (!lists)
		return 0;
	head = FIELD_ADDRESS(lists, struct kmem_cache_node, partial);
	entry = compat_read_word(head);
	for (int i = 0; i < PARTIAL_TRY && entry && entry != head; i++) {
		audit_vote(a, compat_slab_of_list(entry), (__u64)s, order);
		entry = compat_read_word(entry);
	}
	return 0;
}

/*
 * The same where no event names a cache (up to 5.18): it looks at pages that were allocated a
 * moment ago and have become slabs.
 */
SEC("?raw_tp/mm_page_alloc")
int audit_pages_old(struct bpf_raw_tracepoint_args *ctx)
{
	struct kmt_audit *a = audit_shared();
	struct kmem_cache *s;
	__u64 page, *seen;

	if (!a)
		return 0;
	seen = &a->seen[a->seen_nr++ & (KMT_SEEN - 1)];
	page = *seen;
	*seen = ctx->args[0];
	if (!page || !compat_page_is_slab(page))
		return 0;
	s = (void *)compat_slab_cache(page);
	a->seed = (__u64)s;
	audit_vote(a, page, (__u64)s, BPF_CORE_READ(s, oo.x));
	return 0;
}

/*
 * Run on each CPU to find the distance from per-CPU pointers to this CPU's variables. An element of
 * a per-CPU array shows it: the map holds the per-CPU pointer, and the lookup returns the address
 * on this CPU. It needs no symbol.
 */
SEC("?raw_tp")
int audit_cpu(void *ctx)
{
	struct kmt_audit *a = audit_shared();
	__u32 zero = 0, cpu = bpf_get_smp_processor_id();
	__u64 *offset = bpf_map_lookup_elem(&audit_cpu_offset, &cpu);
	void *here = bpf_map_lookup_elem(&audit_anchor, &zero);
	__u64 map, mine;

	if (!a || !offset || !here)
		return 0;
	/*
	 * turn pointers into numbers through memory: the verifier allows no arithmetic on these
	 * pointers
	 */
	STORE(a->next, (__u64)here);
	mine = LOAD(a->next);
	STORE(a->next, (__u64)&audit_anchor);
	map = LOAD(a->next);
	*offset = mine - compat_read_word(FIELD_ADDRESS(map, struct bpf_array, pptrs));
	return 0;
}

/* ---- objects on per-CPU lists ---- */

/* Append the objects of a sheaf of a->cache. */
GLOBAL int audit_sheaf(__u64 sheaf)
{
	struct slab_sheaf *s = (void *)sheaf;
	struct kmt_audit *a = audit_shared();
	__u32 size, at;

	if (!a || !sheaf || !bpf_core_type_exists(struct slab_sheaf))
		return 0;
	if ((__u64)BPF_CORE_READ(s, cache) != a->cache)
		return 0;
	size = BPF_CORE_READ(s, size);
	at = LOAD(a->on_cpu_freelist_nr);
	if (size > SHEAF_MAX || at > KMT_ON_CPU_FREELIST - SHEAF_MAX) {
		a->incomplete++;
		return 0;
	}
	bpf_probe_read_kernel(&a->on_cpu_freelist[at], size * sizeof(__u64),
			      (void *)FIELD_ADDRESS(sheaf, struct slab_sheaf, objects));
	STORE(a->on_cpu_freelist_nr, at + size);
	return 0;
}

/* Append a CPU's own free list, which belongs to one slab. False if the list changed meanwhile. */
GLOBAL int audit_cpu_slab_try(__u64 cpu_slab)
{
	struct kmem_cache_cpu *c = (void *)cpu_slab;
	struct kmt_audit *a = audit_shared();
	__u64 tid, first, page;
	__u32 nr, inuse, objects;

	if (!a || !bpf_core_field_exists(c->tid))
		return 0;
	nr = LOAD(a->on_cpu_freelist_nr);
	tid = BPF_CORE_READ(c, tid);
	first = (__u64)BPF_CORE_READ(c, freelist);
	page = compat_cpu_slab_page(cpu_slab);
	if (!first || !page)
		return 1;
	compat_slab_counts(page, &inuse, &objects);
	slab_take(a, address_of(page), objects == (a->order & 0xffff) ? a->order : a->min_order);
	if (audit_walk_all(first, true) && BPF_CORE_READ(c, tid) == tid)
		return 1;
	STORE(a->on_cpu_freelist_nr, nr);
	return 0;
}

/* Append the sheaves of one CPU; `percpu` is the address on that CPU. */
GLOBAL int audit_cpu_sheaves(__u64 percpu)
{
	struct slub_percpu_sheaves *p = (void *)percpu;

	if (!bpf_core_type_exists(struct slub_percpu_sheaves))
		return 0;
	audit_sheaf((__u64)BPF_CORE_READ(p, main));
	audit_sheaf((__u64)BPF_CORE_READ(p, spare));
	audit_sheaf((__u64)BPF_CORE_READ(p, rcu_free));
	return 0;
}

/*
 * Count the free objects in the slabs on a CPU's partial list. The list changes meanwhile, so this
 * is only a count.
 */
GLOBAL int audit_cpu_partial(__u64 cpu_slab)
{
	struct kmt_audit *a = audit_shared();
	__u64 page = compat_cpu_slab_partial(cpu_slab);
	__u32 inuse, objects;

	if (!a)
		return 0;
	for (int i = 0; i < CPU_PARTIAL && page; i++) {
		if (!compat_page_is_slab(page) || compat_slab_cache(page) != a->cache)
			break;
		compat_slab_counts(page, &inuse, &objects);
		if (inuse < objects)
			a->partial_free += objects - inuse;
		page = compat_slab_next(page);
	}
	return 0;
}

/* Append the free objects on one CPU's lists, by the cache's per-CPU pointers. */
GLOBAL int audit_gather_cpu(__u64 cpu_slab, __u64 sheaves, __u32 cpu)
{
	__u64 *offset = bpf_map_lookup_elem(&audit_cpu_offset, &cpu);
	struct kmt_audit *a = audit_shared();
	__u64 mine;

	if (!a || !offset || !*offset)
		return 0; /* the CPU was never online: nothing is on its lists */
	mine = cpu_slab + *offset;
	/*
	 * three tries without a loop: clang gives it two exit conditions, and the verifier of 6.1
	 * does not see that it ends
	 */
	if (cpu_slab && !audit_cpu_slab_try(mine) && !audit_cpu_slab_try(mine) &&
	    !audit_cpu_slab_try(mine))
		a->incomplete++;
	if (cpu_slab)
		audit_cpu_partial(mine);
	if (sheaves)
		audit_cpu_sheaves(sheaves + *offset);
	return 0;
}

GLOBAL int audit_gather_barn(__u64 barn)
{
	__u64 head, entry;

	if (!bpf_core_type_exists(struct node_barn))
		return 0;
	head = FIELD_ADDRESS(barn, struct node_barn, sheaves_full);
	entry = compat_read_word(head);
	for (int i = 0; i < BARN_MAX && entry && entry != head; i++) {
		audit_sheaf(entry - bpf_core_field_offset(struct slab_sheaf, barn_list));
		entry = compat_read_word(entry);
	}
	return 0;
}

/*
 * Arguments: the cache, the first of up to KMT_AUDIT_CPUS CPUs, a node or −1. Answers:
 * a->on_cpu_freelist, a->partial_free.
 */
SEC("?raw_tp")
int audit_gather(struct bpf_raw_tracepoint_args *ctx)
{
	struct kmem_cache *s = (void *)ctx->args[0];
	__u32 first = ctx->args[1], node = ctx->args[2];
	struct kmt_audit *a = audit_shared();
	__u64 cpu_slab, sheaves, barn;

	if (!a)
		return 0;
	audit_cache((__u64)s);
	a->on_cpu_freelist_nr = 0;
	a->partial_free = 0;
	a->incomplete = 0;
	cpu_slab = compat_cache_cpu_slab(s);
	sheaves = compat_cache_cpu_sheaves(s);
	for (int i = 0; i < KMT_AUDIT_CPUS; i++)
		audit_gather_cpu(cpu_slab, sheaves, first + i);
	barn = node < cfg_nodes ? compat_cache_barn(s, node) : 0;
	if (barn)
		audit_gather_barn(barn);
	a->bytes = 0;
	return 0;
}

/* ---- is an object of a cache live? ---- */

/*
 * Does a slab of `order` around `addr` belong to a->cache? 1: yes; 0: no; −1: it belongs to
 * a->cache, but its number of objects is not that of `order`.
 */
static __always_inline int slab_is_ours(struct kmt_audit *a, __u64 addr, __u32 order)
{
	__u32 shift = cfg_page_shift + (order >> 16 & 31), inuse, objects;
	__u64 page = page_of(addr >> shift << shift);

	if (!compat_page_is_slab(page) || compat_slab_cache(page) != a->cache)
		return 0;
	compat_slab_counts(page, &inuse, &objects);
	return objects == (order & 0xffff) ? 1 : -1;
}

/* Walk the free list of the current slab into a->free. False if the list changed meanwhile. */
GLOBAL int audit_slab_try(void)
{
	__u32 inuse, objects, inuse_then, objects_then, words;
	struct kmt_audit *a = audit_shared();
	__u64 page, first;

	if (!a)
		return 0;
	words = (a->objects + 63) / 64;
	for (__u32 i = 0; i < KMT_SLAB_MAX / 64; i++) {
		if (i >= words)
			break;
		STORE(a->free[i], 0);
	}
	page = page_of(a->base);
	first = compat_slab_freelist(page);
	compat_slab_counts(page, &inuse, &objects);
	if (!audit_walk_all(first, false) || LOAD(a->steps) != objects - inuse)
		return 0;
	compat_slab_counts(page, &inuse_then, &objects_then);
	return compat_slab_freelist(page) == first && inuse_then == inuse &&
	       objects_then == objects;
}

/* Make the slab of `addr` the current one and read its free list. KMT_LIVE means: see a->free. */
GLOBAL int audit_slab(__u64 addr)
{
	struct kmt_audit *a = audit_shared();
	__u64 page = page_of(addr);
	__u32 order, shift;
	int ours;

	if (!a)
		return KMT_UNSURE;
	order = a->order;
	ours = slab_is_ours(a, addr, order);
	if (ours != 1 && a->min_order != order) {
		order = a->min_order;
		ours = slab_is_ours(a, addr, order) ?: ours;
	}
	/*
	 * the object's page (here) or the kernel (below) says that it belongs to the cache, but it
	 * is in no proper slab of the cache: it is a KFENCE object
	 */
	if (ours < 0 || (!ours && compat_page_is_slab(page) && compat_slab_cache(page) == a->cache))
		return KMT_UNSURE;
	if (!ours) {
		if (bpf_get_kmem_cache) {
			STORE(a->next, (__u64)bpf_get_kmem_cache(addr));
			if (LOAD(a->next) == a->cache)
				return KMT_UNSURE;
		}
		return KMT_FREED_PAGE;
	}
	shift = cfg_page_shift + (order >> 16 & 31);
	slab_take(a, addr >> shift << shift, order);
	for (int try = 0; try < SLAB_TRIES; try++)
		if (audit_slab_try())
			return KMT_LIVE;
	a->bytes = 0;
	return KMT_UNSURE;
}

GLOBAL int audit_verify_slab(__u64 addr, __u64 cache)
{
	struct kmt_audit *a = audit_shared();
	__u64 index;
	int verdict;

	if (!a)
		return KMT_UNSURE;
	if (cache != a->cache)
		audit_cache(cache);
	if (addr - a->base >= a->bytes) {
		a->bytes = 0;
		verdict = audit_slab(addr);
		if (verdict != KMT_LIVE)
			return verdict;
	}
	if (!a->size)
		return KMT_UNSURE;
	index = (addr - a->base) / a->size;
	if (index >= a->objects || index >= KMT_SLAB_MAX)
		return KMT_UNSURE;
	return a->free[index >> 6] >> (index & 63) & 1 ? KMT_FREED_SLAB : KMT_LIVE;
}

#endif
