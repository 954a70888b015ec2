// SPDX-License-Identifier: GPL-2.0-only
/* The data of a report's page: see html_data.h. The largest rows come first, until the budget of
 * their table is used up; what the others hold is added up by pool and cache. */
#include "render/html_data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* Bytes of JSON, each including all before it. */
#define BUDGET_CACHES    (120 << 10)
#define BUDGET_PROCESSES (170 << 10)
#define BUDGET_LEVELS    (210 << 10)
#define BUDGET_PATHS     (480 << 10)

#define REST_CACHES  200 /* caches whose small paths are added up by cache */
#define POOL_POINTS  240
#define CACHE_POINTS 40
#define PATH_POINTS  24 /* checkpoints */

/* Pick `want` of `nr` figures evenly, with the first and the last. Returns how many. */
static size_t html_thin(const double *y, size_t nr, size_t want, double *out)
{
	size_t used = nr < want ? nr : want;

	for (size_t i = 0; i < used; i++)
		out[i] = y[used > 1 ? i * (nr - 1) / (used - 1) : 0];
	return used;
}

static json_t *data_pool(struct html_rows *d, const struct ledger_row *row)
{
	double y[POOL_POINTS];
	size_t nr = html_thin(row->series, row->nr_series, POOL_POINTS, y);
	json_t *j = json_object();

	put(&d->o, j, "name", json_string(row->name));
	put(&d->o, j, "start_kb", number(row->start_kb));
	put(&d->o, j, "end_kb", number(row->end_kb));
	put(&d->o, j, "delta_kb", number(row->delta_kb));
	put(&d->o, j, "pattern", json_string(pattern_name(row->trend.pattern)));
	put(&d->o, j, "series", html_series(d, y, nr));
	return j;
}

static void data_pools(struct html_rows *d, json_t *root, const struct report *r)
{
	const struct ledger_row *rows = r->ledger.rows;
	json_t *list = json_array();
	double t[POOL_POINTS];
	size_t nr = html_thin(rows[0].series_t, rows[0].nr_series, POOL_POINTS, t);

	for (size_t i = 0; i < LEDGER_POOLS; i++)
		if (!rows[i].empty)
			append(&d->o, list, data_pool(d, &rows[i]));
	put(&d->o, root, "times", html_times(d, t, nr));
	put(&d->o, root, "pools", list);
	/* stacks in VmallocUsed must not be counted twice in a sum of pools */
	put(&d->o, root, "stacks_in_vmalloc",
	    json_boolean(r->holders.vmalloc_end.stacks_kb > 0 ||
			 r->holders.vmalloc_start.stacks_kb > 0));
}

/* ---- caches ---- */

static json_t *data_cache(struct html_rows *d, const struct caches *caches,
			  const struct cache_row *row)
{
	json_t *j = json_array();
	double y[CACHE_POINTS];
	size_t nr = row->series ? html_thin(row->series, caches->nr_series, CACHE_POINTS, y) : 0;

	append(&d->o, j, html_string(d, row->name));
	append(&d->o, j, number(row->size));
	append(&d->o, j, row->cap ? json_boolean(row->cap->reclaimable) : json_null());
	append(&d->o, j, number(row->start_kb));
	append(&d->o, j, number(row->end_kb));
	append(&d->o, j, number(row->delta_kb));
	append(&d->o, j, number(row->end_objects));
	append(&d->o, j, number(row->delta_objects));
	append(&d->o, j, row->traced ? whole(row->held_bytes) : json_null());
	append(&d->o, j, json_string(trust_name(row->trust.level)));
	append(&d->o, j, json_string(pattern_name(row->trend.pattern)));
	append(&d->o, j, number(row->trend.slope));
	append(&d->o, j, nr ? html_series(d, y, nr) : json_null());
	return j;
}

/* Rows in two orders are wanted: those that grew most, and the largest. Small unchanged ones are
 * the first to be left out. */
