// SPDX-License-Identifier: GPL-2.0-only
/* Prints one table of counters and their caches, then the contradictions: see witness.h. */
#include "render/witness.h"

#include "render/table.h"

#define REMOVED_ROWS_MAX 256 /* record stores 65; a hostile capture may have any number */

static const char *mark(const struct page *p, enum witness_state state)
{
	switch (state) {
	case WITNESS_AGREES:
		return "=";
	case WITNESS_PART:
		return "part";
	case WITNESS_DIFFERS:
		return p->glyphs->differs;
	case WITNESS_UNKNOWN:
		break;
	}
	return "?";
}

static void witness_row(struct table *table, const struct witness *w, bool is_pair)
{
	table_words(table, "%s", w->def->label);
	table_count(table, w->count_end, false);
	if (is_pair)
		table_count(table, w->count_delta, true);
	table_words(table, "%s", w->def->caches);
	table_count(table, w->objects_end, false);
	if (is_pair)
		table_count(table, w->objects_delta, true);
	table_bytes(table, w->bytes_end, false);
	table_words(table, "%s", mark(table->page, w->state));
}

void witnesses_text(struct page *p, const struct witnesses *w, bool is_pair)
{
	static const struct table_column one[] = {{"", 0, false},        {"counted", 0, true},
						  {"in slab", 0, false}, {"objects", 0, true},
						  {"size", 0, true},     {"", 0, false}};
	static const struct table_column two[] = {{"", 0, false},       {"counted", 0, true},
						  {"change", 0, true},  {"in slab", 0, false},
						  {"objects", 0, true}, {"change", 0, true},
						  {"size", 0, true},    {"", 0, false}};
	struct table table = TABLE_INIT(p, one);

	if (!w->nr)
		return;
	if (is_pair)
		table = (struct table)TABLE_INIT(p, two);
	page_heading(p, PAGE_BOLD, "COUNTED BY THE KERNEL");
	for (size_t i = 0; i < w->nr; i++)
		witness_row(&table, &w->items[i], is_pair);
	table_print(&table);
	for (size_t i = 0; i < w->nr; i++)
		if (w->items[i].text[0])
			page_paragraph(p, 2, "%s", w->items[i].text);
	page_paragraph(p, 2,
		       "counted: by the kernel itself, for the whole machine (\"here\": for one "
		       "network namespace). = the slab caches agree; %s they differ; ? the cache "
		       "was not read, or is merged with another.",
		       p->glyphs->differs);
}

json_t *witnesses_json(struct json_out *o, const struct witnesses *w, bool is_pair)
{
	json_t *list = json_array();

	for (size_t i = 0; i < w->nr; i++) {
		const struct witness *it = &w->items[i];
		json_t *j = json_object();

		put(o, j, "name", json_string(it->def->name));
		put(o, j, "counter", json_string(it->def->counter));
		put(o, j, "scope",
		    json_string(it->def->is_of_namespace ? "network_namespace" : "machine"));
		put(o, j, "count", number(it->count_end));
		put(o, j, "count_start", is_pair ? number(it->count_start) : json_null());
		put(o, j, "caches", json_string(it->def->caches));
		put(o, j, "objects", number(it->objects_end));
		put(o, j, "objects_start", is_pair ? number(it->objects_start) : json_null());
		put(o, j, "bytes", whole(it->bytes_end));
		put(o, j, "state", json_string(witness_state_name(it->state)));
		put(o, j, "text", it->text[0] ? text(it->text) : json_null());
		append(o, list, j);
	}
	return list;
}

json_t *removed_cgroups_json(struct json_out *o, const struct snapshot *start,
			     const struct snapshot *end)
{
	json_t *list = json_array();

	for (size_t i = 0; i < end->cgroups.nr && i < REMOVED_ROWS_MAX; i++) {
		json_t *j = json_object();
		struct removed_below row;

		removed_below(start, end, i, &row);
		put(o, j, "cgroup", text(row.path));
		put(o, j, "removed", number(row.removed));
		put(o, j, "removed_start", number(row.removed_start));
		put(o, j, "present", number(row.present));
		append(o, list, j);
	}
	return list;
}
