// SPDX-License-Identifier: GPL-2.0-only
/* A census for people: see census.h. */
#include "render/census.h"

#include "render/finding.h"
#include "render/table.h"

static void census_title(struct page *p, const struct census_document *d)
{
	const struct census *c = d->sheet->census;
	char memory[UNITS_MAX], share[UNITS_MAX];

	page_heading(p, PAGE_BOLD, "CENSUS  (K, M, G: KiB, MiB, GiB)");
	page_paragraph(
		p, 2, "%s of memory%s%s, %s%s of the page frames counted in %.0f ms of one CPU.",
		units_bytes(memory, d->sheet->total.kb * 1024), d->kernel[0] ? ", Linux " : "",
		d->kernel,
		census_is_whole(c) ? "all" : units_share(share, d->sheet->counted_share * 100),
		census_is_whole(c) ? "" : "%", c->cpu_s * 1000);
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
	page_paragraph(p, 2,
		       "Slab contains large kmalloc, and MemFree pages that were never used: each "
		       "difference is of the two lines together. Unmapped: of processes or files "
		       "that no longer map them, but pinned. Other pages: vmalloc, per-CPU memory, "
		       "kernel stacks, and pages in no line.");
}

int census_text(const struct census_document *d, const struct census_text_options *o, FILE *out)
{
	struct page p;

	page_begin(&p, out, o->colour, o->utf8);
	census_title(&p, d);
	census_text_findings(&p, d->findings);
	census_text_pages(&p, d->sheet);
	return page_end(&p);
}
