// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel module that leaks objects and keeps others, for a guest: each way to do so in a slab
 * cache of its own, so that a test knows what `kmemtrace refs` must say of each; and all of them in
 * one cache, which has 400 objects that are kept, 400 that are lost, and 40 in a ring that is.
 * tests/vm/module/refs.sh builds and loads it.
 */
#include <linux/delay.h>
#include <linux/hashtable.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/rbtree.h>
#include <linux/slab.h>
#include <linux/srcu.h>
#include <linux/version.h>
#include <linux/vmalloc.h>
#include <linux/xarray.h>
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 1, 0)
#include <linux/maple_tree.h>
#endif

#define OBJECTS    3000
#define ON_A_STACK 100 /* at most: 800 bytes of a kernel stack */
#define OF_EACH    40  /* objects that each way keeps in the cache of all ways */

struct orphan {
	union {
		struct list_head list;
		struct hlist_node hash;
		struct rb_node rb;
		struct rcu_head rcu;
	};
	unsigned long number;
};

/* What a thread is to keep on its stack. */
struct stack_request {
	struct kmem_cache *cache;
	unsigned long nr;
};

static LIST_HEAD(kept_list);
static DEFINE_HASHTABLE(kept_hash, 6);
static struct rb_root kept_tree = RB_ROOT;
static DEFINE_XARRAY(kept_xarray);
static DEFINE_PER_CPU(struct list_head, kept_percpu);
static struct orphan *kept_rings[2]; /* of its own cache, and of that of all ways */
DEFINE_STATIC_SRCU(kept_srcu);

static noinline struct orphan *orphan_new(struct kmem_cache *cache, unsigned long number)
{
	struct orphan *o = kmem_cache_alloc(cache, GFP_KERNEL);

	if (o) {
		memset(o, 0, sizeof(*o));
		o->number = number;
	}
	barrier();
	return o;
}

/* ---- leaked ---- */

/* The only pointer is dropped. */
static void lose(struct kmem_cache *cache, unsigned long nr)
{
	for (unsigned long i = 0; i < nr; i++)
		orphan_new(cache, i);
}

/* A ring without a head: its objects point to each other. Returns one of them. */
static struct orphan *ring_new(struct kmem_cache *cache, unsigned long nr)
{
	struct orphan *first = orphan_new(cache, 0);

	if (!first)
		return NULL;
	INIT_LIST_HEAD(&first->list);
	for (unsigned long i = 1; i < nr; i++) {
		struct orphan *o = orphan_new(cache, i);

		if (o)
			list_add(&o->list, &first->list);
	}
	return first;
}

/* Nothing else points to them. */
static void lose_ring(struct kmem_cache *cache, unsigned long nr)
{
	ring_new(cache, nr);
}

/* ---- kept ---- */

/* The same, but one pointer to one of them is kept. */
static void keep_ring(struct kmem_cache *cache, unsigned long nr)
{
	kept_rings[kept_rings[0] != NULL] = ring_new(cache, nr);
}

static void keep_in_list(struct kmem_cache *cache, unsigned long nr)
{
	for (unsigned long i = 0; i < nr; i++) {
		struct orphan *o = orphan_new(cache, i);

		if (o)
			list_add(&o->list, &kept_list);
	}
}

static void keep_in_hash(struct kmem_cache *cache, unsigned long nr)
{
	for (unsigned long i = 0; i < nr; i++) {
		struct orphan *o = orphan_new(cache, i);

		if (o)
			hash_add(kept_hash, &o->hash, i);
	}
}

static void keep_in_tree(struct kmem_cache *cache, unsigned long nr)
{
	for (unsigned long i = 0; i < nr; i++) {
		struct orphan *o = orphan_new(cache, i);
		struct rb_node **at = &kept_tree.rb_node, *parent = NULL;

		while (o && *at) {
			parent = *at;
			at = &parent->rb_right;
		}
		if (!o)
			continue;
		rb_link_node(&o->rb, parent, at);
		rb_insert_color(&o->rb, &kept_tree);
	}
}

static void keep_in_xarray(struct kmem_cache *cache, unsigned long nr)
{
	static unsigned long index;

	for (unsigned long i = 0; i < nr; i++)
		xa_store(&kept_xarray, index++ * 7, orphan_new(cache, i), GFP_KERNEL);
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 1, 0)
static void keep_in_maple_tree(struct kmem_cache *cache, unsigned long nr)
{
	static DEFINE_MTREE(kept_maple);
	static unsigned long index;

	for (unsigned long i = 0; i < nr; i++)
		mtree_store(&kept_maple, index++ * 7, orphan_new(cache, i), GFP_KERNEL);
}

