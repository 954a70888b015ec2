// SPDX-License-Identifier: GPL-2.0-only
/*
 * A capture as history for Prometheus and VictoriaMetrics, in the format of OpenMetrics 1.0: see
 * export.h. Labels are bounded: pools, at most METRIC_CACHES caches, causes of losses; no call
 * paths and no processes. A figure that was not measured is left out. All points of a series follow
 * each other in the order of time, as the format demands.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "data/class.h"
#include "export/export.h"
#include "version.h"

#define METRIC_CACHES 20 /* series of caches at most */
#define METRIC_LARGEST                                                               \
	10 /* … of which these are the largest at the end; the others changed most \
	    */

struct metrics {
	const struct report *r;
	struct growth pools; /* held memory by pool */
	FILE *out;
	char *instance; /* the host's name: a label of every sample */
	double epoch_s; /* the start of tracing, in seconds since the epoch */
	bool failed;
};

/* One series: the name of its samples, and its labels ({name, value}, up to a NULL). */
struct metric_series {
	const char *name;
	const char *labels[4][2];
	double last_s; /* the time of its last point */
};

/* A metric family; `unit` is "" or the end of its name. */
static void metric_begin(const struct metrics *m, const char *name, const char *type,
			 const char *unit, const char *help)
{
	fprintf(m->out, "# TYPE %s %s\n", name, type);
	if (unit[0])
		fprintf(m->out, "# UNIT %s %s\n", name, unit);
	fprintf(m->out, "# HELP %s %s\n", name, help);
}

/* A label's value, with escapes for '\\', '"' and the end of a line. */
static void om_label_value(struct metrics *m, const char *raw)
{
	_cleanup_free_ char *safe = escape_terminal(raw, true);

	m->failed |= !safe;
	for (const char *p = safe ? safe : ""; *p; p++) {
		if (*p == '\\' || *p == '"')
			fputc('\\', m->out);
		fputc(*p, m->out);
	}
}

/* A point at t_s seconds since tracing began. */
static void metric_point(struct metrics *m, struct metric_series *s, double value, double t_s)
{
	double wall_s = round((m->epoch_s + t_s) * 1000) / 1000;
	char number[32];

	/* Times must increase. The clock of t_s does not stand still, but it may be rounded. */
	if (!isfinite(value) || !isfinite(wall_s) || wall_s <= s->last_s)
		return;
	s->last_s = wall_s;
	fprintf(m->out, "%s{instance=\"%s\"", s->name, m->instance);
	for (size_t i = 0; i < 4 && s->labels[i][0]; i++) {
		fprintf(m->out, ",%s=\"", s->labels[i][0]);
		om_label_value(m, s->labels[i][1]);
		fputc('"', m->out);
	}
	/* the shortest of two forms that is read back as the same number */
	snprintf(number, sizeof(number), "%.15g", value);
	if (strtod(number, NULL) != value)
		snprintf(number, sizeof(number), "%.17g", value);
	fprintf(m->out, "} %s %.3f\n", number, wall_s);
}

static double at_start(const struct metrics *m)
{
	return m->r->view.start->t_s;
}

static double at_end(const struct metrics *m)
{
	return m->r->view.end->t_s;
}

static double bytes_of_kb(double kb)
{
	return rint(kb * 1024);
}

/* A series of one point, at the end. */
static void metric_end(struct metrics *m, const char *name, const char *label, const char *value,
		       double figure)
{
	struct metric_series s = {.name = name, .labels = {{label, value}}};

	metric_point(m, &s, figure, at_end(m));
}

/* What was counted from the start of the view to its end. */
static void metric_counted(struct metrics *m, const char *name, const char *label,
			   const char *value, double figure)
{
	struct metric_series s = {.name = name, .labels = {{label, value}}};

	if (!isfinite(figure))
		return;
	metric_point(m, &s, 0, at_start(m));
	metric_point(m, &s, figure, at_end(m));
}

/* ---- levels ---- */

