// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a stack says about its memory, and levels by process. What a user would lose: bytes would be
 * counted twice, or under a misleading name.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "data/class.h"
#include "record/classify.h"
#include "trace/plan.h"
#include "trace/tasks.h"

/* Taken from captures; "symbol[module] < …", innermost first, normalised. */
static const struct {
	const char *kernel;
	enum pool traced;
	const char *stack;
	enum pool pool;
	const char *class_;
	enum class_place place;
} known[] = {
	{"6.18", POOL_PAGE,
	 "__alloc_frozen_pages < alloc_pages_mpol < alloc_pages < pte_alloc_one < __pte_alloc < "
	 "do_anonymous_page < __handle_mm_fault < handle_mm_fault < exc_page_fault",
	 POOL_PAGETABLE, "pte", CLASS_IN_POOL},
	{"6.18", POOL_PAGE,
	 "__alloc_frozen_pages < alloc_pages_mpol < alloc_pages < __pmd_alloc < __handle_mm_fault "
	 "< "
	 "handle_mm_fault < __get_user_pages < get_user_pages_remote < get_arg_page < "
	 "copy_string_kernel",
	 POOL_PAGETABLE, "pmd", CLASS_IN_POOL},
	{"6.18", POOL_PAGE,
	 "__alloc_frozen_pages < alloc_pages_mpol < alloc_pages < __pud_alloc < __handle_mm_fault "
	 "< "
	 "handle_mm_fault < exc_page_fault < elf_load < load_elf_binary < bprm_execve",
	 POOL_PAGETABLE, "pud", CLASS_IN_POOL},
	{"6.12", POOL_PAGE,
	 "__alloc_pages < alloc_pages_mpol < __p4d_alloc < alloc_new_pud < move_page_tables < "
	 "relocate_vma_down < setup_arg_pages < load_elf_binary < bprm_execve",
	 POOL_PAGETABLE, "p4d", CLASS_IN_POOL},
	{"6.12", POOL_PAGE,
	 "__alloc_pages < alloc_pages_mpol < get_free_pages < pgd_alloc < mm_init < alloc_bprm < "
	 "do_execveat_common < __x64_sys_execve",
	 POOL_PAGETABLE, "pgd", CLASS_IN_POOL},
	{"6.18", POOL_PAGE,
	 "__alloc_frozen_pages < alloc_pages_mpol < alloc_pages < get_free_pages < packet_set_ring "
	 "< "
	 "packet_setsockopt < do_sock_setsockopt < __sys_setsockopt",
	 POOL_PAGE, "packet-ring", CLASS_IN_POOL},
	{"6.18", POOL_PAGE,
	 "__alloc_frozen_pages < alloc_pages_mpol < alloc_pages < anon_pipe_write < vfs_write < "
	 "ksys_write",
	 POOL_PAGE, "pipe", CLASS_IN_POOL},
	{"6.12", POOL_PAGE,
	 "__alloc_pages < alloc_pages_mpol < pipe_write < vfs_write < ksys_write", POOL_PAGE,
	 "pipe", CLASS_IN_POOL},
	{"6.18", POOL_PAGE,
	 "__alloc_frozen_pages < alloc_pages_mpol < alloc_pages < skb_page_frag_refill < "
	 "sk_page_frag_refill < tcp_sendmsg_locked < tcp_sendmsg < __sys_sendto",
	 POOL_PAGE, "net", CLASS_IN_POOL},
	{"6.18", POOL_PAGE,
	 "__alloc_frozen_pages < alloc_pages_mpol < alloc_pages < get_free_pages < "
	 "tlb_remove_table < "
	 "free_pgd_range < free_pgtables < exit_mmap < __mmput < do_exit",
	 POOL_PAGE, "tlb", CLASS_IN_POOL},
	{"6.18", POOL_PAGE,
	 "__alloc_frozen_pages < alloc_pages_mpol < allocate_slab < ___slab_alloc < "
	 "kmem_cache_alloc < "
	 "getname_flags < do_sys_openat2",
	 POOL_PAGE, "slab-backing", CLASS_OUTSIDE},
	{"6.18", POOL_PAGE,
	 "__alloc_frozen_pages < alloc_pages_mpol < ___kmalloc_large_node < __kmalloc_large_node < "
	 "__kmalloc < alloc_pipe_info < create_pipe_files",
	 POOL_PAGE, "slab-backing", CLASS_OUTSIDE},
	{"5.10", POOL_PAGE,
	 "__alloc_pages_nodemask < __vmalloc_node_range < __vmalloc_node < copy_process < "
	 "kernel_clone",
	 POOL_PAGE, "vmalloc-backing", CLASS_OUTSIDE},
	/* the page tables of a vmalloc area are page tables, not its pages */
	{"6.18", POOL_PAGE,
	 "__alloc_frozen_pages < alloc_pages_mpol < alloc_pages < pte_alloc_one_kernel < "
	 "__pte_alloc_kernel < vmap_small_pages_range_noflush < __vmalloc_node_range < vmalloc",
	 POOL_PAGETABLE, "kernel", CLASS_IN_POOL},
	{"6.18", POOL_PAGE,
	 "__alloc_frozen_pages < alloc_pages_mpol < alloc_pages < __pmd_alloc < "
	 "vmap_small_pages_range_noflush < __vmalloc_node_range < vmalloc",
	 POOL_PAGETABLE, "kernel", CLASS_IN_POOL},
	{"6.18", POOL_PAGE,
	 "__alloc_frozen_pages < alloc_pages_mpol < alloc_pages < pcpu_populate_chunk < pcpu_alloc "
	 "< "
	 "bpf_map_alloc_percpu < array_map_alloc",
	 POOL_PAGE, "percpu-backing", CLASS_OUTSIDE},
	{"6.18", POOL_PAGE,
	 "__alloc_frozen_pages < alloc_pages_mpol < alloc_pages < mmu_memory_cache_alloc_obj < "
	 "__kvm_mmu_topup_memory_cache < mmu_topup_memory_caches[kvm] < direct_page_fault[kvm]",
	 POOL_PAGETABLE, "kvm", CLASS_SECONDARY},
	{"6.18", POOL_PAGE,
	 "__alloc_frozen_pages < alloc_pages_mpol < alloc_pages < ring_open[mydev] < vfs_open",
	 POOL_PAGE, "driver", CLASS_IN_POOL},
	{"6.18", POOL_PAGE,
	 "__alloc_frozen_pages < alloc_pages_mpol < alloc_pages < proc_pid_cmdline_read < vfs_read",
	 POOL_PAGE, "other", CLASS_IN_POOL},
	/* the name of a program is chosen by its author */
	{"6.18", POOL_PAGE, "__alloc_frozen_pages < alloc_pages < pipe_write[bpf] < do_syscall_64",
	 POOL_PAGE, "other", CLASS_IN_POOL},
	{"6.18", POOL_VMALLOC,
	 "alloc_vmap_area < __get_vm_area_node < __vmalloc_node_range < __vmalloc_node < "
	 "copy_process < "
	 "kernel_clone < __do_sys_clone3",
	 POOL_VMALLOC, "thread", CLASS_SHARED},
	{"5.10", POOL_VMALLOC,
	 "alloc_vmap_area < __get_vm_area_node < __vmalloc_node_range < alloc_thread_stack_node < "
	 "copy_process < kernel_clone",
	 POOL_VMALLOC, "thread", CLASS_SHARED},
	/* a fork's table of files is no stack */
	{"6.18", POOL_VMALLOC,
	 "alloc_vmap_area < __get_vm_area_node < __vmalloc_node_range < __kvmalloc_node < "
	 "alloc_fdtable < "
	 "dup_fd < copy_process < kernel_clone",
	 POOL_VMALLOC, "vmalloc", CLASS_IN_POOL},
	{"6.18", POOL_VMALLOC,
	 "alloc_vmap_area < __get_vm_area_node < __vmalloc_node_range < __bpf_map_area_alloc < "
	 "array_map_alloc < map_create < __sys_bpf",
	 POOL_VMALLOC, "bpf", CLASS_IN_POOL},
	{"6.18", POOL_VMALLOC,
	 "alloc_vmap_area < __get_vm_area_node < __vmalloc_node_range < execmem_vmalloc < "
	 "execmem_alloc < module_memory_alloc < load_module < init_module_from_file",
	 POOL_VMALLOC, "module", CLASS_IN_POOL},
	{"6.18", POOL_VMALLOC,
	 "alloc_vmap_area < __get_vm_area_node < get_vm_area_caller < vmap < bpf_ringbuf_alloc < "
	 "map_create",
	 POOL_VMALLOC, "vmap", CLASS_OUTSIDE},
	{"6.18", POOL_VMALLOC,
	 "alloc_vmap_area < __get_vm_area_node < get_vm_area < arena_map_alloc < map_create",
	 POOL_VMALLOC, "vmap", CLASS_OUTSIDE},
	{"6.18", POOL_VMALLOC,
	 "alloc_vmap_area < __get_vm_area_node < get_vm_area_caller < __ioremap_caller < "
	 "pci_iomap_range",
	 POOL_VMALLOC, "ioremap", CLASS_OUTSIDE},
	{"6.18", POOL_VMALLOC,
	 "alloc_vmap_area < pcpu_get_vm_areas < pcpu_create_chunk < pcpu_balance_workfn",
	 POOL_VMALLOC, "percpu", CLASS_OUTSIDE},
	{"6.18", POOL_VMALLOC,
	 "alloc_vmap_area < __get_vm_area_node < __vmalloc_node_range < __vmalloc_node < "
	 "pcpu_mem_zalloc < pcpu_create_chunk < pcpu_balance_workfn < process_one_work",
	 POOL_VMALLOC, "vmalloc", CLASS_IN_POOL},
	{"6.18", POOL_KSTACK, "copy_process < kernel_clone < __do_sys_clone3", POOL_KSTACK, "user",
	 CLASS_IN_POOL},
	{"6.18", POOL_KSTACK,
	 "copy_process < kernel_clone < kernel_thread < kthreadd < ret_from_fork", POOL_KSTACK,
	 "kthread", CLASS_IN_POOL},
	{"6.18", POOL_PERCPU, "bpf_map_alloc_percpu < array_map_alloc", POOL_PERCPU, "",
	 CLASS_IN_POOL},
	{"6.18", POOL_SLAB, "alloc_pipe_info < create_pipe_files", POOL_SLAB, "", CLASS_IN_POOL},
	{"any", POOL_PAGE, "", POOL_PAGE, "other", CLASS_IN_POOL},
};

