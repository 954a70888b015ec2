// SPDX-License-Identifier: GPL-2.0-only
/* The rules, one function each, listed in one table: see unusual_levels.h. All sizes in kB. */
#include "findings/unusual_levels.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "findings/balance_findings.h"
#include "findings/level_limits.h"
#include "findings/witness.h"

struct facts {
	const struct view *v;
	const struct holders *holders;
	struct findings *out;
	double total, page_tables, stacks, threads, mapped, reclaimable, unreclaimable, percpu,
		vmalloc;
};

/* A level that is out of the ordinary; unusual_limit() adds by how much. */
#define unusual_find(f, rule, about, ...)                                                  \
	findings_add((f)->out, FINDING(FINDING_WARNING, rule, about, .part = PART_LEVELS), \
		     __VA_ARGS__)

/* `value` is beyond `limit`; both are in the unit of `name`. */
static void unusual_limit(struct finding *found, const char *subject, const char *name,
			  double value, double limit)
{
	finding_subject(found, "%s", subject);
	finding_figure(found, name, value, NAN, NAN);
	finding_figure(found, "limit", limit, NAN, NAN);
	if (found && found->about == ABOUT_POOL)
		finding_evidence(found, "pools", "%s", subject);
}

static void rule_stacks(struct facts *f)
{
	double each = f->stacks / f->threads, one = level_stack_kb(f->v->page_bytes);
	char stacks[UNITS_MAX], threads[UNITS_MAX];

	units_bytes(stacks, f->stacks * 1024);
	if (f->threads > 0 && each > STACK_SHARE * one)
		unusual_limit(
			unusual_find(f, "stacks-per-thread", ABOUT_POOL,
				     "KernelStack is %s for %s threads, %.0f KiB each; one "
				     "stack is %.0f KiB. Stacks of ended threads are kept, or "
				     "threads start and end quickly.",
				     stacks, units_count(threads, f->threads), each, one),
			"KernelStack", "thread_kb", each, STACK_SHARE * one);
	if (f->stacks > STACK_MEMORY * f->total)
		unusual_limit(unusual_find(f, "stacks-of-memory", ABOUT_POOL,
					   "KernelStack is %s, %.1f%% of memory: about %s threads.",
					   stacks, 100 * f->stacks / f->total,
					   units_count(threads, f->stacks / one)),
			      "KernelStack", "share", f->stacks / f->total, STACK_MEMORY);
}

static void rule_page_tables(struct facts *f)
{
	double share = f->page_tables / f->mapped;
	const struct process_level *top =
		f->holders->processes.nr ? f->holders->processes.items : NULL;
	char tables[UNITS_MAX], mapped[UNITS_MAX], who[64] = "", most[UNITS_MAX];

	/* If mapped memory is 0, these two lines are missing (a container's /proc). */
	if (!(f->mapped > 0) || !(f->page_tables > PAGE_TABLE_LEAST_KB) ||
	    !(share > PAGE_TABLE_SHARE))
		return;
	if (top && top->pgtables_kb.end > 0)
		snprintf(who, sizeof(who), " The largest holder is %.16s[%d]: %s.", top->comm,
			 top->tgid, units_bytes(most, top->pgtables_kb.end * 1024));
	unusual_limit(unusual_find(f, "page-tables-of-mapped", ABOUT_POOL,
				   "PageTables is %s for %s of mapped memory, %.1f%%; dense "
				   "mappings need 0.2%%. Memory is mapped sparsely, or many "
				   "processes map the same memory (huge pages need far less).%s",
				   units_bytes(tables, f->page_tables * 1024),
				   units_bytes(mapped, f->mapped * 1024), 100 * share, who),
		      "PageTables", "share", share, PAGE_TABLE_SHARE);
}

