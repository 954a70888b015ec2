// SPDX-License-Identifier: GPL-2.0-only
/* The diff as JSON: docs/schema/diff.schema.json describes it. Each figure has its `base` and
 * `new`. */
#include "render/census_parts.h"
#include "render/diff_internal.h"
#include "render/finding.h"
#include "render/json_value.h"
#include "render/witness.h"
#include "version.h"

static json_t *side_json(struct json_out *o, const struct view *v)
{
	const struct capture *c = v->c;
	json_t *j = json_object(), *kernel = json_object(), *host = json_object(),
	       *capture = json_object();

	put(o, kernel, "release", meta_text(c, META_RELEASE));
	put(o, kernel, "arch", meta_text(c, META_ARCH));
	put(o, kernel, "build_id", meta_text(c, META_BUILD_ID));
	put(o, kernel, "lockdown", meta_text(c, META_LOCKDOWN));
	put(o, host, "name", meta_text(c, META_HOST));
	put(o, host, "boot_id", meta_text(c, META_BOOT_ID));
	put(o, host, "cpus", number(v->cpus));
	put(o, host, "mem_total_kb", number(view_mem_total_kb(v)));
	put(o, host, "virtualization", meta_text(c, META_VIRT));
	put(o, host, "uptime_s", meta_number(c, META_UPTIME));
	put(o, capture, "start", time_json(view_wall_s(v)));
	put(o, capture, "from_s", number(v->start->t_s));
	put(o, capture, "duration_s", number(v->duration_s));
	put(o, capture, "mode", meta_text(c, META_MODE));
	put(o, capture, "sample_bytes", meta_number(c, META_PERIOD));
	put(o, capture, "complete", json_boolean(v->complete));
	put(o, capture, "proc_copy", meta_text(c, META_COPY));
	put(o, j, "kernel", kernel);
	put(o, j, "host", host);
	put(o, j, "capture", capture);
	return j;
}

static json_t *set_json(struct json_out *o, const struct baseline *set)
{
	json_t *j = json_object();

	put(o, j, "captures", json_integer((json_int_t)baseline_captures(set)));
	return j;
}

/* Suffixes of the figures of a level: kB, and kB per second. */
static json_t *level_side(struct json_out *o, const struct diff_row *row, const struct profile *p,
			  bool base)
{
	const struct profile_row *side = base ? row->base : row->new_;
	double level = base ? row->level.base : row->level.new_,
	       rate = base ? row->growth.base : row->growth.new_;
	json_t *j = json_object();

	put(o, j, "kb", number(level / 1024));
	put(o, j, "kb_per_s", number(rate / 1024));
	put(o, j, "objects", number(side ? side->level_objects : NAN));
	put(o, j, "pattern", side ? json_string(pattern_name(side->pattern)) : json_null());
	put(o, j, "kb_per_cpu", number(p ? profile_per_cpu(p, level / 1024) : NAN));
	put(o, j, "kb_per_gib", number(p ? profile_per_gib(p, level / 1024) : NAN));
	if (base && row->set) {
		put(o, j, "kb_least", number(row->level.base_low / 1024));
		put(o, j, "kb_most", number(row->level.base_high / 1024));
		put(o, j, "present_in",
		    json_integer((json_int_t)row->set->stat[BASELINE_LEVEL].present));
	}
	return j;
}

static json_t *level_json(struct json_out *o, const struct diff *d, const struct diff_row *row)
{
	json_t *j = json_object();

	put(o, j, "name", text(diff_row_name(row)));
	put(o, j, "status", json_string(diff_status_name(row->level.status)));
	put(o, j, "base", level_side(o, row, d->in.base, true));
	put(o, j, "new", level_side(o, row, d->in.new_, false));
	put(o, j, "delta_kb", number(row->level.delta / 1024));
	put(o, j, "delta_low_kb", number(row->level.low / 1024));
	put(o, j, "delta_high_kb", number(row->level.high / 1024));
	put(o, j, "relative", fraction(diff_relative(&row->level)));
	put(o, j, "delta_kb_per_s", number(row->growth.delta / 1024));
	return j;
}

static void write_level_rows(struct json_out *o, const struct diff *d,
			     const struct diff_options *options, enum profile_section section)
{
	const struct diff_rows *rows = &d->sections[section];
	size_t nr = section_shown(d, section, options);

	json_begin(o, profile_section_name(section), '[');
	for (size_t i = 0; i < nr && json_wanted(o); i++)
		json_member(o, NULL, level_json(o, d, &rows->items[i]));
	json_end(o, ']');
}

/* If a capture does not have the path, it held 0 bytes of it. For a set, `bytes` is null, because
 * it has many captures. */
static json_t *figures(struct json_out *o, const struct diff_figure *f, bool base,
		       const struct profile_row *side, bool set)
{
	json_t *j = json_object();

	put(o, j, "bytes", base && set ? json_null() : whole(side ? side->held : 0));
	put(o, j, "objects", number(side ? side->objects : NAN));
	put(o, j, "bytes_per_s", number(base ? f->base : f->new_));
	put(o, j, "bytes_per_s_low", number(base ? f->base_low : f->new_low));
	put(o, j, "bytes_per_s_high", number(base ? f->base_high : f->new_high));
	return j;
}

static json_t *stack_json(struct json_out *o, const struct diff *d, const struct diff_row *row)
{
	const struct profile_row *side = diff_row_side(row);
	const struct view *v = diff_row_view(d, row);

	return side && v ? path_json(o, v->c, side->stack) : json_array();
}

