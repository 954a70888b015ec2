// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes the plan from the table in hooks.c: what is attached, and why the rest is not. The refusals
 * and notes that `record` and `doctor` print are here too. See plan.h.
 */
#include "trace/plan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <linux/capability.h>

#include "base/limits.h"

#define NOT_ASKED "not asked for"

static void __attribute__((format(printf, 2, 3))) plan_note(struct plan *p, const char *fmt, ...)
{
	va_list ap;

	if (p->nr_notes == sizeof(p->notes) / sizeof(p->notes[0]))
		return;
	va_start(ap, fmt);
	vsnprintf(p->notes[p->nr_notes++], sizeof(p->notes[0]), fmt, ap);
	va_end(ap);
}

/* Set hook->reason to why the hook cannot be attached, "" if it can. */
static void hook_check(const struct kernel_facts *facts, struct plan_hook *hook)
{
	const struct hook_def *def = hook->def;
	const struct event_fact *event = &facts->events[def->event];

	if (facts->btf)
		snprintf(hook->reason, sizeof(hook->reason), "it cannot be found without BTF");
	else if (facts->btf_path && (!strcmp(def->how, HOW_ITER) || hook_is_function(def)))
		snprintf(hook->reason, sizeof(hook->reason), "it needs the kernel's own BTF");
	else if (event->args < 0 && !strcmp(def->how, HOW_ITER))
		snprintf(hook->reason, sizeof(hook->reason),
			 "this kernel has no BPF iterator over tasks (new in 5.8)");
	else if (def->event == EVENT_ALLOC_BULK && !facts->preempt_off)
		snprintf(
			hook->reason, sizeof(hook->reason),
			"a program there can be preempted, and can turn preemption off only since 6.18");
	else if (event->args < 0)
		snprintf(hook->reason, sizeof(hook->reason), "this kernel has no %s %s",
			 hook_is_function(def) ? "function" : "event", def->name);
	else if (event->args < def->args)
		snprintf(hook->reason, sizeof(hook->reason),
			 "the event has %d arguments, but %d are needed", event->args, def->args);
	else if (def->typed_arg && strcmp(event->type[def->typed_arg], def->type))
		snprintf(hook->reason, sizeof(hook->reason),
			 "argument %d of the event is not a struct %s", def->typed_arg + 1,
			 def->type);
	else if (event->fentry)
		snprintf(hook->reason, sizeof(hook->reason), "the kernel refuses %s (%s)", def->how,
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

/*
 * Refuse if this process lacks something that it needs on every kernel: /proc, /sys, files, address
 * space.
 */
static bool refuse_surroundings(const struct kernel_facts *facts, struct plan *p)
{
	char why[LIMITS_MAX];

	if (facts->proc == -ENOENT)
		refuse(p, "/proc is not mounted here: run `mount -t proc proc /proc`");
	else if (!facts->sysfs) /* /sys holds the kernel's BTF and the number of CPUs */
		refuse(p, "/sys is not mounted here: run `mount -t sysfs sysfs /sys`");
	else if (facts->proc)
		refuse(p, "/proc cannot be read (%s)", limits_explain(-facts->proc, why));
	else if (facts->meminfo == -ENODATA)
		refuse(p,
		       "/proc/meminfo has no MemTotal, so nothing can be compared: is another file mounted over it?");
	else if (facts->meminfo)
		refuse(p, "/proc/meminfo cannot be read (%s): without it nothing can be compared",
		       limits_explain(-facts->meminfo, why));
	else if (facts->files < RECORD_FILES)
		refuse(p,
		       "record keeps up to %d files open, but this process can open only %d more: run `ulimit -n 1024` first",
		       RECORD_FILES, facts->files);
	else if (facts->address_bytes < RECORD_ADDRESS_BYTES)
		refuse(p,
		       "record needs at least %llu MiB of address space, but this process is limited to %llu MiB: run `ulimit -v unlimited` first",
		       RECORD_ADDRESS_BYTES >> 20, facts->address_bytes >> 20);
	else if (facts->data_bytes < RECORD_DATA_BYTES)
		refuse(p,
		       "record needs at least %llu MiB of data, but this process is limited to %llu MiB: run `ulimit -d unlimited` first",
		       RECORD_DATA_BYTES >> 20, facts->data_bytes >> 20);
	return p->refusal[0];
}

/* BTF is missing or cannot be read. Each cause has its own remedy. */
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
		       "%.120s cannot be read as BTF: %s; make it with `pahole --btf_encode_detached FILE vmlinux` from this kernel's vmlinux with debug information",
		       path,
		       err == EINVAL ? "it is neither BTF nor an ELF file with a section .BTF"
				     : why);
	else if (err == ENOENT)
		refuse(p,
		       "this kernel has no BTF (%s: %s) because it was built without CONFIG_DEBUG_INFO_BTF=y: give BTF of exactly this kernel with --btf FILE; `pahole --btf_encode_detached FILE vmlinux` makes it",
		       KERNEL_BTF, why);
	else
		refuse(p, "the BTF of this kernel cannot be read (%s: %s): give it with --btf FILE",
		       KERNEL_BTF, err == EINVAL ? "unknown format" : why);
}

