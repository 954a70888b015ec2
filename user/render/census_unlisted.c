// SPDX-License-Identifier: GPL-2.0-only
/* Pages in no line of /proc/meminfo, as text and as JSON: see census_parts.h. */
#include "render/census_parts.h"

#include <math.h>

#include "model/census_unlisted.h"
#include "render/json_value.h"
#include "render/table.h"

#define NAME_WIDTH 38
#define LEAST_KB   64 /* cgroups and remainders with less are not worth a line of text */

static bool origins_wanted(const struct census *c)
{
	for (size_t i = 0; i < c->origins.nr; i++)
		if (c->origins.items[i].pages.sum * c->page_bytes / 1024 >= LEAST_KB)
			return true;
	return false;
}

static void unlisted_row(struct table *t, const char *what, const char *who, double kb)
{
	table_words(t, "%s", what);
	table_bytes(t, kb * 1024, false);
	table_words(t, "%s", who);
}

static void unlisted_origins(struct page *p, struct table *t, const struct census *c, size_t most)
{
	for (size_t i = 0; i < c->origins.nr && i < most; i++) {
		const struct census_origin *o = &c->origins.items[i];

		unlisted_row(t, census_origin_words(o->kind),
			     o->name[0] ? page_fit_middle(p, o->name, NAME_WIDTH) : "(not known)",
			     census_origin_figure(c, o).kb);
	}
}

/* Those that hold the most; the cgroups of a sheet are ordered by all that they hold. */
static void unlisted_cgroups(struct page *p, struct table *t, const struct census_sheet *s,
			     enum census_class class)
{
	const struct census_cgroup_row *most = NULL;

	for (size_t i = 0; i < s->nr_cgroups; i++)
		if (!most || s->cgroups[i].classes_kb[class] > most->classes_kb[class])
			most = &s->cgroups[i];
	if (!most || most->classes_kb[class] < LEAST_KB)
		return;
	unlisted_row(t,
		     class == CENSUS_REST ? "other pages, charged most to"
					  : "unmapped, charged most to",
		     page_fit_middle(p, most->cgroup->path, NAME_WIDTH), most->classes_kb[class]);
}

void census_text_unlisted(struct page *p, const struct census_sheet *s, size_t most)
{
	static const struct table_column columns[] = {
		{"what", 0, false}, {"memory", 0, true}, {"who", 0, false}};
	struct census_unlisted u = census_unlisted(s);
	struct table table = TABLE_INIT(p, columns);

	if (!origins_wanted(s->census) && most != SIZE_MAX)
		return;
	page_heading(p, PAGE_BOLD, "PAGES IN NO LINE OF /proc/meminfo");
	unlisted_origins(p, &table, s->census, most);
	unlisted_cgroups(p, &table, s, CENSUS_REST);
	unlisted_cgroups(p, &table, s, CENSUS_UNMAPPED);
	if (u.unknown_kb >= LEAST_KB)
		unlisted_row(&table, "other pages, not explained", "", u.unknown_kb);
	table_print(&table);
	if (!s->census->origins_known)
		page_paragraph(p, 2,
			       "Open files could not be looked at, so pipes and rings are among "
			       "the pages that are not explained.");
}

static json_t *origin_json(struct json_out *o, const struct census *c,
			   const struct census_origin *origin)
{
	struct census_figure f = census_origin_figure(c, origin);
	json_t *j = json_object();

	put(o, j, "kind", text(origin->kind));
	put(o, j, "name", text(origin->name));
	put(o, j, "count", json_integer((json_int_t)origin->nr));
	put(o, j, "kb", number(f.kb));
	put(o, j, "kb_low", number(f.low_kb));
	put(o, j, "kb_high", number(f.high_kb));
	return j;
}

void census_unlisted_write(struct json_out *o, const struct census_sheet *s)
{
	struct census_unlisted u = census_unlisted(s);

	json_begin(o, "unlisted", '{');
	json_member(o, "kb", number(u.kb));
	json_member(o, "found_kb", number(u.found_kb));
	json_member(o, "unknown_kb", number(u.unknown_kb));
	json_member(o, "files_read", json_boolean(s->census->origins_known));
	json_begin(o, "origins", '[');
	for (size_t i = 0; i < s->census->origins.nr && json_wanted(o); i++)
		json_member(o, NULL, origin_json(o, s->census, &s->census->origins.items[i]));
	json_end(o, ']');
	json_end(o, '}');
}