/* Split a stack in place. */
static size_t frames_of(char *text, struct classify_frame *frames)
{
	size_t nr = 0;

	for (char *save = NULL, *f = strtok_r(text, " <", &save); f;
	     f = strtok_r(NULL, " <", &save)) {
		char *module = strchr(f, '[');

		frames[nr] = (struct classify_frame){f, "vmlinux"};
		if (module) {
			*module = '\0';
			module[strlen(module + 1)] = '\0';
			frames[nr].module = module + 1;
		}
		nr++;
	}
	return nr;
}

static void each_stack_has_one_pool_and_class(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct classify_frame frames[64];
		struct stack_class class_;
		char text[512];

		snprintf(text, sizeof(text), "%s", known[i].stack);
		classify_stack(known[i].traced, frames, frames_of(text, frames), &class_);
		if (class_.pool != known[i].pool || strcmp(class_.class_, known[i].class_) != 0)
			fail_msg("%s %s: %s/%s, not %s/%s", known[i].kernel, known[i].stack,
				 pool_name(class_.pool), class_.class_, pool_name(known[i].pool),
				 known[i].class_);
		assert_int_equal(class_place(class_.pool, class_.class_), known[i].place);
		assert_true(strlen(class_.class_) < sizeof(((struct cap_held *)NULL)->class_));
	}
}

