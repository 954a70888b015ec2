/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every difference between kernels: one accessor for each, with the version or commit beside it.
 * All of bpf/ calls these accessors; no other file may depend on the kernel's version.
 *
 * The sources are compiled twice. KMT_LEGACY is the variant for kernels before 5.12 and for those
 * without BTF of their own: it has no compare-and-exchange, no kernel functions and no typed
 * pointers.
 *
 * CONTRIBUTING.md, "A kernel difference", lists the steps of adding one.
 */
#ifndef KMEMTRACE_COMPAT_BPF_H
#define KMEMTRACE_COMPAT_BPF_H

#include "cpus.bpf.h"
#include "flavors.h"

/* A setting, written by the loader before load: can kernel memory be read without a helper call? */
const volatile bool cfg_reads WEAK = false;

/*
 * Compare and exchange: compat_swap() replaces *word, in row `row` of its table, by `to` if it is
 * `from`. Returns true if it was `from`. If several programs try at once, only one succeeds. While
 * the word is `from`, nothing but this function may change it.
 *
 * From 5.12 (5ffa25502b5a), BPF has an instruction for this. Older verifiers refuse a program that
 * contains it, even where it is never reached. So the legacy variant locks the row.
 */
#ifdef KMT_LEGACY
#define ROW_LOCKS      1024 /* rows share them */
#define ROW_LOCK_TRIES 32
__u64 row_locks[ROW_LOCKS] SEC(".data.row_locks") = {};

/*
 * Lock a row, or count a loss and return 0. A lock is the number of programs that hold it or try to
 * take it. The atomic add of these kernels does not return the sum, so a program adds 1 and then
 * reads the number. If it reads 1, it holds the lock, because another holder would also be counted.
 * If it reads more, it subtracts 1 and tries again. It does not try for ever: the holder may be the
 * program that this one interrupted.
 */
__attribute__((weak)) __noinline int row_lock(__u32 row)
{
	volatile __u64 *lock = &row_locks[row & (ROW_LOCKS - 1)];

	for (int i = 0; i < ROW_LOCK_TRIES; i++) {
		__sync_fetch_and_add(lock, 1);
		if (*lock == 1)
			return 1;
		__sync_fetch_and_add(lock, -1);
	}
	loss_shared(KMT_LOSS_CONTENDED);
	return 0;
}

static __always_inline void row_unlock(__u32 row)
{
	__sync_fetch_and_add(&row_locks[row & (ROW_LOCKS - 1)], -1);
}

static __always_inline bool compat_swap(__u64 *word, __u32 row, __u64 from, __u64 to)
{
	bool same;

	if (!row_lock(row))
		return false;
	same = *(volatile __u64 *)word == from;
	if (same)
		*(volatile __u64 *)word = to;
	row_unlock(row);
	return same;
}
#else
static __always_inline bool compat_swap(__u64 *word, __u32 row, __u64 from, __u64 to)
{
	return __sync_val_compare_and_swap(word, from, to) == from;
}
#endif

/*
 * The current task and what it points to. From 5.11 (3ca1032ab7ab) the pointer has a BTF type, and
 * following it needs no helper calls.
 */
#ifdef KMT_LEGACY
#define compat_task()        ((struct task_struct *)bpf_get_current_task())
#define TASK_READ(task, ...) BPF_CORE_READ(task, __VA_ARGS__)
#else
#define compat_task()        bpf_get_current_task_btf()
#define TASK_READ(task, ...) ___arrow(task, __VA_ARGS__)
#endif

/*
 * Is the current task in the cgroup `id` at `level`, or below it? From 5.15 (95b861a7935b), a
 * helper function answers this.
 */
static __always_inline bool compat_in_cgroup(__u32 level, __u64 id)
{
#ifdef KMT_LEGACY
	struct cgroup___ids *cgroup = (void *)TASK_READ(compat_task(), cgroups, dfl_cgrp);
	__u64 ancestor = 0;

	if (!bpf_core_field_exists(cgroup->ancestor_ids) ||
	    level > (__u32)BPF_CORE_READ(cgroup, level))
		return false;
	bpf_core_read(&ancestor, sizeof(ancestor), &cgroup->ancestor_ids[level]);
	return ancestor == id;
#else
	return bpf_get_current_ancestor_cgroup_id(level) == id;
#endif
}

