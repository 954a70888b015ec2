// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows for databases and pipelines: see export.h. Each line is one JSON object. It says what it is
 * (`type`), when it is from, and which recording it belongs to, so the lines of many captures can
 * be put together. Other fields have the names and the meaning that they have in the report's JSON.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/array.h"
#include "base/units.h"
#include "export/export.h"
#include "render/json_value.h"

#define ROW_LAYOUT (JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(12))

struct ndjson {
	struct json_out o; /* remembers failures */
	const struct report *r;
	FILE *out;
	double epoch_s; /* the start of tracing, in seconds since the epoch */
	/* The same in each row, or in most: made once. */
	json_t *host, *boot_id, *kernel, *end;
	ARRAY_OF(char) line; /* the row that is being written; its memory is reused */
};

/* "2026-11-28T19:38:54.123Z" */
static json_t *row_time(double wall_s)
{
	char seconds[UNITS_MAX];
	double ms = rint(wall_s * 1000), whole_s = floor(ms / 1000);

	if (!units_time(seconds, "%Y-%m-%dT%H:%M:%S", whole_s))
		return json_null();
	return json_sprintf("%s.%03dZ", seconds, (int)(ms - whole_s * 1000));
}

static double end_s(const struct ndjson *w)
{
	return w->r->view.end->t_s;
}

/* A new row of what was measured t_s seconds after tracing began. */
static json_t *row_begin(struct ndjson *w, const char *type, double t_s)
{
	json_t *j = json_object();

	put(&w->o, j, "type", json_string(type));
	put(&w->o, j, "time", t_s == end_s(w) ? json_incref(w->end) : row_time(w->epoch_s + t_s));
	put(&w->o, j, "host", json_incref(w->host));
	put(&w->o, j, "boot_id", json_incref(w->boot_id));
	put(&w->o, j, "kernel", json_incref(w->kernel));
	return j;
}

/* jansson passes a row in many small pieces. */
static int row_add(const char *piece, size_t size, void *arg)
{
	struct ndjson *w = arg;

	if (array_grow((void **)&w->line.items, &w->line.cap, 1, w->line.nr + size))
		return -1;
	memcpy(w->line.items + w->line.nr, piece, size);
	w->line.nr += size;
	return 0;
}

static void row_end(struct ndjson *w, json_t *j)
{
	w->line.nr = 0;
	if (!j || json_dump_callback(j, row_add, w, ROW_LAYOUT) || row_add("\n", 1, w))
		w->o.failed = -1;
	else
		(void)json_text_put(w->out, w->line.items, w->line.nr);
	json_decref(j);
}

/* ---- the recording, and what the report says ---- */

static void row_capture(struct ndjson *w)
{
	const struct report *r = w->r;
	json_t *j = row_begin(w, "capture", end_s(w));

	put(&w->o, j, "start", row_time(w->epoch_s + r->view.start->t_s));
	put(&w->o, j, "duration_s", number(r->view.duration_s));
	put(&w->o, j, "mode", meta_text(r->c, META_MODE));
	put(&w->o, j, "sample_bytes", meta_number(r->c, META_PERIOD));
	put(&w->o, j, "complete", json_boolean(r->view.complete));
	put(&w->o, j, "trust", json_string(trust_name(r->trust.level)));
	put(&w->o, j, "lost_ratio", fraction(losses_ratio(&r->losses)));
	put(&w->o, j, "events", whole(r->losses.traffic));
	put(&w->o, j, "lost_events", whole(r->losses.events));
	put(&w->o, j, "lost_details", whole(r->losses.details));
	put(&w->o, j, "cpus", meta_number(r->c, META_CPUS));
	put(&w->o, j, "mem_total_kb", number(view_mem_total_kb(&r->view)));
	put(&w->o, j, "overhead_cpu_percent", meta_number(r->c, META_OVERHEAD));
	put(&w->o, j, "own_kernel_bytes", meta_number(r->c, META_OWN_BYTES));
	put(&w->o, j, "machine_id", meta_text(r->c, META_MACHINE_ID));
	put(&w->o, j, "kernel_build_id", meta_text(r->c, META_BUILD_ID));
	put(&w->o, j, "command", meta_text(r->c, META_COMMAND));
	put(&w->o, j, "tool_version", meta_text(r->c, META_TOOL));
	row_end(w, j);
}

