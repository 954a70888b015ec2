// SPDX-License-Identifier: GPL-2.0-only
/* Prints exhaustion, correlation and unusual levels as text and JSON: see report_findings.h. */
#include "render/report_findings.h"

#include <math.h>
#include <string.h>

#include "render/finding.h"
#include "render/json_value.h"

void findings_part_text(struct page *p, const struct findings *list, enum finding_part part,
			const char *heading)
{
	for (size_t i = 0; i < list->nr; i++) {
		if (list->items[i].part != part)
			continue;
		if (heading)
			page_heading(p, PAGE_BOLD, "%s", heading);
		heading = NULL;
		/* in the other parts, each line is of one kind */
		if (part == PART_LEVELS)
			finding_text(p, &list->items[i]);
		else
			page_paragraph(p, 2, "%s", list->items[i].text);
	}
}

void findings_text(struct page *p, const struct report *r)
{
	findings_part_text(p, &r->findings, PART_EXHAUSTION,
			   "EXHAUSTION  (if the present rate continues)");
	findings_part_text(p, &r->findings, PART_CORRELATION,
			   "CORRELATED WITH  (growth from checkpoint to checkpoint)");
	findings_part_text(p, &r->findings, PART_LEVELS,
			   "UNUSUAL LEVELS  (rules and their sources: docs/interpretation.md)");
}

static json_t *exhaustion_row_json(struct json_out *out, const struct exhaustion_row *r)
{
	json_t *row = json_object();

	put(out, row, "name", text(r->name));
	if (r->of == EXHAUSTION_MEMORY) {
		put(out, row, "kb_per_s", number(r->slope));
	} else {
		put(out, row, "of", json_string(r->of == EXHAUSTION_FILES ? "files" : "threads"));
		put(out, row, "limit", number(r->limit));
		put(out, row, "left", number(r->left));
		put(out, row, "per_s", number(r->slope));
	}
	put(out, row, "seconds", number(r->seconds));
	put(out, row, "seconds_low", number(r->low));
	put(out, row, "seconds_high", number(r->high));
	return row;
}

static json_t *exhaustion_json(struct json_out *out, const struct exhaustion *o)
{
	json_t *j = json_object(), *memory = json_array(), *limits = json_array();

	for (size_t i = 0; i < o->nr; i++)
		append(out, o->rows[i].of == EXHAUSTION_MEMORY ? memory : limits,
		       exhaustion_row_json(out, &o->rows[i]));
	put(out, j, "available_kb", number(o->available_kb));
	put(out, j, "exhausted_in", memory);
	put(out, j, "limits_reached_in", limits);
	return j;
}

static json_t *correlation_json(struct json_out *out, const struct report *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->correlation.nr; i++) {
		const struct correlation_row *row = &r->correlation.items[i];
		const struct cap_process *p = row->cgroup ? NULL : &r->c->processes[row->id];
		json_t *j = json_object();

		put(out, j, "pool", json_string(row->pool));
		put(out, j, "comm", p ? text(p->comm) : json_null());
		put(out, j, "pid", p ? json_integer(p->tgid) : json_null());
		put(out, j, "cgroup", row->cgroup ? text(r->c->cgroups[row->id]) : json_null());
		put(out, j, "bytes", whole(row->bytes));
		put(out, j, "share", fraction(row->share));
		put(out, j, "correlation", fraction(row->r));
		put(out, j, "steps", json_integer((json_int_t)row->steps));
		append(out, list, j);
	}
	return list;
}

/* Warnings of this part have two figures, the level and its limit; cautions may have others. */
static json_t *unusual_levels_json(struct json_out *out, const struct findings *findings)
{
	json_t *list = json_array();

	for (size_t i = 0; i < findings->nr; i++) {
		const struct finding *f = &findings->items[i];
		bool high = f->severity == FINDING_WARNING;
		json_t *j;

		if (f->part != PART_LEVELS)
			continue;
		j = json_object();
		put(out, j, "rule", json_string(f->kind));
		put(out, j, "high", json_boolean(high));
		put(out, j, "value", fraction(high ? f->figures[0].value : NAN));
		put(out, j, "limit", fraction(high ? f->figures[1].value : NAN));
		put(out, j, "text", text(f->text));
		append(out, list, j);
	}
	return list;
}

void findings_json(struct json_out *o)
{
	json_member(o, "outlook", exhaustion_json(o, &o->r->exhaustion));
	json_member(o, "follows", correlation_json(o, o->r));
	json_member(o, "proportions", unusual_levels_json(o, &o->r->findings));
}