/*
 * A kernel function, or NULL if the kernel does not have it. libbpf finds it in the kernel's own
 * BTF. In the legacy variant each is a constant NULL. There, every call must stand behind a
 * condition that is false at build time: a call of NULL is undefined, and clang 15 and later leave
 * out the code after it.
 */
#ifdef KMT_LEGACY
#define KFUNC(type, name, ...) static type (*const name)(__VA_ARGS__) = NULL
#else
#define KFUNC(type, name, ...)        \
	extern type name(__VA_ARGS__) \
	__ksym __weak
#endif

/* 6.10, fc7566ad0a82 */
KFUNC(void, bpf_preempt_disable, void);
KFUNC(void, bpf_preempt_enable, void);
/* 6.13, a992d7a39732: the cache of a slab object, NULL for anything else */
KFUNC(struct kmem_cache *, bpf_get_kmem_cache, __u64 addr);
/*
 * 6.2, fd264ca02094 (cfg_reads): read any address through a kernel type. The loads are not calls;
 * the kernel handles their faults.
 */
KFUNC(void *, bpf_rdonly_cast, void *obj, __u32 btf_id);

/* Can kernel memory be read without a helper call? */
static __always_inline bool compat_reads(void)
{
#ifdef KMT_LEGACY
	return false;
#else
	return cfg_reads;
#endif
}

/*
 * The current task, for following pointers. On newer kernels, the verifier searches all kernel
 * types by name each time a program reads a pointer from a trusted task
 * (btf_nested_type_is_trusted()). That took half of the load time. The cast avoids it.
 */
static __always_inline struct task_struct *compat_task_cast(struct task_struct *task)
{
	if (compat_reads())
		return bpf_rdonly_cast(task, bpf_core_type_id_kernel(struct task_struct));
	return task;
}

/* The same if the address of the current task is already known: no need to get it again. */
static __always_inline struct task_struct *compat_task_known(__u64 task)
{
	if (compat_reads())
		return bpf_rdonly_cast((void *)task, bpf_core_type_id_kernel(struct task_struct));
	return compat_task();
}

/*
 * The word at a kernel address, or 0 if it cannot be read. `reads` is compat_reads(). A loop that
 * reads many words exists twice, once for each value of `reads`, because a loop with a helper call
 * in it keeps nothing in registers.
 */
static __always_inline __u64 compat_read_word_by(bool reads, __u64 addr)
{
	__u64 word = 0;

	if (reads) {
		struct timespec64 *t =
			bpf_rdonly_cast((void *)addr, bpf_core_type_id_kernel(struct timespec64));

		return t->tv_sec;
	}
	bpf_probe_read_kernel(&word, sizeof(word), (void *)addr);
	return word;
}

/*
 * May this be an address of the kernel? `known` is one, of a struct page. For an address in neither
 * half of the address space, Linux 5.10 prints a warning, once.
 */
#ifdef __TARGET_ARCH_x86
#define HALF_BITS 47
#else
/* arm64 prints none; with 52 bits, struct pages are in the upper 48 bits, and most else is not */
#define HALF_BITS 52
#endif
#define HALF_BITS_MOST 56 /* x86 with five levels of page tables */
static __always_inline bool compat_may_read(__u64 addr, __u64 known)
{
	__u32 bits = known >> 48 == 0xffff ? HALF_BITS : HALF_BITS_MOST;

	return (__s64)addr >> bits == -1;
}

static __always_inline __u64 compat_read_word(__u64 addr)
{
	return compat_read_word_by(compat_reads(), addr);
}

/* Bytes from the system call number to the end of the registers at the start of a task's stack. */
static __always_inline __u32 compat_syscall_at(void)
{
	__u32 size = bpf_core_type_size(struct pt_regs);

	if (bpf_core_field_exists(struct pt_regs___x86_call, orig_ax))
		return size - bpf_core_field_offset(struct pt_regs___x86_call, orig_ax);
	return size - bpf_core_field_offset(struct pt_regs___arm64_call, syscallno);
}

