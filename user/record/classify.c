// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tables of kernel functions by the purpose of their allocations, and the lookup in them. The names
 * cover kernels 5.10 to 7.3. To classify another kind of memory, add a row. See classify.h.
 */
#include "record/classify.h"

#include <string.h>

#include "data/class.h"

/* A function name; a '*' at the end matches any rest. */
struct rule {
	const char *function;
	enum pool pool;
	const char *class_;
};

/* Pages (mm_page_alloc). The order does not matter: the innermost frame that has a rule decides. */
static const struct rule page_rules[] = {
	/* page tables */
	{"pte_alloc_one", POOL_PAGETABLE, "pte"},
	{"__pte_alloc", POOL_PAGETABLE, "pte"},
	{"pmd_alloc_one", POOL_PAGETABLE, "pmd"},
	{"__pmd_alloc", POOL_PAGETABLE, "pmd"},
	{"pud_alloc_one", POOL_PAGETABLE, "pud"},
	{"__pud_alloc", POOL_PAGETABLE, "pud"},
	{"__p4d_alloc", POOL_PAGETABLE, "p4d"},
	{"pgd_alloc", POOL_PAGETABLE, "pgd"},
	{"_pgd_alloc", POOL_PAGETABLE, "pgd"},
	{"__pgd_alloc", POOL_PAGETABLE, "pgd"},
	{"mm_init", POOL_PAGETABLE, "pgd"}, /* if pgd_alloc is inlined */
	{"pte_alloc_one_kernel", POOL_PAGETABLE, "kernel"},
	{"__pte_alloc_one_kernel", POOL_PAGETABLE, "kernel"},
	{"__pte_alloc_kernel", POOL_PAGETABLE, "kernel"},
	{"alloc_pte_page", POOL_PAGETABLE, "kernel"},
	{"alloc_pmd_page", POOL_PAGETABLE, "kernel"},
	{"populate_pmd", POOL_PAGETABLE, "kernel"},
	{"populate_pgd", POOL_PAGETABLE, "kernel"},
	{"__split_large_page", POOL_PAGETABLE, "kernel"},
	{"split_large_page", POOL_PAGETABLE, "kernel"},
	{"__change_page_attr*", POOL_PAGETABLE, "kernel"},
	{"pti_user_pagetable_walk*", POOL_PAGETABLE, "kernel"},
	{"mmu_memory_cache_alloc_obj", POOL_PAGETABLE, "kvm"},
	{"__kvm_mmu_topup_memory_cache", POOL_PAGETABLE, "kvm"},
	{"kvm_mmu_topup_memory_cache", POOL_PAGETABLE, "kvm"},
	{"mmu_topup_memory_caches", POOL_PAGETABLE, "kvm"},
	{"tdp_mmu_*", POOL_PAGETABLE, "kvm"},
	{"kvm_tdp_mmu_*", POOL_PAGETABLE, "kvm"},
	{"kvm_mmu_*", POOL_PAGETABLE, "kvm"},
	{"iommu_alloc_pages*", POOL_PAGETABLE, "iommu"},
	{"alloc_pgtable_page", POOL_PAGETABLE, "iommu"},
	/* pages that back other pools */
	{"allocate_slab", POOL_PAGE, "slab-backing"},
	{"alloc_slab_page", POOL_PAGE, "slab-backing"},
	{"new_slab", POOL_PAGE, "slab-backing"},
	{"___slab_alloc", POOL_PAGE, "slab-backing"},
	{"__slab_alloc", POOL_PAGE, "slab-backing"},
	{"cache_grow_begin", POOL_PAGE, "slab-backing"},
	{"refill_sheaf", POOL_PAGE, "slab-backing"},
	{"refill_objects", POOL_PAGE, "slab-backing"},
	{"kmem_cache_alloc*", POOL_PAGE, "slab-backing"},
	{"__kmem_cache_alloc*", POOL_PAGE, "slab-backing"},
	{"kmem_cache_prefill_sheaf", POOL_PAGE, "slab-backing"},
	{"kmalloc_*", POOL_PAGE, "slab-backing"},
	{"___kmalloc_large_node", POOL_PAGE, "slab-backing"},
	{"__kmalloc*", POOL_PAGE, "slab-backing"},
	{"vm_area_alloc_pages", POOL_PAGE, "vmalloc-backing"},
	{"__vmalloc_area_node", POOL_PAGE, "vmalloc-backing"},
	{"__vmalloc_node*", POOL_PAGE, "vmalloc-backing"},
	{"pcpu_alloc*", POOL_PAGE, "percpu-backing"},
	{"pcpu_populate_chunk", POOL_PAGE, "percpu-backing"},
	{"pcpu_balance_populated", POOL_PAGE, "percpu-backing"},
	{"pcpu_balance_workfn", POOL_PAGE, "percpu-backing"},
	{"alloc_thread_stack_node", POOL_PAGE, "kstack-backing"},
	{"dup_task_struct", POOL_PAGE, "kstack-backing"},
	/*
	 * user memory and the page cache: on the LRU lists, or in /proc/meminfo lines of their own
	 */
	{"__filemap_get_folio*", POOL_PAGE, "page-cache"},
	{"filemap_alloc_folio*", POOL_PAGE, "page-cache"},
	{"filemap_fault", POOL_PAGE, "page-cache"},
	{"filemap_get_pages", POOL_PAGE, "page-cache"},
	{"__page_cache_alloc", POOL_PAGE, "page-cache"},
	{"page_cache_ra_*", POOL_PAGE, "page-cache"},
	{"do_page_cache_ra", POOL_PAGE, "page-cache"},
	{"pagecache_get_page", POOL_PAGE, "page-cache"},
	{"grab_cache_page_write_begin", POOL_PAGE, "page-cache"},
	{"do_read_cache_*", POOL_PAGE, "page-cache"},
	{"shmem_alloc_*", POOL_PAGE, "page-cache"},
	{"shmem_get_folio_gfp", POOL_PAGE, "page-cache"},
	{"do_anonymous_page", POOL_PAGE, "user"},
	{"alloc_anon_folio", POOL_PAGE, "user"},
	{"vma_alloc_*", POOL_PAGE, "user"},
	{"alloc_pages_vma", POOL_PAGE, "user"},
	{"wp_page_copy", POOL_PAGE, "user"},
	{"do_cow_fault", POOL_PAGE, "user"},
	{"do_swap_page", POOL_PAGE, "user"},
	{"__read_swap_cache_async", POOL_PAGE, "user"},
	{"alloc_migration_target*", POOL_PAGE, "user"},
	{"alloc_misplaced_dst_*", POOL_PAGE, "user"},
	{"alloc_buddy_hugetlb_folio*", POOL_PAGE, "hugetlb"},
	{"alloc_fresh_hugetlb_*", POOL_PAGE, "hugetlb"},
	{"alloc_fresh_huge_page", POOL_PAGE, "hugetlb"},
	{"only_alloc_fresh_hugetlb_folio*", POOL_PAGE, "hugetlb"},
	{"alloc_zspage", POOL_PAGE, "zswap"},
	{"zs_malloc", POOL_PAGE, "zswap"},
	/* pages that no line of /proc/meminfo shows */
	{"pipe_write", POOL_PAGE, "pipe"},
	{"anon_pipe_write", POOL_PAGE, "pipe"},
	{"anon_pipe_get_page", POOL_PAGE, "pipe"},
	{"anon_pipe_prefill_and_lock", POOL_PAGE, "pipe"},
	{"append_pipe", POOL_PAGE, "pipe"},
	{"push_pipe", POOL_PAGE, "pipe"},
	{"copy_splice_read", POOL_PAGE, "pipe"},
	{"packet_set_ring", POOL_PAGE, "packet-ring"},
	{"alloc_one_pg_vec_page", POOL_PAGE, "packet-ring"},
	{"alloc_pg_vec", POOL_PAGE, "packet-ring"},
	{"skb_page_frag_refill", POOL_PAGE, "net"},
	{"sk_page_frag_refill", POOL_PAGE, "net"},
	{"__page_frag_cache_refill", POOL_PAGE, "net"},
	{"page_frag_alloc*", POOL_PAGE, "net"},
	{"__page_frag_alloc*", POOL_PAGE, "net"},
	{"alloc_skb_with_frags", POOL_PAGE, "net"},
	{"page_pool_*", POOL_PAGE, "net"},
	{"__page_pool_*", POOL_PAGE, "net"},
	{"balloon_page_alloc", POOL_PAGE, "balloon"},
	{"fill_balloon", POOL_PAGE, "balloon"},
	{"vmballoon_*", POOL_PAGE, "balloon"},
	{"alloc_balloon_pages", POOL_PAGE, "balloon"},
	{"get_free_page_and_send", POOL_PAGE, "balloon"},
	{"bpf_map_alloc_pages", POOL_PAGE, "bpf"},
	{"bpf_map_area_alloc", POOL_PAGE, "bpf"},
	{"__bpf_map_area_alloc", POOL_PAGE, "bpf"},
	{"bpf_ringbuf_alloc", POOL_PAGE, "bpf"},
	{"bpf_ringbuf_area_alloc", POOL_PAGE, "bpf"},
	{"bpf_prog_alloc*", POOL_PAGE, "bpf"},
	{"bpf_prog_load", POOL_PAGE, "bpf"},
	{"arena_*", POOL_PAGE, "bpf"},
	{"map_create", POOL_PAGE, "bpf"},
	{"perf_mmap*", POOL_PAGE, "perf"},
	{"rb_alloc", POOL_PAGE, "perf"},
	{"rb_alloc_aux*", POOL_PAGE, "perf"},
	{"rb_allocate_*", POOL_PAGE, "tracing"},
	{"__rb_allocate_pages", POOL_PAGE, "tracing"},
	{"ring_buffer_resize", POOL_PAGE, "tracing"},
	{"io_mem_alloc*", POOL_PAGE, "io_uring"},
	{"io_pages_map", POOL_PAGE, "io_uring"},
	{"io_create_region*", POOL_PAGE, "io_uring"},
	{"io_region_*", POOL_PAGE, "io_uring"},
	{"dma_direct_alloc*", POOL_PAGE, "dma"},
	{"__dma_direct_alloc_pages*", POOL_PAGE, "dma"},
	{"dma_alloc_*", POOL_PAGE, "dma"},
	{"blk_mq_alloc_rqs", POOL_PAGE, "block"},
	{"mempool_alloc_pages", POOL_PAGE, "block"},
	{"tlb_next_batch", POOL_PAGE, "tlb"},
	{"tlb_remove_table*", POOL_PAGE, "tlb"},
	{"__tlb_remove_*", POOL_PAGE, "tlb"},
	{"__pollwait", POOL_PAGE, "poll"},
};

