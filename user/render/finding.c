// SPDX-License-Identifier: GPL-2.0-only
/* Findings as text and JSON: see finding.h. */
#include "render/finding.h"

/* Shares are small: three decimals would be too few. */
static json_t *figure_json(double value)
{
	return fabs(value) < 1 ? fraction(value) : number(value);
}

static json_t *finding_figures_json(struct json_out *o, const struct finding *f)
{
	json_t *list = json_array();

	for (size_t i = 0; i < f->nr_figures; i++) {
		json_t *j = json_object();

		put(o, j, "name", json_string(f->figures[i].name));
		put(o, j, "value", figure_json(f->figures[i].value));
		put(o, j, "low", figure_json(f->figures[i].low));
		put(o, j, "high", figure_json(f->figures[i].high));
		append(o, list, j);
	}
	return list;
}

static json_t *finding_evidence_json(struct json_out *o, const struct finding *f)
{
	json_t *list = json_array();

	for (size_t i = 0; i < f->nr_evidence; i++) {
		json_t *j = json_object();

		put(o, j, "table", json_string(f->evidence[i].table));
		put(o, j, "row", text(f->evidence[i].row));
		append(o, list, j);
	}
	return list;
}

json_t *finding_list_json(struct json_out *o, const struct findings *list)
{
	json_t *all = json_array();

	for (size_t i = 0; i < list->nr; i++) {
		const struct finding *f = &list->items[i];
		json_t *j = json_object();

		put(o, j, "severity", json_string(finding_severity_name(f->severity)));
		put(o, j, "kind", json_string(f->kind));
		put(o, j, "about", json_string(finding_about_name(f->about)));
		put(o, j, "subject", f->subject[0] ? text(f->subject) : json_null());
		put(o, j, "text", text(f->text));
		put(o, j, "figures", finding_figures_json(o, f));
		put(o, j, "trust", f->judged ? json_string(trust_name(f->trust)) : json_null());
		put(o, j, "evidence", finding_evidence_json(o, f));
		put(o, j, "next", f->next ? text(f->next) : json_null());
		put(o, j, "kernels", f->kernels ? json_string(f->kernels) : json_null());
		append(o, all, j);
	}
	return all;
}

void finding_text(struct page *p, const struct finding *f)
{
	page_paragraph(p, 2, "%s%s%s%s%s", f->severity == FINDING_CAUTION ? "Caution: " : "",
		       f->text, f->next ? " Next: `" : "", f->next ?: "", f->next ? "`" : "");
}