/* Bytes that one object of the cache occupies. Only with compat_reads(). */
static __always_inline __u32 compat_cache_size(__u64 cache)
{
	struct kmem_cache *s =
		bpf_rdonly_cast((void *)cache, bpf_core_type_id_kernel(struct kmem_cache));

	return s->size;
}

/*
 * Is this the first page of a compound block, which is freed as one? The flags are the first word
 * of a struct page.
 */
static __always_inline bool compat_page_compound(__u64 page)
{
	__u64 flags = 0;

	bpf_probe_read_kernel(&flags, sizeof(flags), (void *)page);
	return flags >> bpf_core_enum_value(enum pageflags, PG_head) & 1;
}

/* SLAB_RECLAIM_ACCOUNT: an enumerator from 6.9 (cc61eb851459), 0x00020000 before */
enum _slab_flag_bits___new {
	_SLAB_RECLAIM_ACCOUNT___new,
};

static __always_inline bool compat_cache_reclaimable(__u32 flags)
{
	if (bpf_core_enum_value_exists(enum _slab_flag_bits___new, _SLAB_RECLAIM_ACCOUNT___new))
		return flags >> bpf_core_enum_value(enum _slab_flag_bits___new,
						    _SLAB_RECLAIM_ACCOUNT___new) &
		       1;
	return flags & 0x00020000;
}

/* ---- slab pages, for the liveness audit ---- */

#define FIELD_ADDRESS(base, type, field) ((base) + bpf_core_field_offset(type, field))

/*
 * Does struct slab describe a slab (from 5.17, d122019bf061)? If not, struct page does. Both have
 * the same fields at different offsets. If the kernel does not have a type, reading a field of it
 * is an invalid instruction. So read such a field only behind this check: the verifier then drops
 * the branch that does not fit.
 */
static __always_inline bool compat_has_slab(void)
{
	return bpf_core_type_exists(struct slab);
}

/* Does struct kmem_cache have a pair (lists, barn) for each node? From 7.1, it does. */
static __always_inline bool compat_has_per_node(void)
{
	return bpf_core_type_exists(struct kmem_cache_per_node_ptrs);
}

/*
 * Is this a page of a slab? Where BTF has PGTY_slab (6.12 has it, 6.1 does not), the top byte of
 * page_type says so. On older kernels, a flag does.
 */
static __always_inline bool compat_page_is_slab(__u64 page)
{
	if (bpf_core_enum_value_exists(enum pagetype, PGTY_slab))
		return BPF_CORE_READ((struct page *)page, page_type) >> 24 ==
		       bpf_core_enum_value(enum pagetype, PGTY_slab);
	return BPF_CORE_READ((struct page___flags *)page, flags) >>
		       bpf_core_enum_value(enum pageflags, PG_slab) &
	       1;
}

/*
 * Is this the first page of a large kmalloc? 1, 0, or −1 where page types do not tell (6.18 does,
 * 6.12 does not).
 */
static __always_inline int compat_page_is_large_kmalloc(__u64 page)
{
	if (!bpf_core_enum_value_exists(enum pagetype___large, PGTY_large_kmalloc))
		return -1;
	return BPF_CORE_READ((struct page *)page, page_type) >> 24 ==
	       bpf_core_enum_value(enum pagetype___large, PGTY_large_kmalloc);
}

/*
 * Is this a page table, as the kernel counts them in PageTables: marked from its first use until it
 * is freed? 1, 0, or −1 where that is not known (6.10, 6.11). Up to 6.9, page_type is a set of bits
 * if its top bit is set, and each kind of page clears one bit. 18b2db3b0385 of 5.11 moved the bit
 * of page tables.
 */
