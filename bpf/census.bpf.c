// SPDX-License-Identifier: GPL-2.0-only
/*
 * The census classifies page frames: what is each page used for? The loader (user/trace/census.c)
 * chooses the frames and runs census_scan() by BPF_PROG_TEST_RUN, a few blocks at a time, because a
 * run cannot be preempted. It needs none of the tables of a recording, so it is an object of its
 * own, built once in the variant that runs on every kernel (compat.bpf.h).
 *
 * It reads struct pages that change meanwhile, without locks. Nothing that it reads is trusted, and
 * it follows only pointers to other struct pages.
 */
#include "freelists.bpf.h"

#define ORDER_MOST    16 /* no free block is larger */
#define RECORDS_BACK  8  /* records that are searched for the same owner */
#define NOT_LISTED    0  /* frame 0 is never free */
#define LISTED_FRAMES 8  /* of the largest block on a CPU's list, but for huge pages */
#define SLAB_READS    (KMT_SLAB_MAX / KMT_CENSUS_ENTRIES) /* for the owners of a slab's objects */

TABLE(census, struct kmt_census);

__u64 frame_base = 0; /* struct page of page frame 0, set by the loader */

static __always_inline struct kmt_census *census_shared(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&census, &zero);
}

static __always_inline __u64 census_page(__u64 pfn)
{
	return frame_base + pfn * bpf_core_type_size(struct page);
}

/* ---- where the struct page of a frame is ---- */

/* Run by the loader before census_seen() is attached: who the loader is, and what pages are like.
 */
SEC("?raw_tp")
int census_self(void *ctx)
{
	struct kmt_census *c = census_shared();

	if (!c)
		return 0;
	c->self = bpf_get_current_task();
	c->page_bytes = bpf_core_type_size(struct page);
	c->unknown = compat_pages_unknown();
	return 0;
}

/*
 * Attached for a moment, while the loader touches new pages of its own. It knows the frame numbers
 * of these, so struct page and frame number can be brought together.
 */
SEC("?raw_tp/mm_page_alloc")
int census_seen(struct bpf_raw_tracepoint_args *ctx)
{
	struct kmt_census *c = census_shared();

	if (!c || bpf_get_current_task() != c->self)
		return 0;
	c->seen[c->seen_nr++ & (KMT_CENSUS_SEEN - 1)] = ctx->args[0];
	return 0;
}

/* ---- classes ---- */

/* A page in no compound block is unmapped if page_type, which is also _mapcount, is −1. */
static __always_inline bool census_is_unmapped(const void *copy, __u64 flags)
{
	return PAGE_FIELD(copy, struct page, page_type, __u32) == ~0u &&
	       !PAGE_FLAG(flags, PG_head) && !compat_flags_swapcache(flags);
}

/* The class of a page of processes and files. The low bits of `mapping` say what it points to. */
static __always_inline __u32 census_user_class(const void *copy, __u64 flags)
{
	__u64 mapping = PAGE_FIELD(copy, struct page, mapping, __u64);
	bool lru = PAGE_FLAG(flags, PG_lru) || PAGE_FLAG(flags, PG_unevictable);

	if (mapping & 1)
		return census_is_unmapped(copy, flags) ? KMT_PAGE_UNMAPPED : KMT_PAGE_ANON;
	if (mapping & 2) /* pages of a driver that can be moved: in practice zsmalloc's */
		return KMT_PAGE_ZSMALLOC;
	if (!mapping)
		return lru ? KMT_PAGE_UNMAPPED : KMT_PAGE_REST;
	/* perf's buffers name a file, too, but are no pages of the page cache */
	if (lru || PAGE_FLAG(flags, PG_uptodate) || PAGE_FLAG(flags, PG_locked))
		return KMT_PAGE_FILE;
	return KMT_PAGE_REST;
}

