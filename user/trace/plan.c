// SPDX-License-Identifier: GPL-2.0-only
/* The table of hooks and the plan made from it. To see something new, add a row here. */
#include "trace/plan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <linux/capability.h>

#include "base/limits.h"

#define NOT_ASKED "not asked for"

#define COST_FREES   "frees of slab objects would not be seen"
#define COST_KMALLOC "kmalloc'ed objects would not be seen"
#define COST_CACHES  "objects of named caches would not be seen"
#define COST_AUDIT \
	"objects whose free fires no event look outstanding, and trust is low where there are many"
#define COST_BULK(which) "frees " which " are found by the audit alone"
#define COST_ALLOC_BULK \
	"of objects allocated in bulk only the number is known, by cache, from slabinfo"
#define COST_RCU     "what kfree_rcu() is about to free looks like any other object until it does"
#define COST_VMALLOC "vmalloc is known only as the difference of /proc/vmallocinfo, by caller"
#define COST_PERCPU  "per-CPU memory is known only as the level of Percpu"
#define COST_KSTACK  "kernel stacks are known only by process, not by who created them"
#define COST_PAGE    "page tables and other pages are known only as levels"
#define COST_PTE     "where functions have no names, page tables are known by the audit alone"
#define COST_TASKS   "which processes hold kernel stacks and page tables is not known"

#define TRACEPOINT  .how = "raw_tp"
#define NAMES_CACHE .typed_arg = 2, .type = "kmem_cache"

/* Rows of one name are the shapes of one event, or ways to one end: the first that fits is taken.
 */
static const struct hook_def hook_defs[] = {
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
};

bool hook_is_attached(const struct hook_def *def)
{
	return strcmp(def->how, HOW_TEST_RUN) && strcmp(def->how, HOW_ITER);
}

static void __attribute__((format(printf, 2, 3))) note(struct plan *p, const char *fmt, ...)
{
	va_list ap;

	if (p->nr_notes == sizeof(p->notes) / sizeof(p->notes[0]))
		return;
	va_start(ap, fmt);
	vsnprintf(p->notes[p->nr_notes++], sizeof(p->notes[0]), fmt, ap);
	va_end(ap);
}

static bool hook_is_function(const struct hook_def *def)
{
	return !strcmp(def->how, HOW_FENTRY) || !strcmp(def->how, HOW_FEXIT);
}

/* Why this hook cannot be attached, in hook->reason; empty when it can. */
static void hook_judge(const struct kernel_facts *facts, struct plan_hook *hook)
{
	const struct hook_def *def = hook->def;
	const struct event_fact *event = &facts->events[def->event];

	if (facts->btf)
		snprintf(hook->reason, sizeof(hook->reason), "without BTF it cannot be looked up");
	else if (facts->btf_path && (!strcmp(def->how, HOW_ITER) || hook_is_function(def)))
		snprintf(hook->reason, sizeof(hook->reason), "that takes BTF of the kernel's own");
	else if (event->args < 0 && !strcmp(def->how, HOW_ITER))
		snprintf(hook->reason, sizeof(hook->reason),
			 "this kernel has no BPF iterator over tasks (5.8)");
	else if (def->event == EVENT_ALLOC_BULK && !facts->preempt_off)
		snprintf(hook->reason, sizeof(hook->reason),
			 "a program there can be preempted, and cannot forbid it (6.18 can)");
	else if (event->args < 0)
		snprintf(hook->reason, sizeof(hook->reason), "this kernel has no %s %s",
			 hook_is_function(def) ? "function" : "event", def->name);
	else if (event->args < def->args)
		snprintf(hook->reason, sizeof(hook->reason),
			 "the event carries %d arguments, %d are needed", event->args, def->args);
	else if (def->typed_arg && strcmp(event->type[def->typed_arg], def->type))
		snprintf(hook->reason, sizeof(hook->reason),
			 "argument %d of the event is no struct %s", def->typed_arg + 1, def->type);
	else if (event->fentry)
		snprintf(hook->reason, sizeof(hook->reason), "%s is refused (%s)", def->how,
			 strerror(-event->fentry));
	else if (!strcmp(def->how, HOW_TEST_RUN) && facts->audit_obstacle[0])
		snprintf(hook->reason, sizeof(hook->reason), "%s", facts->audit_obstacle);
	else if (facts->bpf_load)
		snprintf(hook->reason, sizeof(hook->reason),
			 "this process may not load BPF programs (%s)", strerror(-facts->bpf_load));
}

