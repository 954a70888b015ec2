// SPDX-License-Identifier: GPL-2.0-only
/* A census for programs, as docs/schema/census.schema.json describes it: see census.h. */
#include "render/census.h"
#include "render/finding.h"
#include "render/json_value.h"
#include "version.h"

static void census_figure_put(struct json_out *o, json_t *j, const struct census_figure *f)
{
	put(o, j, "kb", number(f->kb));
	put(o, j, "kb_low", number(f->low_kb));
	put(o, j, "kb_high", number(f->high_kb));
}

static json_t *line_json(struct json_out *o, const struct census_row *row)
{
	json_t *j;

	if (!row->line)
		return json_null();
	j = json_object();
	put(o, j, "name", json_string(row->line));
	put(o, j, "kb", number(row->line_kb));
	return j;
}

static json_t *census_pages_json(struct json_out *o, const struct census_sheet *s)
{
	json_t *pages = json_array();

	for (int class = 0; class < CENSUS_CLASSES; class ++) {
		const struct census_row *row = &s->rows[class];
		json_t *j = json_object();

		put(o, j, "class", json_string(census_class_name(class)));
		census_figure_put(o, j, &row->figure);
		put(o, j, "marked", json_boolean(census_tells(s->census, class)));
		put(o, j, "meminfo", line_json(o, row));
		put(o, j, "with",
		    row->with == CENSUS_CLASSES ? json_null()
						: json_string(census_class_name(row->with)));
		put(o, j, "difference_kb", number(row->difference_kb));
		put(o, j, "differs", row->checked ? json_boolean(row->differs) : json_null());
		append(o, pages, j);
	}
	return pages;
}

static json_t *census_member(struct json_out *o, const struct census_sheet *s)
{
	const struct census *c = s->census;
	json_t *j = json_object();

	put(o, j, "took_s", number(c->took_s));
	put(o, j, "cpu_s", number(c->cpu_s));
	put(o, j, "scanned_fraction", fraction(s->counted_share));
	put(o, j, "frames", number((double)c->frames));
	put(o, j, "page_bytes", json_integer(c->page_bytes));
	put(o, j, "memory_kb", number(s->total.kb));
	put(o, j, "pages", census_pages_json(o, s));
	return j;
}

int census_json(const struct census_document *d, FILE *out)
{
	struct json_out o = {0};

	json_document_begin(&o, out);
	json_member(&o, "schema", json_integer(JSON_SCHEMA_VERSION));
	json_member(&o, "kernel", d->kernel[0] ? text(d->kernel) : json_null());
	json_member(&o, "time", time_json(d->sheet->census->wall_s));
	json_member(&o, "census", census_member(&o, d->sheet));
	json_member(&o, "findings", finding_list_json(&o, d->findings));
	return json_document_end(&o);
}