/* The class of a page that is no later page of a compound block. */
static __always_inline __u32 census_class(const void *copy, __u64 page)
{
	__u32 class = compat_copy_typed(copy);
	__u64 flags = *(const __u64 *)copy;

	if (class != KMT_PAGE_CLASSES)
		return class;
	if (PAGE_FLAG(flags, PG_reserved))
		return KMT_PAGE_RESERVED;
	if (compat_copy_is_hugetlb(flags, page))
		return KMT_PAGE_HUGETLB;
	if (!PAGE_FIELD(copy, struct page, _refcount.counter, __u32))
		return KMT_PAGE_CPU_FREE;
	if (compat_copy_is_pool(copy))
		return KMT_PAGE_POOL;
	return census_user_class(copy, flags);
}

/* ---- slabs and owners ---- */

/*
 * Add `nr` objects or pages of an owner to one of the last records, or to a new one. `place` is
 * the block, and the class in the upper half.
 */
GLOBAL int census_charge(__u32 place, __u64 cache, __u64 owner, __u32 nr)
{
	struct kmt_census *c = census_shared();
	struct kmt_census_record *r;
	__u32 end;

	if (!c)
		return 0;
	end = LOAD(c->records_nr);
	for (__u32 back = 1; back <= RECORDS_BACK; back++) {
		if (back > end)
			break;
		r = &c->records[(end - back) & (KMT_CENSUS_RECORDS - 1)];
		if (r->block != (__u16)place)
			break;
		if (r->owner == owner && r->cache == cache && r->class == place >> 16) {
			r->used += nr;
			return 0;
		}
	}
	if (end >= KMT_CENSUS_RECORDS) {
		c->lost++;
		return 0;
	}
	r = &c->records[end & (KMT_CENSUS_RECORDS - 1)];
	r->cache = cache;
	r->owner = owner;
	r->block = place;
	r->class = place >> 16;
	r->objects = 0;
	r->used = nr;
	STORE(c->records_nr, end + 1);
	return 0;
}

/* Add pages to the last record if they fit: most pages have the owner of the page before. */
static __always_inline bool census_charge_again(struct kmt_census *c, __u32 place, __u64 owner,
						__u32 nr)
{
	__u32 end = LOAD(c->records_nr);
	struct kmt_census_record *r = &c->records[(end - 1) & (KMT_CENSUS_RECORDS - 1)];

	if (!end || r->owner != owner || r->cache || r->block != (__u16)place ||
	    r->class != place >> 16)
		return false;
	r->used += nr;
	return true;
}

/* Charge the objects that were read last, which all have one owner. */
static __always_inline void census_run_end(struct kmt_census *c, __u32 place)
{
	if (LOAD(c->run_owner))
		census_charge(place, c->slab_cache, LOAD(c->run_owner), LOAD(c->run_nr));
	STORE(c->run_owner, 0);
	STORE(c->run_nr, 0);
}

/* Read the owners of the next `nr` objects of a slab. */
GLOBAL int census_objects(__u32 place, __u64 at, __u32 nr, __u32 stride)
{
	struct kmt_census *c = census_shared();

	if (!c)
		return 0;
	if (stride == sizeof(__u64) &&
	    bpf_probe_read_kernel(c->entries, sizeof(c->entries), (void *)at))
		return 0;
	for (__u32 i = 0; i < KMT_CENSUS_ENTRIES; i++) {
		__u64 owner;

		if (i >= nr)
			break;
		owner = stride == sizeof(__u64) ? c->entries[i] : compat_read_word(at + i * stride);
		owner &= ~7ull;
		if (owner != LOAD(c->run_owner)) {
			census_run_end(c, place);
			STORE(c->run_owner, owner);
		}
		STORE(c->run_nr, LOAD(c->run_nr) + 1);
	}
	return 0;
}

