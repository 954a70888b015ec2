// SPDX-License-Identifier: GPL-2.0-only
/* Prints one row for each node, and one for its changes: see node_use.h. */
#include "render/node_use.h"

#include "render/table.h"

/* What the text shows; small lines are in the JSON alone. */
static const enum node_line shown[] = {NODE_LINE_FREE,    NODE_LINE_LRU,    NODE_LINE_SLAB,
				       NODE_LINE_VMALLOC, NODE_LINE_TABLES, NODE_LINE_REST};

static void row_text(struct table *table, const struct node_row *row, bool change)
{
	if (change)
		table_words(table, "  change");
	else
		table_words(table, "node %d", row->node);
	if (change)
		table_words(table, "%s", "");
	else
		table_bytes(table, row->total_kb * 1024, false);
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		const double *kb = change ? row->delta_kb : row->kb;

		table_bytes(table, kb[shown[i]] * 1024, change);
	}
}

void node_use_text(struct page *p, const struct node_use *u)
{
	static const struct table_column columns[] = {
		{"", 0, false},      {"memory", 0, true},      {"free", 0, true},
		{"lists", 0, true},  {"slab", 0, true},        {"vmalloc", 0, true},
		{"tables", 0, true}, {"unaccounted", 0, true},
	};
	struct table table = TABLE_INIT(p, columns);

	if (!u->nr)
		return;
	page_heading(p, PAGE_BOLD, "NUMA NODES");
	for (size_t i = 0; i < u->nr; i++) {
		row_text(&table, &u->rows[i], false);
		if (u->is_pair)
			row_text(&table, &u->rows[i], true);
	}
	table_print(&table);
	if (u->text[0])
		page_paragraph(p, 2, "%s", u->text);
	page_paragraph(p, 2,
		       "lists: processes and files, on the LRU lists. vmalloc: by vmallocinfo, "
		       "which needs root. unaccounted: the node's memory minus these and smaller "
		       "lines; per-CPU memory is divided up by CPUs.");
}

json_t *node_use_json(struct json_out *o, const struct node_use *u)
{
	json_t *list = json_array();

	for (size_t i = 0; i < u->nr; i++) {
		const struct node_row *row = &u->rows[i];
		json_t *j = json_object();

		put(o, j, "node", json_integer(row->node));
		put(o, j, "cpus", whole(row->cpus));
		put(o, j, "mem_total_kb", number(row->total_kb));
		for (int line = 0; line < NODE_LINES; line++) {
			char name[64];

			snprintf(name, sizeof(name), "%s_kb", node_line_name(line));
			put(o, j, name, number(row->kb[line]));
			snprintf(name, sizeof(name), "%s_delta_kb", node_line_name(line));
			put(o, j, name, number(row->delta_kb[line]));
		}
		append(o, list, j);
	}
	return list;
}