static __always_inline int compat_page_is_table(__u64 page)
{
	__u32 type = BPF_CORE_READ((struct page *)page, page_type);

	if (bpf_core_enum_value_exists(enum pagetype, PGTY_table))
		return type >> 24 == bpf_core_enum_value(enum pagetype, PGTY_table);
	if (!bpf_core_enum_value_exists(enum pageflags, PG_slab))
		return -1;
	return type >> 31 &&
	       !(type &
		 (bpf_core_field_exists(struct page___mem_cgroup, mem_cgroup) ? 0x400 : 0x200));
}

/*
 * Is this page free, or something that cannot be a page table: a slab, or a user's page? Frozen
 * pages of other kinds (from 6.18; a reference count of 0) would look free.
 */
static __always_inline bool compat_page_is_gone(__u64 page)
{
	struct page *p = (void *)page;

	return !BPF_CORE_READ(p, _refcount.counter) || BPF_CORE_READ(p, mapping) ||
	       compat_page_is_slab(page);
}

static __always_inline __u64 compat_slab_cache(__u64 page)
{
	if (compat_has_slab())
		return (__u64)BPF_CORE_READ((struct slab *)page, slab_cache);
	return (__u64)BPF_CORE_READ((struct page___slab *)page, slab_cache);
}

/*
 * What bpf_get_kmem_cache() does, for kernels without it: the cache of an object by its page, 0 for
 * a large kmalloc. `page` is the page that the object is in.
 */
static __always_inline __u64 compat_page_cache(__u64 page)
{
	struct page___compound *p = (void *)page;
	__u64 head;

	if (!bpf_core_field_exists(p->compound_head))
		return 0;
	head = BPF_CORE_READ(p, compound_head);
	if (head & 1)
		page = head - 1;
	return compat_page_is_slab(page) ? compat_slab_cache(page) : 0;
}

static __always_inline __u64 compat_slab_freelist(__u64 page)
{
	if (compat_has_slab())
		return (__u64)BPF_CORE_READ((struct slab *)page, freelist);
	return (__u64)BPF_CORE_READ((struct page___slab *)page, freelist);
}

/* The number of objects that are not on the slab's free list, and of all objects. */
static __always_inline void compat_slab_counts(__u64 page, __u32 *inuse, __u32 *objects)
{
	struct page___slab *old = (void *)page;
	struct slab *slab = (void *)page;

	if (compat_has_slab()) {
		*inuse = BPF_CORE_READ_BITFIELD_PROBED(slab, inuse);
		*objects = BPF_CORE_READ_BITFIELD_PROBED(slab, objects);
	} else {
		*inuse = BPF_CORE_READ_BITFIELD_PROBED(old, inuse);
		*objects = BPF_CORE_READ_BITFIELD_PROBED(old, objects);
	}
}

/* The slab whose list_head is at `entry`. */
static __always_inline __u64 compat_slab_of_list(__u64 entry)
{
	if (compat_has_slab())
		return entry - bpf_core_field_offset(struct slab, slab_list);
	return entry - bpf_core_field_offset(struct page___slab, slab_list);
}

/* Bytes before each object of a cache that is debugged with red zones. */
static __always_inline __u32 compat_cache_red_pad(struct kmem_cache *s)
{
	struct kmem_cache___red *r = (void *)s;

	return bpf_core_field_exists(r->red_left_pad) ? BPF_CORE_READ(r, red_left_pad) : 0;
}

/* The key of hardened free pointers; 0 if free pointers are not hardened. */
static __always_inline __u64 compat_cache_random(struct kmem_cache *s)
{
	struct kmem_cache___hardened *h = (void *)s;

	return bpf_core_field_exists(h->random) ? BPF_CORE_READ(h, random) : 0;
}

/*
 * 4.14 (2482ddec670f) and 5.7 (1ad53d9fa3f6): if hardened, next = word ^ random ^ swab(address of
 * the word).
 */
static __always_inline __u64 compat_free_pointer(__u64 address, __u64 random)
{
	__u64 word = compat_read_word(address);

	if (!bpf_core_field_exists(struct kmem_cache___hardened, random))
		return word;
	return word ^ random ^ __builtin_bswap64(address);
}