static void frames_of_the_allocator_are_removed(void **state)
{
	(void)state;
	assert_true(classify_is_allocator(POOL_PAGE, "__alloc_frozen_pages"));
	assert_true(classify_is_allocator(POOL_VMALLOC, "__vmalloc_node_range"));
	assert_false(classify_is_allocator(POOL_PAGE, "pte_alloc_one"));
	assert_false(classify_is_allocator(POOL_PAGE, "__vmalloc_node_range"));
	assert_false(classify_is_allocator(POOL_KSTACK, "copy_process"));
	assert_false(classify_is_allocator(POOL_SLAB, "alloc_pages"));
}

#define THREAD_SIZE 16384

static const struct task_level *process(const struct task_levels *levels, int tgid)
{
	for (size_t i = 0; i < levels->nr; i++)
		if (levels->items[i].tgid == tgid)
			return &levels->items[i];
	return NULL;
}

#define SERVER .mm = 0xa0, .pgtables_bytes = 40960, .cgroup = 7, .stack = 1, .comm = "server"

static void processes_hold_their_threads_stacks(void **state)
{
	static const struct kmt_task tasks[] = {
		{.pid = 2, .tgid = 2, .stack = 1, .comm = "kthreadd"},
		{.pid = 10, .tgid = 10, SERVER},
		{.pid = 11, .tgid = 10, SERVER},
		{.pid = 12, .tgid = 10, SERVER},
		/* vfork: another process in the same address space */
		{.pid = 13, .tgid = 13, SERVER},
		/* a leader that is dead while its threads live, and a zombie */
		{.pid = 20, .tgid = 20, .cgroup = 8, .comm = "leaderless"},
		{.pid = 21,
		 .tgid = 20,
		 .mm = 0xb0,
		 .pgtables_bytes = 8192,
		 .cgroup = 8,
		 .stack = 1,
		 .comm = "leaderless"},
		{.pid = 30, .tgid = 30, .cgroup = 8, .comm = "123456789012345"},
	};
	struct task_levels levels = {};
	int64_t stacks = 0, tables = 0;

	(void)state;
	assert_int_equal(tasks_sum(tasks, sizeof(tasks) / sizeof(tasks[0]), THREAD_SIZE, &levels),
			 0);
	assert_int_equal(levels.nr, 5);
	assert_int_equal(process(&levels, 10)->threads, 3);
	assert_int_equal(process(&levels, 10)->stack_bytes, 3 * THREAD_SIZE);
	assert_int_equal(process(&levels, 10)->pgtables_bytes, 40960);
	assert_int_equal(process(&levels, 10)->cgroup_id, 7);
	assert_int_equal(process(&levels, 13)->pgtables_bytes, 0);
	assert_int_equal(process(&levels, 20)->stack_bytes, THREAD_SIZE);
	assert_int_equal(process(&levels, 20)->pgtables_bytes, 8192);
	assert_int_equal(process(&levels, 30)->stack_bytes, 0);
	assert_string_equal(process(&levels, 30)->comm, "123456789012345");
	for (size_t i = 0; i < levels.nr; i++) {
		stacks += levels.items[i].stack_bytes;
		tables += levels.items[i].pgtables_bytes;
	}
	assert_int_equal(stacks, 6 * THREAD_SIZE);
	assert_int_equal(tables, 49152);
	ARRAY_FREE(&levels);
	assert_int_equal(tasks_sum(tasks, 0, THREAD_SIZE, &levels), 0);
	assert_int_equal(levels.nr, 0);
}