static void rule_slab(struct facts *f)
{
	double slab = f->reclaimable + f->unreclaimable;
	char size[UNITS_MAX];

	if (f->unreclaimable > SLAB_UNRECLAIM_SHARE * f->total)
		unusual_limit(
			unusual_find(f, "slab-unreclaimable", ABOUT_COUNTER,
				     "SUnreclaim is %s, %.1f%% of memory: memory pressure cannot "
				     "free it.",
				     units_bytes(size, f->unreclaimable * 1024),
				     100 * f->unreclaimable / f->total),
			"SUnreclaim", "share", f->unreclaimable / f->total, SLAB_UNRECLAIM_SHARE);
	if (f->reclaimable > SLAB_RECLAIM_SHARE * f->total)
		unusual_limit(
			unusual_find(f, "slab-reclaimable", ABOUT_COUNTER,
				     "SReclaimable is %s, %.1f%% of memory and %.0f%% of Slab: "
				     "mostly dentries and inodes, which memory pressure frees "
				     "unless they are in use.",
				     units_bytes(size, f->reclaimable * 1024),
				     100 * f->reclaimable / f->total, 100 * f->reclaimable / slab),
			"SReclaimable", "share", f->reclaimable / f->total, SLAB_RECLAIM_SHARE);
}

static void rule_percpu(struct facts *f)
{
	double cpus = capture_meta_number(f->v->c, META_POSSIBLE, f->v->cpus),
	       each = f->percpu / cpus;
	char all[UNITS_MAX], one[UNITS_MAX];

	if (each > PERCPU_EACH_KB)
		unusual_limit(unusual_find(f, "percpu-per-cpu", ABOUT_POOL,
					   "Percpu is %s, %s for each of %.0f possible CPUs. Usual "
					   "causes: thousands of cgroups (removed ones stay while "
					   "in use), network namespaces, per-CPU BPF maps.",
					   units_bytes(all, f->percpu * 1024),
					   units_bytes(one, each * 1024), cpus),
			      "Percpu", "cpu_kb", each, PERCPU_EACH_KB);
}

static void rule_vmalloc_size(struct facts *f)
{
	double stacks = or_zero(f->holders->vmalloc_end.stacks_kb);
	double own = capture_meta_number(f->v->c, META_OWN_BYTES, 0) / 1024;
	double rest = f->vmalloc - stacks - fmin(own, f->vmalloc);
	const struct caller_level *top = NULL;
	char size[UNITS_MAX], most[UNITS_MAX], caller[128] = "";

	if (!(rest > VMALLOC_SHARE * f->total))
		return;
	for (size_t i = 0; i < f->holders->callers.nr && !top; i++)
		if (!f->holders->callers.items[i].stacks)
			top = &f->holders->callers.items[i];
	if (top)
		snprintf(caller, sizeof(caller), " Its largest user is %.64s with %s.",
			 top->caller[0] ? top->caller : "unknown",
			 units_bytes(most, top->kb.end * 1024));
	unusual_limit(unusual_find(f, "vmalloc-of-memory", ABOUT_POOL,
				   "VmallocUsed, without thread stacks and the recorder's own "
				   "tables, is %s, %.1f%% of memory.%s",
				   units_bytes(size, rest * 1024), 100 * rest / f->total, caller),
		      "VmallocUsed", "share", rest / f->total, VMALLOC_SHARE);
}

static void rule_removed_cgroups(struct facts *f)
{
	double now = removed_cgroups(f->v->end), before = removed_cgroups(f->v->start);
	double present = present_cgroups(f->v->end);
	char a[UNITS_MAX], b[UNITS_MAX], c[UNITS_MAX], change[64] = "";
	struct finding *found;

	if (!(now > REMOVED_CGROUPS_MANY))
		return;
	if (fabs(now - before) >= 1)
		snprintf(change, sizeof(change), " (%s%s in this recording)",
			 now > before ? "+" : "-", units_count(c, fabs(now - before)));
	found = unusual_find(f, "removed-cgroups", ABOUT_CGROUP,
			     "%s removed cgroups still exist%s, beside %s in use: page cache, "
			     "tmpfs files or kernel objects are still charged to them. Each takes "
			     "slab and per-CPU memory until these are freed or reclaimed.",
			     units_count(a, now), change, units_count(b, present));
	unusual_limit(found, "", "removed_cgroups", now, REMOVED_CGROUPS_MANY);
	finding_evidence(found, "removed_cgroups", "/");
}