/* Record a slab, and to whom its objects are charged. */
GLOBAL int census_slab(__u32 place, __u64 page)
{
	struct kmt_census *c = census_shared();
	__u32 inuse, objects, stride, end;
	struct kmt_census_record *r;
	__u64 cache, owners;

	if (!c)
		return 0;
	STORE(c->slab_read, 1);
	cache = compat_slab_cache(page);
	compat_slab_counts(page, &inuse, &objects);
	end = LOAD(c->records_nr);
	if (end >= KMT_CENSUS_RECORDS) {
		c->lost++;
		return 0;
	}
	r = &c->records[end & (KMT_CENSUS_RECORDS - 1)];
	r->cache = cache;
	r->owner = 0;
	r->block = place;
	r->class = place >> 16;
	r->objects = objects;
	r->used = inuse;
	r->frame = (page - frame_base) / bpf_core_type_size(struct page);
	STORE(c->records_nr, end + 1);
	owners = compat_slab_owners(page);
	if (!owners)
		return 0;
	stride = compat_owners_stride(page, BPF_CORE_READ((struct kmem_cache *)cache, size));
	c->slab_cache = cache;
	STORE(c->run_owner, 0);
	STORE(c->run_nr, 0);
	for (__u32 i = 0; i < SLAB_READS; i++) {
		if (i * KMT_CENSUS_ENTRIES >= objects)
			break;
		census_objects(place, owners + (__u64)i * KMT_CENSUS_ENTRIES * stride,
			       objects - i * KMT_CENSUS_ENTRIES, stride);
	}
	census_run_end(c, place);
	return 0;
}

/* Argument: a cache. Answer: c->cache. */
SEC("?raw_tp")
int census_cache(struct bpf_raw_tracepoint_args *ctx)
{
	struct kmem_cache *s = (void *)ctx->args[0];
	struct kmt_census *c = census_shared();

	if (!c)
		return 0;
	c->cache.size = BPF_CORE_READ(s, size);
	c->cache.object_size = BPF_CORE_READ(s, object_size);
	c->cache.order = BPF_CORE_READ(s, oo.x);
	c->cache.min_order = BPF_CORE_READ(s, min.x);
	c->cache.flags = compat_cache_reclaimable(BPF_CORE_READ(s, flags));
	c->cache.name[0] = '\0';
	bpf_probe_read_kernel_str(c->cache.name, sizeof(c->cache.name),
				  (void *)BPF_CORE_READ(s, name));
	return 0;
}

/*
 * Argument: an owner. Answer: c->owner. The owner may be gone by now, so nothing is believed unless
 * the cgroup's directory and the cgroup point to each other.
 */
SEC("?raw_tp")
int census_owner(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 owner = ctx->args[0], memcg = owner & ~7ull, cgroup, kn;
	struct kmt_census *c = census_shared();
	bool inherited = false;
	__u32 levels = 0;

	if (!c)
		return 0;
	c->owner.id = 0;
	if (!(owner & KMT_CENSUS_MEMCG)) {
		memcg = (__u64)BPF_CORE_READ((struct obj_cgroup *)owner, memcg);
		inherited = compat_is_inherited(owner, memcg);
	}
	cgroup = (__u64)BPF_CORE_READ((struct mem_cgroup *)memcg, css.cgroup);
	kn = (__u64)BPF_CORE_READ((struct cgroup *)cgroup, kn);
	if (!cgroup || !kn || (__u64)BPF_CORE_READ((struct kernfs_node *)kn, priv) != cgroup)
		return 0;
	c->owner.id = BPF_CORE_READ((struct kernfs_node *)kn, id);
	/* CSS_ONLINE is bit 1 */
	c->owner.offline = !(BPF_CORE_READ((struct mem_cgroup *)memcg, css.flags) & 2);
	c->owner.inherited = inherited;
	for (int i = 0; i < KMT_CENSUS_LEVELS; i++) {
		__u64 parent = compat_kernfs_parent(kn);

		if (!parent)
			break;
		c->owner.name[i][0] = '\0';
		bpf_probe_read_kernel_str(c->owner.name[i], KMT_CENSUS_NAME,
					  (void *)BPF_CORE_READ((struct kernfs_node *)kn, name));
		levels++;
		kn = parent;
	}
	c->owner.levels = levels;
	return 0;
}