static const struct plan_hook *hook(const struct plan *p, const char *name)
{
	for (size_t i = 0; i < p->nr; i++)
		if (!strcmp(p->hooks[i].def->name, name))
			return &p->hooks[i];
	return NULL;
}

/* A kernel with everything that the table of hooks asks for. */
static void facts_fill(struct kernel_facts *f)
{
	memset(f, 0, sizeof(*f));
	f->audit_obstacle = "";
	f->preempt_off = true;
	f->files = RECORD_FILES;
	f->address_bytes = RECORD_ADDRESS_BYTES;
	f->data_bytes = RECORD_DATA_BYTES;
	f->sysfs = f->run_time = f->cmpxchg = f->slabinfo = true;
	f->kfunc_get_kmem_cache = f->kfunc_rdonly_cast = true;
	f->caps = ~0ull;
	for (int i = 0; i < KERNEL_EVENTS; i++) {
		f->events[i].args = EVENT_ARGS_MAX;
		strcpy(f->events[i].type[2], "kmem_cache");
	}
}

static void a_pool_is_traced_by_both_its_events_or_not_at_all(void **state)
{
	struct plan_request request = {};
	struct kernel_facts facts;
	struct plan plan;

	(void)state;
	facts_fill(&facts);
	plan_build(&facts, &request, &plan);
	assert_true(plan.can_record);
	for (size_t i = 0; i < plan.nr; i++)
		assert_true(plan.hooks[i].on);

	facts.events[EVENT_FREE_VMAP_AREA].args = -1;
	facts.events[EVENT_PERCPU_ALLOC].args = 6; /* no kernel has this */
	facts.events[EVENT_ITER_TASK].args = -1;
	plan_build(&facts, &request, &plan);
	assert_true(plan.can_record); /* slab alone is enough */
	assert_false(hook(&plan, "vmalloc:alloc_vmap_area")->on);
	assert_non_null(
		strstr(hook(&plan, "vmalloc:alloc_vmap_area")->reason, "free_vmap_area_noflush"));
	assert_false(hook(&plan, "percpu:percpu_free_percpu")->on);
	assert_false(hook(&plan, "iter/task")->on);
	assert_true(hook(&plan, "task:task_newtask")->on);
}

