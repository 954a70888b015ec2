// SPDX-License-Identifier: GPL-2.0-only
/*
 * The liveness audit checks tracked objects. Is an object already on one of the allocator's free
 * lists? Is a page table still a page table, a compound block still a compound block? The loader
 * chooses the objects and runs these programs by BPF_PROG_TEST_RUN, one chunk at a time
 * (user/trace/audit.c). An iterator over the live table would visit every row in hash order; here
 * the objects come sorted by address, each slab's free list is walked once for all of them
 * (freelists.bpf.h), a run is as long as the loader wants, and it works from 5.10.
 *
 * The audit reads the allocator's live memory without its locks. A walk of a slab's list counts
 * only if it found as many objects as the slab says are free, and the slab says the same
 * afterwards. An object that moves from one list to another during a walk can be missed, so the
 * loader checks again what seems live. An object found free was free at that moment; track_evict()
 * handles what happened since.
 */
#include "state.bpf.h"
#include "caches.bpf.h"
#include "freelists.bpf.h"
#include "track.bpf.h"

#define CACHE_STEPS   256 /* caches listed in one run */
#define PAGE_YOUNG_MS 100 /* a page table is marked within this time after its allocation */

TABLE(audit_items, struct kmt_audit_item); /* KMT_AUDIT_CHUNK rows */

/* ---- all caches ---- */

/*
 * Is this a cache? The list of caches also contains its head, which is not in a cache. Fields read
 * around the head are inconsistent.
 */
static __always_inline bool cache_adds_up(struct kmem_cache *s)
{
	__u32 order = BPF_CORE_READ(s, oo.x), size = BPF_CORE_READ(s, size);

	return size && BPF_CORE_READ(s, object_size) <= size && order >> 16 < 16 &&
	       (order & 0xffff) == ((__u64)1 << (cfg_page_shift + (order >> 16 & 15))) / size;
}

/*
 * Make a row for every cache: they are all on one list. Arguments: the cache to begin with, and the
 * one to stop at, which is the first of the whole walk. Answer: a->next, the cache to continue
 * with; 0 at the end.
 */
SEC("?raw_tp")
int audit_caches(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 cache = ctx->args[0], last = ctx->args[1];
	struct kmt_audit *a = audit_shared();

	if (!a)
		return 0;
	for (int i = 0; i < CACHE_STEPS; i++) {
		if (cache_adds_up((void *)cache))
			cache_intern(cache);
		cache = compat_read_word(FIELD_ADDRESS(cache, struct kmem_cache, list));
		if (cache)
			cache -= bpf_core_field_offset(struct kmem_cache, list);
		if (!cache || cache == last) {
			STORE(a->next, 0);
			return 0;
		}
	}
	STORE(a->next, cache);
	return 0;
}

/* ---- verification ---- */

/*
 * Large kmalloc has its own pages. Where their page type says so, that is all there is to check:
 * from 6.18 these pages are frozen (a reference count of 0) while they are in use.
 */
static __always_inline int audit_verify_large(__u64 addr)
{
	__u64 page = page_of(addr);
	int large = compat_page_is_large_kmalloc(page);

	if (large >= 0)
		return large ? KMT_LIVE : KMT_FREED_PAGE;
	if (!BPF_CORE_READ((struct page *)page, _refcount.counter) || compat_page_is_slab(page))
		return KMT_FREED_PAGE;
	return KMT_UNSURE;
}

/*
 * While the program of the page-free event runs, the kernel skips the same event in an interrupt on
 * this CPU. This hides frees of page tables by RCU and of pages that the network returns. Two kinds
 * of pages show that they are free:
 * - Page tables are marked as such. If a page's stack allocates page tables, and the page is not
 *   marked and is gone, it was freed. A stack is known to allocate page tables once the audit finds
 *   a marked page of it.
 * - The first page of a compound block is marked as its head, from before the event of its
 *   allocation until after the event of its free. A page that is not marked as a head is no longer
 *   such a block; of other pages, nothing can be said.
 */
GLOBAL int audit_verify_page(__u32 row)
{
	struct kmt_audit_item *item = bpf_map_lookup_elem(&audit_items, &row);
	struct live_place at = {};
	struct kmt_object *o;
	struct kmt_stack *p;
	__u64 page, size;
	__u32 stack;
	int table;

	if (!item || !place_of_number(&at, item->row))
		return KMT_UNSURE;
	o = live_object(&at);
	if (!o)
		return KMT_UNSURE;
	stack = LOAD(o->stack);
	size = LOAD(o->size);
	p = bpf_map_lookup_elem(&stacks, &stack);
	page = kmt_key(KMT_PAGE, item->key);
	table = compat_page_is_table(page);
	/* make sure that the stack was this page's while it was read */
	if (!p || !stack || LOAD(o->alloc_ms) != item->alloc_ms || LOAD(o->stack) != stack)
		return KMT_UNSURE;
	if (table > 0) {
		if (!(p->flags & KMT_STACK_TABLE))
			p->flags |= KMT_STACK_TABLE;
		return KMT_LIVE;
	}
	if (size > cfg_page_size && size <= (__u64)cfg_page_size << PAGE_PIECES)
		return compat_page_compound(page) ? KMT_UNSURE : KMT_FREED_PAGE;
	if (!(p->flags & KMT_STACK_TABLE) || coarse_now_ms - item->alloc_ms < PAGE_YOUNG_MS)
		return KMT_UNSURE;
	return compat_page_is_gone(page) ? KMT_FREED_PAGE : KMT_UNSURE;
}

GLOBAL int audit_item(__u32 row)
{
	struct kmt_audit_item *item = bpf_map_lookup_elem(&audit_items, &row);
	struct live_place at = {};
	struct kmt_object *o;
	int verdict;

	if (!item)
		return 0;
	if (item->on_cpu_freelist)
		verdict = KMT_FREED_CPU;
	else if (item->pool == KMT_PAGE)
		verdict = audit_verify_page(row);
	else if (item->cache)
		verdict = audit_verify_slab(item->key, item->cache);
	else
		verdict = audit_verify_large(item->key);
	item->verdict = verdict;
	item->evicted = 0;
	if (verdict >= KMT_FREED_PAGE) {
		item->evicted = track_evict(item->key, item->row, item->alloc_ms);
	} else if (verdict == KMT_LIVE && item->check && place_of_number(&at, item->row)) {
		o = live_object(&at);
		/* if the row has another object by now, the mark does no harm */
		if (o && o->alloc_ms == item->alloc_ms && o->checked != KMT_RCU_PENDING)
			o->checked = item->check;
	}
	return 0;
}

/* Argument: the number of audit_items to verify. They are sorted by cache and address. */
SEC("?raw_tp")
int audit_verify(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 nr = ctx->args[0];
	struct kmt_audit *a = audit_begin();

	if (!a)
		return 0;
	for (__u32 i = 0; i < KMT_AUDIT_CHUNK; i++) {
		if (i >= nr)
			break;
		audit_item(i);
	}
	return 0;
}