static bool plan_has_cap(const struct kernel_facts *facts, int cap)
{
	return facts->caps >> cap & 1;
}

static void __attribute__((format(printf, 2, 3))) refuse(struct plan *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->refusal, sizeof(p->refusal), fmt, ap);
	va_end(ap);
}

/* What this process must be shown and allowed, whatever the kernel can do. */
static bool refuse_surroundings(const struct kernel_facts *facts, struct plan *p)
{
	char why[LIMITS_MAX];

	if (facts->proc == -ENOENT)
		refuse(p, "/proc is not mounted here: run `mount -t proc proc /proc`");
	else if (!facts->sysfs) /* it has the kernel's BTF, and how many CPUs there are */
		refuse(p, "/sys is not mounted here: run `mount -t sysfs sysfs /sys`");
	else if (facts->proc)
		refuse(p, "/proc cannot be read (%s)", limits_explain(-facts->proc, why));
	else if (facts->meminfo == -ENODATA)
		refuse(p,
		       "/proc/meminfo has no MemTotal, so that nothing can be compared: is another file mounted over it?");
	else if (facts->meminfo)
		refuse(p, "/proc/meminfo cannot be read (%s): without it nothing can be compared",
		       limits_explain(-facts->meminfo, why));
	else if (facts->files < RECORD_FILES)
		refuse(p,
		       "record keeps up to %d files open, and this process can open %d more: run `ulimit -n 1024` first",
		       RECORD_FILES, facts->files);
	else if (facts->address_bytes < RECORD_ADDRESS_BYTES)
		refuse(p,
		       "record takes %llu MiB of address space or more, and this process is limited to %llu MiB: run "
		       "`ulimit -v unlimited` first",
		       RECORD_ADDRESS_BYTES >> 20, facts->address_bytes >> 20);
	return p->refusal[0];
}

/* There is none, or none that can be read: each needs another remedy. */
static void refuse_btf(const struct kernel_facts *facts, struct plan *p)
{
	const char *path = facts->btf_path;
	char why[LIMITS_MAX];
	int err = -facts->btf;

	limits_explain(err, why);
	if (limits_cause(err) || err == ENFILE || err == ENOMEM)
		refuse(p, "the BTF of this kernel (%.120s) cannot be read: %s", path ?: KERNEL_BTF,
		       why);
	else if (path)
		refuse(p,
		       "%.120s cannot be read as BTF: %s; make it by `pahole --btf_encode_detached FILE vmlinux` "
		       "from this kernel's vmlinux with debug information",
		       path,
		       err == EINVAL ? "it is neither BTF nor an ELF file with a section .BTF"
				     : why);
	else if (err == ENOENT)
		refuse(p,
		       "this kernel has no BTF (%s: %s), CONFIG_DEBUG_INFO_BTF=y would give it one: take that of "
		       "this very kernel from a file, by --btf FILE; `pahole --btf_encode_detached FILE vmlinux` "
		       "makes it",
		       KERNEL_BTF, why);
	else
		refuse(p,
		       "the BTF of this kernel cannot be read (%s: %s): take it from a file, by --btf FILE",
		       KERNEL_BTF, err == EINVAL ? "not in a form that is known" : why);
}

