// SPDX-License-Identifier: GPL-2.0-only
/* What points to sampled objects, as docs/schema/refs.schema.json describes it: see refs.h. */
#include "render/refs.h"

#include "findings/refs_findings.h"
#include "render/finding.h"
#include "render/json_value.h"
#include "render/refs_parts.h"
#include "version.h"

static json_t *control_json(struct json_out *o, const struct refs_sheet *s)
{
	const struct refs *r = s->refs;
	json_t *j = json_object();

	put(o, j, "kind",
	    r->control_kind == REFS_CONTROL_NONE ? json_null()
						 : json_string(refs_control_name(r->control_kind)));
	put(o, j, "objects", json_integer((json_int_t)r->control.checked));
	put(o, j, "unreferenced", json_integer((json_int_t)r->control.unreferenced));
	put(o, j, "unreferenced_share", fraction(s->control.share));
	put(o, j, "unreferenced_low", fraction(s->control.low));
	put(o, j, "unreferenced_high", fraction(s->control.high));
	return j;
}

static json_t *referrers_json(struct json_out *o, const struct refs_sheet *s)
{
	const struct refs *r = s->refs;
	json_t *list = json_array();

	for (size_t i = 0; i < r->referrers.nr; i++) {
		const struct refs_referrer *row = &r->referrers.items[i];
		struct refs_share share =
			refs_share_of(row->objects, r->sample.checked, r->all_objects);
		json_t *j = json_object();

		put(o, j, "class", json_string(census_class_name(row->class)));
		put(o, j, "from", row->cache[0] ? text(row->cache) : json_null());
		put(o, j, "type", row->type[0] ? text(row->type) : json_null());
		put(o, j, "field", row->field[0] ? text(row->field) : json_null());
		put(o, j, "where", row->where[0] ? text(row->where) : json_null());
		put(o, j, "own_cache", json_boolean(row->own_kind));
		put(o, j, "objects", json_integer((json_int_t)row->objects));
		put(o, j, "references", json_integer((json_int_t)row->references));
		put(o, j, "share", fraction(share.share));
		put(o, j, "share_low", fraction(share.low));
		put(o, j, "share_high", fraction(share.high));
		append(o, list, j);
	}
	return list;
}

static json_t *holders_json(struct json_out *o, const struct refs_sheet *s)
{
	const struct refs *r = s->refs;
	json_t *list = json_array();

	for (size_t i = 0; i < r->holders.nr; i++) {
		const struct refs_holder *h = &r->holders.items[i];
		struct refs_share share =
			refs_share_of(h->objects, r->sample.checked, r->all_objects);
		json_t *j = json_object();

		put(o, j, "kind", json_string(refs_holder_kind_name(h->kind)));
		put(o, j, "name", text(h->name));
		put(o, j, "pid", h->pid ? json_integer(h->pid) : json_null());
		put(o, j, "cgroup", h->cgroup_path[0] ? text(h->cgroup_path) : json_null());
		put(o, j, "through", h->through[0] ? text(h->through) : json_null());
		put(o, j, "certain", json_boolean(h->certain));
		put(o, j, "objects", json_integer((json_int_t)h->objects));
		put(o, j, "share", fraction(share.share));
		put(o, j, "share_low", fraction(share.low));
		put(o, j, "share_high", fraction(share.high));
		append(o, list, j);
	}
	return list;
}

static json_t *scans_json(struct json_out *o, const struct refs *r)
{
	json_t *list = json_array();

	for (int i = 0; i < REFS_SCANS; i++) {
		const struct refs_scan *scan = &r->scans[i];
		json_t *j = json_object(), *classes = json_array();

		for (int class = 0; class < CENSUS_CLASSES; class ++) {
			json_t *part;

			if (!scan->pages[class])
				continue;
			part = json_object();
			put(o, part, "class", json_string(census_class_name(class)));
			put(o, part, "kb",
			    number((double)scan->pages[class] * r->page_bytes / 1024));
			append(o, classes, part);
		}
		put(o, j, "cpu_s", number(scan->cpu_s));
		put(o, j, "scanned_fraction",
		    fraction(scan->frames_all ? (double)scan->frames / (double)scan->frames_all
					      : NAN));
		put(o, j, "faults", json_integer((json_int_t)scan->faults));
		put(o, j, "classes", classes);
		append(o, list, j);
	}
	return list;
}

