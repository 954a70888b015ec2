// SPDX-License-Identifier: GPL-2.0-only
/* Chooses the snapshots and the checkpoint of a report: see view.h. */
#include "model/view.h"

#include <math.h>
#include <string.h>

void view_span(struct view *v, size_t first, size_t last)
{
	v->first = first;
	v->last = last;
	v->start = &v->c->snapshots[first];
	v->end = &v->c->snapshots[last];
	v->slab_start = v->slab_end = NULL;
	for (size_t i = first; i <= last; i++) {
		if (!v->c->snapshots[i].slabs.nr)
			continue;
		if (!v->slab_start)
			v->slab_start = &v->c->snapshots[i];
		v->slab_end = &v->c->snapshots[i];
	}
	v->duration_s = v->end->t_s - v->start->t_s;
}

void view_whole(const struct capture *c, struct view *out)
{
	struct view v = {
		.c = c,
		.first = 0,
		.last = c->nr_snapshots - 1,
		.at = c->nr_checkpoints ? &c->checkpoints[c->nr_checkpoints - 1] : NULL,
		.page_bytes = capture_meta_number(c, META_PAGE_SIZE, 4096),
		.cpus = capture_meta_number(c, META_CPUS, 1),
		.exact = !strcmp(capture_meta(c, META_MODE), "exact") ||
			 !strcmp(capture_meta(c, META_MODE), "focused"),
		.cache_filter = !strcmp(capture_meta(c, META_MODE), "focused"),
		.filter = capture_meta(c, META_FILTER),
		.complete = c->complete,
	};

	/*
	 * A recording that was killed may have snapshots later than its last saved checkpoint. Drop
	 * these, so that objects are compared with levels of the same time.
	 */
	if (v.at && !c->complete)
		while (v.last > 0 && fabs(c->snapshots[v.last - 1].t_s - v.at->end_s) <=
					     fabs(c->snapshots[v.last].t_s - v.at->end_s))
			v.last--;
	view_span(&v, v.first, v.last);
	v.hint = (struct beliefs_hint){.page_bytes = v.page_bytes, .cpus = v.cpus};
	v.hint.distrusted = beliefs_distrust(c->snapshots, c->nr_snapshots, &v.hint);
	*out = v;
}

bool view_traces(const struct view *v, enum pool pool)
{
	enum pool traced = pool_traced_as(pool);

	if (!v->at)
		return false;
	for (size_t i = 0; i < v->c->nr_hooks; i++)
		if (v->c->hooks[i].pool == traced && v->c->hooks[i].how[0] &&
		    strcmp(v->c->hooks[i].how, "iter") != 0) /* an iterator shows no allocations */
			return true;
	for (size_t i = 0; i < v->at->held.nr; i++)
		if (v->at->held.items[i].pool == pool)
			return true;
	return false;
}

bool view_filter_left_nothing(const struct view *v)
{
	double allocs = 0;

	if (!v->at || !(v->cache_filter || v->filter[0]))
		return false;
	for (size_t i = 0; i < v->at->churn.nr; i++)
		allocs += v->at->churn.items[i].allocs;
	for (size_t i = 0; i < v->at->cache_churn.nr; i++)
		allocs += v->at->cache_churn.items[i].allocs;
	return !v->at->held.nr && allocs <= 0;
}

bool view_is_filtered(const struct view *v)
{
	return v->cache_filter || v->filter[0] || capture_meta(v->c, META_POOLS)[0];
}

double view_wall_s(const struct view *v)
{
	return capture_meta_number(v->c, META_START, NAN) + v->start->t_s;
}

double view_uptime_s(const struct view *v)
{
	return capture_meta_number(v->c, META_UPTIME, NAN) + v->start->t_s;
}

double view_mem_total_kb(const struct view *v)
{
	return snapshot_meminfo(v->end, "MemTotal");
}

size_t view_hooks_missing(const struct view *v)
{
	size_t missing = 0;

	for (size_t i = 0; i < v->c->nr_hooks; i++)
		missing += !v->c->hooks[i].how[0];
	return missing;
}

double snapshot_meminfo(const struct snapshot *s, const char *name)
{
	int64_t kb = named_value_get(&s->meminfo, name, INT64_MIN);

	return kb == INT64_MIN ? NAN : (double)kb;
}

double view_level_kb(const struct view *v, const struct snapshot *s, const char *name)
{
	enum figure f = figure_named(name);
	struct beliefs b;

	if (f == FIGURES)
		return snapshot_meminfo(s, name);
	beliefs_judge(s, &v->hint, &b);
	return beliefs_kb(&b, f);
}

double snapshot_counter(const struct snapshot *s, const char *name)
{
	int64_t value = named_value_get(&s->vmstat, name, INT64_MIN);

	return value == INT64_MIN ? NAN : (double)value;
}