/* Argument: a page pool. Answer: c->pool. */
SEC("?raw_tp")
int census_pool(struct bpf_raw_tracepoint_args *ctx)
{
	struct kmt_census *c = census_shared();
	__u64 name = compat_pool_name(ctx->args[0]);

	if (!c)
		return 0;
	c->pool[0] = '\0';
	if (name)
		bpf_probe_read_kernel_str(c->pool, sizeof(c->pool), (void *)name);
	return 0;
}

/* ---- frames ---- */

/* A block by its number, which the verifier need not know to be in range. */
static __always_inline struct kmt_census_block *census_block_at(struct kmt_census *c, __u64 b)
{
	b &= KMT_CENSUS_BLOCKS - 1;
	asm volatile("" : "+r"(b));
	return &c->blocks[b & (KMT_CENSUS_BLOCKS - 1)];
}

/*
 * Who a page of a class is charged to, or the page pool that it belongs to; 0 for nobody, and for
 * pages that are not charged as such.
 */
static __always_inline __u64 census_owner_of(const void *copy, __u32 class)
{
	if (class == KMT_PAGE_ANON || class == KMT_PAGE_FILE || class == KMT_PAGE_UNMAPPED ||
	    class == KMT_PAGE_TABLE || class == KMT_PAGE_LARGE || class == KMT_PAGE_REST)
		return compat_copy_owner(copy);
	if (class == KMT_PAGE_POOL)
		return compat_copy_pool(copy);
	return 0;
}

/* The class of the first page of a compound block, whose later pages are being classified. */
GLOBAL int census_head(__u64 head)
{
	struct kmt_census *c = census_shared();
	__u32 class = KMT_PAGE_REST;

	if (!c)
		return 0;
	c->head_owner = 0;
	if (!bpf_probe_read_kernel(c->head_copy, bpf_core_type_size(struct page), (void *)head)) {
		class = census_class(c->head_copy, head);
		c->head_owner = census_owner_of(c->head_copy, class);
	}
	c->head = head;
	/* a later page of a block that was freed and taken apart while it was read */
	c->head_class =
		class == KMT_PAGE_FREE || class == KMT_PAGE_CPU_FREE ? KMT_PAGE_REST : class;
	return 0;
}

/*
 * Is the frame in the block that begins with c->listed, a page on a CPU's list of free pages? These
 * lists have blocks of order 0 to 3, and of the size of a huge page (mm/page_alloc.c, pindex). Only
 * their first page is on the list, and the others have no mark, like the later pages of a block
 * that is in use and not compound.
 */
static __always_inline bool census_is_listed(const struct kmt_census *c, __u64 pfn)
{
	__u64 first = LOAD(c->listed), nr = pfn - first, huge = 1ull << (cfg_page_shift - 3);
	__u64 most = first & -first; /* a block is aligned to its size */

	return nr < most && (nr < LISTED_FRAMES || (nr < huge && most >= huge));
}

/*
 * Does a block of this order, or a larger one whose first page this is, reach the frame? 1 if that
 * is decided, and 0 if its page is a later page of a block, too.
 */
GLOBAL int census_candidate(__u64 pfn, __u32 order)
{
	__u64 first = pfn >> (order & 31) << (order & 31), free_order;
	struct kmt_census *c = census_shared();

	if (!c || first == pfn)
		return 0;
	if (bpf_probe_read_kernel(c->head_copy, bpf_core_type_size(struct page),
				  (void *)census_page(first)))
		return 1;
	if (compat_copy_typed(c->head_copy) == KMT_PAGE_FREE) {
		free_order = PAGE_FIELD(c->head_copy, struct page___private, private, __u64);
		if (free_order <= ORDER_MOST && first + (1ull << free_order) > pfn)
			STORE(c->free_until, first + (1ull << free_order));
		return 1;
	}
	if (PAGE_FIELD(c->head_copy, struct page, _refcount.counter, __u32)) {
		census_head(census_page(first));
		c->first_owner = c->head_owner;
		return 1;
	}
	if (!compat_copy_listed(c->head_copy, census_page(first)))
		return 0;
	STORE(c->listed, first);
	return 1;
}