/* What BPF programs need. */
static bool refuse_bpf(const struct kernel_facts *facts, struct plan *p)
{
	char why[LIMITS_MAX];

	if (facts->btf)
		refuse_btf(facts, p);
	else if (facts->preemptible && facts->btf_path)
		refuse(p,
		       "from 7.0 on programs must turn preemption off, and that takes BTF of the kernel's own: it "
		       "needs CONFIG_DEBUG_INFO_BTF=y");
	else if (facts->bpf_load == -EPERM || facts->bpf_load == -EACCES)
		refuse(p,
		       "not permitted to load BPF programs: run as root (sudo kmemtrace …); a container needs "
		       "CAP_BPF and CAP_PERFMON, and to be in no user namespace of its own");
	else if (facts->bpf_load == -ENOSYS)
		refuse(p, "this kernel has no BPF: it needs CONFIG_BPF_SYSCALL=y");
	else if (facts->bpf_load)
		refuse(p, "the kernel refuses BPF programs (%s)",
		       limits_explain(-facts->bpf_load, why));
	else if (facts->read_kernel == -ENOMEM || facts->read_kernel == -EMFILE)
		refuse(p, "a BPF program cannot be loaded (%s)",
		       limits_explain(-facts->read_kernel, why));
	else if (facts->read_kernel)
		refuse(p,
		       "BPF programs may not read kernel memory (lockdown is %s): boot with lockdown=integrity or "
		       "without; `kmemtrace balance` works here",
		       facts->lockdown);
	else if (facts->locked && !plan_has_cap(facts, CAP_SYS_RESOURCE))
		refuse(p,
		       "this kernel counts BPF tables as locked memory (before 5.11): CAP_SYS_RESOURCE is needed, "
		       "too, or `ulimit -l unlimited`");
	return p->refusal[0];
}

static void plan_refuse(const struct kernel_facts *facts, struct plan *p)
{
	if (refuse_surroundings(facts, p) || refuse_bpf(facts, p))
		return;
	for (size_t i = 0; i < p->nr; i++)
		if (p->hooks[i].def->required && !p->hooks[i].on &&
		    strcmp(p->hooks[i].reason, NOT_ASKED)) {
			refuse(p, "%s cannot be attached: %s; `kmemtrace balance` works here",
			       p->hooks[i].def->name, p->hooks[i].reason);
			return;
		}
}

/* Half a pair is worse than none: allocations that are never freed, or frees of nothing. */
static void plan_pair(struct plan *p)
{
	for (size_t i = 0; i + 1 < p->nr; i++) {
		struct plan_hook *frees = &p->hooks[i], *allocs = &p->hooks[i + 1];

		if (frees->def->required || !frees->def->frees || frees->on == allocs->on)
			continue;
		struct plan_hook *off = frees->on ? frees : allocs,
				 *why = frees->on ? allocs : frees;

		off->on = false;
		snprintf(off->reason, sizeof(off->reason), "of no use without %s", why->def->name);
	}
}

static bool plan_asked(const struct plan_request *request, enum pool pool)
{
	/* page tables are pages: told apart by stack when they are read */
	return request->pools[pool] || (pool == POOL_PAGE && request->pools[POOL_PAGETABLE]);
}

/*
 * libbpf looks for a kernel function that the kernel lacks (the newest that is used is of 6.13) in
 * its modules, and may not.
 */
static bool functions_refused(const struct kernel_facts *facts)
{
	return !facts->kfunc_get_kmem_cache && !plan_has_cap(facts, CAP_SYS_ADMIN);
}

/* Of the kernel's own functions; what is not known of them without its BTF is no fact. */
static void notes_functions(const struct kernel_facts *facts, struct plan *p)
{
	if (facts->btf)
		return;
	if (facts->btf_path) {
		note(p,
		     "BTF from a file: programs cannot use the kernel's own functions. A tracked object costs more, "
		     "and kmalloc is shown by size");
		return;
	}
	if (!facts->kfunc_get_kmem_cache)
		note(p,
		     "no bpf_get_kmem_cache (6.13): the cache of a kmalloc'ed object is not known, kmalloc "
		     "is shown by size");
	if (!facts->kfunc_rdonly_cast)
		note(p, "no bpf_rdonly_cast (6.2): each stack costs more to recognise");
}