static void om_pools(struct metrics *m)
{
	metric_begin(m, "kmemtrace_pool_bytes", "gauge", "bytes",
		     "Size of a pool of kernel memory, from /proc/meminfo.");
	for (size_t i = 0; i < LEDGER_POOLS; i++) {
		const struct ledger_row *row = &m->r->ledger.rows[i];
		struct metric_series s = {.name = "kmemtrace_pool_bytes",
					  .labels = {{"pool", row->name}}};

		for (size_t k = 0; k < row->nr_series; k++)
			metric_point(m, &s, bytes_of_kb(row->series[k]), row->series_t[k]);
	}
}

static void om_memory(struct metrics *m, const char *name, const char *line, const char *help)
{
	const struct view *v = &m->r->view;
	struct metric_series s = {.name = name};

	metric_begin(m, name, "gauge", "bytes", help);
	for (size_t i = v->first; i <= v->last; i++)
		metric_point(m, &s, bytes_of_kb(view_level_kb(v, &v->c->snapshots[i], line)),
			     v->c->snapshots[i].t_s);
}

/* Is there a picked row with this name? Two caches may have the same. */
static bool name_is_picked(const struct cache_row **picked, size_t nr, const char *name)
{
	for (size_t i = 0; i < nr; i++)
		if (!strcmp(picked[i]->name, name))
			return true;
	return false;
}

/* Add the row with the largest figure that is not picked yet, until there are `most`. */
static size_t caches_add_largest(const struct caches *c, bool by_change, size_t most,
				 const struct cache_row **picked, size_t nr)
{
	while (nr < most) {
		const struct cache_row *best = NULL;
		double largest = 0;

		for (size_t i = 0; i < c->nr; i++) {
			const struct cache_row *r = &c->items[i];
			double figure = by_change ? fabs(r->delta_kb) : r->end_kb;

			if (figure > largest && !name_is_picked(picked, nr, r->name)) {
				best = r;
				largest = figure;
			}
		}
		if (!best)
			break;
		picked[nr++] = best;
	}
	return nr;
}

static void om_caches(struct metrics *m)
{
	const struct caches *c = &m->r->caches;
	const struct cache_row *picked[METRIC_CACHES];
	size_t nr = caches_add_largest(c, false, METRIC_LARGEST, picked, 0);

	nr = caches_add_largest(c, true, METRIC_CACHES, picked, nr);
	nr = caches_add_largest(c, false, METRIC_CACHES, picked, nr);
	metric_begin(
		m, "kmemtrace_cache_bytes", "gauge", "bytes",
		"Pages of a slab cache: of the largest caches, and of those that changed most.");
	for (size_t i = 0; i < nr; i++) {
		struct metric_series s = {.name = "kmemtrace_cache_bytes",
					  .labels = {{"cache", picked[i]->name}}};

		for (size_t k = 0; picked[i]->series && k < c->nr_series; k++)
			metric_point(m, &s, bytes_of_kb(picked[i]->series[k]), c->series_t[k]);
		if (picked[i]->series)
			continue;
		metric_point(m, &s, bytes_of_kb(picked[i]->start_kb), at_start(m));
		metric_point(m, &s, bytes_of_kb(picked[i]->end_kb), at_end(m));
	}
}

/* ---- what was traced ---- */

static void om_traced(struct metrics *m)
{
	const struct capture *c = m->r->c;

	metric_begin(
		m, "kmemtrace_traced_bytes", "gauge", "bytes",
		"Allocated since recording began and not seen freed, by pool. Some may be free: "
		"kmemtrace_held_bytes is checked.");
	for (int p = 0; p < POOLS; p++) {
		struct metric_series s = {.name = "kmemtrace_traced_bytes",
					  .labels = {{"pool", pool_name((enum pool)p)}}};

		for (size_t k = 0; k < c->nr_checkpoints && view_traces(&m->r->view, (enum pool)p);
		     k++) {
			const struct cap_checkpoint *at = &c->checkpoints[k];
			double bytes = 0;

			if (at->end_s < at_start(m) || at->end_s > at_end(m) + 1)
				continue;
			for (size_t i = 0; i < checkpoint_briefs(at); i++) {
				struct cap_brief h = checkpoint_brief(at, i);

				if ((int)h.pool == p && h.place != CLASS_SHARED &&
				    h.place != CLASS_OUTSIDE)
					bytes += h.bytes;
			}
			metric_point(m, &s, rint(bytes), at->end_s);
		}
	}
}