/*
 * Which block reaches this frame? Blocks are aligned to their size, so there is one candidate for
 * each order, and the nearest with a mark is the first page of it. Sets c->free_until if it is a
 * free block, c->listed if it may be on a CPU's list, c->first_class and c->first_owner if not.
 */
GLOBAL int census_find_block(__u64 pfn)
{
	struct kmt_census *c = census_shared();

	if (!c)
		return 0;
	STORE(c->free_until, 0);
	STORE(c->listed, NOT_LISTED);
	c->first_owner = 0;
	for (__u32 order = 1; order <= ORDER_MOST; order++)
		if (census_candidate(pfn, order))
			break;
	return 0;
}

/* The copy of struct page number i of the block; NULL beyond its end. */
static __always_inline const __u8 *census_copy(const struct kmt_census *c, __u32 i)
{
	__u64 at = (__u64)i * bpf_core_type_size(struct page);

	/* checked as one number of 64 bits, because the verifier of 5.10 knows no bounds of a
	 * product */
	asm volatile("" : "+r"(at));
	return at > sizeof(c->copy) - KMT_PAGE_BYTES ? NULL : c->copy + at;
}

/* How many frames from i on, and before `end`, are of the compound block of frame i? */
GLOBAL int census_tails(__u64 head, __u64 pfn, __u32 i, __u32 end)
{
	struct kmt_census *c = census_shared();
	__u32 nr = 0;

	if (!c)
		return 1;
	for (; nr < KMT_CENSUS_FRAMES; nr++) {
		const __u8 *copy = i + nr < end ? census_copy(c, i + nr) : NULL;

		if (!copy || compat_copy_head(copy, census_page(pfn + nr)) != head)
			break;
	}
	return nr;
}

/* How many frames from `pfn` on are of the current free block, at most `most`? */
static __always_inline __u32 census_free_frames(const struct kmt_census *c, __u64 pfn, __u32 most)
{
	__u64 until = LOAD(c->free_until);

	if (pfn >= until)
		return 0;
	return until - pfn < most ? until - pfn : most;
}

/*
 * Classify frame i of block b, whose struct pages are in c->copy, and the frames after it that are
 * of the same free or compound block. Returns their number, or 0.
 */
GLOBAL int census_frame(__u32 b, __u32 i)
{
	struct kmt_census *c = census_shared();
	__u64 head, page, pfn, owner = 0;
	struct kmt_census_block *block;
	__u32 class, nr = 1, most;
	const __u8 *copy;

	if (!c || i >= KMT_CENSUS_FRAMES)
		return 0;
	block = census_block_at(c, b);
	copy = census_copy(c, i);
	if (!copy || i >= block->frames)
		return 0;
	most = block->frames - i;
	pfn = block->pfn + i;
	page = census_page(pfn);
	head = compat_copy_head(copy, page);
	if (head) {
		if (head != c->head)
			census_head(head);
		class = c->head_class;
		owner = c->head_owner;
		nr = census_tails(head, pfn, i, block->frames) ?: 1;
	} else {
		class = census_class(copy, page);
		owner = census_owner_of(copy, class);
		if (class == KMT_PAGE_SLAB)
			census_slab(b | class << 16, page);
		if (class == KMT_PAGE_FREE) {
			__u64 order = PAGE_FIELD(copy, struct page___private, private, __u64);

			STORE(c->free_until, pfn + (1ull << (order <= ORDER_MOST ? order : 0)));
			nr = census_free_frames(c, pfn, most);
		} else if (class == KMT_PAGE_CPU_FREE) {
			if (!c->placed)
				census_find_block(pfn);
			nr = census_free_frames(c, pfn, most);
			if (nr) {
				class = KMT_PAGE_FREE;
			} else {
				nr = 1;
				if (compat_copy_listed(copy, page))
					STORE(c->listed, pfn);
				else if (!census_is_listed(c, pfn) && !compat_copy_untouched(copy))
					class = KMT_PAGE_REST;
				if (class == KMT_PAGE_REST)
					owner = c->first_owner;
			}
		} else {
			c->first_owner = owner;
			STORE(c->listed, NOT_LISTED);
			if (PAGE_FLAG(*(const __u64 *)copy, PG_head)) {
				c->head = page;
				c->head_class = class;
				c->head_owner = owner;
			}
		}
	}
	if (owner && !census_charge_again(c, b | class << 16, owner, nr))
		census_charge(b | class << 16, 0, owner, nr);
	c->placed = 1;
	if (class < KMT_PAGE_CLASSES)
		block->pages[class] += nr;
	return nr;
}