static void plan_notes(const struct kernel_facts *facts, struct plan *p)
{
	notes_functions(facts, p);
	if (!facts->cmpxchg && !facts->bpf_load)
		note(p,
		     "no compare-and-exchange for BPF programs (5.12): a tracked object costs more");
	if (facts->preemptible)
		note(p,
		     "events do not turn preemption off (7.0): some are lost while a task is preempted in a "
		     "program, about as large a share of them as tracing takes of the CPUs' time");
	if (functions_refused(facts) && facts->cmpxchg)
		note(p, "no CAP_SYS_ADMIN (6.12 or older): a tracked object costs more");
	if (!facts->run_time && !facts->bpf_load && !plan_has_cap(facts, CAP_SYS_ADMIN))
		note(p,
		     "no CAP_SYS_ADMIN: what tracing costs is not measured, and --max-overhead not kept");
	else if (!facts->run_time && !facts->bpf_load)
		note(p,
		     "the kernel does not measure what programs take (BPF_ENABLE_STATS): what tracing costs is not "
		     "known, and --max-overhead not kept");
	if (facts->symbols == -EPERM && !facts->proc) {
		char why[SYMBOLS_WHY_MAX];

		note(p, "call stacks will have no names: %s",
		     symbols_hidden_why(facts->kptr_restrict, plan_has_cap(facts, CAP_SYSLOG),
					why));
	} else if (facts->symbols && !facts->proc) {
		note(p, "call stacks will have no names: /proc/kallsyms cannot be read (%s)",
		     strerror(-facts->symbols));
	}
	if (!facts->slabinfo && !facts->proc)
		note(p,
		     "/proc/slabinfo cannot be read: nothing to check the trace against; it takes root, or "
		     "CAP_DAC_READ_SEARCH");
}

const struct hook_def *plan_audits(const struct plan *plan)
{
	for (size_t i = 0; i < plan->nr; i++)
		if (!strcmp(plan->hooks[i].def->how, HOW_TEST_RUN) && plan->hooks[i].on)
			return plan->hooks[i].def;
	return NULL;
}

/* Add a row to the plan, or put it in the place of one of its name that does not fit. */
static void plan_add(const struct kernel_facts *facts, const struct plan_request *request,
		     const struct hook_def *def, struct plan *p)
{
	struct plan_hook *last = p->nr ? &p->hooks[p->nr - 1] : NULL, hook = {.def = def};
	bool kmalloc = def->event == EVENT_KMALLOC || def->event == EVENT_KMALLOC_NODE;

	hook_judge(facts, &hook);
	if (request->no_kmalloc && kmalloc)
		snprintf(hook.reason, sizeof(hook.reason), NOT_ASKED);
	hook.on = !hook.reason[0];
	if (!last || strcmp(last->def->name, def->name))
		p->hooks[p->nr++] = hook;
	else if (!last->on)
		*last = hook;
}

void plan_build(const struct kernel_facts *facts, const struct plan_request *request,
		struct plan *out)
{
	bool all = true;

	memset(out, 0, sizeof(*out));
	memcpy(out->asked, request->pools, sizeof(out->asked));
	for (int i = 0; i < POOLS; i++)
		all &= !request->pools[i];
	for (size_t i = 0; i < sizeof(hook_defs) / sizeof(hook_defs[0]); i++) {
		const struct hook_def *def = &hook_defs[i];

		if (!all && !plan_asked(request, def->pool))
			continue;
		if (def->legacy && facts->events[def->event].args < 0)
			continue;
		plan_add(facts, request, def, out);
	}
	plan_pair(out);
	plan_refuse(facts, out);
	plan_notes(facts, out);
	out->preemptible = facts->preemptible;
	out->legacy = !facts->cmpxchg || facts->btf_path || functions_refused(facts);
	out->reads = facts->kfunc_rdonly_cast && !out->legacy;
	out->btf_path = facts->btf_path;
	out->can_record = !out->refusal[0];
}
