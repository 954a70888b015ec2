// SPDX-License-Identifier: GPL-2.0-only
/* A census for people: see census.h. */
#include "render/census.h"

#include "render/census_lenses.h"
#include "render/census_parts.h"
#include "render/census_kinds.h"
#include "render/finding.h"
#include "render/section.h"
#include "render/table.h"

#include <stdint.h>

static void census_counted(struct page *p, const struct census_sheet *s, const char *kernel)
{
	char memory[UNITS_MAX], share[UNITS_MAX];
	bool whole = census_is_whole(s->census);

	page_paragraph(p, 2,
		       "%s of memory%s%s, %s%s of the page frames counted in %.0f ms of one CPU.",
		       units_bytes(memory, s->total.kb * 1024), kernel[0] ? ", Linux " : "", kernel,
		       whole ? "all" : units_share(share, s->counted_share * 100), whole ? "" : "%",
		       s->census->cpu_s * 1000);
}

void census_counted_text(struct page *p, const struct census_sheet *s)
{
	census_counted(p, s, "");
}

static void census_text_findings(struct page *p, const struct findings *list)
{
	for (size_t i = 0; i < list->nr; i++)
		finding_text(p, &list->items[i]);
}

/* A class of which no page was counted, and with no line, is left out. */
static bool row_is_empty(const struct census_row *row)
{
	return row->figure.kb < 1 && !(row->line_kb > 0);
}

static void cell_interval(struct table *t, const struct census_figure *f)
{
	char low[UNITS_MAX], high[UNITS_MAX];

	table_words(t, "%s-%s", units_bytes_short(low, f->low_kb * 1024),
		    units_bytes_short(high, f->high_kb * 1024));
}

static void census_text_row(struct table *t, const struct census_row *row, bool whole)
{
	table_words(t, "%s", census_class_words(row->class));
	table_bytes(t, row->figure.kb * 1024, false);
	if (!whole)
		cell_interval(t, &row->figure);
	table_words(t, "%s", row->line ?: "");
	if (row->line) {
		table_bytes(t, row->line_kb * 1024, false);
		table_bytes(t, row->difference_kb * 1024, true);
	} else {
		table_words(t, "%s", "");
		table_words(t, "%s", "");
	}
}

static void census_text_pages(struct page *p, const struct census_sheet *s)
{
	static const struct table_column with_interval[] = {
		{"pages", 0, false}, {"counted", 0, true}, {"95 %", 0, true},
		{"/proc", 0, false}, {"it says", 0, true}, {"difference", 0, true}};
	static const struct table_column without[] = {{"pages", 0, false},
						      {"counted", 0, true},
						      {"/proc", 0, false},
						      {"it says", 0, true},
						      {"difference", 0, true}};
	bool whole = census_is_whole(s->census);
	struct table table = whole ? (struct table)TABLE_INIT(p, without)
				   : (struct table)TABLE_INIT(p, with_interval);

	page_heading(p, PAGE_BOLD, "PAGES");
	for (int class = 0; class < CENSUS_CLASSES; class ++)
		if (!row_is_empty(&s->rows[class]))
			census_text_row(&table, &s->rows[class], whole);
	table_print(&table);
	page_paragraph(
		p, 2,
		"Free (other): on the CPUs' lists, or never used since boot. The two rows "
		"of free pages are compared together; so are slab caches and large kmalloc. "
		"Unmapped: nobody maps these pages of processes or files any more, but "
		"something pins them. Other pages: vmalloc, per-CPU memory, kernel stacks, and "
		"pages in no line of /proc/meminfo, so they are usually more than the two "
		"lines.");
}

#define SCREEN_ROWS  5 /* of each table, unless its section is asked for */
#define SCREEN_KINDS 8
#define PATH_WIDTH   38

static const char *const census_sections[] = {"caches", "cgroups",  "nodes", "kinds",
					      "lenses", "unlisted", "sites"};
#define NR_CENSUS_SECTIONS (sizeof(census_sections) / sizeof(census_sections[0]))

unsigned int census_section_parse(const char *name, size_t len)
{
	return section_bit(census_sections, NR_CENSUS_SECTIONS, name, len);
}

/* The cgroup that holds most of a cache. */
static void cell_holder(struct page *p, struct table *t, const struct census_cache_row *row)
{
	const struct census_charge_row *most = row->nr_charges ? &row->charges[0] : NULL;
	char bytes[UNITS_MAX];

	if (!most || most->figure.kb < row->figure.kb / 20) {
		table_words(t, "%s", "");
		return;
	}
	table_words(t, "%s %s%s", units_bytes_short(bytes, most->figure.kb * 1024),
		    page_fit_middle(p, most->cgroup->path, 24), census_removal_words(most->cgroup));
}