enum held_figure { HELD_BYTES, HELD_LOW, HELD_HIGH, HELD_OBJECTS };

static void om_held(struct metrics *m, enum held_figure figure, const char *name, const char *unit,
		    const char *help)
{
	metric_begin(m, name, "gauge", unit, help);
	for (size_t i = 0; i < m->pools.nr; i++) {
		const struct growth_group *g = &m->pools.groups[i];
		double value = figure == HELD_BYTES  ? g->bytes
			       : figure == HELD_LOW  ? g->bytes_low
			       : figure == HELD_HIGH ? g->bytes_high
						     : g->objects;

		metric_end(m, name, "pool", pool_name(g->pool), rint(value));
	}
}

static void om_all_held(struct metrics *m)
{
	om_held(m, HELD_BYTES, "kmemtrace_held_bytes", "bytes",
		"Allocated while recording, and held at the end.");
	om_held(m, HELD_LOW, "kmemtrace_held_low_bytes", "bytes",
		"The low end of its 95 % interval.");
	om_held(m, HELD_HIGH, "kmemtrace_held_high_bytes", "bytes",
		"The high end of its 95 % interval.");
	om_held(m, HELD_OBJECTS, "kmemtrace_held_objects", "",
		"Objects that were allocated while recording, and are held at the end.");
}

static void om_traffic(struct metrics *m)
{
	metric_begin(m, "kmemtrace_allocations", "counter", "",
		     "Objects that were allocated while recording, freed or not.");
	for (size_t i = 0; i < m->pools.nr; i++)
		metric_counted(m, "kmemtrace_allocations_total", "pool",
			       pool_name(m->pools.groups[i].pool), rint(m->pools.groups[i].allocs));
	metric_begin(m, "kmemtrace_frees", "counter", "", "Of these, objects that were freed.");
	for (size_t i = 0; i < m->pools.nr; i++) {
		const struct growth_group *g = &m->pools.groups[i];

		metric_counted(m, "kmemtrace_frees_total", "pool", pool_name(g->pool),
			       rint(g->frees + g->unseen_frees));
	}
}

/* The terms of the ledger, with their signs: their sum is the change. */
static void om_ledger(struct metrics *m)
{
	static const char name[] = "kmemtrace_pool_change_bytes";

	metric_begin(m, name, "gauge", "bytes",
		     "What the change of a pool consists of. The terms of a pool add up to the "
		     "change, if all are known.");
	for (size_t i = 0; i < LEDGER_POOLS; i++) {
		const struct ledger_row *row = &m->r->ledger.rows[i];
		const struct {
			const char *term;
			double kb;
		} terms[] = {{"held", row->attributed_kb},
			     {"old_freed", -row->preexisting_freed_kb},
			     {"overhead", row->allocator_overhead_kb},
			     {"residual", row->residual_kb}};

		for (size_t k = 0; k < sizeof(terms) / sizeof(terms[0]); k++) {
			struct metric_series s = {
				.name = name,
				.labels = {{"pool", row->name}, {"term", terms[k].term}}};

			metric_point(m, &s, bytes_of_kb(terms[k].kb) + 0.0, at_end(m));
		}
	}
}

/* ---- the recording ---- */

static void om_losses(struct metrics *m, enum loss_kind kind, const char *family, const char *name,
		      const char *help)
{
	const struct losses *l = &m->r->losses;

	metric_begin(m, family, "counter", "", help);
	for (size_t i = 0; i < l->nr_counters; i++) {
		bool again = false;

		for (size_t k = 0; k < i; k++)
			again |= !strcmp(l->counters[k].name, l->counters[i].name);
		if (!again && loss_kind(l->counters[i].name) == kind)
			metric_counted(m, name, "cause", l->counters[i].name,
				       (double)l->counters[i].value);
	}
}

