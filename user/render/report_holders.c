// SPDX-License-Identifier: GPL-2.0-only
/* Prints who holds vmalloc areas, kernel stacks and page tables. Memory that is older than the
 * recording has no call path, but it has a holder. */
#include <math.h>

#include "render/report_internal.h"
#include "render/table.h"

static void vmalloc_identity(struct page *p, const char *when, const struct vmalloc_sum *v)
{
	char a[UNITS_MAX], b[UNITS_MAX], c[UNITS_MAX];

	if (!v->comparable) {
		page_paragraph(
			p, 2, "At the %s /proc/vmallocinfo could not be compared with VmallocUsed.",
			when);
		return;
	}
	if (!v->agrees)
		page_paragraph(p, 2,
			       "At the %s VmallocUsed was %s but the areas of /proc/vmallocinfo "
			       "added up to %s: areas came or went between reading the two.",
			       when, units_bytes(a, v->used_kb * 1024),
			       units_bytes(b, v->info_kb * 1024));
	else
		page_paragraph(p, 2,
			       "At the %s VmallocUsed was %s, all of it in /proc/vmallocinfo.",
			       when, units_bytes(a, v->used_kb * 1024));
	if (!isnan(v->stacks_kb))
		page_paragraph(p, 2,
			       "%s without thread stacks; %s are stacks, %s of them kept for new "
			       "threads.",
			       units_bytes(a, v->without_stacks_kb * 1024),
			       units_bytes(b, v->stacks_kb * 1024),
			       units_bytes(c, v->cached_stacks_kb * 1024));
}

static void callers(struct page *p, const struct report *r, size_t top)
{
	static const struct table_column columns[] = {
		{"vmalloc by caller", 40, false},
		{"areas", 0, true},
		{"start", 0, true},
		{"end", 0, true},
		{"change", 0, true},
	};
	struct table table = TABLE_INIT(p, columns);
	double own = capture_meta_number(r->c, META_OWN_BYTES, NAN);
	char a[UNITS_MAX];

	for (size_t i = 0; i < rows_shown(top, r->holders.callers.nr); i++) {
		const struct caller_level *c = &r->holders.callers.items[i];

		table_words(&table, "%s", c->caller[0] ? c->caller : "(no caller printed)");
		table_count(&table, c->areas.end, false);
		table_bytes(&table, c->kb.start * 1024, false);
		table_bytes(&table, c->kb.end * 1024, false);
		table_bytes(&table, level_change_delta(&c->kb) * 1024, true);
	}
	table_print(&table);
	if (own > 0)
		page_paragraph(p, 2,
			       "%s of it are the recorder's own tables (array_map_alloc), which "
			       "exist since before the first reading.",
			       units_bytes(a, own));
}

static void holders(struct page *p, const char *title, const struct process_level *rows, size_t nr,
		    bool processes)
{
	const struct table_column columns[] = {
		{title, 28, false},  {"threads", 0, true},     {"stacks", 0, true},
		{"change", 0, true}, {"page tables", 0, true}, {"change", 0, true},
	};
	struct table table = TABLE_INIT(p, columns);

	for (size_t i = 0; i < nr; i++) {
		const struct process_level *row = &rows[i];

		if (processes)
			table_words(&table, "%s[%d]", row->comm, row->tgid);
		else if (row->cgroup[0])
			table_words(&table, "%s", row->cgroup);
		else
			table_words(&table, "(cgroup number %llu)",
				    (unsigned long long)row->cgroup_id);
		table_count(&table, row->threads.end, false);
		table_bytes(&table, row->stack_kb.end * 1024, false);
		table_bytes(&table, level_change_delta(&row->stack_kb) * 1024, true);
		table_bytes(&table, row->pgtables_kb.end * 1024, false);
		table_bytes(&table, level_change_delta(&row->pgtables_kb) * 1024, true);
	}
	table_print(&table);
}

static void unlisted_stacks(struct page *p, double kb)
{
	char a[UNITS_MAX];

	if (kb > 0)
		page_paragraph(p, 2,
			       "Stacks of tasks outside the recorder's PID namespace, and of idle "
			       "tasks: %s.",
			       units_bytes(a, kb * 1024));
}

void report_holders(struct page *p, const struct report *r, size_t top)
{
	const struct holders *l = &r->holders;

	if (!l->tasks_known && !l->callers_known)
		return;
	page_heading(p, PAGE_BOLD,
		     "HOLDERS  (at the end, with the change; including older memory)");
	if (l->callers_known) {
		callers(p, r, top);
		vmalloc_identity(p, "start", &l->vmalloc_start);
		vmalloc_identity(p, "end", &l->vmalloc_end);
	}
	if (r->ledger.rows[LEDGER_VMALLOC].from_levels)
		page_paragraph(p, 2,
			       "vmalloc was not traced. Its held and old freed are the growth and "
			       "shrinkage of each caller in /proc/vmallocinfo.");
	if (l->tasks_known) {
		holders(p, "by process", l->processes.items, rows_shown(top, l->processes.nr),
			true);
		holders(p, "by cgroup", l->cgroups, rows_shown(top, l->nr_cgroups), false);
		unlisted_stacks(p, l->unlisted_stacks_kb);
	}
}
