// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looks for pointers to objects in all memory of the kernel. The loader (user/trace/refs.c) chooses
 * the objects and runs these programs by BPF_PROG_TEST_RUN, in short runs, because a run cannot be
 * preempted. They attach to nothing, change nothing, and no content of memory leaves the kernel.
 *
 * It is an object of its own that contains the census, because it classifies pages as the census
 * does, and like the census it is built once, in the variant that runs on every kernel.
 */
#include "census.bpf.c"
#include "refs_shared.h"

#define CLASS_FIRST 0x100 /* beside a class: the page is no later page of a compound block */
#define WEAK_MOST   64    /* targets in one slab that a pointer to its page counts for */

TABLE(refs, struct kmt_refs);

static __always_inline struct kmt_refs *refs_shared(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&refs, &zero);
}

/* At the start of a run: what an earlier one read is stale. */
static __always_inline struct kmt_refs *refs_begin(void)
{
	struct kmt_census *c = census_shared();
	struct kmt_audit *a = audit_begin();
	struct kmt_refs *r = refs_shared();

	if (!a || !c || !r)
		return NULL;
	c->head = 0;
	STORE(r->hits_nr, 0);
	STORE(r->slabs_nr, 0);
	STORE(r->work, 0);
	return r;
}

/*
 * An index into a table with `rows` rows, a power of two. The verifiers up to 6.1 know the bounds
 * of a number only if it was masked as 64 bits right before it is used.
 */
static __always_inline __u64 refs_index(__u64 i, __u64 rows)
{
	asm volatile("" : "+r"(i));
	return i & (rows - 1);
}

/* ---- pages ---- */

/* Copy the struct pages of `nr` frames from `pfn` on. Returns 0 in a hole of physical memory. */
GLOBAL int refs_copy(__u64 pfn, __u32 nr)
{
	struct kmt_census *c = census_shared();
	__u64 bytes = (__u64)nr * bpf_core_type_size(struct page);

	asm volatile("" : "+r"(bytes));
	if (!c || !bytes || bytes > sizeof(c->copy))
		return 0;
	return !bpf_probe_read_kernel(c->copy, bytes, (void *)census_page(pfn));
}

/* The class of frame i of the copy, which is frame `pfn`; and CLASS_FIRST. */
GLOBAL int refs_class(__u32 i, __u64 pfn)
{
	__u64 at = i * bpf_core_type_size(struct page), page = census_page(pfn), head;
	struct kmt_census *c = census_shared();
	const __u8 *copy;
	__u32 class;

	asm volatile("" : "+r"(at));
	if (!c || at > sizeof(c->copy) - KMT_PAGE_BYTES)
		return KMT_PAGE_FREE;
	copy = c->copy + at;
	if (compat_flags_poisoned(*(const __u64 *)copy))
		return KMT_PAGE_OFFLINE;
	head = compat_copy_head(copy, page);
	if (head) {
		if (head != c->head)
			census_head(head);
		return c->head_class;
	}
	class = census_class(copy, page);
	if (PAGE_FLAG(*(const __u64 *)copy, PG_head)) {
		c->head = page;
		c->head_class = class;
	}
	return class | CLASS_FIRST;
}

/*
 * Answer: the page frames of this task's kernel stack. What the programs had on it stays there, so
 * it must not be scanned.
 */
SEC("?raw_tp")
int refs_stack(void *ctx)
{
	struct task_struct___vmap_stack *task = (void *)bpf_get_current_task();
	struct kmt_refs *r = refs_shared();
	struct vm_struct *area;
	__u64 pages;
	__u32 nr;

	if (!r)
		return 0;
	r->stack_nr = 0;
	if (!bpf_core_field_exists(task->stack_vm_area))
		return 0;
	area = BPF_CORE_READ(task, stack_vm_area);
	pages = (__u64)BPF_CORE_READ(area, pages);
	nr = BPF_CORE_READ(area, nr_pages);
	for (__u32 i = 0; i < KMT_REFS_STACK; i++) {
		if (i >= nr)
			break;
		r->stack[i] = (compat_read_word(pages + i * 8) - frame_base) /
			      bpf_core_type_size(struct page);
		r->stack_nr = i + 1;
	}
	return 0;
}

