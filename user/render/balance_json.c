// SPDX-License-Identifier: GPL-2.0-only
/* The balance sheet as JSON: docs/schema/balance.schema.json describes it. */
#include "findings/balance_notes.h"
#include "render/balance.h"
#include "render/bpf_use.h"
#include "render/finding.h"
#include "render/json_value.h"
#include "render/node_use.h"
#include "render/witness.h"
#include "version.h"

static void put_figure(struct json_out *o, json_t *j, const struct balance_sheet *s,
		       const struct balance_figure *figure)
{
	put(o, j, "kb", number(figure->end_kb));
	if (!s->pair)
		return;
	put(o, j, "start_kb", number(figure->start_kb));
	put(o, j, "end_kb", number(figure->end_kb));
	put(o, j, "delta_kb", number(figure->delta_kb));
}

static json_t *lines_json(struct json_out *o, const struct balance_sheet *s)
{
	json_t *lines = json_array();

	for (size_t i = 0; i < BALANCE_LINES; i++) {
		const struct balance_def *def = &balance_defs[i];
		json_t *j = json_object();

		put(o, j, "name", json_string(def->name));
		put(o, j, "group", json_string(balance_group_name(def->group)));
		put_figure(o, j, s, &s->lines[i]);
		put(o, j, "percent", number(100 * s->lines[i].share));
		put(o, j, "source", json_string(def->source));
		put(o, j, "explain", json_string(def->explain));
		put(o, j, "overlaps", def->overlaps[0] ? json_string(def->overlaps) : json_null());
		append(o, lines, j);
	}
	return lines;
}

static json_t *groups_json(struct json_out *o, const struct balance_sheet *s)
{
	json_t *groups = json_array();

	for (size_t g = 0; g < BALANCE_GROUPS; g++) {
		json_t *j = json_object();

		put(o, j, "name", json_string(balance_group_name(g)));
		put_figure(o, j, s, &s->groups[g]);
		append(o, groups, j);
	}
	return groups;
}

static json_t *candidates_json(struct json_out *o, const struct balance *b)
{
	json_t *list = json_array();

	for (size_t i = 0; i < b->nr_candidates; i++) {
		json_t *j = json_object();

		put(o, j, "name", json_string(b->candidates[i].name));
		put(o, j, "kb", number(b->candidates[i].kb));
		put(o, j, "at_most", json_boolean(b->candidates[i].at_most));
		put(o, j, "source", json_string(b->candidates[i].source));
		put(o, j, "explain", json_string(b->candidates[i].explain));
		put(o, j, "detail",
		    b->candidates[i].detail[0] ? text(b->candidates[i].detail) : json_null());
		append(o, list, j);
	}
	return list;
}

static json_t *balance_vmalloc_json(struct json_out *o, const struct balance *b)
{
	json_t *j = json_object();

	put(o, j, "used_kb", number(b->vmalloc_used_kb));
	put(o, j, "vmallocinfo_kb", number(b->vmallocinfo_kb));
	put(o, j, "stacks_included", json_boolean(b->stacks_are_vmalloc));
	put(o, j, "cached_stacks_kb", number(b->cached_stacks_kb));
	return j;
}

static const char *belief_name(enum belief belief)
{
	static const char *const names[] = {"absent", "believed", "corrected", "contradicted",
					    "missing"};

	return names[belief];
}

/* The figures of the kernel that were not used as they are. */
static json_t *figures_json(struct json_out *o, const struct beliefs *b)
{
	json_t *list = json_array();

	for (int f = 0; f < FIGURES; f++) {
		const struct believed *figure = &b->figures[f];
		json_t *j;

		if (figure->rule == RULE_NONE)
			continue;
		j = json_object();
		put(o, j, "name", json_string(figure_name(f)));
		put(o, j, "belief", json_string(belief_name(figure->belief)));
		put(o, j, "rule", json_string(belief_rules[figure->rule].name));
		put(o, j, "read_kb", number(figure->read_kb));
		put(o, j, "used_kb", number(figure->kb));
		put(o, j, "source", figure->source ? json_string(figure->source) : json_null());
		append(o, list, j);
	}
	return list;
}

static json_t *notes_json(struct json_out *o, const struct findings *findings)
{
	json_t *notes = json_array();

	for (size_t i = 0; i < findings->nr; i++)
		if (balance_is_note(&findings->items[i]))
			append(o, notes, text(findings->items[i].text));
	return notes;
}

int balance_json(const struct balance_sheet *s, FILE *out)
{
	struct json_out o = {0};

	json_document_begin(&o, out);
	json_member(&o, "schema", json_integer(JSON_SCHEMA_VERSION));
	json_member(&o, "kernel", s->kernel[0] ? text(s->kernel) : json_null());
	json_member(&o, "wall_s", s->wall_s > 0 ? number(s->wall_s) : json_null());
	json_member(&o, "duration_s", s->pair ? number(s->duration_s) : json_null());
	json_member(&o, "mem_total_kb", number(s->total.end_kb));
	json_member(&o, "unaccounted_kb", number(s->lines[BALANCE_REST].end_kb));
	json_member(&o, "unaccounted_percent", number(100 * s->lines[BALANCE_REST].share));
	json_member(&o, "lines", lines_json(&o, s));
	json_member(&o, "groups", groups_json(&o, s));
	json_member(&o, "suspects", candidates_json(&o, &s->end));
	json_member(&o, "vmalloc", balance_vmalloc_json(&o, &s->end));
	json_member(&o, "nodes", node_use_json(&o, &s->nodes));
	json_member(&o, "counters", witnesses_json(&o, &s->witnesses, s->pair));
	json_member(&o, "removed_cgroups", removed_cgroups_json(&o, s->start_levels, s->levels));
	bpf_use_json(&o, &s->bpf);
	json_member(&o, "page_bytes", number(s->end.beliefs.page_bytes));
	json_member(&o, "findings", finding_list_json(&o, &s->findings));
	json_member(&o, "figures", figures_json(&o, &s->end.beliefs));
	json_member(&o, "notes", notes_json(&o, &s->findings));
	json_member(&o, "next", s->next ? text(s->next) : json_null());
	return json_document_end(&o);
}