/* Refuse if BPF programs cannot run or cannot read what they need. */
static bool refuse_bpf(const struct kernel_facts *facts, struct plan *p)
{
	char why[LIMITS_MAX];

	if (facts->btf)
		refuse_btf(facts, p);
	else if (facts->preemptible && facts->btf_path)
		refuse(p,
		       "since 7.0, programs must turn preemption off, and need the kernel's own BTF for that: build the kernel with CONFIG_DEBUG_INFO_BTF=y");
	else if (facts->bpf_load == -EPERM || facts->bpf_load == -EACCES)
		refuse(p,
		       "not permitted to load BPF programs: run as root (sudo kmemtrace …); a container needs CAP_BPF and CAP_PERFMON, and must not have a user namespace of its own");
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
		       "BPF programs may not read kernel memory (lockdown is %s): boot with lockdown=integrity or without lockdown; `kmemtrace balance` works here",
		       facts->lockdown);
	else if (facts->locked && !plan_has_cap(facts, CAP_SYS_RESOURCE))
		refuse(p,
		       "this kernel counts BPF tables as locked memory, as all kernels before 5.11 do: give CAP_SYS_RESOURCE as well, or run `ulimit -l unlimited`");
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

/* Turn off a hook whose partner is off: allocations without frees would look like leaks. */
static void plan_pair(struct plan *p)
{
	for (size_t i = 0; i + 1 < p->nr; i++) {
		struct plan_hook *frees = &p->hooks[i], *allocs = &p->hooks[i + 1];

		if (frees->def->required || !frees->def->frees || frees->on == allocs->on)
			continue;
		struct plan_hook *off = frees->on ? frees : allocs,
				 *why = frees->on ? allocs : frees;

		off->on = false;
		snprintf(off->reason, sizeof(off->reason), "useless without %s", why->def->name);
	}
}

static bool plan_asked(const struct plan_request *request, enum pool pool)
{
	/* page tables are traced as pages; the collector tells them apart by stack */
	return request->pools[pool] || (pool == POOL_PAGE && request->pools[POOL_PAGETABLE]);
}

/*
 * If vmlinux lacks a kernel function, libbpf searches the modules for it. This search needs
 * CAP_SYS_ADMIN. Since 6.13, vmlinux has all functions that we use.
 */
static bool functions_refused(const struct kernel_facts *facts)
{
	return !facts->kfunc_get_kmem_cache && !plan_has_cap(facts, CAP_SYS_ADMIN);
}

/* Notes on missing kernel functions. Without the kernel's BTF nothing is known about them. */
static void notes_functions(const struct kernel_facts *facts, struct plan *p)
{
	if (facts->btf)
		return;
	if (facts->btf_path) {
		plan_note(
			p,
			"with BTF from a file, programs cannot call kernel functions: a tracked object costs more, and kmalloc is shown by size");
		return;
	}
	if (!facts->kfunc_get_kmem_cache)
		plan_note(
			p,
			"no bpf_get_kmem_cache (new in 6.13): the cache of a kmalloc'ed object is unknown, so kmalloc is shown by size");
	if (!facts->kfunc_rdonly_cast)
		plan_note(p,
			  "no bpf_rdonly_cast (new in 6.2): recognising a call stack costs more");
}

static void plan_notes(const struct kernel_facts *facts, struct plan *p)
{
	notes_functions(facts, p);
	if (!facts->cmpxchg && !facts->bpf_load)
		plan_note(
			p,
			"no compare-and-exchange for BPF programs (new in 5.12): a tracked object costs more");
	if (facts->preemptible)
		plan_note(
			p,
			"since 7.0, events do not turn preemption off: events are lost while a task is preempted inside a program; if tracing takes 1%% of CPU time, about 1%% of events are lost");
	if (functions_refused(facts) && facts->cmpxchg)
		plan_note(p, "no CAP_SYS_ADMIN: before 6.13, a tracked object then costs more");
	if (!facts->run_time && !facts->bpf_load && !plan_has_cap(facts, CAP_SYS_ADMIN))
		plan_note(
			p,
			"no CAP_SYS_ADMIN: the cost of tracing is not measured and --max-overhead has no effect");
	else if (!facts->run_time && !facts->bpf_load)
		plan_note(
			p,
			"the kernel does not measure the run time of programs (BPF_ENABLE_STATS): the cost of tracing is unknown and --max-overhead has no effect");
	if (facts->symbols == -EPERM && !facts->proc) {
		char why[SYMBOLS_WHY_MAX];

		plan_note(p, "call stacks will have no names: %s",
			  symbols_hidden_why(facts->kptr_restrict, plan_has_cap(facts, CAP_SYSLOG),
					     why));
	} else if (facts->symbols && !facts->proc) {
		plan_note(p, "call stacks will have no names: /proc/kallsyms cannot be read (%s)",
			  strerror(-facts->symbols));
	}
	if (!facts->slabinfo && !facts->proc)
		plan_note(
			p,
			"/proc/slabinfo cannot be read, so the trace cannot be checked against it: run as root or with CAP_DAC_READ_SEARCH");
}

const struct hook_def *plan_audits(const struct plan *plan)
{
	for (size_t i = 0; i < plan->nr; i++)
		if (!strcmp(plan->hooks[i].def->how, HOW_TEST_RUN) && plan->hooks[i].on)
			return plan->hooks[i].def;
	return NULL;
}

/* Add a row to the plan. It replaces a row of the same name that does not fit. */
static void plan_add(const struct kernel_facts *facts, const struct plan_request *request,
		     const struct hook_def *def, struct plan *p)
{
	struct plan_hook *last = p->nr ? &p->hooks[p->nr - 1] : NULL, hook = {.def = def};
	bool kmalloc = def->event == EVENT_KMALLOC || def->event == EVENT_KMALLOC_NODE;

	hook_check(facts, &hook);
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
	for (const struct hook_def *def = hook_defs; def->name; def++) {

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
	memcpy(out->btf_source, facts->btf_source, sizeof(out->btf_source));
	out->can_record = !out->refusal[0];
}
