// SPDX-License-Identifier: GPL-2.0-only
/* Turns facts, plan and sizes into what `doctor` prints: see doctor.h. */
#include "trace/doctor.h"

#include <errno.h>
#include <string.h>

#include <linux/capability.h>

static const struct {
	int bit;
	const char *name;
	const char *use;
} caps[] = {
	{CAP_SYS_ADMIN, "CAP_SYS_ADMIN", "measure the cost of tracing; includes the next two"},
	{CAP_BPF, "CAP_BPF", "load BPF programs"},
	{CAP_PERFMON, "CAP_PERFMON", "attach them to the kernel"},
	{CAP_SYSLOG, "CAP_SYSLOG", "see symbol addresses"},
	{CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH", "read /proc/slabinfo without being root"},
	{CAP_SYS_RESOURCE, "CAP_SYS_RESOURCE", "needed only before 5.11, for locked memory"},
};

_Static_assert(sizeof(caps) / sizeof(caps[0]) == DOCTOR_CAPS, "a row for each capability");
_Static_assert(PLAN_HOOKS_MAX <= DOCTOR_HOOKS_MAX, "every hook of a plan fits");
_Static_assert(sizeof(((struct plan *)0)->notes) / sizeof(((struct plan *)0)->notes[0]) <=
		       DOCTOR_NOTES_MAX,
	       "every note of a plan fits");

/* The reason as a constant string, in English. */
static const char *errno_words(int err)
{
	return strerrordesc_np(-err) ?: "unknown error";
}

static const char *btf_words(int err)
{
	if (err == -EINVAL)
		return "unknown format";
	return err ? errno_words(err) : "yes";
}

static const char *symbols_words(int err)
{
	if (err == -EPERM)
		return "hidden: call paths will have no names";
	return err ? errno_words(err) : "readable";
}

static void doctor_kernel(const struct kernel_facts *f, struct doctor *d)
{
	d->lockdown = f->lockdown;
	d->proc = !f->proc;
	d->meminfo = !f->meminfo;
	d->cmpxchg = f->cmpxchg;
	d->slabinfo = f->slabinfo;
	d->vmallocinfo = f->vmallocinfo;
	d->alloc_uses = f->alloc_uses;
	d->bpf_objects = f->caps >> CAP_SYS_ADMIN & 1;
	d->counters_missing = f->counters_missing;
	d->btf = (struct doctor_fact){!f->btf, btf_words(f->btf)};
	d->btf_path = f->btf_path ?: KERNEL_BTF;
	d->bpf_load = (struct doctor_fact){!f->bpf_load, f->bpf_load ? strerrordesc_np(-f->bpf_load)
								     : "may be loaded"};
	d->symbols = (struct doctor_fact){!f->symbols, symbols_words(f->symbols)};
	d->kptr_restrict = f->kptr_restrict;
	for (size_t i = 0; i < DOCTOR_CAPS; i++)
		d->capabilities[i] = (struct doctor_capability){.name = caps[i].name,
								.use = caps[i].use,
								.has = f->caps >> caps[i].bit & 1};
}

static void doctor_plan(const struct plan *plan, struct doctor *d)
{
	d->nr_hooks = plan->nr;
	for (size_t i = 0; i < plan->nr; i++) {
		const struct plan_hook *hook = &plan->hooks[i];

		d->hooks[i] = (struct doctor_hook){.name = hook->def->name,
						   .pool = hook->def->pool,
						   .attached = hook->on,
						   .how = hook->on ? hook->def->how : "",
						   .reason = hook->reason,
						   .cost = hook->on ? "" : hook->def->cost};
		d->hooks_off += !hook->on;
	}
	d->nr_notes = plan->nr_notes;
	for (size_t i = 0; i < plan->nr_notes; i++)
		d->notes[i] = plan->notes[i];
}

static struct doctor_tables tables_of(const struct sizes *s)
{
	return (struct doctor_tables){
		.bytes = s->bytes, .live = s->live, .stacks = 1ull << s->stack_bits};
}

void doctor_build(const struct doctor_facts *facts, struct doctor *out)
{
	*out = (struct doctor){
		.can_record = facts->plan.can_record && !facts->memory_why[0],
		.refusal = facts->plan.can_record ? facts->memory_why : facts->plan.refusal,
		.release = facts->host.release,
		.arch = facts->host.arch,
		.virtualization = facts->host.virtualization,
		.memory_why = facts->memory_why,
		.census_refusal = facts->census_why,
		.census_lacks = facts->kernel.census_lacks,
		.sampled = tables_of(&facts->sampled),
		.exact = tables_of(&facts->exact),
		.process_bytes = SIZES_PROCESS,
		.most_bytes = facts->exact.most,
	};
	doctor_kernel(&facts->kernel, out);
	doctor_plan(&facts->plan, out);
}
