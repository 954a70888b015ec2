// SPDX-License-Identifier: GPL-2.0-only
/* Prints exhaustion, correlation and unusual levels as text and JSON: see report_findings.h. */
#include "render/report_findings.h"

#include <math.h>
#include <string.h>

#include "model/confidence.h"
#include "render/json_value.h"

static void exhaustion_text(struct page *p, const struct exhaustion *o)
{
	if (!o->nr)
		return;
	page_heading(p, PAGE_BOLD, "EXHAUSTION  (if the present rate continues)");
	for (size_t i = 0; i < o->nr; i++) {
		const struct exhaustion_row *row = &o->rows[i];
		char rate[UNITS_MAX], left[UNITS_MAX], limit[UNITS_MAX], when[UNITS_MAX],
			interval[INTERVAL_WORDS_MAX];

		units_duration(when, row->seconds);
		interval_words(interval, " (95% interval ", row->seconds, row->low, row->high,
			       units_duration);
		if (row->of == EXHAUSTION_MEMORY)
			page_paragraph(p, 2, "%s falls by %s/s: the available %s lasts %s%s.",
				       row->name, units_bytes(rate, row->slope * 1024),
				       units_bytes(left, row->left * 1024), when, interval);
		else
			page_paragraph(p, 2,
				       "%s grow by %.1f/s: %s is %s, and the %s left last %s%s.",
				       row->of == EXHAUSTION_FILES ? "Open files" : "Threads",
				       row->slope, row->name, units_count(limit, row->limit),
				       units_count(left, row->left), when, interval);
	}
}

static void correlation_text(struct page *p, const struct report *r)
{
	if (!r->correlation.nr)
		return;
	page_heading(p, PAGE_BOLD, "CORRELATED WITH  (growth from checkpoint to checkpoint)");
	for (size_t i = 0; i < r->correlation.nr; i++) {
		const struct correlation_row *row = &r->correlation.items[i];
		char bytes[UNITS_MAX], correlation[64] = "", who[512];

		if (row->cgroup)
			snprintf(who, sizeof(who), "cgroup %.200s", r->c->cgroups[row->id]);
		else
			snprintf(who, sizeof(who), "%.64s[%d]", r->c->processes[row->id].comm,
				 r->c->processes[row->id].tgid);
		if (!isnan(row->r))
			snprintf(correlation, sizeof(correlation),
				 ", correlation %.2f over %zu steps", row->r, row->steps);
		page_paragraph(p, 2, "%s: %s holds %s more, %.0f%% of the growth%s.", row->pool,
			       who, units_bytes(bytes, row->bytes), 100 * row->share, correlation);
	}
}

static void unusual_levels_text(struct page *p, const struct unusual_levels *list)
{
	if (!list->nr)
		return;
	page_heading(p, PAGE_BOLD,
		     "UNUSUAL LEVELS  (rules and their sources: docs/interpretation.md)");
	for (size_t i = 0; i < list->nr; i++)
		page_paragraph(p, 2, "%s%s",
			       list->items[i].high ? "" : "Caution: ", list->items[i].text);
}

void findings_text(struct page *p, const struct report *r)
{
	exhaustion_text(p, &r->exhaustion);
	correlation_text(p, r);
	unusual_levels_text(p, &r->unusual_levels);
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

static json_t *unusual_levels_json(struct json_out *out, const struct unusual_levels *p)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->nr; i++) {
		json_t *j = json_object();

		put(out, j, "rule", json_string(p->items[i].rule));
		put(out, j, "high", json_boolean(p->items[i].high));
		put(out, j, "value", fraction(p->items[i].value));
		put(out, j, "limit", fraction(p->items[i].limit));
		put(out, j, "text", text(p->items[i].text));
		append(out, list, j);
	}
	return list;
}

void findings_json(struct json_out *o)
{
	json_member(o, "outlook", exhaustion_json(o, &o->r->exhaustion));
	json_member(o, "follows", correlation_json(o, o->r));
	json_member(o, "proportions", unusual_levels_json(o, &o->r->unusual_levels));
}
