// SPDX-License-Identifier: GPL-2.0-only
/* The plan made from the table of hooks (hooks.c): what is attached, and why the rest is not. */
#include "trace/plan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <linux/capability.h>

#include "base/limits.h"

#define NOT_ASKED "not asked for"

static void __attribute__((format(printf, 2, 3))) note(struct plan *p, const char *fmt, ...)
{
	va_list ap;

	if (p->nr_notes == sizeof(p->notes) / sizeof(p->notes[0]))
		return;
	va_start(ap, fmt);
	vsnprintf(p->notes[p->nr_notes++], sizeof(p->notes[0]), fmt, ap);
	va_end(ap);
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
	out->btf_path = facts->btf_path;
	out->can_record = !out->refusal[0];
}