/* ---- finding slabs ---- */

GLOBAL int refs_find_frame(__u32 i, __u64 pfn)
{
	struct kmt_refs *r = refs_shared();
	struct kmt_refs_slab *slab;
	__u32 nr, used, objects;

	if (!r || refs_class(i, pfn) != (KMT_PAGE_SLAB | CLASS_FIRST))
		return 0;
	nr = LOAD(r->slabs_nr);
	if (nr >= KMT_REFS_SLABS)
		return 0;
	slab = &r->slabs[nr];
	compat_slab_counts(census_page(pfn), &used, &objects);
	slab->pfn = pfn;
	slab->cache = compat_slab_cache(census_page(pfn));
	slab->used = used;
	slab->objects = objects;
	STORE(r->slabs_nr, nr + 1);
	return 0;
}

/* Argument: a cache. Answer: were other caches merged into it? */
SEC("?raw_tp")
int refs_merged(struct bpf_raw_tracepoint_args *ctx)
{
	struct kmt_refs *r = refs_shared();

	if (!r)
		return 0;
	r->cache_merged = BPF_CORE_READ((struct kmem_cache___refcount *)ctx->args[0], refcount) > 1;
	return 0;
}

/* ---- scanning ---- */

/*
 * The number of targets that begin at or before `place`. Without branches: the verifier would
 * follow every way through them. Places are far below 2^63.
 */
static __always_inline __u64 refs_search(struct kmt_refs *r, __u64 place)
{
	__u64 low = 0;

	/* always so many steps: those of a table that is full */
	for (__u64 half = KMT_REFS_TARGETS / 2; half; half /= 2) {
		__u64 at = refs_index(low + half - 1, KMT_REFS_TARGETS);
		__u64 later = (__s64)(place - r->targets[at].start) >> 63;

		asm volatile("" : "+r"(later)); /* clang would make a branch of it */
		low += half & ~later;
	}
	return low;
}

/* Keep that the word at `at`, in a page of this class, points to a target or to its page. */
static __always_inline void refs_keep(struct kmt_refs *r, __u64 at, __u32 target, __u32 class,
				      bool weak)
{
	__u32 nr = LOAD(r->hits_nr);
	struct kmt_refs_hit *hit;

	if (nr >= KMT_REFS_HITS)
		return;
	hit = &r->hits[refs_index(nr, KMT_REFS_HITS)];
	hit->at = at;
	hit->target = target;
	hit->class = class;
	hit->weak = weak;
	STORE(r->hits_nr, nr + 1);
}

/* The word at `at` points to `place`, in a page frame of a target. */
GLOBAL int refs_found(__u64 place, __u64 at, __u32 class)
{
	struct kmt_refs *r = refs_shared();
	struct kmt_refs_target *t;
	__u64 i;

	if (!r)
		return 0;
	i = refs_search(r, place);
	if (!i)
		return 0;
	i--;
	t = &r->targets[refs_index(i, KMT_REFS_TARGETS)];
	if (place >= t->end || i >= r->targets_nr)
		return 0;
	if (at >= t->start && at < t->end)
		return 0; /* an object that points to itself, such as an empty list */
	if (r->refs[refs_index(i, KMT_REFS_TARGETS)]++ < KMT_REFS_KEPT)
		refs_keep(r, at, i, class, false);
	return 0;
}

/* The word at `at` points to the struct page of frame `pfn`, which may be of a target. */
GLOBAL int refs_found_page(__u64 pfn, __u64 at, __u32 class)
{
	struct kmt_refs *r = refs_shared();
	__u64 i;

	if (!r)
		return 0;
	i = refs_search(r, (pfn << cfg_page_shift) - 1);
	for (__u32 n = 0; n < WEAK_MOST; n++, i++) {
		struct kmt_refs_target *t = &r->targets[refs_index(i, KMT_REFS_TARGETS)];

		if (i >= r->targets_nr)
			break;
		if (t->slab != pfn && t->start >> cfg_page_shift != pfn)
			break;
		if (r->weak[refs_index(i, KMT_REFS_TARGETS)]++ < KMT_REFS_KEPT)
			refs_keep(r, at, i, class, true);
	}
	return 0;
}