static size_t data_caches(struct html_rows *d, json_t *root, const struct report *r)
{
	static const char *const columns[] = {
		"name",     "size",           "reclaimable",   "start_kb",         "end_kb",
		"delta_kb", "end_objects",    "delta_objects", "attributed_bytes", "trust",
		"pattern",  "slope_kb_per_s", "series"};
	const struct caches *caches = &r->caches;
	json_t *j = json_object(), *rows = json_array();
	double t[CACHE_POINTS];
	size_t shown = 0, nr = html_thin(caches->series_t, caches->nr_series, CACHE_POINTS, t);

	while (shown < caches->nr &&
	       html_row_fits(d, rows, data_cache(d, caches, &caches->items[shown]), BUDGET_CACHES))
		shown++;
	put(&d->o, j, "columns", html_columns(d, columns, sizeof(columns) / sizeof(columns[0])));
	put(&d->o, j, "times", html_times(d, t, nr));
	put(&d->o, j, "rows", rows);
	put(&d->o, root, "caches", j);
	return shown;
}

/* ---- held memory: call paths, and processes ---- */

/* Groups of growth that get a row of their own, and rows that add up the others. */
struct data_groups {
	const struct report *r;
	const struct growth *g;
	size_t shown;     /* groups with a row of their own */
	size_t caches;    /* caches with a row of others: those that the page lists */
	uint32_t *row_of; /* of each group */
	struct history_levels levels;
};

static size_t rest_row(const struct data_groups *s, const struct growth_group *g)
{
	const struct cache_row *cache = growth_cache(g, &s->r->caches);
	size_t at = cache ? (size_t)(cache - s->r->caches.items) : SIZE_MAX;

	return s->shown + (at < s->caches ? at : s->caches + g->pool);
}

static size_t rest_rows(const struct data_groups *s)
{
	return s->caches + POOLS;
}

static int data_groups_levels(struct data_groups *s)
{
	history_levels_free(&s->levels);
	free(s->row_of);
	s->row_of = calloc(s->g->nr + 1, sizeof(*s->row_of));
	if (!s->row_of)
		return -ENOMEM;
	for (size_t i = 0; i < s->g->nr; i++)
		s->row_of[i] = (uint32_t)(i < s->shown ? i : rest_row(s, &s->g->groups[i]));
	return history_levels(&s->r->view, s->g, s->row_of, s->shown + rest_rows(s), PATH_POINTS,
			      &s->levels);
}

static void data_groups_free(struct data_groups *s)
{
	history_levels_free(&s->levels);
	free(s->row_of);
}

static json_t *group_series(struct html_rows *d, const struct data_groups *s, size_t row)
{
	return html_series(d, s->levels.bytes + row * s->levels.nr, s->levels.nr);
}

static const char *share_process(const struct capture *c, const struct growth_shares *s,
				 char buf[64])
{
	const struct cap_process *p;

	if (!s->nr || !s->items[0].id)
		return "";
	p = &c->processes[s->items[0].id];
	snprintf(buf, 64, "%.40s[%d]", p->comm, p->tgid);
	return buf;
}

static json_t *data_path(struct html_rows *d, const struct data_groups *s, size_t i)
{
	const struct report *r = s->r;
	const struct growth_group *g = &s->g->groups[i];
	const struct cache_row *cache = growth_cache(g, &r->caches);
	/* the report has the history of its own groups */
	const struct trend *trend =
		s->g == &r->growth ? history_trend(&r->history, i) : &trend_unknown;
	const struct growth_shares *cg = &g->cgroups;
	json_t *j = json_array();
	char who[64];

	append(&d->o, j, html_string(d, pool_name(g->pool)));
	append(&d->o, j, html_string(d, g->class_));
	append(&d->o, j, html_string(d, cache ? cache->name : NULL));
	append(&d->o, j, whole(g->bytes));
	append(&d->o, j, whole(g->bytes_low));
	append(&d->o, j, whole(g->bytes_high));
	append(&d->o, j, number(g->objects));
	append(&d->o, j, number(g->age_p50_s));
	append(&d->o, j, html_string(d, cache ? trust_name(cache->trust.level) : NULL));
	append(&d->o, j, html_string(d, g->module));
	append(&d->o, j, html_string(d, pattern_name(trend->pattern)));
	append(&d->o, j, html_string(d, share_process(r->c, &g->processes, who)));
	append(&d->o, j, html_string(d, cg->nr ? r->c->cgroups[cg->items[0].id] : NULL));
	append(&d->o, j, json_integer((json_int_t)g->stacks.nr));
	append(&d->o, j, html_path(d, r->c, g->stacks.items[0].id));
	return j;
}