static void om_trust(struct metrics *m)
{
	metric_begin(m, "kmemtrace_trust", "gauge", "",
		     "How far the figures can be trusted: 1 for the level that applies.");
	for (int level = TRUST_LOW; level <= TRUST_HIGH; level++)
		metric_end(m, "kmemtrace_trust", "level", trust_name((enum trust_level)level),
			   (int)m->r->trust.level == level);
}

/* A figure without labels. */
static void om_figure(struct metrics *m, const char *name, const char *unit, const char *help,
		      double value)
{
	metric_begin(m, name, "gauge", unit, help);
	metric_end(m, name, NULL, NULL, value);
}

static void om_recording(struct metrics *m)
{
	const struct capture *c = m->r->c;
	struct metric_series info = {.name = "kmemtrace_capture_info",
				     .labels = {{"mode", capture_meta(c, META_MODE)},
						{"kernel", capture_meta(c, META_RELEASE)},
						{"version", KMEMTRACE_VERSION},
						{"complete", m->r->view.complete ? "yes" : "no"}}};

	om_trust(m);
	om_figure(m, "kmemtrace_lost_ratio", "ratio", "Share of all events that were lost.",
		  losses_ratio(&m->r->losses));
	om_losses(m, LOSS_EVENT, "kmemtrace_lost_events", "kmemtrace_lost_events_total",
		  "Allocations and frees that were not recorded, by cause.");
	om_losses(m, LOSS_DETAIL, "kmemtrace_lost_details", "kmemtrace_lost_details_total",
		  "Events that were recorded without a detail, by cause.");
	om_figure(m, "kmemtrace_own_cpu_ratio", "ratio",
		  "Run time of the recorder's BPF programs, as a share of all CPU time.",
		  capture_meta_number(c, META_OVERHEAD, NAN) / 100);
	om_figure(m, "kmemtrace_own_kernel_bytes", "bytes",
		  "Kernel memory of the recorder's own BPF maps and programs.",
		  capture_meta_number(c, META_OWN_BYTES, NAN));
	om_figure(m, "kmemtrace_recording_seconds", "seconds", "How long the recording lasted.",
		  m->r->view.duration_s);
	metric_begin(m, "kmemtrace_capture_info", "gauge", "",
		     "How the capture was made; always 1.");
	metric_point(m, &info, 1, at_end(m));
}

/* The host's name as a label's value. malloc'ed; NULL without memory. */
static char *instance_name(const struct capture *c)
{
	const char *host = capture_meta(c, META_HOST);
	struct metrics m = {0};
	char *text = NULL;
	size_t size = 0;

	m.out = open_memstream(&text, &size);
	if (!m.out)
		return NULL;
	om_label_value(&m, host[0] ? host : "unknown");
	if (fclose(m.out) || m.failed) {
		free(text);
		return NULL;
	}
	return text;
}

int export_openmetrics(const struct report *r, FILE *out)
{
	const struct snapshot *first = &r->c->snapshots[0];
	_cleanup_free_ char *instance = instance_name(r->c);
	struct metrics m = {
		.r = r, .out = out, .instance = instance, .epoch_s = first->wall_s - first->t_s};

	if (!instance || growth_build(&r->view, &r->outstanding, GROWTH_BY_POOL, &m.pools))
		return -ENOMEM;
	om_pools(&m);
	om_memory(&m, "kmemtrace_memory_total_bytes", "MemTotal",
		  "Memory of the machine: MemTotal.");
	om_memory(&m, "kmemtrace_memory_available_bytes", "MemAvailable",
		  "Memory that can be had without swapping: MemAvailable.");
	om_caches(&m);
	om_traced(&m);
	om_all_held(&m);
	om_traffic(&m);
	om_ledger(&m);
	om_recording(&m);
	fputs("# EOF\n", out);
	growth_free(&m.pools);
	return m.failed ? -ENOMEM : ferror(out) ? -EIO : 0;
}
