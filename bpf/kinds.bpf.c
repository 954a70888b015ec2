// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looks at live slab objects word by word: is a word zero, a number, or a pointer, and to what? The
 * loader (user/trace/kinds.c) draws the objects and runs kinds_look() by BPF_PROG_TEST_RUN, a few
 * at a time, because a run cannot be preempted. Objects whose words are alike are of one kind.
 *
 * Contents never leave this program: of each word it answers a class, and of a pointer what it
 * points to. It reads live memory without locks, so it follows a pointer only to the struct page of
 * its target, and to what that names; each read is checked, and a wrong one fails harmlessly.
 */
#include "freelists.bpf.h"

#define SMALL_MOST  4096                  /* numbers up to this, positive or negative */
#define POISON_BASE 0xdead000000000000ull /* POISON_POINTER_DELTA of x86-64 and arm64 */
#define POISON_MOST 0x1000
#define OWNER_TRIES 2 /* pointers of one object that turn out to be no owners */

TABLE(kinds, struct kmt_kinds);

/* set by the loader */
__u64 kinds_frame_base = 0;                       /* struct page of page frame 0 */
__u64 kinds_frames = 0;                           /* page frames, the last one plus one */
__u64 kinds_direct_base = 0;                      /* where page frame 0 is mapped */
__u64 kinds_image = 0, kinds_image_bytes = 0;     /* code and data of the kernel */
__u64 kinds_modules = 0, kinds_modules_bytes = 0; /* of its modules */
__u64 kinds_percpu = 0; /* distance from a per-CPU pointer to a CPU's variable */

static __always_inline struct kmt_kinds *kinds_shared(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&kinds, &zero);
}

static __always_inline bool kinds_in_image(__u64 v)
{
	return v - kinds_image < kinds_image_bytes || v - kinds_modules < kinds_modules_bytes;
}

/* May it be an address of the kernel? */
static __always_inline bool kinds_may_read(__u64 v)
{
	return compat_may_read(v, kinds_frame_base);
}

/* Can it be read? */
static __always_inline bool kinds_readable(__u64 v)
{
	__u64 word;

	return !bpf_probe_read_kernel(&word, sizeof(word), (void *)(v & ~7ull));
}

/*
 * Is there an obj_cgroup at `v`? It names a memory cgroup, the cgroup of which and its directory
 * point to each other.
 */
static __always_inline bool kinds_is_owner(__u64 v)
{
	__u64 memcg, cgroup, kn;

	memcg = (__u64)BPF_CORE_READ((struct obj_cgroup *)v, memcg);
	if (!kinds_may_read(memcg))
		return false;
	cgroup = (__u64)BPF_CORE_READ((struct mem_cgroup *)memcg, css.cgroup);
	if (!kinds_may_read(cgroup))
		return false;
	kn = (__u64)BPF_CORE_READ((struct cgroup *)cgroup, kn);
	return kinds_may_read(kn) && (__u64)BPF_CORE_READ((struct kernfs_node *)kn, priv) == cgroup;
}

/* Classify a pointer into the direct map: to an object of which cache, and where in it? */
GLOBAL int kinds_direct(__u32 i, __u32 w, __u64 v, __u64 object)
{
	__u64 size = bpf_core_type_size(struct page), frame, page, head, cache, base;
	struct kmt_kinds *k = kinds_shared();
	struct kmt_kind_word *word;
	__u32 bytes;

	if (!k || i >= KMT_KIND_CHUNK || w >= KMT_KIND_WORDS)
		return 0;
	word = &k->items[i].word[w];
	word->class = KMT_WORD_MEMORY;
	frame = (v - kinds_direct_base) >> cfg_page_shift;
	page = kinds_frame_base + frame * size;
	if (bpf_probe_read_kernel(k->copy, size, (void *)page)) {
		word->class = KMT_WORD_OTHER; /* a hole in physical memory */
		return 0;
	}
	head = compat_copy_head(k->copy, page);
	if (head) {
		if (head - kinds_frame_base >= kinds_frames * size)
			return 0;
		page = head;
	}
	if (!compat_page_is_slab(page))
		return 0;
	cache = compat_slab_cache(page);
	bytes = kinds_may_read(cache) ? BPF_CORE_READ((struct kmem_cache *)cache, size) : 0;
	if (!bytes)
		return 0;
	base = address_of(page);
	word->at = (__u32)(v - base) % bytes;
	word->ref = cache;
	word->class = KMT_WORD_SLAB;
	if (v - object < bytes && cache == k->items[i].cache) {
		word->at = v - object;
		word->ref = 0;
		word->class = KMT_WORD_SELF;
		return 0;
	}
	if (word->at || !k->owner_tries)
		return 0;
	if (kinds_is_owner(v))
		word->class = KMT_WORD_OWNER;
	else
		k->owner_tries--;
	return 0;
}

/* The class of a word that is no number, and no pointer into the direct map. */
static __always_inline __u32 kinds_far(__u64 v)
{
	if (v - kinds_frame_base < kinds_frames * bpf_core_type_size(struct page))
		return KMT_WORD_PAGE;
	if (kinds_may_read(v))
		return kinds_readable(v) ? KMT_WORD_VMALLOC : KMT_WORD_OTHER;
	if (kinds_percpu && kinds_may_read(v + kinds_percpu) && kinds_readable(v + kinds_percpu))
		return KMT_WORD_PERCPU;
	return KMT_WORD_OTHER;
}