/* Should this run end? Slabs take long, and blocks have many. */
static __always_inline bool census_is_over(const struct kmt_census *c)
{
	return bpf_ktime_get_ns() >= LOAD(c->until_ns) ||
	       LOAD(c->records_nr) > KMT_CENSUS_RECORDS / 2;
}

/* Classify a block from frame `i` on. Returns the frame where the next run must go on, or 0. */
GLOBAL int census_block(__u32 b, __u32 i)
{
	struct kmt_census *c = census_shared();
	struct kmt_census_block *block;
	__u64 pfn;
	__u32 nr;

	if (!c)
		return 0;
	block = census_block_at(c, b);
	pfn = block->pfn;
	if (!i) {
		block->present = 0;
		for (int class = 0; class < KMT_PAGE_CLASSES; class ++)
			block->pages[class] = 0;
	}
	if (pfn + i != c->next_pfn) {
		c->head = 0;
		STORE(c->free_until, 0);
		STORE(c->listed, NOT_LISTED);
		c->placed = 0;
	}
	c->next_pfn = pfn + KMT_CENSUS_FRAMES;
	if (!i && census_free_frames(c, pfn, KMT_CENSUS_FRAMES) == KMT_CENSUS_FRAMES) {
		block->present = block->pages[KMT_PAGE_FREE] = block->frames;
		return 0;
	}
	/* a hole in physical memory has no struct pages: reading them fails harmlessly */
	if (bpf_probe_read_kernel(c->copy, KMT_CENSUS_FRAMES * bpf_core_type_size(struct page),
				  (void *)census_page(pfn)))
		return 0;
	block->present = block->frames;
	/* 64 bits: the verifier of 5.10 forgets a smaller number when it is put on the stack */
	for (__u64 step = 0; step < KMT_CENSUS_FRAMES; step++) {
		if (i >= block->frames)
			break;
		nr = census_frame(b, i);
		if (!nr)
			break;
		i += nr;
		if (LOAD(c->slab_read) && i < block->frames && census_is_over(c))
			return i;
		STORE(c->slab_read, 0);
	}
	return 0;
}

/*
 * Arguments: the number of census.blocks to classify, the nanoseconds after which to stop, and
 * where to go on: the block, and the frame in the upper half. Answer: c->resume.
 */
SEC("?raw_tp")
int census_scan(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 nr = ctx->args[0], from = ctx->args[2], frame = from >> 16;
	struct kmt_census *c = census_shared();

	if (!c)
		return 0;
	STORE(c->until_ns, bpf_ktime_get_ns() + ctx->args[1]);
	c->next_pfn = 0; /* what an earlier run read is stale */
	STORE(c->records_nr, 0);
	STORE(c->slab_read, 0);
	from &= 0xffff;
	c->resume = nr;
	for (__u64 n = 0; n < KMT_CENSUS_BLOCKS; n++) {
		if (from + n >= nr)
			break;
		frame = census_block(from + n, frame);
		if (frame) {
			c->resume = (from + n) | frame << 16;
			break;
		}
		if (census_is_over(c)) {
			c->resume = from + n + 1;
			break;
		}
	}
	return 0;
}
