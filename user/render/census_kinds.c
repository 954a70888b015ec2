// SPDX-License-Identifier: GPL-2.0-only
/* Prints the kinds of objects of a census: see census_kinds.h. */
#include "render/census_kinds.h"

#include "base/units.h"
#include "render/table.h"

#define KINDS_LEAST_SHARE 0.02 /* rarer ones are left out of the text */

/* ---- text ---- */

/* "timerfd_ctx?", with a question mark where it is only possible. */
static void cell_type(struct table *t, const struct census_kind *k)
{
	if (k->sure == KIND_UNKNOWN || !k->nr_types)
		table_words(t, "unknown");
	else
		table_words(t, "%s%s", k->types[0].name, k->sure == KIND_POSSIBLE ? "?" : "");
}

/* Functions and caches that it points to, the functions first. */
static void cell_points(struct table *t, const struct census_kind *k)
{
	const char *first = k->functions[0][0] ? k->functions[0] : k->points_to[0];
	const char *second = k->functions[0][0] ? k->points_to[0] : k->points_to[1];

	table_words(t, "%s%s%s%s", first, k->functions[0][0] ? "()" : "", second[0] ? ", " : "",
		    second);
}

static bool kind_shows(const struct kind_top *top)
{
	return top->row->share >= KINDS_LEAST_SHARE && top->row->kind->signature[0];
}

static void kinds_table_print(struct page *p, const struct census_sheet *s, size_t most)
{
	const struct kinds_sheet *k = &s->kinds;
	static const struct table_column columns[] = {
		{"memory", 0, true}, {"objects", 0, true}, {"cache", 17, false},
		{"share", 0, true},  {"type", 20, false},  {"points to", 24, false}};
	struct table table = TABLE_INIT(p, columns);
	char low[UNITS_MAX], high[UNITS_MAX];
	size_t shown = 0;

	for (size_t i = 0; i < k->top.nr && shown < most; i++) {
		const struct kind_row *row = k->top.items[i].row;

		if (!kind_shows(&k->top.items[i]))
			continue;
		shown++;
		table_bytes(&table, row->kb * 1024, false);
		table_count(&table, row->objects, false);
		table_words(&table, "%s", s->caches[k->top.items[i].cache].cache->name);
		table_words(&table, "%s-%s%%", units_share(low, row->share_low * 100),
			    units_share(high, row->share_high * 100));
		cell_type(&table, row->kind);
		cell_points(&table, row->kind);
	}
	table_print(&table);
}

void census_kinds_text(struct page *p, const struct census_sheet *s, size_t most)
{
	const struct census_kinds *kinds = &s->census->kinds;

	if (kinds->why[0]) {
		page_heading(p, PAGE_BOLD, "KINDS OF OBJECTS: not known: %s", kinds->why);
		return;
	}
	if (!s->kinds.nr)
		return;
	page_heading(p, PAGE_BOLD, "KINDS OF OBJECTS  (share: of the cache, 95 %% interval)");
	kinds_table_print(p, s, most);
	page_paragraph(
		p, 2,
		"From a sample of live objects of the largest caches: what their words point to, "
		"compared with the types of this kernel. A type with ? fits little better than "
		"others. No type is certain.");
	if (kinds->lacks[0])
		page_paragraph(p, 2, "Not known: %s.", kinds->lacks);
	if (kinds->skipped)
		page_paragraph(p, 2,
			       "%u caches were not looked at: there are too many, or it would "
			       "have exceeded --census-budget.",
			       kinds->skipped);
}

/* ---- JSON ---- */

static json_t *types_json(struct json_out *o, const struct census_kind *k)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < k->nr_types && i < KIND_TYPES; i++) {
		json_t *j = json_object();

		put(o, j, "name", text(k->types[i].name));
		put(o, j, "score", number(k->types[i].score));
		put(o, j, "margin",
		    i + 1 < k->nr_types && i + 1 < KIND_TYPES
			    ? number(k->types[i].score - k->types[i + 1].score)
			    : json_null());
		append(o, list, j);
	}
	return list;
}

static json_t *kind_names_json(struct json_out *o, const char names[KIND_NAMES][KIND_NAME_MAX])
{
	json_t *list = json_array();

	for (int i = 0; i < KIND_NAMES && names[i][0]; i++)
		append(o, list, text(names[i]));
	return list;
}

static json_t *kind_json(struct json_out *o, const struct kind_row *row)
{
	static const struct census_kind none = {.sure = KIND_UNKNOWN};
	const struct census_kind *kind = row->kind ?: &none;
	json_t *j = json_object();

	put(o, j, "share", number(row->share));
	put(o, j, "share_low", number(row->share_low));
	put(o, j, "share_high", number(row->share_high));
	put(o, j, "objects", whole(row->objects));
	put(o, j, "kb", number(row->kb));
	put(o, j, "others", json_boolean(!row->kind));
	put(o, j, "sure", json_string(kind_sure_name(kind->sure)));
	put(o, j, "types", types_json(o, kind));
	put(o, j, "functions", kind_names_json(o, kind->functions));
	put(o, j, "points_to", kind_names_json(o, kind->points_to));
	put(o, j, "signature", text(kind->signature));
	return j;
}

void cache_kinds_write(struct json_out *o, const struct kinds_sheet *k, uint32_t cache)
{
	const struct kind_cache_row *row = kinds_sheet_find(k, cache);

	json_begin(o, "kinds", '[');
	for (size_t i = 0; row && i < row->nr && json_wanted(o); i++)
		json_member(o, NULL, kind_json(o, &row->rows[i]));
	json_end(o, ']');
}

json_t *census_kinds_json(struct json_out *o, const struct census *c)
{
	const struct census_kinds *k = &c->kinds;
	json_t *j = json_object();

	put(o, j, "cpu_s", number(k->cpu_s));
	put(o, j, "caches", json_integer((json_int_t)k->samples.nr));
	put(o, j, "skipped", json_integer(k->skipped));
	put(o, j, "why", k->why[0] ? text(k->why) : json_null());
	put(o, j, "lacks", k->lacks[0] ? text(k->lacks) : json_null());
	return j;
}