/* Up to 6.19: the per-CPU slab, as a per-CPU pointer. 0 from 7.0. */
static __always_inline __u64 compat_cache_cpu_slab(struct kmem_cache *s)
{
	struct kmem_cache___cpu_slab *c = (void *)s;

	return bpf_core_field_exists(c->cpu_slab) ? (__u64)BPF_CORE_READ(c, cpu_slab) : 0;
}

static __always_inline __u64 compat_cpu_slab_page(__u64 cpu_slab)
{
	struct kmem_cache_cpu___slab *c = (void *)cpu_slab;
	struct kmem_cache_cpu___page *old = (void *)cpu_slab;

	if (compat_has_slab())
		return (__u64)BPF_CORE_READ(c, slab);
	return (__u64)BPF_CORE_READ(old, page);
}

/*
 * The first slab of a CPU's list of partial slabs, and the next one (compat_slab_next()). 0 if
 * there is none, or no such list (CONFIG_SLUB_CPU_PARTIAL).
 */
static __always_inline __u64 compat_cpu_slab_partial(__u64 cpu_slab)
{
	struct kmem_cache_cpu___slab *c = (void *)cpu_slab;
	struct kmem_cache_cpu___page *old = (void *)cpu_slab;

	if (compat_has_slab())
		return bpf_core_field_exists(c->partial) ? (__u64)BPF_CORE_READ(c, partial) : 0;
	return bpf_core_field_exists(old->partial) ? (__u64)BPF_CORE_READ(old, partial) : 0;
}

static __always_inline __u64 compat_slab_next(__u64 page)
{
	struct page___slab *old = (void *)page;
	struct slab *slab = (void *)page;

	if (compat_has_slab())
		return bpf_core_field_exists(slab->next) ? (__u64)BPF_CORE_READ(slab, next) : 0;
	return (__u64)BPF_CORE_READ(old, next);
}

/* 6.18, 2d517aa09bbc: the per-CPU sheaves, as a per-CPU pointer. 0 if there are none. */
static __always_inline __u64 compat_cache_cpu_sheaves(struct kmem_cache *s)
{
	struct kmem_cache___sheaves *c = (void *)s;

	return bpf_core_field_exists(c->cpu_sheaves) ? (__u64)BPF_CORE_READ(c, cpu_sheaves) : 0;
}

/* From 7.1: the address of a node's pair. */
static __always_inline __u64 compat_per_node(struct kmem_cache *s, __u32 node)
{
	return (__u64)s + bpf_core_field_offset(struct kmem_cache___per_node, per_node) +
	       node * bpf_core_type_size(struct kmem_cache_per_node_ptrs);
}

/* A cache's lists on a node. Up to 7.0, struct kmem_cache has an array of pointers to them. */
static __always_inline __u64 compat_cache_node(struct kmem_cache *s, __u32 node)
{
	if (compat_has_per_node())
		return compat_read_word(
			compat_per_node(s, node) +
			bpf_core_field_offset(struct kmem_cache_per_node_ptrs, node));
	return compat_read_word((__u64)s + bpf_core_field_offset(struct kmem_cache___node, node) +
				node * 8);
}

/* A cache's barn of full sheaves on a node; 0 if it has none. Up to 7.0, the lists point to it. */
static __always_inline __u64 compat_cache_barn(struct kmem_cache *s, __u32 node)
{
	struct kmem_cache_node___barn *lists;

	if (compat_has_per_node())
		return compat_read_word(
			compat_per_node(s, node) +
			bpf_core_field_offset(struct kmem_cache_per_node_ptrs, barn));
	if (!bpf_core_field_exists(struct kmem_cache_node___barn, barn))
		return 0;
	lists = (void *)compat_cache_node(s, node);
	return lists ? (__u64)BPF_CORE_READ(lists, barn) : 0;
}

/*
 * ---- kinds of pages, for the census ----
 * The census copies many struct pages at a time. `copy` is such a copy, `page` is where it was.
 */

#define PAGE_FIELD(copy, type, field, as) \
	(*(const as *)((const __u8 *)(copy) + bpf_core_field_offset(type, field)))
#define PAGE_FLAG(flags, flag) ((flags) >> bpf_core_enum_value(enum pageflags, flag) & 1)