/* Areas that own pages: __vmalloc_node_range() is in the stack. */
static const struct rule vmalloc_rules[] = {
	{"pcpu_mem_zalloc", POOL_VMALLOC, "vmalloc"}, /* what a chunk needs besides its pages */
	{"load_module", POOL_VMALLOC, "module"},
	{"module_memory_alloc", POOL_VMALLOC, "module"},
	{"layout_and_allocate", POOL_VMALLOC, "module"},
	{"move_module", POOL_VMALLOC, "module"},
	{"bpf_map_area_alloc", POOL_VMALLOC, "bpf"},
	{"__bpf_map_area_alloc", POOL_VMALLOC, "bpf"},
	{"bpf_jit_*", POOL_VMALLOC, "bpf"},
	{"bpf_int_jit_compile", POOL_VMALLOC, "bpf"},
	{"bpf_prog_*", POOL_VMALLOC, "bpf"},
	{"bpf_patch_insn_*", POOL_VMALLOC, "bpf"},
	{"bpf_check", POOL_VMALLOC, "bpf"},
	{"map_create", POOL_VMALLOC, "bpf"},
};

/*
 * Functions that ask vmalloc for thread stacks. A fork makes its other allocations through other
 * functions.
 */
static const struct rule thread_rules[] = {
	{"alloc_thread_stack_node", POOL_VMALLOC, "thread"},
	{"dup_task_struct", POOL_VMALLOC, "thread"},
	{"copy_process", POOL_VMALLOC, "thread"},
};

