/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel types that differ between kernels, each with the kernels that have it. Types that all
 * kernels have are in vmlinux.h. A name such as page___slab describes struct page as some kernels
 * have it: libbpf ignores the three underscores and what follows when it looks for the type.
 * Only compat.bpf.h and audit.bpf.c read these types, behind a check that the kernel has them.
 */
#ifndef KMEMTRACE_FLAVORS_H
#define KMEMTRACE_FLAVORS_H

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct cgroup___ids { /* up to 6.0 */
	int level;
	u64 ancestor_ids[1];
};

/* The registers of a system call, on x86 and on arm64. */
struct pt_regs___x86_call {
	unsigned long orig_ax;
};

struct pt_regs___arm64_call {
	s32 syscallno;
};

/* with CONFIG_SLAB_FREELIST_HARDENED */
struct kmem_cache___hardened {
	unsigned long random;
};

/* with CONFIG_SLUB_DEBUG */
struct kmem_cache___red {
	unsigned int red_left_pad;
};

/* up to 6.19: each CPU allocates from its own slab */
struct kmem_cache_cpu {
	void **freelist;
	unsigned long tid;
};

struct kmem_cache_cpu___slab { /* 5.17 and later */
	struct slab *slab;
	struct slab *partial;
};

struct kmem_cache_cpu___page { /* before 5.17 */
	struct page *page;
	struct page *partial;
};

struct kmem_cache___cpu_slab {
	struct kmem_cache_cpu *cpu_slab;
};

/* from 6.18: arrays of free objects (sheaves). Each CPU has some, and each node a barn of them. */
struct slab_sheaf {
	struct list_head barn_list;
	struct kmem_cache *cache;
	unsigned int size;
	void *objects[0];
};

struct slub_percpu_sheaves {
	struct slab_sheaf *main;
	struct slab_sheaf *spare;
	struct slab_sheaf *rcu_free;
};

struct node_barn {
	struct list_head sheaves_full;
};

struct kmem_cache___sheaves {
	struct slub_percpu_sheaves *cpu_sheaves;
};

struct vm_struct {
	void *addr;
	unsigned long size;
	const void *caller;
	struct page **pages;
	unsigned int nr_pages;
};

struct vmap_area {
	unsigned long va_start;
	struct vm_struct *vm;
};

struct pcpu_chunk {
	void *base_addr;
};

struct task_struct___vmap_stack { /* with CONFIG_VMAP_STACK */
	struct vm_struct *stack_vm_area;
};

struct kmem_cache___refcount { /* more than 1: other caches were merged into this one */
	int refcount;
};

struct kmem_cache___node { /* up to 7.0 */
	struct kmem_cache_node *node[1];
};

struct kmem_cache_node___barn { /* up to 7.0 */
	struct node_barn *barn;
};

struct kmem_cache_per_node_ptrs { /* from 7.1 */
	struct node_barn *barn;
	struct kmem_cache_node *node;
};

struct kmem_cache___per_node {
	struct kmem_cache_per_node_ptrs per_node[1];
};

/* from 5.17 (d122019bf061) */
struct slab {
	struct list_head slab_list;
	struct slab *next;
	struct kmem_cache *slab_cache;
	void *freelist;
	unsigned int inuse : 16;
	unsigned int objects : 15;
};

struct page___slab { /* before 5.17 */
	struct list_head slab_list;
	struct page *next;
	struct kmem_cache *slab_cache;
	void *freelist;
	unsigned int inuse : 16;
	unsigned int objects : 15;
};

struct page___compound {             /* up to 7.2 */
	unsigned long compound_head; /* in all pages but the first: the address of the first, with
					bit 0 set */
};

struct page___compound_info { /* from 7.3: the same, or a mask that leads from the page to the first
			       */
	unsigned long compound_info;
};

struct page___flags { /* up to 6.17; then flags is a memdesc_flags_t */
	unsigned long flags;
};

struct page___private {
	unsigned long private; /* of a free block: its order */
};

struct page___lru {
	struct list_head lru; /* of the first page of a block on a CPU's list: its neighbours there
			       */
};

struct page___pool { /* 5.14 and later */
	unsigned long pp_magic;
};

struct page_pool;

struct page___pp { /* 5.14 and later */
	struct page_pool *pp;
};

struct page_pool_params___netdev {
	struct net_device *netdev;
};

struct page_pool___slow { /* from 6.8 */
	struct page_pool_params___netdev slow;
};

struct page_pool_params___dev {
	struct device *dev;
};

struct page_pool___dev {
	struct page_pool_params___dev p;
};

struct net_device___name {
	char name[16];
};

struct kobject___name {
	const char *name;
};

struct device___kobj {
	struct kobject___name kobj;
};

struct page___dtor { /* up to 6.1: in the second page of a compound block */
	unsigned char compound_dtor;
};

struct kernfs_node___parent { /* up to 6.14 */
	struct kernfs_node *parent;
};

struct kernfs_node___rcu_parent { /* later */
	struct kernfs_node *__parent;
};

struct mem_cgroup___objcg { /* up to 7.2 */
	struct obj_cgroup *objcg;
};

struct obj_cgroup___root { /* from 7.3: pages of processes and files are charged to it, too */
	bool is_root;
};

struct slab___obj_exts { /* from 6.10 */
	unsigned long obj_exts;
};

struct slab___memcg_data { /* 5.17 to 6.9 */
	unsigned long memcg_data;
};

struct page___memcg_data { /* from 5.11; before 5.17, of slab pages, too */
	unsigned long memcg_data;
};

struct slabobj_ext { /* from 6.10; an obj_cgroup comes first */
};

struct freelist_counters___stride { /* 7.0 */
	unsigned int stride;
};

struct freelist_counters___in_object { /* 7.3 */
	unsigned int inuse : 16;
	unsigned int objects : 15;
	unsigned int frozen : 1;
	unsigned int obj_exts_in_object : 1;
};

struct file___count { /* up to 6.12 */
	atomic_long_t f_count;
};

typedef struct { /* from 6.13 */
	atomic64_t refcnt;
} file_ref_t;

struct file___ref {
	file_ref_t f_ref;
};

struct page___mem_cgroup { /* up to 5.10 */
	struct mem_cgroup *mem_cgroup;
};

#pragma clang attribute pop

/*
 * The kind of a page, in the top byte of page_type: in 6.12, not in 6.1. Kernels without it have a
 * flag (PG_slab).
 */
enum pagetype {
	PGTY_buddy = 240,
	PGTY_offline = 241,
	PGTY_table = 242,
	PGTY_guard = 243,
	PGTY_hugetlb = 244,
	PGTY_slab = 245,
	PGTY_zsmalloc = 246,
	PGTY_unaccepted = 247,
};

enum pagetype___large { /* in 6.18, not in 6.12 */
			PGTY_large_kmalloc = 248,
};

enum pageflags {
	PG_locked = 0,
	PG_uptodate = 3,
	PG_lru = 4,
	PG_slab = 9,
	PG_swapcache = 10,
	PG_reserved = 12,
	PG_head = 16,
	PG_swapbacked = 19,
	PG_unevictable = 20,
};

enum pageflags___poison { /* with CONFIG_MEMORY_FAILURE */
			  PG_hwpoison = 22,
};

enum compound_dtor_id { /* in 5.10 and 6.1 */
			HUGETLB_PAGE_DTOR = 2,
};

#endif
