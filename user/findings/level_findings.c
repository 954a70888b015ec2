// SPDX-License-Identifier: GPL-2.0-only
/* Compares lines with the limits of level_limits.h: see level_findings.h. */
#include "findings/level_findings.h"

#include <math.h>
#include <stdio.h>

#include "base/units.h"
#include "findings/level_limits.h"

#define CACHES_SAID 3

/* One line that may be too large. */
struct line_limit {
	const char *kind;
	enum finding_severity severity;
	enum balance_id line;
	const char *counter; /* "SUnreclaim" */
	double kb, limit_kb; /* NaN: unknown */
	const char *meaning; /* a clause */
};

static void limit_check(const struct balance *b, const struct line_limit *l, struct findings *out)
{
	char size[UNITS_MAX];
	enum finding_severity severity = l->kb < LEVEL_LEAST_KB ? FINDING_NOTICE : l->severity;
	struct finding *f;

	if (b->unknown[l->line] || !(l->kb > l->limit_kb))
		return;
	f = findings_add(
		out, &(struct finding){.severity = severity, .kind = l->kind, .about = ABOUT_POOL},
		"%s is %s, %.1f%% of memory%s.", l->counter, units_bytes(size, l->kb * 1024),
		100 * l->kb / b->total_kb, l->meaning);
	finding_subject(f, "%s", l->counter);
	finding_figure(f, "kb", l->kb, NAN, NAN);
	finding_figure(f, "limit_kb", l->limit_kb, NAN, NAN);
	finding_evidence(f, "lines", "%s", balance_defs[l->line].name);
}

static double cache_kb(const struct slab_level *c, double page_bytes)
{
	return (double)c->num_slabs * (double)c->pages_per_slab * page_bytes / 1024;
}

/* "The largest slab caches: dentry 120.3 MiB, …" */
static void caches_find(const struct balance *b, const struct snapshot *s, struct findings *out)
{
	double page_bytes = b->beliefs.page_bytes;
	const struct slab_level *top[CACHES_SAID] = {NULL};
	struct finding *f;
	char size[UNITS_MAX];

	for (size_t i = 0; i < s->slabs.nr; i++) {
		const struct slab_level *c = &s->slabs.items[i];

		for (size_t k = 0; k < CACHES_SAID && c; k++)
			if (!top[k] || cache_kb(c, page_bytes) > cache_kb(top[k], page_bytes)) {
				const struct slab_level *smaller = top[k];

				top[k] = c;
				c = smaller;
			}
	}
	if (!top[0] || !(cache_kb(top[0], page_bytes) > 0))
		return;
	f = findings_add(out,
			 &(struct finding){.severity = FINDING_NOTICE,
					   .kind = "slab-caches",
					   .about = ABOUT_CACHE},
			 "The largest slab caches: ");
	for (size_t k = 0; k < CACHES_SAID && top[k]; k++)
		finding_say(out, f, "%s%s %s", k ? ", " : "", top[k]->name,
			    units_bytes(size, cache_kb(top[k], page_bytes) * 1024));
	finding_say(out, f, ".");
	finding_subject(f, "%s", top[0]->name);
	finding_figure(f, "largest_kb", cache_kb(top[0], page_bytes), NAN, NAN);
}

void level_findings_build(const struct balance *b, const struct snapshot *s, struct findings *out)
{
	double mapped = b->kb[BALANCE_ANON_SMALL] + b->kb[BALANCE_ANON_HUGE] +
			beliefs_sum_kb(&b->beliefs, FIGURE_MAPPED);
	char threads[UNITS_MAX], about[64];
	const struct line_limit levels[] = {
		{"slab-unreclaimable", FINDING_WARNING, BALANCE_SLAB_UNRECLAIMABLE, "SUnreclaim",
		 b->kb[BALANCE_SLAB_UNRECLAIMABLE], SLAB_UNRECLAIM_SHARE * b->total_kb,
		 ": memory pressure cannot free it"},
		{"vmalloc-of-memory", FINDING_WARNING, BALANCE_VMALLOC,
		 "VmallocUsed without kernel stacks", b->kb[BALANCE_VMALLOC],
		 VMALLOC_SHARE * b->total_kb, ""},
		{"stacks-of-memory", FINDING_WARNING, BALANCE_KERNEL_STACK, "KernelStack",
		 b->kb[BALANCE_KERNEL_STACK], STACK_MEMORY * b->total_kb, about},
		{"page-tables-of-mapped", FINDING_WARNING, BALANCE_PAGE_TABLES, "PageTables",
		 b->kb[BALANCE_PAGE_TABLES], fmax(PAGE_TABLE_SHARE * mapped, PAGE_TABLE_LEAST_KB),
		 ": memory is mapped sparsely, or many processes map the same memory"},
		{"percpu-per-cpu", FINDING_WARNING, BALANCE_PERCPU, "Percpu", b->kb[BALANCE_PERCPU],
		 PERCPU_EACH_KB * b->beliefs.cpus,
		 ": thousands of cgroups, network namespaces or per-CPU BPF maps"},
		{"slab-reclaimable", FINDING_NOTICE, BALANCE_SLAB_RECLAIMABLE, "SReclaimable",
		 b->kb[BALANCE_SLAB_RECLAIMABLE], SLAB_RECLAIM_SHARE * b->total_kb,
		 ": mostly dentries and inodes, which memory pressure frees unless they are in use"},
	};

	snprintf(about, sizeof(about), ": about %s threads",
		 units_count(threads,
			     b->kb[BALANCE_KERNEL_STACK] / level_stack_kb(b->beliefs.page_bytes)));
	/* a container's MemTotal says nothing about the machine's lines */
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]) && !b->beliefs.container; i++)
		limit_check(b, &levels[i], out);
	caches_find(b, s, out);
}