/* Areas that only map pages which something else owns. */
static const struct rule vmap_rules[] = {
	{"pcpu_get_vm_areas", POOL_VMALLOC, "percpu"},
	{"pcpu_create_chunk", POOL_VMALLOC, "percpu"},
	{"ioremap*", POOL_VMALLOC, "ioremap"},
	{"__ioremap*", POOL_VMALLOC, "ioremap"},
	{"generic_ioremap_prot", POOL_VMALLOC, "ioremap"},
	{"pci_remap_iospace", POOL_VMALLOC, "ioremap"},
};

static const struct rule kstack_rules[] = {
	{"kernel_thread", POOL_KSTACK, "kthread"},   {"create_kthread", POOL_KSTACK, "kthread"},
	{"kthreadd", POOL_KSTACK, "kthread"},        {"create_io_thread", POOL_KSTACK, "io-worker"},
	{"vhost_task_create", POOL_KSTACK, "vhost"},
};

/* A page table allocated below one of these functions maps kernel memory. */
static const struct rule kernel_mappings[] = {
	{"vmap_*", POOL_PAGETABLE, "kernel"},
	{"__vmap_*", POOL_PAGETABLE, "kernel"},
	{"ioremap_*", POOL_PAGETABLE, "kernel"},
	{"__vmalloc_node*", POOL_PAGETABLE, "kernel"},
	{"__ioremap_*", POOL_PAGETABLE, "kernel"},
	{"pcpu_*", POOL_PAGETABLE, "kernel"},
	{"vmemmap_*", POOL_PAGETABLE, "kernel"},
	{"kernel_physical_mapping_*", POOL_PAGETABLE, "kernel"},
};

#define RULES(table) table, sizeof(table) / sizeof((table)[0])

static bool name_matches(const char *symbol, const char *function)
{
	size_t n = strlen(function);

	if (function[n - 1] == '*')
		return !strncmp(symbol, function, n - 1);
	return !strcmp(symbol, function);
}