static json_t *data_process(struct html_rows *d, const struct data_groups *s, size_t i)
{
	const struct growth_group *g = &s->g->groups[i];
	const struct cap_process *p = &s->r->c->processes[g->key];
	json_t *j = json_array();

	append(&d->o, j, html_string(d, pool_name(g->pool)));
	append(&d->o, j, html_string(d, g->key ? p->comm : NULL));
	append(&d->o, j, g->key ? json_integer(p->tgid) : json_null());
	append(&d->o, j, html_string(d, p->cgroup ? s->r->c->cgroups[p->cgroup] : NULL));
	append(&d->o, j, whole(g->bytes));
	return j;
}

/* What all groups without a row of their own hold, by pool and, for slab, by cache. */
static json_t *data_rest(struct html_rows *d, const struct data_groups *s)
{
	size_t nr = rest_rows(s);
	_cleanup_free_ double *bytes = calloc(nr + 1, sizeof(*bytes));
	_cleanup_free_ size_t *groups = calloc(nr + 1, sizeof(*groups));
	json_t *list = json_array();

	if (!bytes || !groups) {
		d->o.failed = -1;
		return list;
	}
	for (size_t i = s->shown; i < s->g->nr; i++) {
		size_t at = rest_row(s, &s->g->groups[i]) - s->shown;

		bytes[at] += rint(s->g->groups[i].bytes);
		groups[at]++;
	}
	for (size_t i = 0; i < nr; i++) {
		const char *cache = i < s->caches ? s->r->caches.items[i].name : NULL,
			   *pool = pool_name(cache ? POOL_SLAB : (enum pool)(i - s->caches));

		if (groups[i])
			append(&d->o, list,
			       json_pack("[o,o,I,o,o]", html_string(d, pool), html_string(d, cache),
					 (json_int_t)groups[i], whole(bytes[i]),
					 group_series(d, s, s->shown + i)));
	}
	return list;
}

/* Rows of groups while they fit, each with its series; then the rest. Their series are added to the
 * rows at the end, because only then is it known which groups have a row. */
static json_t *data_groups(struct html_rows *d, struct data_groups *s, size_t budget,
			   json_t *(*row)(struct html_rows *, const struct data_groups *, size_t))
{
	json_t *j = json_object(), *rows = json_array(), *series = json_array();
	size_t series_bytes = 10 * PATH_POINTS;

	while (s->shown < s->g->nr) {
		/* leave room for its series */
		if (!html_row_fits(d, rows, row(d, s, s->shown),
				   budget - series_bytes * s->shown / 2))
			break;
		s->shown++;
	}
	if (data_groups_levels(s)) {
		d->o.failed = -1;
		json_decref(rows);
		json_decref(series);
		return j;
	}
	for (size_t i = 0; i < s->shown; i++)
		append(&d->o, series, group_series(d, s, i));
	put(&d->o, j, "times", html_times(d, s->levels.t, s->levels.nr));
	put(&d->o, j, "rows", rows);
	put(&d->o, j, "series", series);
	put(&d->o, j, "rest", data_rest(d, s));
	/* held by paths that hold nothing at the end */
	put(&d->o, j, "gone", group_series(d, s, s->shown + rest_rows(s)));
	return j;
}

static void data_paths(struct html_rows *d, json_t *root, const struct data_groups *groups,
		       struct html_cut *cut)
{
	static const char *const columns[] = {"pool",      "class",      "cache",   "bytes",
					      "bytes_low", "bytes_high", "objects", "age_p50_s",
					      "trust",     "module",     "pattern", "process",
					      "cgroup",    "paths",      "stack"};
	struct data_groups s = *groups;
	json_t *j = data_groups(d, &s, BUDGET_PATHS, data_path);

