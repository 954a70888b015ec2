// SPDX-License-Identifier: GPL-2.0-only
/* Slab caches that grew or hold something: what was traced of each beside what slabinfo says. */
#include <math.h>

#include "render/report_internal.h"
#include "render/table.h"

#define ALIASES_SHOWN 8
#define NAME_COLUMNS  28 /* of a cache in a sentence */

static const char *agreement_mark(const struct page *p, enum agreement a)
{
	switch (a) {
	case AGREE_YES:
		return "=";
	case AGREE_FREED_OLD:
		return "old";
	case AGREE_NO:
		return p->glyphs->differs;
	case AGREE_UNKNOWN:
		break;
	}
	return "?";
}

static void cache_row(struct table *table, const struct cache_row *row)
{
	table_words(table, "%s", row->name);
	table_count(table, row->size, false);
	table_bytes(table, row->delta_kb * 1024, true);
	table_bytes(table, row->traced ? row->held_bytes : NAN, false);
	table_count(table, row->traced ? row->held_objects : NAN, false);
	table_count(table, row->delta_objects, true);
	table_words(
		table, "%s",
		agreement_mark(table->page, row->traced ? row->trust.agreement : AGREE_UNKNOWN));
	table_words(table, "%s",
		    row->traced ? trust_name(row->trust.level) : table->page->glyphs->none);
}

static void aliases(struct page *p, const struct cache_row *row)
{
	size_t nr = row->cap ? row->cap->aliases.nr : 0;
	struct page_words w;

	if (!nr || !page_words_begin(p, &w))
		return;
	fprintf(w.f, "%s is also", page_fit(p, row->name, NAME_COLUMNS));
	for (size_t i = 0; i < nr && i < ALIASES_SHOWN; i++)
		fprintf(w.f, "%s %s", i ? "," : "",
			page_fit(p, row->cap->aliases.items[i], NAME_COLUMNS));
	if (nr > ALIASES_SHOWN)
		fprintf(w.f, " and %zu more names", nr - ALIASES_SHOWN);
	page_words_end(p, &w, 2);
}

static void unseen(struct page *p, const struct cache_row *row)
{
	char objects[UNITS_MAX], bytes[UNITS_MAX];

	if (!row->unseen)
		return;
	page_paragraph(
		p, 2,
		"%s: about %s objects (%s) were allocated without an event, most likely in bulk.",
		page_fit(p, row->name, NAME_COLUMNS), units_count(objects, row->unseen_objects),
		units_bytes(bytes, row->unseen_bytes));
}

/* What grew is not all: most of the memory may be in caches that do not grow. */
static void largest(struct page *p, const struct caches *caches)
{
	static const struct table_column columns[] = {
		{"cache", 26, false}, {"pages", 0, true}, {"change", 0, true},
		{"objects", 0, true}, {"", 0, false},
	};
	struct table table = TABLE_INIT(p, columns);

	if (!caches->nr_largest)
		return;
	page_heading(p, PAGE_BOLD, "LARGEST SLAB CACHES  (at the end)");
	for (size_t i = 0; i < caches->nr_largest; i++) {
		const struct cache_row *row = &caches->items[caches->largest[i]];

		table_words(&table, "%s", row->name);
		table_bytes(&table, row->end_kb * 1024, false);
		table_bytes(&table, row->delta_kb * 1024, true);
		table_count(&table, row->end_objects, false);
		table_words(&table, "%s",
			    !row->cap || row->large ? ""
			    : row->cap->reclaimable ? "reclaimable"
						    : "not reclaimable");
	}
	table_print(&table);
}

void report_caches(struct page *p, const struct report *r, size_t top)
{
	static const struct table_column columns[] = {
		{"cache", 26, false}, {"size", 8, true},   {"pages", 0, true},
		{"held", 0, true},    {"traced", 0, true}, {"slabinfo", 0, true},
		{"", 3, false},       {"trust", 0, false},
	};
	struct table table = TABLE_INIT(p, columns);
	const struct caches *caches = &r->caches;
	size_t shown = rows_shown(top, caches->nr_notable);

	page_heading(p, PAGE_BOLD, "SLAB CACHES  (by growth of their pages)");
	if (!caches->nr_notable) {
		page_paragraph(p, 2, "%s",
			       r->view.slab_start
				       ? "No cache grew."
				       : "slabinfo could not be read, so no caches are shown.");
		largest(p, caches);
		return;
	}
	for (size_t i = 0, n = 0; n < shown; i++)
		if (caches->items[i].notable && ++n)
			cache_row(&table, &caches->items[i]);
	table_print(&table);
	if (caches->nr_notable > shown)
		page_paragraph(p, 2,
			       "%zu more caches grew or hold traced objects: --top %zu shows them.",
			       caches->nr_notable - shown, caches->nr_notable);
	for (size_t i = 0, n = 0; n < shown; i++) {
		if (!caches->items[i].notable)
			continue;
		aliases(p, &caches->items[i]);
		unseen(p, &caches->items[i]);
		n++;
	}
	page_paragraph(p, 2,
		       "traced: objects still held; slabinfo: change of objects in use. = they "
		       "agree; %s they differ; old: objects older than the capture were freed; ? "
		       "they cannot be compared.",
		       p->glyphs->differs);
	largest(p, caches);
}