static void rows_findings(struct ndjson *w)
{
	for (size_t i = 0; i < w->r->findings.nr && json_wanted(&w->o); i++) {
		const struct finding *f = &w->r->findings.items[i];
		json_t *j = row_begin(w, "finding", end_s(w));

		put(&w->o, j, "severity", json_string(finding_severity_name(f->severity)));
		put(&w->o, j, "kind", json_string(f->kind));
		put(&w->o, j, "about", json_string(finding_about_name(f->about)));
		put(&w->o, j, "subject", f->subject[0] ? text(f->subject) : json_null());
		put(&w->o, j, "text", text(f->text));
		put(&w->o, j, "trust", f->judged ? json_string(trust_name(f->trust)) : json_null());
		put(&w->o, j, "next", f->next ? text(f->next) : json_null());
		row_end(w, j);
	}
}

static void rows_losses(struct ndjson *w)
{
	static const char *const kinds[] = {
		[LOSS_EVENT] = "event", [LOSS_DETAIL] = "detail", [LOSS_NONE] = "counter"};
	const struct losses *l = &w->r->losses;

	for (size_t i = 0; i < l->nr_counters && json_wanted(&w->o); i++) {
		json_t *j = row_begin(w, "loss", end_s(w));

		put(&w->o, j, "name", text(l->counters[i].name));
		put(&w->o, j, "kind", json_string(kinds[loss_kind(l->counters[i].name)]));
		put(&w->o, j, "value", json_integer(l->counters[i].value));
		row_end(w, j);
	}
}

/* ---- levels ---- */

/* A pool at the end, and its level at each reading. */
static void rows_pool(struct ndjson *w, const struct ledger_row *row)
{
	json_t *j = row_begin(w, "pool", end_s(w));

	put(&w->o, j, "pool", json_string(row->name));
	put(&w->o, j, "start_kb", number(row->start_kb));
	put(&w->o, j, "end_kb", number(row->end_kb));
	put(&w->o, j, "delta_kb", number(row->delta_kb));
	put(&w->o, j, "attributed_kb", number(row->attributed_kb));
	put(&w->o, j, "preexisting_freed_kb", number(row->preexisting_freed_kb));
	put(&w->o, j, "allocator_overhead_kb", number(row->allocator_overhead_kb));
	put(&w->o, j, "residual_kb", number(row->residual_kb));
	put(&w->o, j, "residual_low_kb", number(row->residual_low_kb));
	put(&w->o, j, "residual_high_kb", number(row->residual_high_kb));
	put(&w->o, j, "pattern", json_string(pattern_name(row->trend.pattern)));
	put(&w->o, j, "slope_kb_per_s", number(row->trend.slope));
	row_end(w, j);
	for (size_t i = 0; i < row->nr_series && json_wanted(&w->o); i++) {
		if (isnan(row->series[i]))
			continue;
		j = row_begin(w, "level", row->series_t[i]);
		put(&w->o, j, "pool", json_string(row->name));
		put(&w->o, j, "t_s", number(row->series_t[i]));
		put(&w->o, j, "kb", number(row->series[i]));
		row_end(w, j);
	}
}

static void rows_caches(struct ndjson *w)
{
	for (size_t i = 0; i < w->r->caches.nr && json_wanted(&w->o); i++) {
		const struct cache_row *row = &w->r->caches.items[i];
		json_t *j = row_begin(w, "cache", end_s(w));

		put(&w->o, j, "cache", text(row->name));
		put(&w->o, j, "size", number(row->size));
		put(&w->o, j, "reclaimable",
		    row->cap ? json_boolean(row->cap->reclaimable) : json_null());
		put(&w->o, j, "start_kb", number(row->start_kb));
		put(&w->o, j, "end_kb", number(row->end_kb));
		put(&w->o, j, "delta_kb", number(row->delta_kb));
		put(&w->o, j, "end_objects", number(row->end_objects));
		put(&w->o, j, "delta_objects", number(row->delta_objects));
		put(&w->o, j, "attributed_bytes",
		    row->traced ? whole(row->held_bytes) : json_null());
		put(&w->o, j, "attributed_objects",
		    row->traced ? number(row->held_objects) : json_null());
		put(&w->o, j, "trust", json_string(trust_name(row->trust.level)));
		put(&w->o, j, "pattern", json_string(pattern_name(row->trend.pattern)));
		row_end(w, j);
	}
}

/* ---- samples ---- */

