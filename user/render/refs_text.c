// SPDX-License-Identifier: GPL-2.0-only
/* What points to sampled objects, for people: see refs.h. */
#include "render/refs.h"

#include "findings/refs_findings.h"
#include "render/finding.h"
#include "render/table.h"

#define FROM_WIDTH    46
#define HOLDER_WIDTH  33
#define THROUGH_WIDTH 25

static void refs_text_title(struct page *p, const struct refs_document *d)
{
	const struct refs *r = d->sheet->refs;
	char count[2][UNITS_MAX], bytes[UNITS_MAX], share[UNITS_MAX], scanned[UNITS_MAX];
	char apart[32] = "", objects[REFS_OBJECTS_MAX];

	if (r->apart_s > 0)
		snprintf(apart, sizeof(apart), ", %.0f s apart", r->apart_s);
	page_heading(p, PAGE_BOLD, "REFERENCES to objects of %s", refs_objects_words(r, objects));
	page_paragraph(
		p, 2,
		"%s %s about %s objects in use, of %s each. %s was searched for pointers to "
		"them twice%s: %s%s of the kernel's memory%s%s. This took %.1f s of CPU time.",
		units_count(count[0], (double)r->sample.checked),
		r->all_objects ? "objects, all that stayed in use, of"
			       : "objects, a random sample of",
		units_count(count[1], (double)r->in_use), units_bytes(bytes, r->object_bytes),
		units_bytes(scanned, d->sheet->scanned_kb * 1024), apart,
		d->sheet->scanned_fraction < 1
			? units_share(share, 100 * d->sheet->scanned_fraction)
			: "all",
		d->sheet->scanned_fraction < 1 ? "%" : "", d->kernel[0] ? ", Linux " : "",
		d->kernel, r->cpu_s);
}

static void refs_text_share(struct table *t, struct refs_share s)
{
	char share[UNITS_MAX], low[UNITS_MAX], high[UNITS_MAX];

	table_words(t, "%s%%", units_percent(share, 100 * s.share));
	if (s.high > s.low)
		table_words(t, "%s-%s%%", units_percent(low, 100 * s.low),
			    units_percent(high, 100 * s.high));
	else
		table_words(t, "%s", "");
}

static void refs_text_referrers(struct page *p, const struct refs_sheet *s, size_t most)
{
	static const struct table_column columns[] = {{"pointed to by", FROM_WIDTH, false},
						      {"sampled", 0, true},
						      {"share", 0, true},
						      {"95 %", 0, true}};
	const struct refs *r = s->refs;
	struct table table = TABLE_INIT(p, columns);
	char from[REFS_FROM_MAX], count[UNITS_MAX];

	page_heading(p, PAGE_BOLD, "REFERRERS  (of %s sampled objects; an object may have several)",
		     units_count(count, (double)r->sample.checked));
	for (size_t i = 0; i < r->referrers.nr && i < most; i++) {
		const struct refs_referrer *row = &r->referrers.items[i];

		table_words(&table, "%s",
			    page_fit_middle(p, refs_referrer_words(row, from), FROM_WIDTH));
		table_count(&table, (double)row->objects, false);
		refs_text_share(&table,
				refs_share_of(row->objects, r->sample.checked, r->all_objects));
	}
	if (r->sample.unreferenced) {
		table_words(&table, "%s", "nothing that was scanned");
		table_count(&table, (double)r->sample.unreferenced, false);
		refs_text_share(&table, s->unreferenced);
	}
	table_print(&table);
	if (r->referrers.nr > most)
		page_paragraph(p, 2, "%zu more; --format json has all.", r->referrers.nr - most);
}

static void refs_text_holders(struct page *p, const struct refs_sheet *s, size_t most)
{
	static const struct table_column columns[] = {{"held by", HOLDER_WIDTH, false},
						      {"through", THROUGH_WIDTH, false},
						      {"sampled", 0, true},
						      {"share", 0, true}};
	const struct refs *r = s->refs;
	struct table table = TABLE_INIT(p, columns);
	uint64_t unknown = r->sample.checked - r->sample.unreferenced;
	char words[REFS_HOLDER_MAX], share[UNITS_MAX], count[UNITS_MAX];

	if (!r->holders_known || !r->sample.checked)
		return;
	unknown = r->held < unknown ? unknown - r->held : 0;
	page_heading(p, PAGE_BOLD,
		     "HOLDERS  (of %s sampled objects; an object may have several; ?: likely)",
		     units_count(count, (double)r->sample.checked));
	for (size_t i = 0; i < r->holders.nr && i < most; i++) {
		const struct refs_holder *h = &r->holders.items[i];
		char *cell = NULL;

		if (asprintf(&cell, "%s%s", refs_holder_words(h, words), h->certain ? "" : " ?") <
		    0)
			cell = NULL;
		table_words(&table, "%s", page_fit_middle(p, cell ?: words, HOLDER_WIDTH));
		free(cell);
		table_words(&table, "%s", page_fit_middle(p, h->through, THROUGH_WIDTH));
		table_count(&table, (double)h->objects, false);
		table_words(&table, "%s%%",
			    units_percent(share,
					  100.0 * (double)h->objects / (double)r->sample.checked));
	}
	if (unknown) {
		table_words(&table, "%s", "holder not found");
		table_words(&table, "%s", "");
		table_count(&table, (double)unknown, false);
		table_words(
			&table, "%s%%",
			units_percent(share, 100.0 * (double)unknown / (double)r->sample.checked));
	}
	table_print(&table);
	if (r->holders.nr > most)
		page_paragraph(p, 2, "%zu more; --format json has all.", r->holders.nr - most);
	if (r->holders_partial)
		page_paragraph(p, 2, "Processes have so many objects that some were left out.");
}

int refs_text(const struct refs_document *d, const struct refs_text_options *o, FILE *out)
{
	struct page p;

	page_begin(&p, out, o->colour, o->utf8);
	refs_text_title(&p, d);
	for (size_t i = 0; i < d->findings->nr; i++)
		finding_text(&p, &d->findings->items[i]);
	refs_text_holders(&p, d->sheet, o->rows);
	refs_text_referrers(&p, d->sheet, o->rows);
	return page_end(&p);
}