static json_t *refs_verdict_json(struct json_out *o, enum refs_verdict verdict,
				 const char *sentence)
{
	json_t *j = json_object();

	put(o, j, "leaked",
	    refs_verdict_is_leak(verdict) ? json_true()
	    : verdict == REFS_HELD        ? json_false()
					  : json_null());
	put(o, j, "reason", json_string(refs_verdict_name(verdict)));
	put(o, j, "sentence", sentence ? text(sentence) : json_null());
	return j;
}

json_t *refs_found_json(struct json_out *o, const struct refs_sheet *s, const char *sentence,
			bool scans)
{
	const struct refs *r = s->refs;
	bool told = s->scanned_fraction >= 1;
	json_t *j = json_object();

	put(o, j, "cache", text(r->cache));
	put(o, j, "kind", r->kind[0] ? text(r->kind) : json_null());
	put(o, j, "path", r->path[0] ? text(r->path) : json_null());
	put(o, j, "object_bytes", json_integer(r->object_bytes));
	put(o, j, "in_use", number((double)r->in_use));
	put(o, j, "all_objects", json_boolean(r->all_objects));
	put(o, j, "objects", json_integer((json_int_t)r->sample.checked));
	put(o, j, "freed", json_integer((json_int_t)r->sample.freed));
	put(o, j, "took_s", number(r->took_s));
	put(o, j, "cpu_s", number(r->cpu_s));
	put(o, j, "scanned_kb", number(scans ? s->scanned_kb : NAN));
	put(o, j, "scanned_fraction", fraction(s->scanned_fraction));
	put(o, j, "scans", scans ? scans_json(o, r) : json_null());
	put(o, j, "unreferenced",
	    told ? json_integer((json_int_t)r->sample.unreferenced) : json_null());
	put(o, j, "unreferenced_share", fraction(told ? s->unreferenced.share : NAN));
	put(o, j, "unreferenced_low", fraction(told ? s->unreferenced.low : NAN));
	put(o, j, "unreferenced_high", fraction(told ? s->unreferenced.high : NAN));
	put(o, j, "only_own_cache", json_integer((json_int_t)r->sample.own_kind));
	put(o, j, "dropped", r->closed ? json_integer((json_int_t)r->sample.dropped) : json_null());
	put(o, j, "only_page", json_integer((json_int_t)r->sample.weak));
	put(o, j, "changed", json_integer((json_int_t)r->sample.changed));
	put(o, j, "control", control_json(o, s));
	put(o, j, "referrers", referrers_json(o, s));
	put(o, j, "holders", r->holders_known ? holders_json(o, s) : json_null());
	put(o, j, "held", r->holders_known ? json_integer((json_int_t)r->held) : json_null());
	put(o, j, "holders_complete",
	    r->holders_known ? json_boolean(!r->holders_partial) : json_null());
	put(o, j, "levels", json_integer(r->levels));
	put(o, j, "verdict", refs_verdict_json(o, s->verdict, sentence));
	return j;
}

int refs_json(const struct refs_document *d, FILE *out)
{
	/* the sentence is that of the first finding, which is the verdict's */
	const char *sentence = d->findings->nr ? d->findings->items[0].text : NULL;
	struct json_out o = {0};

	json_document_begin(&o, out);
	json_member(&o, "schema", json_integer(JSON_SCHEMA_VERSION));
	json_member(&o, "kernel", d->kernel[0] ? text(d->kernel) : json_null());
	json_member(&o, "time", time_json(d->sheet->refs->wall_s));
	json_member(&o, "refs", refs_found_json(&o, d->sheet, sentence, true));
	json_member(&o, "findings", finding_list_json(&o, d->findings));
	return json_document_end(&o);
}