/* Functions are tried one by one. A refused one only costs what it would show. */
static void each_function_is_refused_by_itself(void **state)
{
	struct plan_request request = {};
	struct kernel_facts facts;
	struct plan plan;

	(void)state;
	facts_fill(&facts);
	facts.events[EVENT_ALLOC_BULK].fentry = -EPERM;
	facts.events[EVENT_CALL_RCU].args = -1;
	plan_build(&facts, &request, &plan);
	assert_true(plan.can_record);
	assert_true(hook(&plan, "kmem_cache_free_bulk")->on);
	assert_string_equal(hook(&plan, "kmem_cache_alloc_bulk")->reason,
			    "the kernel refuses fexit (Operation not permitted)");
	assert_string_equal(hook(&plan, "kvfree_call_rcu")->reason,
			    "this kernel has no function kvfree_call_rcu");
	facts.preempt_off = false;
	plan_build(&facts, &request, &plan);
	assert_true(plan.can_record);
	assert_true(hook(&plan, "kmem_cache_free_bulk")->on);
	assert_non_null(strstr(hook(&plan, "kmem_cache_alloc_bulk")->reason,
			       "turn preemption off only since 6.18"));
}

static void page_tables_come_with_pages(void **state)
{
	struct plan_request request = {.pools[POOL_PAGETABLE] = true};
	struct kernel_facts facts;
	struct plan plan;

	(void)state;
	facts_fill(&facts);
	plan_build(&facts, &request, &plan);
	assert_non_null(hook(&plan, "kmem:mm_page_alloc"));
	assert_null(hook(&plan, "kmem:kfree"));
}

/* Each obstacle is reported under its own name and with its own remedy, never as another one. */
static void a_refusal_names_what_is_in_the_way(void **state)
{
	struct kernel_facts facts, t[] = {
					   {.proc = -ENOENT},
					   {.meminfo = -EACCES},
					   {.meminfo = -ENODATA},
					   {.files = 40},
					   {.address_bytes = 20 << 20},
					   {.data_bytes = 12 << 20},
					   {.btf = -ENOENT},
					   {.btf = -ENOENT, .sysfs = true},
					   {.btf = -ENOMEM, .sysfs = true},
					   {.btf = -EINVAL, .sysfs = true},
					   {.btf = -EINVAL, .btf_path = "text.txt", .sysfs = true},
					   {.btf = -ENOENT, .btf_path = "none", .sysfs = true},
					   {.bpf_load = -EPERM},
					   {.bpf_load = -ENOSYS},
					   {.bpf_load = -E2BIG},
				   };
	static const char *const words[] = {
		"/proc is not mounted here: run `mount -t proc proc /proc`",
		"/proc/meminfo cannot be read (Permission denied)",
		"/proc/meminfo has no MemTotal",
		"can open only 40 more: run `ulimit -n 1024`",
		"limited to 20 MiB: run `ulimit -v unlimited`",
		"limited to 12 MiB: run `ulimit -d unlimited`",
		"/sys is not mounted here: run `mount -t sysfs sysfs /sys`",
		"this kernel has no BTF",
		"the BTF of this kernel (/sys/kernel/btf/vmlinux) cannot be read: Cannot allocate memory",
		"cannot be read (/sys/kernel/btf/vmlinux: unknown format)",
		"text.txt cannot be read as BTF: it is neither BTF nor an ELF file with a section .BTF",
		"none cannot be read as BTF: No such file or directory",
		"not permitted to load BPF programs: run as root",
		"needs CONFIG_BPF_SYSCALL=y",
		"the kernel refuses BPF programs (Argument list too long)",
	};
	struct plan_request request = {};
	struct plan plan;

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		facts_fill(&facts);
		facts.proc = t[i].proc;
		facts.meminfo = t[i].meminfo;
		facts.files = t[i].files ?: facts.files;
		facts.address_bytes = t[i].address_bytes ?: facts.address_bytes;
		facts.data_bytes = t[i].data_bytes ?: facts.data_bytes;
		facts.btf = t[i].btf;
		facts.btf_path = t[i].btf_path;
		facts.sysfs = t[i].sysfs || !t[i].btf;
		facts.bpf_load = t[i].bpf_load;
		plan_build(&facts, &request, &plan);
		assert_false(plan.can_record);
		if (!strstr(plan.refusal, words[i]))
			fail_msg("'%s' is not in: %s", words[i], plan.refusal);
		for (size_t n = 0; facts.btf && n < plan.nr_notes; n++) /* symbols were not read */
			assert_null(strstr(plan.notes[n], "no bpf_"));
	}
}