/*
 * The first page of the compound block that this page is in; 0 for a first page and for one in no
 * such block. From 7.3, the word can be a mask instead: its upper half is all ones, which no
 * address of a struct page has.
 */
static __always_inline __u64 compat_copy_head(const void *copy, __u64 page)
{
	__u64 info;

	if (bpf_core_field_exists(struct page___compound, compound_head))
		info = PAGE_FIELD(copy, struct page___compound, compound_head, __u64);
	else if (bpf_core_field_exists(struct page___compound_info, compound_info))
		info = PAGE_FIELD(copy, struct page___compound_info, compound_info, __u64);
	else
		return 0;
	if (!(info & 1))
		return 0;
	return info >> 32 == 0xffffffff ? page & info : info - 1;
}

/*
 * The kind of a page that has a page type: KMT_PAGE_CLASSES if it has none. From 6.12, the type is
 * the top byte of page_type. Up to 6.9, each type clears one bit while the top bits stay set.
 */
static __always_inline __u32 compat_copy_typed(const void *copy)
{
	__u32 type = PAGE_FIELD(copy, struct page, page_type, __u32), top = type >> 24;

	if (bpf_core_enum_value_exists(enum pagetype, PGTY_slab)) {
		if (top < bpf_core_enum_value(enum pagetype, PGTY_buddy) || top == 0xff)
			return KMT_PAGE_CLASSES;
		if (top == bpf_core_enum_value(enum pagetype, PGTY_buddy))
			return KMT_PAGE_FREE;
		if (top == bpf_core_enum_value(enum pagetype, PGTY_slab))
			return KMT_PAGE_SLAB;
		if (top == bpf_core_enum_value(enum pagetype, PGTY_table))
			return KMT_PAGE_TABLE;
		if (top == bpf_core_enum_value(enum pagetype, PGTY_offline))
			return KMT_PAGE_OFFLINE;
		if (top == bpf_core_enum_value(enum pagetype, PGTY_hugetlb))
			return KMT_PAGE_HUGETLB;
		if (top == bpf_core_enum_value(enum pagetype, PGTY_zsmalloc))
			return KMT_PAGE_ZSMALLOC;
		if (top == bpf_core_enum_value(enum pagetype, PGTY_unaccepted))
			return KMT_PAGE_UNACCEPTED;
		if (bpf_core_enum_value_exists(enum pagetype___large, PGTY_large_kmalloc) &&
		    top == bpf_core_enum_value(enum pagetype___large, PGTY_large_kmalloc))
			return KMT_PAGE_LARGE;
		return KMT_PAGE_REST;
	}
	if (PAGE_FLAG(*(const __u64 *)copy, PG_slab))
		return KMT_PAGE_SLAB;
	if (type >> 28 != 0xf)
		return KMT_PAGE_CLASSES;
	if (!(type & 0x80))
		return KMT_PAGE_FREE;
	if (!(type & 0x100))
		return KMT_PAGE_OFFLINE;
	if (!(type & (bpf_core_field_exists(struct page___mem_cgroup, mem_cgroup) ? 0x400 : 0x200)))
		return KMT_PAGE_TABLE;
	return KMT_PAGE_CLASSES;
}

/*
 * Is this the first page of a huge page of HugeTLB, on kernels without a page type for it? Up to
 * 6.1, the second page names the function that frees the block.
 */
static __always_inline bool compat_copy_is_hugetlb(__u64 flags, __u64 page)
{
	__u8 dtor = 0;

	if (!bpf_core_field_exists(struct page___dtor, compound_dtor) || !PAGE_FLAG(flags, PG_head))
		return false;
	bpf_probe_read_kernel(&dtor, sizeof(dtor),
			      (void *)FIELD_ADDRESS(page + bpf_core_type_size(struct page),
						    struct page___dtor, compound_dtor));
	return dtor == bpf_core_enum_value(enum compound_dtor_id, HUGETLB_PAGE_DTOR);
}

/*
 * Does this page belong to a page pool of the network? pp_magic is 0x40 plus the kernel's poison
 * for pointers. From 6.16, bits in the middle number the page's DMA mapping.
 */