#else
#define keep_in_maple_tree keep_in_xarray
#endif

static void keep_per_cpu(struct kmem_cache *cache, unsigned long nr)
{
	for (unsigned long i = 0; i < nr; i++) {
		struct orphan *o = orphan_new(cache, i);

		if (o)
			list_add(&o->list, per_cpu_ptr(&kept_percpu, i % num_online_cpus()));
	}
}

/* Pointers into the middle of the objects, in memory of vmalloc. */
static void keep_inner_pointers(struct kmem_cache *cache, unsigned long nr)
{
	void **kept = vzalloc(nr * 16 * sizeof(void *));

	for (unsigned long i = 0; kept && i < nr; i++) {
		struct orphan *o = orphan_new(cache, i);

		kept[i * 16] = o ? (char *)o + 41 : NULL;
	}
}

static int stack_run(void *arg)
{
	struct stack_request *request = arg;
	void *kept[ON_A_STACK] = {};

	for (unsigned long i = 0; i < request->nr; i++)
		kept[i] = orphan_new(request->cache, i);
	while (!kthread_should_stop()) {
		barrier_data(kept);
		msleep(1000);
	}
	return 0;
}

static void keep_on_stack(struct kmem_cache *cache, unsigned long nr)
{
	struct stack_request *request = kmalloc(sizeof(*request), GFP_KERNEL);

	if (!request)
		return;
	request->cache = cache;
	request->nr = nr < ON_A_STACK ? nr : ON_A_STACK;
	kthread_run(stack_run, request, "orphan_stack");
}

static void rcu_done(struct rcu_head *head)
{
}

/* They wait for RCU for ever, because orphans_init() never leaves its critical section. */
static void keep_by_rcu(struct kmem_cache *cache, unsigned long nr)
{
	for (unsigned long i = 0; i < nr; i++) {
		struct orphan *o = orphan_new(cache, i);

		if (o)
			call_srcu(&kept_srcu, &o->rcu, rcu_done);
	}
}

/* ---- all of them ---- */

static const struct kind {
	const char *name;
	size_t size;
	void (*make)(struct kmem_cache *cache, unsigned long nr);
	bool lost;
} kinds[] = {
	{"orphan_lost_64", 64, lose, true},      {"orphan_lost_192", 192, lose, true},
	{"orphan_lost_1k", 1024, lose, true},    {"orphan_ring", 64, lose_ring, true},
	{"orphan_kept_ring", 64, keep_ring},     {"orphan_list", 64, keep_in_list},
	{"orphan_hash", 64, keep_in_hash},       {"orphan_rb", 64, keep_in_tree},
	{"orphan_xarray", 1024, keep_in_xarray}, {"orphan_maple", 192, keep_in_maple_tree},
	{"orphan_percpu", 192, keep_per_cpu},    {"orphan_inner", 192, keep_inner_pointers},
	{"orphan_stack", 64, keep_on_stack},     {"orphan_rcu", 64, keep_by_rcu},
};

/* A constructor keeps the kernel from merging a cache with another. */
static void orphan_construct(void *object)
{
	((struct orphan *)object)->number = 0;
}

static struct kmem_cache *orphan_cache(const char *name, size_t size)
{
	return kmem_cache_create(name, size, 0, 0, orphan_construct);
}

static int __init orphans_init(void)
{
	struct kmem_cache *mixed = orphan_cache("orphan_mixed", 96);
	int cpu;

	if (!mixed || srcu_read_lock(&kept_srcu) < 0)
		return -ENOMEM;
	for_each_possible_cpu(cpu) INIT_LIST_HEAD(per_cpu_ptr(&kept_percpu, cpu));
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct kmem_cache *cache = orphan_cache(kinds[i].name, kinds[i].size);

		if (!cache)
			return -ENOMEM;
		kinds[i].make(cache, OBJECTS);
		if (kinds[i].make == lose)
			continue;
		kinds[i].make(mixed, OF_EACH);
		if (!kinds[i].lost)
			lose(mixed, OF_EACH);
	}
	return 0;
}

module_init(orphans_init);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("leaks some objects and keeps others");