	put(&d->o, j, "columns", html_columns(d, columns, sizeof(columns) / sizeof(columns[0])));
	put(&d->o, j, "by", json_string(growth_by_name(s.g->by)));
	put(&d->o, j, "bytes", whole(s.g->bytes));
	put(&d->o, root, "growth", j);
	cut->paths = s.shown;
	cut->all_paths = s.g->nr;
	for (size_t i = s.shown; i < s.g->nr; i++)
		cut->paths_bytes += s.g->groups[i].bytes;
	data_groups_free(&s);
}

static void data_processes(struct html_rows *d, json_t *root, const struct data_groups *groups,
			   struct html_cut *cut)
{
	static const char *const columns[] = {"pool", "comm", "pid", "cgroup", "bytes"};
	struct data_groups s = *groups;
	json_t *j = data_groups(d, &s, BUDGET_PROCESSES, data_process);

	put(&d->o, j, "columns", html_columns(d, columns, sizeof(columns) / sizeof(columns[0])));
	put(&d->o, root, "processes", j);
	cut->processes = s.shown;
	cut->all_processes = s.g->nr;
	data_groups_free(&s);
}

/* Kernel stacks and page tables of processes, older ones included. */
static void data_levels(struct html_rows *d, json_t *root, const struct report *r)
{
	static const char *const columns[] = {"comm", "pid", "cgroup", "end_stack_kb",
					      "end_page_tables_kb"};
	json_t *j = json_object(), *rows = json_array();
	double stacks = 0, tables = 0;
	size_t i = 0;

	for (; i < r->holders.processes.nr; i++) {
		const struct process_level *p = &r->holders.processes.items[i];
		json_t *row = json_array();

		append(&d->o, row, html_string(d, p->comm));
		append(&d->o, row, json_integer(p->tgid));
		append(&d->o, row, html_string(d, p->cgroup));
		append(&d->o, row, number(p->stack_kb.end));
		append(&d->o, row, number(p->pgtables_kb.end));
		if (!html_row_fits(d, rows, row, BUDGET_LEVELS))
			break;
	}
	for (size_t k = i; k < r->holders.processes.nr; k++) {
		stacks += or_zero(r->holders.processes.items[k].stack_kb.end);
		tables += or_zero(r->holders.processes.items[k].pgtables_kb.end);
	}
	put(&d->o, j, "columns", html_columns(d, columns, sizeof(columns) / sizeof(columns[0])));
	put(&d->o, j, "rows", rows);
	put(&d->o, j, "rest",
	    json_pack("[I,o,o]", (json_int_t)(r->holders.processes.nr - i), number(stacks),
		      number(tables)));
	put(&d->o, root, "levels", r->holders.tasks_known ? j : json_null());
	if (!r->holders.tasks_known)
		json_decref(j);
}

struct report_pages {
	const struct report *r;
	const struct html_held *held;
};

static json_t *report_data(struct html *h, const void *arg, double scale, struct html_cut *cut)
{
	const struct report_pages *what = arg;
	const struct report *r = what->r;
	const struct html_held *held = what->held;
	struct data_groups paths = {.r = r, .g = held->by_path};
	struct html_rows d;
	json_t *root = html_rows_begin(&d, h, "report", scale);

	put(&d.o, root, "start_s", number(r->view.start->t_s));
	put(&d.o, root, "wall_s", number(view_wall_s(&r->view)));
	put(&d.o, root, "duration_s", number(r->view.duration_s));
	put(&d.o, root, "mode", json_string(r->view.exact ? "exact" : "sampled"));
	data_pools(&d, root, r);
	cut->caches = data_caches(&d, root, r);
	cut->all_caches = r->caches.nr;
	paths.caches = cut->caches < REST_CACHES ? cut->caches : REST_CACHES;
	data_processes(&d, root, &(struct data_groups){.r = r, .g = held->by_process}, cut);
	data_levels(&d, root, r);
	data_paths(&d, root, &paths, cut);
	html_rows_end(&d, root);
	return root;
}

char *html_report_data(struct html *h, const struct report *r, const struct html_held *held,
		       struct html_cut *cut)
{
	return html_data_fit(h, report_data, &(struct report_pages){.r = r, .held = held}, cut);
}