static __always_inline bool compat_copy_is_pool(const void *copy)
{
	if (!bpf_core_field_exists(struct page___pool, pp_magic))
		return false;
	return (PAGE_FIELD(copy, struct page___pool, pp_magic, __u64) & 0xffff00000000007c) ==
	       0xdead000000000040;
}

/* The page pool that a page of class KMT_PAGE_POOL belongs to. */
static __always_inline __u64 compat_copy_pool(const void *copy)
{
	if (!bpf_core_field_exists(struct page___pp, pp))
		return 0;
	return PAGE_FIELD(copy, struct page___pp, pp, __u64);
}

/*
 * The name of a page pool's network device, or, before 6.8 or without one, of the device behind it:
 * an address in kernel memory, 0 if it has neither.
 */
static __always_inline __u64 compat_pool_name(__u64 pool)
{
	__u64 netdev = 0, device;

	if (bpf_core_field_exists(struct page_pool___slow, slow.netdev))
		netdev = (__u64)BPF_CORE_READ((struct page_pool___slow *)pool, slow.netdev);
	if (netdev)
		return netdev + bpf_core_field_offset(struct net_device___name, name);
	device = (__u64)BPF_CORE_READ((struct page_pool___dev *)pool, p.dev);
	return device ? (__u64)BPF_CORE_READ((struct device___kobj *)device, kobj.name) : 0;
}

/*
 * Is the page on a list: does the one before it there point to it? At boot, the kernel makes each
 * page a list of its own, and it stays one while it is a later page of a block.
 */
static __always_inline bool compat_copy_listed(const void *copy, __u64 page)
{
	__u64 before, here = FIELD_ADDRESS(page, struct page___lru, lru);

	before = PAGE_FIELD(copy, struct page___lru, lru.prev, __u64);
	return before && before != here && compat_read_word(before) == here;
}

/* Was the page never used, so that not even its struct page was filled in? */
static __always_inline bool compat_copy_untouched(const void *copy)
{
	return !*(const __u64 *)copy && !PAGE_FIELD(copy, struct page___lru, lru.next, __u64) &&
	       !PAGE_FIELD(copy, struct page___lru, lru.prev, __u64);
}

/* The classes (as bits) that pages of this kernel do not show; they count as another class. */
static __always_inline __u32 compat_pages_unknown(void)
{
	bool typed = bpf_core_enum_value_exists(enum pagetype, PGTY_slab);
	__u32 unknown = 0;

	if (!bpf_core_enum_value_exists(enum pagetype___large, PGTY_large_kmalloc))
		unknown |= 1 << KMT_PAGE_LARGE;
	if (!bpf_core_field_exists(struct page___pool, pp_magic))
		unknown |= 1 << KMT_PAGE_POOL;
	if (!typed && !bpf_core_field_exists(struct page___dtor, compound_dtor))
		unknown |= 1 << KMT_PAGE_HUGETLB;
	if (!typed)
		unknown |= 1 << KMT_PAGE_UNACCEPTED;
	return unknown;
}

/* Is it in the swap cache? The flag has this meaning only in pages that swap backs. */
static __always_inline bool compat_flags_swapcache(__u64 flags)
{
	return PAGE_FLAG(flags, PG_swapbacked) && PAGE_FLAG(flags, PG_swapcache);
}

/* Is it bad memory, which must not be read? */
static __always_inline bool compat_flags_poisoned(__u64 flags)
{
	return bpf_core_enum_value_exists(enum pageflags___poison, PG_hwpoison) &&
	       flags >> bpf_core_enum_value(enum pageflags___poison, PG_hwpoison) & 1;
}

/* ---- who memory is charged to, for the census ---- */

/*
 * The owner of a page that is no slab page: a mem_cgroup with KMT_CENSUS_MEMCG set, or an
 * obj_cgroup; 0 if it is charged to nobody. Kernel pages have an obj_cgroup from 5.13
 * (b4e0b68fbd9d), all pages from 7.3.
 */