static json_t *name_or_null(const char *name)
{
	return name && name[0] ? text(name) : json_null();
}

static json_t *growth_row_json(struct json_out *o, const struct diff *d, const struct diff_row *row,
			       size_t rank)
{
	const struct profile_row *side = diff_row_side(row);
	const struct diff_figure *f = &row->growth;
	_cleanup_free_ char *label = diff_row_label(row);
	json_t *j = json_object();

	put(o, j, "rank", json_integer((json_int_t)rank));
	put(o, j, "status", json_string(diff_status_name(f->status)));
	put(o, j, "pool", json_string(pool_name(diff_row_pool(row))));
	put(o, j, "class", name_or_null(side ? side->class_ : ""));
	put(o, j, "cache", name_or_null(side ? side->cache : ""));
	put(o, j, "process", name_or_null(side ? side->who : ""));
	put(o, j, "name", text(label ?: ""));
	put(o, j, "similar", json_boolean(row->similar));
	put(o, j, "base", figures(o, f, true, row->base, d->in.set));
	put(o, j, "new", figures(o, f, false, row->new_, d->in.set));
	if (row->set)
		put(o, j, "present_in",
		    json_integer((json_int_t)row->set->stat[BASELINE_CHANGE].present));
	/* difference of the rates × length of the new recording: how much more it holds than with
	 * the growth of the base */
	put(o, j, "bytes", whole(diff_new_bytes(d, f->delta)));
	put(o, j, "bytes_low", whole(diff_new_bytes(d, f->low)));
	put(o, j, "bytes_high", whole(diff_new_bytes(d, f->high)));
	put(o, j, "delta_bytes_per_s", number(f->delta));
	put(o, j, "delta_bytes_per_s_low", number(f->low));
	put(o, j, "delta_bytes_per_s_high", number(f->high));
	put(o, j, "relative", fraction(diff_relative(f)));
	put(o, j, "base_alloc_bytes_per_s", number(row->churn.base));
	put(o, j, "new_alloc_bytes_per_s", number(row->churn.new_));
	put(o, j, "stack", stack_json(o, d, row));
	return j;
}

static void write_growth_rows(struct json_out *o, const struct diff *d,
			      const struct diff_options *options)
{
	const struct diff_rows *rows = &d->sections[PROFILE_GROWTH];
	size_t nr = section_shown(d, PROFILE_GROWTH, options);

	json_begin(o, "growth", '[');
	for (size_t i = 0; i < nr && json_wanted(o); i++)
		json_member(o, NULL, growth_row_json(o, d, &rows->items[i], i + 1));
	json_end(o, ']');
}

static void write_churn(struct json_out *o, const struct diff *d,
			const struct diff_options *options)
{
	json_begin(o, "traffic", '[');
	for (size_t i = 0; i < rows_shown(options->top, d->nr_churn) && json_wanted(o); i++) {
		const struct diff_row *row = &d->sections[PROFILE_GROWTH].items[d->churn_order[i]];
		_cleanup_free_ char *label = diff_row_label(row);
		json_t *j = json_object();

		put(o, j, "status", json_string(diff_status_name(row->churn.status)));
		put(o, j, "pool", json_string(pool_name(diff_row_pool(row))));
		put(o, j, "name", text(label ?: ""));
		put(o, j, "base", json_pack("{s:o}", "alloc_bytes_per_s", number(row->churn.base)));
		put(o, j, "new", json_pack("{s:o}", "alloc_bytes_per_s", number(row->churn.new_)));
		put(o, j, "delta_bytes_per_s", number(row->churn.delta));
		put(o, j, "delta_bytes_per_s_low", number(row->churn.low));
		put(o, j, "delta_bytes_per_s_high", number(row->churn.high));
		json_member(o, NULL, j);
	}
	json_end(o, ']');
}

int diff_json(const struct diff *d, const struct diff_findings *f,
	      const struct diff_options *options, FILE *out)
{
	struct json_out o = {0};
	json_t *notes = json_array();

	json_document_begin(&o, out);
	json_member(&o, "schema", json_integer(JSON_SCHEMA_VERSION));
	json_member(&o, "base",
		    d->in.base_view ? side_json(&o, d->in.base_view) : set_json(&o, d->in.set));
	json_member(&o, "new", side_json(&o, d->in.new_view));
	json_member(&o, "verdict", verdict_json(&o, f->verdict.items, f->verdict.nr, f->next));
	for (size_t i = 0; i < f->notes.nr; i++)
		append(&o, notes, text(f->notes.items[i]));
	json_member(&o, "notes", notes);
	json_member(&o, "findings", finding_list_json(&o, &f->list));
	for (int s = 0; s < PROFILE_LEVELS; s++)
		write_level_rows(&o, d, options, s);
	json_member(&o, "counters",
		    options->counters ? witnesses_json(&o, options->counters, true) : json_array());
	if (diff_has_census(d))
		census_changes_write(&o, "census", &d->census_delta);
	else
		json_member(&o, "census", json_null());
	json_member(&o, "growth_by", json_string(growth_by_name(d->in.new_->by)));
	json_member(&o, "growth_changed",
		    json_integer((json_int_t)d->sections[PROFILE_GROWTH].changed));
	write_growth_rows(&o, d, options);
	write_churn(&o, d, options);
	return json_document_end(&o);
}