/* One of the words of a group may be a pointer to an object; the first of them is at `at`. */
GLOBAL int refs_group(__u32 g, __u64 at, __u32 class)
{
	struct kmt_refs *r = refs_shared();
	const __u64 *words;

	if (!r)
		return 0;
	words = &r->words[refs_index(g, KMT_REFS_GROUPS) * KMT_REFS_GROUP];
	for (__u32 i = 0; i < KMT_REFS_GROUP; i++) {
		__u64 place = words[i] - r->direct;

		if (place < r->direct_bytes &&
		    r->filter[place >> KMT_REFS_GRAIN & (KMT_REFS_FILTER - 1)] & KMT_REFS_DIRECT)
			refs_found(place, at + i * 8, class);
	}
	return 0;
}

/* The same for pointers to struct pages. */
GLOBAL int refs_group_pages(__u32 g, __u64 at, __u32 class)
{
	struct kmt_refs *r = refs_shared();
	const __u64 *words;

	if (!r)
		return 0;
	words = &r->words[refs_index(g, KMT_REFS_GROUPS) * KMT_REFS_GROUP];
	for (__u32 i = 0; i < KMT_REFS_GROUP; i++) {
		__u64 place = words[i] - r->pages;

		if (place < r->pages_bytes &&
		    r->filter[place >> KMT_REFS_PAGE_GRAIN & (KMT_REFS_FILTER - 1)] & KMT_REFS_PAGE)
			refs_found_page(place >> KMT_REFS_PAGE_GRAIN, at + i * 8, class);
	}
	return 0;
}

/*
 * List the groups of words that may have a pointer to a target: with `base` subtracted, the word is
 * in a grain of `shift` bits that the filter marks with `mark`. Nearly no word is, and this decides
 * how long a scan takes. The loop has no branches, because the verifier would follow every way
 * through them; and the words are looked at one after the other, so that registers suffice.
 */
static __always_inline void refs_list_groups(struct kmt_refs *r, __u64 base, __u32 shift, __u8 mark)
{
	__u32 nr = 0;

	for (__u32 g = 0; g < KMT_REFS_GROUPS; g++) {
		__u64 any = 0;

#pragma unroll
		for (__u32 i = 0; i < KMT_REFS_GROUP; i++) {
			__u64 place = r->words[g * KMT_REFS_GROUP + i] - base;

			any |= r->filter[place >> shift & (KMT_REFS_FILTER - 1)];
			asm volatile("" : "+r"(any));
		}
		r->groups[nr & (KMT_REFS_GROUPS - 1)] = g;
		nr += (any & mark) / mark;
	}
	STORE(r->groups_nr, nr);
}

/*
 * Look at the words that were read, the first of which is at `at`, for pointers to objects or to
 * struct pages.
 */
static __always_inline int refs_words_of(__u64 at, __u32 class, bool pages)
{
	struct kmt_refs *r = refs_shared();

	if (!r)
		return 0;
	if (pages)
		refs_list_groups(r, r->pages, KMT_REFS_PAGE_GRAIN, KMT_REFS_PAGE);
	else
		refs_list_groups(r, r->direct, KMT_REFS_GRAIN, KMT_REFS_DIRECT);
	for (__u32 n = 0; n < KMT_REFS_GROUPS; n++) {
		__u64 first;

		if (n >= LOAD(r->groups_nr))
			break;
		first = at + r->groups[n] * KMT_REFS_GROUP * 8;
		if (pages)
			refs_group_pages(r->groups[n], first, class);
		else
			refs_group(r->groups[n], first, class);
	}
	return 0;
}

GLOBAL int refs_words(__u64 at, __u32 class)
{
	return refs_words_of(at, class, false);
}

GLOBAL int refs_words_pages(__u64 at, __u32 class)
{
	return refs_words_of(at, class, true);
}

