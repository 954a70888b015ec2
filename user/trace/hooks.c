// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of hooks: which program sees which kernel event, and what the report loses without it.
 * To trace another event, add a row. See hooks.h.
 */
#include "trace/hooks.h"

#include <string.h>

#define COST_FREES   "frees of slab objects are not traced"
#define COST_KMALLOC "objects from kmalloc() are not traced"
#define COST_CACHES  "objects of named caches are not traced"
#define COST_AUDIT \
	"objects freed without an event look held; if there are many, the result is unreliable"
#define COST_BULK(which) "only the audit finds frees " which
#define COST_ALLOC_BULK  "objects allocated in bulk are only counted per cache, from slabinfo"
#define COST_RCU         "objects that wait in kfree_rcu() look like objects in use until they are freed"
#define COST_VMALLOC     "vmalloc is known only from the change of /proc/vmallocinfo, by caller"
#define COST_PERCPU      "per-CPU memory is known only as the level of Percpu"
#define COST_KSTACK      "kernel stacks are known only by process, not by who created them"
#define COST_PAGE        "page tables and other pages are known only as levels"
#define COST_PTE         "if functions have no names, only the audit finds page tables"
#define COST_TASKS       "the report cannot show which processes hold kernel stacks and page tables"

#define TRACEPOINT  .how = "raw_tp"
#define NAMES_CACHE .typed_arg = 2, .type = "kmem_cache"

/*
 * Rows with the same name are variants of one event, or alternatives for the same purpose: the
 * first that fits is used.
 */
const struct hook_def hook_defs[] = {
	{"kmem:kfree", "slab_kfree", POOL_SLAB, EVENT_KFREE, 2, COST_FREES, TRACEPOINT,
	 .frees = true, .required = true},
	{"kmem:kmem_cache_free", "slab_kmem_cache_free", POOL_SLAB, EVENT_KMEM_CACHE_FREE, 2,
	 COST_FREES, TRACEPOINT, .frees = true, .required = true},
	{"kmem:kmalloc", "slab_kmalloc_cache", POOL_SLAB, EVENT_KMALLOC, 6, COST_KMALLOC,
	 TRACEPOINT, NAMES_CACHE, .required = true},
	{"kmem:kmalloc", "slab_kmalloc_event", POOL_SLAB, EVENT_KMALLOC, 5, COST_KMALLOC,
	 TRACEPOINT, .required = true},
	{"kmem:kmalloc_node", "slab_kmalloc_node_cache", POOL_SLAB, EVENT_KMALLOC_NODE, 7,
	 COST_KMALLOC, TRACEPOINT, NAMES_CACHE, .legacy = true},
	{"kmem:kmalloc_node", "slab_kmalloc_node", POOL_SLAB, EVENT_KMALLOC_NODE, 6, COST_KMALLOC,
	 TRACEPOINT, .legacy = true},
	{"kmem:kmem_cache_alloc", "slab_kmem_cache_alloc", POOL_SLAB, EVENT_KMEM_CACHE_ALLOC, 5,
	 COST_CACHES, TRACEPOINT, NAMES_CACHE, .required = true},
	{"kmem:kmem_cache_alloc", "slab_kmem_cache_alloc_old", POOL_SLAB, EVENT_KMEM_CACHE_ALLOC, 5,
	 COST_CACHES, TRACEPOINT, .required = true},
	{"kmem:kmem_cache_alloc_node", "slab_kmem_cache_alloc_node", POOL_SLAB,
	 EVENT_KMEM_CACHE_ALLOC_NODE, 6, COST_CACHES, TRACEPOINT, NAMES_CACHE, .legacy = true},
	{"kmem:kmem_cache_alloc_node", "slab_kmem_cache_alloc_node_old", POOL_SLAB,
	 EVENT_KMEM_CACHE_ALLOC_NODE, 6, COST_CACHES, TRACEPOINT, .legacy = true},
	{"liveness audit", "audit_verify", POOL_SLAB, EVENT_KMEM_CACHE_ALLOC, 5, COST_AUDIT,
	 .how = HOW_TEST_RUN, NAMES_CACHE},
	{"liveness audit", "audit_verify", POOL_SLAB, EVENT_PAGE_ALLOC, 4, COST_AUDIT,
	 .how = HOW_TEST_RUN},
	{"rcu:rcu_invoke_kfree_bulk_callback", "slab_rcu_kfree_bulk", POOL_SLAB,
	 EVENT_RCU_KFREE_BULK, 3, COST_BULK("by kfree_rcu()"), TRACEPOINT},
	{"kmem_cache_free_bulk", "slab_free_bulk", POOL_SLAB, EVENT_FREE_BULK, 3,
	 COST_BULK("in bulk"), .how = HOW_FENTRY},
	{"kvfree_call_rcu", "slab_call_rcu", POOL_SLAB, EVENT_CALL_RCU, 2, COST_RCU,
	 .how = HOW_FENTRY},
	{"kmem_cache_alloc_bulk", "slab_alloc_bulk", POOL_SLAB, EVENT_ALLOC_BULK, 4,
	 COST_ALLOC_BULK, .how = HOW_FEXIT},
	{"vmalloc:free_vmap_area_noflush", "vmalloc_free", POOL_VMALLOC, EVENT_FREE_VMAP_AREA, 1,
	 COST_VMALLOC, TRACEPOINT, .frees = true},
	{"vmalloc:alloc_vmap_area", "vmalloc_alloc", POOL_VMALLOC, EVENT_ALLOC_VMAP_AREA, 6,
	 COST_VMALLOC, TRACEPOINT},
	{"percpu:percpu_free_percpu", "percpu_free", POOL_PERCPU, EVENT_PERCPU_FREE, 3, COST_PERCPU,
	 TRACEPOINT, .frees = true},
	{"percpu:percpu_alloc_percpu", "percpu_alloc", POOL_PERCPU, EVENT_PERCPU_ALLOC, 10,
	 COST_PERCPU, TRACEPOINT},
	{"percpu:percpu_alloc_percpu", "percpu_alloc_old", POOL_PERCPU, EVENT_PERCPU_ALLOC, 7,
	 COST_PERCPU, TRACEPOINT},
	{"sched:sched_process_exit", "kstack_free", POOL_KSTACK, EVENT_PROCESS_EXIT, 1, COST_KSTACK,
	 TRACEPOINT, .frees = true},
	{"task:task_newtask", "kstack_alloc", POOL_KSTACK, EVENT_TASK_NEWTASK, 2, COST_KSTACK,
	 TRACEPOINT},
	{"kmem:mm_page_free", "page_free", POOL_PAGE, EVENT_PAGE_FREE, 2, COST_PAGE, TRACEPOINT,
	 .frees = true},
	{"kmem:mm_page_alloc", "page_alloc", POOL_PAGE, EVENT_PAGE_ALLOC, 4, COST_PAGE, TRACEPOINT},
	{"pte_alloc_one", "page_is_pte", POOL_PAGETABLE, EVENT_PTE_ALLOC_ONE, 1, COST_PTE,
	 .how = HOW_FEXIT},
	{"iter/task", "tasks_dump", POOL_KSTACK, EVENT_ITER_TASK, 1, COST_TASKS, .how = HOW_ITER},
	{0},
};

bool hook_is_attached(const struct hook_def *def)
{
	return strcmp(def->how, HOW_TEST_RUN) && strcmp(def->how, HOW_ITER);
}

bool hook_is_function(const struct hook_def *def)
{
	return !strcmp(def->how, HOW_FENTRY) || !strcmp(def->how, HOW_FEXIT);
}
