// SPDX-License-Identifier: GPL-2.0-only
/* Prints the kinds of objects of a census: see census_kinds.h. */
#include "render/census_kinds.h"

#include "base/units.h"
#include "findings/screen_words.h"
#include "render/table.h"

#define LIKE_PATHS        3 /* of a kind, in the text */
#define LIKE_TRACED       3 /* objects of a kind: fewer say too little for the text */
#define CGROUP_WIDTH      14
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

/* Who is charged for them: the cgroup that has most of each kind. */
static void kinds_cgroups_print(struct page *p, const struct census_sheet *s, size_t most)
{
	static const struct table_column columns[] = {{"memory", 0, true},
						      {"cache", 17, false},
						      {"type", 20, false},
						      {"share", 0, true},
						      {"charged most to", 0, false}};
	struct table table = TABLE_INIT(p, columns);
	size_t shown = 0;

	for (size_t i = 0; i < s->kinds.top.nr && shown < most; i++) {
		const struct kind_row *row = s->kinds.top.items[i].row;
		char low[UNITS_MAX], high[UNITS_MAX];

		if (!row->cgroup || !kind_shows(&s->kinds.top.items[i]))
			continue;
		if (!shown++)
			page_heading(
				p, PAGE_BOLD,
				"KINDS BY CGROUP  (memory: the cgroup's part; share: of the kind, 95 %% "
				"interval)");
		table_bytes(&table, row->kb * row->cgroup_share * 1024, false);
		table_words(&table, "%s", s->caches[s->kinds.top.items[i].cache].cache->name);
		cell_type(&table, row->kind);
		table_words(&table, "%s-%s%%", units_share(low, row->cgroup_low * 100),
			    units_share(high, row->cgroup_high * 100));
		table_words(&table, "%s%s", page_fit_middle(p, row->cgroup->path, CGROUP_WIDTH),
			    census_removal_words(row->cgroup));
	}
	if (shown)
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
	kinds_cgroups_print(p, s, most);
	page_paragraph(
		p, 2,
		"From a sample of live objects of the largest caches: what pointers in them point to, "
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

/* "98-100%  do_msgsnd < msgsnd()" */
static void like_path_print(struct page *p, const struct likeness *l, const struct like_path *path)
{
	char low[UNITS_MAX], high[UNITS_MAX], words[SCREEN_WORDS] = "";

	screen_path(l->taught, path->stack, words);
	page_paragraph(p, 4, "%s-%s%%  %s", units_share(low, path->share_low * 100),
		       units_share(high, path->share_high * 100), words);
}

static void like_row_print(struct page *p, const struct census_sheet *s, const struct likeness *l,
			   const struct like_row *row)
{
	const struct census_kind *k = row->kind;
	bool typed = k && k->sure != KIND_UNKNOWN && k->nr_types;
	char kb[UNITS_MAX], objects[UNITS_MAX], traced[UNITS_MAX];
	size_t shown = row->nr < LIKE_PATHS ? row->nr : LIKE_PATHS;

	page_paragraph(p, 2,
		       "%s in %s: %s objects%s%s%s look like those of the following call "
		       "path%s (compared with %s traced objects):",
		       units_bytes(kb, row->kb * 1024), s->caches[row->cache].cache->name,
		       units_count(objects, row->objects), typed ? " of type " : "",
		       typed ? k->types[0].name : "", typed && k->sure == KIND_POSSIBLE ? "?" : "",
		       row->nr == 1 ? "" : "s", units_count(traced, row->tracked));
	for (size_t i = 0; i < shown; i++)
		like_path_print(p, l, &l->paths.items[row->first + i]);
	if (shown < row->nr)
		page_paragraph(p, 4, "and %zu more call paths, with smaller shares",
			       row->nr - shown);
}

void census_like_text(struct page *p, const struct census_sheet *s, const struct likeness *l,
		      size_t most)
{
	size_t shown = 0;

	if (!l || !l->taught || !likeness_learned(l->taught))
		return;
	page_heading(p, PAGE_BOLD,
		     "CALL PATHS OF SIMILAR OBJECTS  (share: of the traced ones, 95 %% interval)");
	for (size_t i = 0; i < l->nr && shown < most; i++) {
		if (l->items[i].tracked < LIKE_TRACED)
			continue;
		like_row_print(p, s, l, &l->items[i]);
		shown++;
	}
	if (!shown) {
		page_paragraph(p, 2, "No kind of objects here is like those that were traced.");
		return;
	}
	page_paragraph(p, 2,
		       "Nothing traced these objects: their kinds are compared with those of "
		       "objects that a recording traced. They may also come from call paths that "
		       "did not run then.");
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

/* Who most of it is charged to; null if that is not known. */
static json_t *kind_cgroup_json(struct json_out *o, const struct kind_row *row)
{
	json_t *j;

	if (!row->cgroup)
		return json_null();
	j = json_object();
	put(o, j, "path", text(row->cgroup->path));
	put(o, j, "removed", json_boolean(row->cgroup->removed));
	put(o, j, "removed_below", json_boolean(row->cgroup->below));
	put(o, j, "share", number(row->cgroup_share));
	put(o, j, "share_low", number(row->cgroup_low));
	put(o, j, "share_high", number(row->cgroup_high));
	return j;
}

/* [] if nothing is known. */
static json_t *looks_like_json(struct json_out *o, const struct likeness *l,
			       const struct like_row *row)
{
	json_t *list = json_array();

	for (size_t i = 0; row && i < row->nr; i++) {
		const struct like_path *path = &l->paths.items[row->first + i];
		json_t *j = json_object();

		put(o, j, "stack", path_json(o, l->taught, path->stack));
		put(o, j, "share", number(path->share));
		put(o, j, "share_low", number(path->share_low));
		put(o, j, "share_high", number(path->share_high));
		put(o, j, "objects", whole(path->objects));
		put(o, j, "traced", whole(row->tracked));
		append(o, list, j);
	}
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

void cache_kinds_write(struct json_out *o, const struct census_sheet *s, const struct likeness *l,
		       uint32_t cache)
{
	const struct kind_cache_row *row = kinds_sheet_find(&s->kinds, cache);

	json_begin(o, "kinds", '[');
	for (size_t i = 0; row && i < row->nr && json_wanted(o); i++) {
		const struct census_kind *kind = row->rows[i].kind;
		json_t *j = kind_json(o, &row->rows[i]);

		put(o, j, "cgroup", kind_cgroup_json(o, &row->rows[i]));
		put(o, j, "looks_like",
		    looks_like_json(o, l, l && kind ? likeness_find(l, cache, kind) : NULL));
		json_member(o, NULL, j);
	}
	json_end(o, ']');
	json_member(o, "looks_like",
		    looks_like_json(o, l, l ? likeness_find(l, cache, NULL) : NULL));
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
