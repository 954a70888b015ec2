// SPDX-License-Identifier: GPL-2.0-only
/* A census for programs, as docs/schema/census.schema.json describes it: see census.h. */
#include "model/census_unlisted.h"
#include "render/census.h"
#include "render/census_kinds.h"
#include "render/census_lenses.h"
#include "render/census_parts.h"
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

static void charges_write(struct json_out *o, const struct census_cache_row *row)
{
	json_begin(o, "cgroups", '[');
	for (size_t i = 0; i < row->nr_charges && json_wanted(o); i++) {
		const struct census_charge_row *charge = &row->charges[i];
		json_t *j = json_object();

		put(o, j, "path", text(charge->cgroup->path));
		put(o, j, "removed", json_boolean(charge->cgroup->removed));
		put(o, j, "removed_below", json_boolean(charge->cgroup->below));
		put(o, j, "objects", whole(charge->objects.kb));
		put(o, j, "objects_low", whole(charge->objects.low_kb));
		put(o, j, "objects_high", whole(charge->objects.high_kb));
		put(o, j, "kb", number(charge->figure.kb));
		json_member(o, NULL, j);
	}
	json_end(o, ']');
}

/* The nodes of the next cache; they are stored in the order of the caches. */
static void cache_nodes_write(struct json_out *o, const struct census *c, uint32_t cache,
			      size_t *at)
{
	json_begin(o, "nodes", '[');
	for (; *at < c->nodes.nr && c->nodes.items[*at].cache <= cache && json_wanted(o); ++*at) {
		const struct census_node *n = &c->nodes.items[*at];
		struct census_figure f;
		json_t *j;

		if (n->cache != cache)
			continue;
		f = census_estimate(c, &n->pages, CENSUS_UNIT, c->page_bytes / 1024.0);
		j = json_object();
		put(o, j, "node", json_integer(n->node));
		census_figure_put(o, j, &f);
		json_member(o, NULL, j);
	}
	json_end(o, ']');
}

static json_t *census_cache_json(struct json_out *o, const struct census_cache_row *row)
{
	json_t *j = json_object();

	put(o, j, "name", text(row->cache->name));
	put(o, j, "object_bytes", json_integer(row->cache->object_bytes));
	put(o, j, "reclaimable", json_boolean(row->cache->reclaimable));
	put(o, j, "objects", whole(row->objects.kb));
	put(o, j, "objects_low", whole(row->objects.low_kb));
	put(o, j, "objects_high", whole(row->objects.high_kb));
	census_figure_put(o, j, &row->figure);
	put(o, j, "free_kb", number(row->free_kb));
	put(o, j, "empty_kb", number(row->empty_kb));
	put(o, j, "cpu_free",
	    row->cache->cpu_free < 0 ? json_null() : json_integer(row->cache->cpu_free));
	put(o, j, "charged", whole(row->charged));
	return j;
}

/* Caches may have many cgroups: they are written row by row. */
static void census_caches_write(struct json_out *o, const struct census_sheet *s,
				const struct likeness *l)
{
	size_t node = 0;

	json_begin(o, "caches", '[');
	for (size_t i = 0; i < s->nr_caches && json_wanted(o); i++) {
		json_begin(o, NULL, '{');
		json_members(o, census_cache_json(o, &s->caches[i]));
		charges_write(o, &s->caches[i]);
		cache_nodes_write(o, s->census, (uint32_t)i, &node);
		cache_kinds_write(o, s, l, (uint32_t)i);
		json_end(o, '}');
	}
	json_end(o, ']');
}

static json_t *cgroup_row_json(struct json_out *o, const struct census_cgroup_row *row)
{
	json_t *j = json_object();

	put(o, j, "path", text(row->cgroup->path));
	put(o, j, "removed", json_boolean(row->cgroup->removed));
	put(o, j, "removed_below", json_boolean(row->cgroup->below));
	put(o, j, "owners", json_integer(row->cgroup->owners));
	census_figure_put(o, j, &row->figure);
	put(o, j, "slab_kb", number(row->slab.kb));
	put(o, j, "anonymous_kb", number(row->classes_kb[CENSUS_ANON]));
	put(o, j, "file_kb", number(row->classes_kb[CENSUS_FILE]));
	put(o, j, "page_tables_kb", number(row->classes_kb[CENSUS_TABLE]));
	put(o, j, "unmapped_kb", number(row->classes_kb[CENSUS_UNMAPPED]));
	put(o, j, "other_pages_kb", number(row->classes_kb[CENSUS_REST]));
	put(o, j, "other_kb",
	    number(row->classes_kb[CENSUS_LARGE] + census_cgroup_unlisted_kb(row)));
	return j;
}

static void cgroups_write(struct json_out *o, const char *key, const struct census_sheet *s,
			  bool removed)
{
	json_begin(o, key, '[');
	for (size_t i = 0; i < s->nr_cgroups && json_wanted(o); i++) {
		const struct census_cgroup *g = s->cgroups[i].cgroup;

		if (!removed || g->removed || g->below)
			json_member(o, NULL, cgroup_row_json(o, &s->cgroups[i]));
	}
	json_end(o, ']');
}

static void removed_write(struct json_out *o, const struct census_sheet *s)
{
	json_begin(o, "removed_cgroups", '{');
	json_member(o, "count", json_integer((json_int_t)s->removed));
	json_member(o, "kb", number(s->removed_kb));
	cgroups_write(o, "top", s, true);
	json_end(o, '}');
}

void census_write(struct json_out *o, const char *key, const struct census_sheet *s,
		  const struct bpf_use *bpf, const struct likeness *l)
{
	const struct census *c = s->census;

	json_begin(o, key, '{');
	json_member(o, "took_s", number(c->took_s));
	json_member(o, "cpu_s", number(c->cpu_s));
	json_member(o, "scanned_fraction", fraction(s->counted_share));
	json_member(o, "frames", number((double)c->frames));
	json_member(o, "page_bytes", json_integer(c->page_bytes));
	json_member(o, "memory_kb", number(s->total.kb));
	json_member(o, "pages", census_pages_json(o, s));
	census_caches_write(o, s, l);
	cgroups_write(o, "cgroups", s, false);
	removed_write(o, s);
	json_member(o, "kinds", census_kinds_json(o, c));
	census_unlisted_write(o, s);
	json_member(o, "lost", json_integer((json_int_t)c->lost));
	census_lenses_json(o, &s->lenses, bpf);
	census_records_write(o, &c->records);
	json_end(o, '}');
}

int census_json(const struct census_document *d, FILE *out)
{
	struct json_out o = {0};

	json_document_begin(&o, out);
	json_member(&o, "schema", json_integer(JSON_SCHEMA_VERSION));
	json_member(&o, "kernel", d->kernel[0] ? text(d->kernel) : json_null());
	json_member(&o, "time", time_json(d->sheet->census->wall_s));
	census_write(&o, "census", d->sheet, d->bpf, d->like);
	json_member(&o, "findings", finding_list_json(&o, d->findings));
	return json_document_end(&o);
}