static __always_inline __u64 compat_copy_owner(const void *copy)
{
	__u64 data;

	if (bpf_core_field_exists(struct page___mem_cgroup, mem_cgroup)) {
		data = PAGE_FIELD(copy, struct page___mem_cgroup, mem_cgroup, __u64);
		return data ? data | KMT_CENSUS_MEMCG : 0;
	}
	if (!bpf_core_field_exists(struct page___memcg_data, memcg_data))
		return 0;
	data = PAGE_FIELD(copy, struct page___memcg_data, memcg_data, __u64);
	if (!(data & ~7ull))
		return 0;
	/* MEMCG_DATA_KMEM is bit 1 */
	if (data & 2 || bpf_core_field_exists(struct obj_cgroup___root, is_root))
		return data & ~7ull;
	return (data & ~7ull) | KMT_CENSUS_MEMCG;
}

/*
 * The vector of owners of a slab's objects; 0 if it has none. Bit 0 is set in a pointer to one.
 */
static __always_inline __u64 compat_slab_owners(__u64 page)
{
	__u64 data;

	if (bpf_core_field_exists(struct slab___obj_exts, obj_exts))
		data = BPF_CORE_READ((struct slab___obj_exts *)page, obj_exts);
	else if (bpf_core_field_exists(struct slab___memcg_data, memcg_data))
		data = BPF_CORE_READ((struct slab___memcg_data *)page, memcg_data);
	else if (bpf_core_field_exists(struct page___memcg_data, memcg_data))
		data = BPF_CORE_READ((struct page___memcg_data *)page, memcg_data);
	else if (bpf_core_field_exists(struct page___mem_cgroup, mem_cgroup))
		data = (__u64)BPF_CORE_READ((struct page___mem_cgroup *)page, mem_cgroup);
	else
		return 0;
	return data & 1 ? data & ~7ull : 0;
}

/*
 * Bytes from one object's owner to the next in that vector. In 7.0, each slab says it. In 7.3, a
 * bit says that the owners are in the objects themselves.
 */
static __always_inline __u32 compat_owners_stride(__u64 page, __u32 object_bytes)
{
	__u64 counters;

	if (!bpf_core_type_exists(struct slabobj_ext))
		return sizeof(void *);
	counters = FIELD_ADDRESS(page, struct slab, freelist);
	if (bpf_core_field_exists(struct freelist_counters___stride, stride))
		return BPF_CORE_READ((struct freelist_counters___stride *)counters, stride);
	if (bpf_core_field_exists(struct freelist_counters___in_object, obj_exts_in_object)) {
		struct freelist_counters___in_object *f = (void *)counters;

		if (BPF_CORE_READ_BITFIELD_PROBED(f, obj_exts_in_object))
			return object_bytes;
	}
	return bpf_core_type_size(struct slabobj_ext);
}

/* The directory above a cgroup's; 0 above the root. */
static __always_inline __u64 compat_kernfs_parent(__u64 kn)
{
	if (bpf_core_field_exists(struct kernfs_node___parent, parent))
		return (__u64)BPF_CORE_READ((struct kernfs_node___parent *)kn, parent);
	return (__u64)BPF_CORE_READ((struct kernfs_node___rcu_parent *)kn, __parent);
}

/*
 * When a cgroup is removed, its obj_cgroup is handed to the cgroup above, which has one of its own.
 * Is this such an obj_cgroup? Not known from 7.3: then false.
 */
static __always_inline bool compat_is_inherited(__u64 objcg, __u64 memcg)
{
	if (!bpf_core_field_exists(struct mem_cgroup___objcg, objcg))
		return false;
	return (__u64)BPF_CORE_READ((struct mem_cgroup___objcg *)memcg, objcg) != objcg;
}

/* ---- objects, for the lenses ---- */

/* Does anything refer to an open file? From 6.13, the count is one less, and negative at the end.
 */
static __always_inline bool compat_file_is_open(__u64 file)
{
	if (bpf_core_field_exists(struct file___ref, f_ref))
		return BPF_CORE_READ((struct file___ref *)file, f_ref.refcnt.counter) >= 0;
	return BPF_CORE_READ((struct file___count *)file, f_count.counter) > 0;
}

#endif