static void census_text_caches(struct page *p, const struct census_sheet *s, size_t most)
{
	static const struct table_column columns[] = {{"cache", 20, false},
						      {"memory", 0, true},
						      {"objects", 0, true},
						      {"free", 0, true},
						      {"charged most to", 0, false}};
	struct table table = TABLE_INIT(p, columns);

	if (!s->nr_caches)
		return;
	page_heading(p, PAGE_BOLD, "SLAB CACHES  (free: part of the memory that no object uses)");
	for (size_t i = 0; i < s->nr_caches && i < most; i++) {
		table_words(&table, "%s", s->caches[i].cache->name);
		table_bytes(&table, s->caches[i].figure.kb * 1024, false);
		table_count(&table, s->caches[i].objects.kb, false);
		table_bytes(&table, s->caches[i].free_kb * 1024, false);
		cell_holder(p, &table, &s->caches[i]);
	}
	table_print(&table);
}

static void census_text_cgroups(struct page *p, const struct census_sheet *s, size_t most)
{
	static const struct table_column columns[] = {{"cgroup", 0, false},
						      {"all", 0, true},
						      {"slab", 0, true},
						      {"anon", 0, true},
						      {"file", 0, true}};
	struct table table = TABLE_INIT(p, columns);

	if (!s->nr_cgroups)
		return;
	page_heading(p, PAGE_BOLD,
		     "CGROUPS  (memory charged to the cgroup itself, not to those below)");
	for (size_t i = 0; i < s->nr_cgroups && i < most; i++) {
		const struct census_cgroup_row *row = &s->cgroups[i];

		table_words(&table, "%s%s", page_fit_middle(p, row->cgroup->path, PATH_WIDTH),
			    census_removal_words(row->cgroup));
		table_bytes(&table, row->figure.kb * 1024, false);
		table_bytes(&table, row->slab.kb * 1024, false);
		table_bytes(&table, row->classes_kb[CENSUS_ANON] * 1024, false);
		table_bytes(&table, row->classes_kb[CENSUS_FILE] * 1024, false);
	}
	table_print(&table);
}

static void census_text_nodes(struct page *p, const struct census_sheet *s)
{
	static const struct table_column columns[] = {
		{"cache", 0, false}, {"node", 0, true}, {"memory", 0, true}};
	const struct census *c = s->census;
	struct table table = TABLE_INIT(p, columns);

	if (!c->nodes.nr) {
		page_heading(p, PAGE_BOLD, "NUMA NODES: all slabs are on one node.");
		return;
	}
	page_heading(p, PAGE_BOLD, "NUMA NODES");
	for (size_t i = 0; i < c->nodes.nr; i++) {
		const struct census_node *n = &c->nodes.items[i];

		table_words(&table, "%s", c->caches.items[n->cache].name);
		table_words(&table, "%d", n->node);
		table_bytes(&table,
			    census_estimate(c, &n->pages, CENSUS_UNIT, c->page_bytes / 1024.0).kb *
				    1024,
			    false);
	}
	table_print(&table);
}

void census_tables_text(struct page *p, const struct census_sheet *s,
			const struct census_rows *rows)
{
	census_text_pages(p, s);
	census_text_caches(p, s, rows->caches);
	census_text_cgroups(p, s, rows->cgroups);
	census_kinds_text(p, s, rows->kinds);
	census_like_text(p, s, rows->like, rows->kinds);
	census_text_unlisted(p, s, rows->unlisted);
	if (rows->nodes)
		census_text_nodes(p, s);
}

int census_text(const struct census_document *d, const struct census_text_options *o, FILE *out)
{
	const struct census_rows rows = {.caches = o->sections & 1 ? SIZE_MAX : SCREEN_ROWS,
					 .cgroups = o->sections & 2 ? SIZE_MAX : SCREEN_ROWS,
					 .nodes = o->sections & 4,
					 .kinds = o->sections & 8 ? SIZE_MAX : SCREEN_KINDS,
					 .like = d->like,
					 .unlisted = o->sections & 32 ? SIZE_MAX : SCREEN_ROWS};
	struct page p;

	page_begin(&p, out, o->colour, o->utf8);
	page_heading(&p, PAGE_BOLD, "CENSUS  (K, M, G: KiB, MiB, GiB)");
	census_counted(&p, d->sheet, d->kernel);
	census_text_findings(&p, d->findings);
	census_tables_text(&p, d->sheet, &rows);
	if (o->sections & 16)
		census_lenses_text(&p, &d->sheet->lenses, d->bpf);
	else
		census_lenses_screen(&p, &d->sheet->lenses);
	census_records_text(&p, &d->sheet->census->records,
			    o->sections & 64 ? SIZE_MAX : SCREEN_ROWS);
	if (!o->sections)
		section_more(&p, census_sections, NR_CENSUS_SECTIONS);
	return page_end(&p);
}