/* Between the check and the reading, somebody replaces the file of --btf by a FIFO. */
static void a_btf_file_is_the_one_that_was_checked(void **state)
{
	char dir[] = "/tmp/kmemtrace-btf-XXXXXX", path[64];
	static struct kernel_facts facts;
	struct stat checked, read;
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/btf", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs("no BTF", f);
	fclose(f);
	assert_int_equal(stat(path, &checked), 0);
	kernel_facts_read("/proc", path, &facts);
	assert_int_equal(facts.btf, -EINVAL);
	assert_string_equal(facts.btf_path, path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(stat(facts.btf_source, &read), 0);
	assert_int_equal(read.st_ino, checked.st_ino);
	assert_true(S_ISREG(read.st_mode));
	kernel_facts_read("/proc", path, &facts); /* a FIFO is also refused from the start */
	assert_int_equal(facts.btf, -EINVAL);
	assert_string_equal(facts.btf_source, "");
	unlink(path);
	rmdir(dir);
}

static bool notes_have(const struct plan *p, const char *words)
{
	for (size_t i = 0; i < p->nr_notes; i++)
		if (strstr(p->notes[i], words))
			return true;
	return false;
}

/* kptr_restrict is no obstacle at 0 or 1; at 2, no capability helps. */
static void hidden_names_are_explained_by_what_hides_them(void **state)
{
	char why[SYMBOLS_WHY_MAX];
	struct plan_request request = {};
	struct kernel_facts facts;
	struct plan plan;

	(void)state;
	symbols_hidden_why(0, false, why);
	assert_non_null(strstr(why, "CAP_SYSLOG"));
	assert_null(strstr(why, "kptr_restrict"));
	symbols_hidden_why(1, false, why);
	assert_null(strstr(why, "kptr_restrict"));
	symbols_hidden_why(2, true, why);
	assert_non_null(strstr(why, "sysctl kernel.kptr_restrict=1"));
	assert_null(strstr(why, "CAP_SYSLOG"));
	symbols_hidden_why(2, false, why);
	assert_non_null(strstr(why, "sysctl kernel.kptr_restrict=1"));
	assert_non_null(strstr(why, "CAP_SYSLOG"));

	facts_fill(&facts);
	facts.kptr_restrict = 1;
	plan_build(&facts, &request, &plan);
	assert_false(notes_have(&plan, "no names"));
	facts.symbols = -EPERM;
	facts.caps = 0;
	plan_build(&facts, &request, &plan);
	assert_true(plan.can_record);
	assert_true(notes_have(
		&plan, "no names: symbol addresses are hidden from a process without CAP_SYSLOG"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_stack_has_one_pool_and_class),
		cmocka_unit_test(frames_of_the_allocator_are_removed),
		cmocka_unit_test(processes_hold_their_threads_stacks),
		cmocka_unit_test(a_pool_is_traced_by_both_its_events_or_not_at_all),
		cmocka_unit_test(each_function_is_refused_by_itself),
		cmocka_unit_test(page_tables_come_with_pages),
		cmocka_unit_test(a_refusal_names_what_is_in_the_way),
		cmocka_unit_test(a_btf_file_is_the_one_that_was_checked),
		cmocka_unit_test(hidden_names_are_explained_by_what_hides_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
