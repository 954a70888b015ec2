// SPDX-License-Identifier: GPL-2.0-only
/* Breaks down the memory of each NUMA node: see node_use.h. */
#include "findings/node_use.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "model/balance.h"

#define GROWTH_LEAST_KB 4096.0            /* no node is named for smaller growth */
#define FIGURES_MAX     (NODES_MAX * 128) /* a kernel has about 45 for each node */
#define GROWTH_SHARE    0.75              /* of all nodes' growth */

struct moment {
	const struct snapshot *s;
	double page_kb, cpus; /* of all nodes */
	bool stacks_are_vmalloc;
};

const char *node_line_name(enum node_line line)
{
	static const char *const names[NODE_LINES] = {
		[NODE_LINE_FREE] = "free",          [NODE_LINE_LRU] = "lru",
		[NODE_LINE_HUGE] = "hugetlb",       [NODE_LINE_SLAB] = "slab",
		[NODE_LINE_VMALLOC] = "vmalloc",    [NODE_LINE_STACKS] = "kernel_stack",
		[NODE_LINE_TABLES] = "page_tables", [NODE_LINE_PERCPU] = "percpu",
		[NODE_LINE_OTHER] = "other",        [NODE_LINE_REST] = "unaccounted",
	};

	return names[line];
}

static double node_value(const struct snapshot *s, int node, const char *name, double missing)
{
	for (size_t i = 0; i < s->nodes.nr && i < FIGURES_MAX; i++)
		if (s->nodes.items[i].node == node && !strcmp(s->nodes.items[i].name, name))
			return (double)s->nodes.items[i].value;
	return missing;
}

static double node_kb(const struct snapshot *s, int node, const char *name)
{
	return node_value(s, node, name, 0);
}

static double pcp_kb(const struct moment *m, int node)
{
	double pages = 0;

	for (size_t i = 0; i < m->s->zones.nr; i++)
		if (m->s->zones.items[i].node == node)
			pages += (double)m->s->zones.items[i].pcp;
	return pages * m->page_kb;
}

/* Each CPU's part of per-CPU memory is taken from the CPU's own node. */
static double percpu_kb(const struct moment *m, int node)
{
	double all = (double)named_value_get(&m->s->meminfo, "Percpu", 0);

	return m->cpus > 0 ? all * node_kb(m->s, node, NODE_CPUS) / m->cpus : NAN;
}

static void lines_fill(const struct moment *m, int node, double kb[NODE_LINES])
{
	const struct snapshot *s = m->s;
	double huge_kb = (double)named_value_get(&s->meminfo, "Hugepagesize", 0);
	double rest = node_kb(s, node, "MemTotal");

	kb[NODE_LINE_FREE] = node_kb(s, node, "MemFree") + pcp_kb(m, node);
	kb[NODE_LINE_LRU] = node_kb(s, node, "Active") + node_kb(s, node, "Inactive") +
			    node_kb(s, node, "Unevictable");
	kb[NODE_LINE_HUGE] = node_kb(s, node, "HugePages_Total") * huge_kb;
	kb[NODE_LINE_SLAB] = node_kb(s, node, "Slab");
	kb[NODE_LINE_VMALLOC] = node_value(s, node, NODE_VMALLOC, NAN) * m->page_kb;
	kb[NODE_LINE_STACKS] = m->stacks_are_vmalloc ? 0 : node_kb(s, node, "KernelStack");
	kb[NODE_LINE_TABLES] = node_kb(s, node, "PageTables") + node_kb(s, node, "SecPageTables");
	kb[NODE_LINE_PERCPU] = percpu_kb(m, node);
	kb[NODE_LINE_OTHER] =
		fmax(node_kb(s, node, "KReclaimable") - node_kb(s, node, "SReclaimable"), 0) +
		node_kb(s, node, NODE_ZSPAGES) * m->page_kb + node_kb(s, node, "Bounce") +
		node_kb(s, node, "WritebackTmp");
	for (int i = 0; i < NODE_LINE_REST; i++)
		rest -= kb[i];
	kb[NODE_LINE_REST] = rest;
}

static struct moment moment_of(const struct snapshot *s, double page_bytes)
{
	struct moment m = {.s = s, .page_kb = page_bytes / 1024};

	for (int node = 0; node < NODES_MAX; node++)
		m.cpus += node_kb(s, node, NODE_CPUS);
	m.stacks_are_vmalloc = !isnan(balance_vmalloc_stacks_kb(s, page_bytes));
	return m;
}

static void say_growth(struct node_use *u)
{
	static const struct {
		enum node_line line;
		const char *name;
	} said[] = {{NODE_LINE_REST, "what is unaccounted"},
		    {NODE_LINE_SLAB, "Slab"},
		    {NODE_LINE_VMALLOC, "vmalloc"}};
	char a[UNITS_MAX], b[UNITS_MAX];

	for (size_t k = 0; k < sizeof(said) / sizeof(said[0]) && !u->text[0]; k++) {
		double sum = 0, most = 0;
		int node = -1;

		for (size_t i = 0; i < u->nr; i++) {
			double grew = u->rows[i].delta_kb[said[k].line];

			if (isnan(grew))
				continue;
			sum += fmax(grew, 0);
			if (grew > most) {
				most = grew;
				node = u->rows[i].node;
			}
		}
		if (most > GROWTH_LEAST_KB && most > GROWTH_SHARE * sum)
			snprintf(u->text, sizeof(u->text),
				 "Of the growth of %s, %s of %s is on node %d.", said[k].name,
				 units_bytes(a, most * 1024), units_bytes(b, sum * 1024), node);
	}
}

void node_use_build(const struct snapshot *start, const struct snapshot *end, double page_bytes,
		    struct node_use *out)
{
	struct moment last = moment_of(end, page_bytes), first = {0};

	*out = (struct node_use){.is_pair = start && start->nodes.nr};
	if (out->is_pair)
		first = moment_of(start, page_bytes);
	for (int node = 0; node < NODES_MAX; node++) {
		double total = node_value(end, node, "MemTotal", NAN);
		struct node_row *row = &out->rows[out->nr];

		if (!(total > 0))
			continue;
		out->nr++;
		*row = (struct node_row){
			.node = node, .cpus = node_kb(end, node, NODE_CPUS), .total_kb = total};
		lines_fill(&last, node, row->kb);
		for (int i = 0; i < NODE_LINES; i++)
			row->start_kb[i] = NAN;
		if (out->is_pair && node_kb(start, node, "MemTotal") > 0)
			lines_fill(&first, node, row->start_kb);
		for (int i = 0; i < NODE_LINES; i++)
			row->delta_kb[i] = row->kb[i] - row->start_kb[i];
	}
	if (out->nr < 2)
		out->nr = 0;
	if (out->is_pair)
		say_growth(out);
}

void node_use_find(const struct node_use *u, struct findings *list)
{
	if (u->text[0])
		finding_evidence(findings_add(list,
					      FINDING(FINDING_NOTICE, "node-growth", ABOUT_HOST,
						      .part = PART_NODES),
					      "%s", u->text),
				 "nodes", "%s", "*");
}