/* How does what is at `v` point back to the word at `here`? Trees keep a colour in the lowest bits.
 */
static __always_inline __u32 kinds_link(__u64 v, __u64 here)
{
	__u64 there[3];
	__u32 link = 0;

	if (bpf_probe_read_kernel(there, sizeof(there), (void *)(v & ~7ull)))
		return 0;
	if (there[1] == here)
		link |= KMT_LINK_NEXT;
	if ((there[0] & ~7ull) == here - 8)
		link |= KMT_LINK_PREV;
	if (there[2] == here)
		link |= KMT_LINK_LEFT;
	if ((there[0] & ~7ull) == here - 16)
		link |= KMT_LINK_CHILD;
	return link;
}

/* Which bytes of a number are not 0? */
static __always_inline __u32 kinds_bytes(__u64 v)
{
	__u32 bytes = 0;

#pragma unroll
	for (int i = 0; i < 8; i++)
		bytes |= (__u32)((v >> 8 * i & 0xff) != 0) << i;
	return bytes;
}

/* Classify word w of item i, an object at `object`. */
GLOBAL int kinds_word(__u32 i, __u32 w, __u64 object)
{
	struct kmt_kinds *k = kinds_shared();
	struct kmt_kind_word *word;
	__u64 v = 0;

	if (!k || i >= KMT_KIND_CHUNK || w >= KMT_KIND_WORDS)
		return 0;
	word = &k->items[i].word[w];
	word->ref = 0;
	word->at = 0;
	word->shape = 0;
	word->class = KMT_WORD_OTHER;
	if (bpf_probe_read_kernel(&v, sizeof(v), (void *)(object + w * sizeof(v))))
		return 0;
	if (!v) {
		word->class = KMT_WORD_ZERO;
	} else if (v + SMALL_MOST < 2 * SMALL_MOST) {
		word->class = KMT_WORD_SMALL;
	} else if (!(v >> 32)) {
		word->class = KMT_WORD_HALF;
	} else if (v - POISON_BASE < POISON_MOST) {
		word->class = KMT_WORD_POISON;
	} else if (kinds_in_image(v)) {
		word->class = KMT_WORD_IMAGE;
		word->ref = v;
	} else if (v - kinds_direct_base < kinds_frames << cfg_page_shift) {
		kinds_direct(i, w, v, object);
	} else {
		word->class = kinds_far(v);
	}
	if (word->class >= KMT_WORD_SELF)
		word->shape = kinds_link(v, object + w * sizeof(v));
	else if (word->class != KMT_WORD_POISON)
		word->shape = kinds_bytes(v);
	return 0;
}

/* Who is charged for an object of the slab at `base`? */
static __always_inline __u64 kinds_owner(__u64 base, __u64 index, __u32 object_bytes)
{
	__u64 frame = (base - kinds_direct_base) >> cfg_page_shift;
	__u64 page = kinds_frame_base + frame * bpf_core_type_size(struct page);
	__u64 owners = compat_slab_owners(page);

	if (!owners)
		return 0;
	return compat_read_word(owners + index * compat_owners_stride(page, object_bytes)) & ~7ull;
}

GLOBAL int kinds_item(__u32 i)
{
	struct kmt_kinds *k = kinds_shared();
	struct kmt_audit *a = audit_shared();
	__u64 addr, cache, index;
	__u32 words;

	if (!k || !a || i >= KMT_KIND_CHUNK)
		return 0;
	addr = k->items[i].addr;
	cache = k->items[i].cache;
	words = k->items[i].words;
	k->items[i].verdict = audit_verify_slab(addr, cache);
	if (k->items[i].verdict != KMT_LIVE)
		return 0;
	if (!a->size)
		return 0;
	index = (addr - a->base) / a->size;
	k->items[i].owner = kinds_owner(a->base, index, a->size);
	/* an address may be that of the place, or that of the object in it */
	addr = a->base + index * a->size;
	addr += compat_cache_red_pad((void *)cache);
	k->owner_tries = OWNER_TRIES;
	for (__u32 w = 0; w < KMT_KIND_WORDS; w++) {
		if (w >= words)
			break;
		kinds_word(i, w, addr);
	}
	return 0;
}

/* Argument: the number of kinds.items to look at. They are sorted by cache and address. */
SEC("?raw_tp")
int kinds_look(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 nr = ctx->args[0];
	struct kmt_audit *a = audit_begin();

	if (!a)
		return 0;
	for (__u32 i = 0; i < KMT_KIND_CHUNK; i++) {
		if (i >= nr)
			break;
		kinds_item(i);
	}
	return 0;
}

/* Argument: an address in the image. Answer: k->table. */
SEC("?raw_tp")
int kinds_table(struct bpf_raw_tracepoint_args *ctx)
{
	struct kmt_kinds *k = kinds_shared();
	__u64 at = ctx->args[0];

	if (!k)
		return 0;
	for (__u32 w = 0; w < KMT_KIND_TABLE; w++) {
		__u64 v = 0;

		if (kinds_in_image(at))
			bpf_probe_read_kernel(&v, sizeof(v),
					      (void *)((at & ~7ull) + w * sizeof(v)));
		k->table[w] = kinds_in_image(v) ? v : v != 0;
	}
	return 0;
}
