// SPDX-License-Identifier: GPL-2.0-only
/* A sentence, a table of the largest objects, and who keeps them: see bpf_use.h. */
#include "render/bpf_use.h"

#include <inttypes.h>
#include <string.h>

#include "render/rows.h"
#include "render/table.h"

#define NAME_COLUMNS 24

static const char *kind_name(const struct bpf_use_row *row)
{
	return row->level->kind == BPF_KIND_MAP ? "map" : "program";
}

static void bpf_use_row(struct table *table, const struct bpf_use *u, const struct bpf_use_row *row)
{
	const char *object = row->level->object;

	table_words(table, "%s %" PRId64, kind_name(row), row->level->id);
	table_words(table, "%s", row->name);
	table_words(table, "%.*s", (int)strcspn(object, " "), object);
	table_bytes(table, row->end_bytes, false);
	table_bytes(table, u->is_pair ? row->delta_bytes : NAN, true);
	table_words(table, "%s", row->level->own ? "kmemtrace's own" : row->who);
}

void bpf_use_text(struct page *p, const struct bpf_use *u, size_t top)
{
	static const struct table_column columns[] = {
		{"", 0, false},    {"name", 15, false}, {"type", 16, false},
		{"size", 0, true}, {"change", 0, true}, {"kept by", 26, false},
	};
	struct table table = TABLE_INIT(p, columns);
	size_t shown = rows_shown(top, u->nr);

	if (!u->nr)
		return;
	page_heading(p, PAGE_BOLD, "BPF  (maps and programs of the machine)");
	if (u->text[0])
		page_paragraph(p, 2, "%s", u->text);
	for (size_t i = 0; i < shown; i++)
		bpf_use_row(&table, u, &u->items[i]);
	table_print(&table);
	if (u->nr > shown)
		page_paragraph(p, 2, "%zu more: --top %zu shows them.", u->nr - shown, u->nr);
}

static json_t *sum_json(struct json_out *o, const struct bpf_sum *s, double grew)
{
	json_t *j = json_object();

	put(o, j, "count", whole(s->nr));
	put(o, j, "bytes", whole(s->bytes));
	put(o, j, "delta_bytes", whole(grew));
	put(o, j, "vmalloc_bytes", whole(s->vmalloc));
	put(o, j, "percpu_bytes", whole(s->percpu));
	put(o, j, "slab_bytes", whole(s->slab));
	put(o, j, "other_bytes", whole(s->pages));
	return j;
}

static json_t *row_json(struct json_out *o, const struct bpf_use *u, const struct bpf_use_row *row)
{
	const struct bpf_level *l = row->level;
	_cleanup_free_ char *type = strndup(l->object, strcspn(l->object, " "));
	json_t *j = json_object();

	put(o, j, "kind", json_string(kind_name(row)));
	put(o, j, "id", json_integer(l->id));
	put(o, j, "type", type ? text(type) : NULL);
	put(o, j, "name", text(row->name));
	put(o, j, "own", json_boolean(l->own));
	put(o, j, "bytes", whole(row->end_bytes));
	put(o, j, "start_bytes", u->is_pair ? whole(row->start_bytes) : json_null());
	put(o, j, "vmalloc_bytes", json_integer(l->vmalloc));
	put(o, j, "percpu_bytes", json_integer(l->percpu));
	put(o, j, "slab_bytes", json_integer(l->slab));
	put(o, j, "other_bytes", json_integer(l->pages));
	put(o, j, "kept_by", row->who[0] ? text(row->who) : json_null());
	return j;
}

void bpf_use_json(struct json_out *o, const struct bpf_use *u)
{
	if (!u->known) {
		json_member(o, "bpf", json_null());
		return;
	}
	json_begin(o, "bpf", '{');
	json_member(o, "maps", sum_json(o, &u->maps, u->maps_grew));
	json_member(o, "programs", sum_json(o, &u->programs, u->programs_grew));
	json_member(o, "own", sum_json(o, &u->own, NAN));
	json_begin(o, "objects", '[');
	for (size_t i = 0; i < u->nr && json_wanted(o); i++)
		json_member(o, NULL, row_json(o, u, &u->items[i]));
	json_end(o, ']');
	json_end(o, '}');
}