/* Read KMT_REFS_WORDS words of a page of this class. Returns the work done. */
GLOBAL int refs_read(__u64 at, __u32 class)
{
	struct kmt_refs *r = refs_shared();

	if (!r)
		return 0;
	if (bpf_probe_read_kernel(r->words, sizeof(r->words), (void *)(r->direct + at))) {
		r->faults++;
		return KMT_REFS_PAGE_WORK;
	}
	refs_words(at, class);
	/* struct pages point to each other: those are the allocator's lists, not references */
	if (r->pages_bytes && class != KMT_PAGE_RESERVED)
		refs_words_pages(at, class);
	return KMT_REFS_PAGE_WORK;
}

/* Read a page. Returns the work done. */
GLOBAL int refs_page(__u64 pfn, __u32 class)
{
	__u64 at = pfn << cfg_page_shift;
	struct kmt_refs *r = refs_shared();
	__u32 work = 0;

	if (!r || class >= KMT_PAGE_CLASSES)
		return 0;
	r->scanned[class]++;
	for (__u32 i = 0; i < 16; i++) { /* the largest pages have 64 KiB */
		if (i * sizeof(r->words) >= cfg_page_size)
			break;
		work += refs_read(at, class);
		at += sizeof(r->words);
	}
	return work;
}

/* The classes of pages that may hold pointers of the kernel. */
#define CLASSES_READ \
	(1u << KMT_PAGE_SLAB | 1u << KMT_PAGE_LARGE | 1u << KMT_PAGE_RESERVED | 1u << KMT_PAGE_REST)

/* Read frame i of the copy, if its class may hold pointers. Returns the work done. */
GLOBAL int refs_scan_frame(__u32 i, __u64 pfn)
{
	__u32 class = refs_class(i, pfn) & 0xff;

	if (class < KMT_PAGE_CLASSES && CLASSES_READ >> class & 1)
		return refs_page(pfn, class);
	return 0;
}

/*
 * Find the slabs in a block, or scan it. Returns the number of frames done: not all if the run has
 * done enough work.
 */
GLOBAL int refs_block(__u64 pfn, __u32 nr, __u32 find)
{
	struct kmt_refs *r = refs_shared();
	__u32 i = 0;

	if (!r || !refs_copy(pfn, nr))
		return nr;
	for (; i < KMT_CENSUS_FRAMES; i++) {
		__u32 work = 1;

		if (i >= nr || LOAD(r->work) > KMT_REFS_WORK)
			break;
		if (find)
			refs_find_frame(i, pfn + i);
		else
			work += refs_scan_frame(i, pfn + i);
		STORE(r->work, LOAD(r->work) + work);
	}
	return i;
}

/* Frames from `pfn` to the end of its block or to `end`. */
static __always_inline __u32 refs_block_frames(__u64 pfn, __u64 end)
{
	__u64 nr = KMT_CENSUS_FRAMES - (pfn & (KMT_CENSUS_FRAMES - 1));

	return nr < end - pfn ? nr : end - pfn;
}

/* Arguments: page frames, from the first to the one after the last. Answer: next_pfn. */
static __always_inline int refs_blocks(const struct bpf_raw_tracepoint_args *ctx, bool find)
{
	__u64 pfn = ctx->args[0], end = ctx->args[1];
	struct kmt_refs *r = refs_begin();

	if (!r)
		return 0;
	for (__u32 b = 0; b < KMT_REFS_BLOCKS; b++) {
		if (pfn >= end || LOAD(r->work) > KMT_REFS_WORK)
			break;
		pfn += (__u32)refs_block(pfn, refs_block_frames(pfn, end), find);
	}
	r->next_pfn = pfn;
	return 0;
}

/* Answers, too: slabs. */
SEC("?raw_tp")
int refs_find(struct bpf_raw_tracepoint_args *ctx)
{
	return refs_blocks(ctx, true);
}

/* Answers, too: hits, refs, weak, scanned, faults. */
SEC("?raw_tp")
int refs_scan(struct bpf_raw_tracepoint_args *ctx)
{
	return refs_blocks(ctx, false);
}