/* The label that says what the report is grouped by; SAMPLE_LABELS: none. */
static enum sample_label label_of_group(enum growth_by by)
{
	switch (by) {
	case GROWTH_BY_CACHE:
		return LABEL_CACHE;
	case GROWTH_BY_PROCESS:
		return LABEL_PROCESS;
	case GROWTH_BY_CGROUP:
		return LABEL_CGROUP;
	case GROWTH_BY_POOL:
		return LABEL_POOL;
	default:
		return SAMPLE_LABELS;
	}
}

/* The call path as a list, and its innermost function; or what the report is grouped by, unless a
 * label says it. */
static void put_place(struct ndjson *w, json_t *j, const struct samples *s, const struct sample *x)
{
	enum growth_by by = s->r->growth.by;
	enum sample_label label = label_of_group(by);
	struct sample_frame frame;

	sample_frame_get(s, x, 0, &frame);
	if (by == GROWTH_BY_STACK) {
		put(&w->o, j, "function", frame.frame ? text(frame.frame->symbol) : json_null());
		put(&w->o, j, "stack", path_json(&w->o, s->r->c, x->place));
		if (s->r->c->lines)
			put(&w->o, j, "stack_lines", path_lines_json(&w->o, s->r->c, x->place));
	} else if (label == SAMPLE_LABELS || !(s->labels & 1u << label)) {
		put(&w->o, j, growth_by_name(by),
		    text(frame.frame ? frame.frame->symbol : frame.name));
	}
}

/* Names as they are in the JSON: not escaped for terminals, and null where there is none. */
static void put_labels_of(struct ndjson *w, json_t *j, const struct samples *s,
			  const struct sample *x)
{
	for (unsigned int i = 0; i < SAMPLE_LABELS; i++) {
		enum sample_label label = (enum sample_label)i;
		const char *name = sample_label_name(label);
		char buf[16];
		const char *raw;

		if (!(s->labels & 1u << i))
			continue;
		raw = sample_label_raw(s, x, label, buf);
		if (label == LABEL_PID && raw[0])
			put(&w->o, j, name, json_integer(strtol(raw, NULL, 10)));
		else
			put(&w->o, j, name, raw[0] ? text(raw) : json_null());
	}
}

/* What is held, or what was allocated: a sample has one of them. */
static void row_sample(struct ndjson *w, const struct samples *s, const struct sample *x,
		       const char *type, enum sample_value objects, enum sample_value bytes)
{
	json_t *j;

	if (!x->values[objects] && !x->values[bytes])
		return;
	j = row_begin(w, type, end_s(w));
	put_place(w, j, s, x);
	put_labels_of(w, j, s, x);
	put(&w->o, j, "objects", json_integer(x->values[objects]));
	put(&w->o, j, "bytes", json_integer(x->values[bytes]));
	row_end(w, j);
}

int export_ndjson(const struct report *r, const struct export_options *o, FILE *out)
{
	const struct snapshot *first = &r->c->snapshots[0];
	struct ndjson w = {
		.o = {.out = out}, .r = r, .out = out, .epoch_s = first->wall_s - first->t_s};
	struct samples s = {0};

	if (samples_build(r, o->labels, &s))
		return -ENOMEM;
	w.host = meta_text(r->c, META_HOST);
	w.boot_id = meta_text(r->c, META_BOOT_ID);
	w.kernel = meta_text(r->c, META_RELEASE);
	w.end = row_time(w.epoch_s + end_s(&w));
	paths_begin(&w.o, r->c);
	row_capture(&w);
	rows_findings(&w);
	for (size_t i = 0; i < LEDGER_POOLS; i++)
		rows_pool(&w, &r->ledger.rows[i]);
	rows_caches(&w);
	for (size_t i = 0; i < s.nr && json_wanted(&w.o); i++) {
		row_sample(&w, &s, &s.items[i], "held", VALUE_INUSE_OBJECTS, VALUE_INUSE_SPACE);
		row_sample(&w, &s, &s.items[i], "allocated", VALUE_ALLOC_OBJECTS,
			   VALUE_ALLOC_SPACE);
	}
	rows_losses(&w);
	paths_end(&w.o);
	json_decref(w.host);
	json_decref(w.boot_id);
	json_decref(w.kernel);
	json_decref(w.end);
	ARRAY_FREE(&w.line);
	samples_free(&s);
	return w.o.failed ? -ENOMEM : ferror(out) ? -EIO : 0;
}