static const struct rule *rule_find(const struct rule *rules, size_t nr, const char *symbol)
{
	for (size_t i = 0; i < nr; i++)
		if (name_matches(symbol, rules[i].function))
			return &rules[i];
	return NULL;
}

/* The rule of the innermost frame that has one; *at is the frame's index. */
static const struct rule *stack_rule(const struct rule *rules, size_t nr_rules,
				     const struct classify_frame *frames, size_t nr, size_t *at)
{
	const struct rule *rule = NULL;

	for (*at = 0; *at < nr && !rule; ++*at)
		if (strcmp(frames[*at].module, "bpf") != 0) /* a BPF program can have any name */
			rule = rule_find(rules, nr_rules, frames[*at].symbol);
	return rule;
}

static bool stack_has(const char *function, const struct classify_frame *frames, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (name_matches(frames[i].symbol, function))
			return true;
	return false;
}

static bool stack_in_module(const struct classify_frame *frames, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (frames[i].module[0] && strcmp(frames[i].module, "vmlinux") != 0 &&
		    strcmp(frames[i].module, "bpf") != 0)
			return true;
	return false;
}

static void classify_page(const struct classify_frame *frames, size_t nr, struct stack_class *out)
{
	size_t at;
	const struct rule *rule = stack_rule(RULES(page_rules), frames, nr, &at);

	out->class_ = stack_in_module(frames, nr) ? "driver" : "other";
	if (!rule)
		return;
	out->pool = rule->pool;
	out->class_ = rule->class_;
	if (rule->pool == POOL_PAGETABLE &&
	    class_place(rule->pool, rule->class_) == CLASS_IN_POOL &&
	    stack_rule(RULES(kernel_mappings), frames + at, nr - at, &at))
		out->class_ = "kernel";
}

static void classify_vmalloc(const struct classify_frame *frames, size_t nr,
			     struct stack_class *out)
{
	bool pages = stack_has("__vmalloc_node*", frames, nr);
	const struct rule *rule = NULL;
	size_t first = 0, at;

	while (first < nr && classify_is_allocator(POOL_VMALLOC, frames[first].symbol))
		first++;
	if (pages && first < nr)
		rule = rule_find(RULES(thread_rules), frames[first].symbol);
	if (!rule)
		rule = pages ? stack_rule(RULES(vmalloc_rules), frames, nr, &at)
			     : stack_rule(RULES(vmap_rules), frames, nr, &at);
	out->class_ = rule ? rule->class_ : pages ? "vmalloc" : "vmap";
}

void classify_stack(enum pool traced, const struct classify_frame *frames, size_t nr,
		    struct stack_class *out)
{
	const struct rule *rule;
	size_t at;

	*out = (struct stack_class){.pool = traced, .class_ = ""};
	if (traced == POOL_PAGE) {
		classify_page(frames, nr, out);
	} else if (traced == POOL_VMALLOC) {
		classify_vmalloc(frames, nr, out);
	} else if (traced == POOL_KSTACK) {
		rule = stack_rule(RULES(kstack_rules), frames, nr, &at);
		out->class_ = rule ? rule->class_ : "user";
	}
}

bool classify_is_allocator(enum pool traced, const char *symbol)
{
	static const struct rule allocators[] = {
		{"__alloc_pages*", POOL_PAGE, ""},     {"__alloc_frozen_pages*", POOL_PAGE, ""},
		{"alloc_pages*", POOL_PAGE, ""},       {"alloc_frozen_pages*", POOL_PAGE, ""},
		{"__get_free_page*", POOL_PAGE, ""},   {"get_free_pages*", POOL_PAGE, ""},
		{"get_zeroed_page*", POOL_PAGE, ""},   {"__folio_alloc*", POOL_PAGE, ""},
		{"folio_alloc*", POOL_PAGE, ""},       {"__alloc_contig*", POOL_PAGE, ""},
		{"alloc_vmap_area", POOL_VMALLOC, ""}, {"__get_vm_area_node", POOL_VMALLOC, ""},
		{"get_vm_area*", POOL_VMALLOC, ""},    {"__get_vm_area*", POOL_VMALLOC, ""},
		{"__vmalloc*", POOL_VMALLOC, ""},      {"vmalloc*", POOL_VMALLOC, ""},
		{"vzalloc*", POOL_VMALLOC, ""},        {"kvmalloc*", POOL_VMALLOC, ""},
		{"__kvmalloc*", POOL_VMALLOC, ""},     {"pcpu_alloc*", POOL_PERCPU, ""},
		{"__alloc_percpu*", POOL_PERCPU, ""},  {"alloc_percpu*", POOL_PERCPU, ""},
	};
	const struct rule *rule = rule_find(RULES(allocators), symbol);

	return rule && rule->pool == traced;
}