/* ---- checking ---- */

/* A hash of the contents of an object, as far as they fit into r->words. */
GLOBAL __u64 refs_hash(__u64 address, __u32 bytes)
{
	struct kmt_refs *r = refs_shared();
	__u64 hash = 14695981039346656037ull, size = bytes & ~7u;

	if (!r)
		return 0;
	if (size > sizeof(r->words))
		size = sizeof(r->words);
	asm volatile("" : "+r"(size));
	if (!size || size > sizeof(r->words) ||
	    bpf_probe_read_kernel(r->words, size, (void *)address))
		return 0;
	for (__u32 i = 0; i < KMT_REFS_WORDS; i++) {
		if (i * 8 >= size)
			break;
		hash = (hash ^ r->words[i]) * 1099511628211ull;
		hash ^= hash >> 29;
	}
	return hash;
}

GLOBAL int refs_check_item(__u32 i)
{
	struct kmt_audit *a = audit_shared();
	struct kmt_refs *r = refs_shared();
	struct kmt_refs_item *item;

	if (!a || !r || i >= KMT_REFS_ITEMS)
		return 0;
	item = &r->items[i];
	item->verdict = audit_verify_slab(r->direct + item->start, item->cache);
	item->slab = (a->base - r->direct) >> cfg_page_shift;
	item->hash = refs_hash(r->direct + item->start, a->size);
	return 0;
}

/* Argument: the number of items. Those of one slab are best in a row: it is then read once. */
SEC("?raw_tp")
int refs_check(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 nr = ctx->args[0];

	if (!refs_begin())
		return 0;
	for (__u32 i = 0; i < KMT_REFS_ITEMS; i++) {
		if (i >= nr)
			break;
		refs_check_item(i);
	}
	return 0;
}

/*
 * A sheaf is an array of free objects. Slots that are no longer used keep pointers to objects that
 * were taken out and are in use, so no word of a sheaf is a reference.
 */
static __always_inline bool refs_is_sheaf(__u64 object, __u64 at, __u64 cache)
{
	if (!bpf_core_type_exists(struct slab_sheaf))
		return false;
	return at - object >= bpf_core_field_offset(struct slab_sheaf, objects) &&
	       compat_read_word(FIELD_ADDRESS(object, struct slab_sheaf, cache)) == cache;
}

GLOBAL int refs_source(__u32 i)
{
	struct kmt_census *c = census_shared();
	struct kmt_audit *a = audit_shared();
	struct kmt_refs *r = refs_shared();
	struct kmt_refs_source *s;
	__u64 pfn, at, head;
	__u32 class;

	if (!a || !c || !r || i >= KMT_REFS_ITEMS)
		return 0;
	s = &r->sources[i];
	s->cache = 0;
	s->sheaf = 0;
	s->start = 0;
	s->verdict = KMT_UNSURE;
	s->class = KMT_PAGE_FREE;
	at = s->at;
	pfn = at >> cfg_page_shift;
	if (!refs_copy(pfn, 1))
		return 0;
	class = refs_class(0, pfn) & 0xff;
	s->class = class;
	if (class != KMT_PAGE_SLAB)
		return 0;
	head = compat_copy_head(c->copy, census_page(pfn)) ?: census_page(pfn);
	s->cache = compat_slab_cache(head);
	s->verdict = audit_verify_slab(r->direct + at, s->cache);
	if (s->verdict == KMT_UNSURE || !a->size || !a->bytes)
		return 0;
	s->start = (a->base - r->direct) + (r->direct + at - a->base) / a->size * a->size;
	s->sheaf = refs_is_sheaf(r->direct + s->start, r->direct + at, s->target_cache);
	return 0;
}

/* Argument: the number of sources. */
SEC("?raw_tp")
int refs_sources(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 nr = ctx->args[0];

	if (!refs_begin())
		return 0;
	for (__u32 i = 0; i < KMT_REFS_ITEMS; i++) {
		if (i >= nr)
			break;
		refs_source(i);
	}
	return 0;
}