static void rule_unmapped(struct facts *f)
{
	struct balance b;
	char size[UNITS_MAX];
	double kb;

	balance_build(f->v->end, &f->v->hint, NULL, &b);
	kb = isnan(b.total_kb) ? 0 : balance_unmapped_lru_kb(&b);
	if (kb > 0)
		unusual_limit(
			unusual_find(f, "lru-unmapped", ABOUT_HOST,
				     "%s on the LRU lists is mapped by no process and in no "
				     "cache, %.1f%% of memory: pinned by a user that unmapped "
				     "it (RDMA, vhost, io_uring), or leaked.",
				     units_bytes(size, kb * 1024), 100 * kb / f->total),
			"", "share", kb / f->total, BALANCE_UNMAPPED_SHARE);
}

/* Findings from `first` on are those of the balance sheet. Here they limit what levels mean, and
 * the tables that they name are not in a report. */
static void caution_all(struct findings *list, size_t first)
{
	for (size_t i = first; i < list->nr; i++) {
		list->items[i].severity = FINDING_CAUTION;
		list->items[i].part = PART_LEVELS;
		list->items[i].nr_evidence = 0;
	}
}

/* Figures of the kernel that cannot be true, at any moment of the recording; and lines of /proc
 * that were left out, at its end. */
static void caution_levels(struct facts *f)
{
	size_t first = f->out->nr;
	struct beliefs b;

	beliefs_judge(f->v->end, &f->v->hint, &b);
	for (int rule = RULE_NONE + 1; rule < BELIEF_RULES; rule++)
		belief_find(&b, rule, BELIEF_CONTRADICTED, f->out);
	unread_lines_find(f->v->end, f->out);
	caution_all(f->out, first);
}

static void caution_virtual(struct facts *f)
{
	const char *virt = capture_meta(f->v->c, META_VIRT),
		   *container = strstr(virt, "container:");

	if (container)
		findings_add(f->out,
			     FINDING(FINDING_CAUTION, "container", ABOUT_HOST, .part = PART_LEVELS),
			     "Recorded in a container: memory, levels and call paths are those of "
			     "the whole host and all its containers. lxcfs may rewrite /proc.");
	if (virt[0] && strcmp(virt, "none") && container != virt)
		findings_add(f->out,
			     FINDING(FINDING_CAUTION, "virtual-machine", ABOUT_HOST,
				     .part = PART_LEVELS),
			     "This is a virtual machine: memory that a balloon or hotplug takes is "
			     "in no pool, MemTotal may change, and memory that the hypervisor "
			     "holds for this guest is invisible from inside.");
}

void unusual_levels_build(const struct view *v, const struct holders *holders, struct findings *out)
{
	static void (*const rules[])(struct facts *) = {
		rule_stacks,          rule_page_tables,  rule_slab,
		rule_percpu,          rule_vmalloc_size, rule_unmapped,
		rule_removed_cgroups, caution_levels,    caution_virtual};
	const struct snapshot *s = v->end;
	struct facts f = {
		.v = v,
		.holders = holders,
		.out = out,
		.total = view_level_kb(v, s, "MemTotal"),
		.page_tables = view_level_kb(v, s, "PageTables"),
		.stacks = view_level_kb(v, s, "KernelStack"),
		.mapped = or_zero(view_level_kb(v, s, "AnonPages")) +
			  or_zero(view_level_kb(v, s, "Mapped")),
		.reclaimable = view_level_kb(v, s, "SReclaimable"),
		.unreclaimable = view_level_kb(v, s, "SUnreclaim"),
		.percpu = view_level_kb(v, s, "Percpu"),
		.vmalloc = view_level_kb(v, s, "VmallocUsed"),
	};

	if (!(f.total > 0))
		f.total = NAN; /* shares of it are NaN, so no rule about a share applies */
	for (size_t i = 0; i < s->tasks.nr; i++)
		f.threads += (double)s->tasks.items[i].threads;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		rules[i](&f);
}
