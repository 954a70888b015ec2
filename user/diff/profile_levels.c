// SPDX-License-Identifier: GPL-2.0-only
/* Fills a profile's levels: pools, caches, callers of vmalloc, and stacks and page tables by
 * holder. See profile.h. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/balance.h"
#include "model/cgroup_of.h"
#include "model/container.h"
#include "diff/profile_internal.h"

#define PATTERN_FLOOR (256.0 * 1024) /* name no pattern for a smaller change, as in a report */

/* ---- noise and pattern of a level ---- */

static void series_add(struct profile_series *s, double t, double y)
{
	if (isnan(y) || s->nr == PROFILE_SERIES)
		return;
	s->t[s->nr] = t;
	s->y[s->nr++] = y;
}

/* From first differences, so that a trend does not count as noise. NaN below 8 readings, where one
 * step would dominate. */
static double series_noise(const struct profile_series *s)
{
	double k = (double)s->nr - 1, sum = 0, squares = 0;

	for (size_t i = 1; i < s->nr; i++) {
		double d = s->y[i] - s->y[i - 1];

		sum += d;
		squares += d * d;
	}
	return s->nr < SERIES_MIN ? NAN : sqrt(fmax(0, squares / k - sum * sum / k / k) / 2);
}

static int series_judge(const struct profile_series *s, struct profile_row *r)
{
	double low = INFINITY, high = -INFINITY;
	struct trend trend;

	for (size_t i = 0; i < s->nr; i++) {
		low = fmin(low, s->y[i]);
		high = fmax(high, s->y[i]);
	}
	r->range = s->nr ? high - low : 0;
	r->noise = series_noise(s);
	if (trend_of(s->t, s->y, s->nr, PATTERN_FLOOR, &trend))
		return -ENOMEM;
	r->pattern = trend.pattern;
	return 0;
}

/* The i-th of up to PROFILE_SERIES snapshots of the view, or NULL. */
static const struct snapshot *series_snapshot(const struct view *v, size_t i)
{
	size_t span = v->last - v->first,
	       points = span + 1 < PROFILE_SERIES ? span + 1 : PROFILE_SERIES;

	if (i >= points)
		return NULL;
	return &v->c->snapshots[v->first + (points > 1 ? i * span / (points - 1) : 0)];
}

/* ---- pools ---- */

static const char *const pool_lines[] = {"Slab",        "VmallocUsed",   "KernelStack",
					 "PageTables",  "SecPageTables", "Percpu",
					 "UnmappedLRU", "Unaccounted"};

/*
 * In bytes; NaN when the kernel does not print it. VmallocUsed leaves out the recorder's own
 * tables. They exist only during the recording, and two recordings may have tables of different
 * sizes.
 */
static double pool_level(const struct view *v, const struct profile *p, const struct snapshot *s,
			 const char *line)
{
	double level = view_level_kb(v, s, line) * 1024;
	struct balance b;

	if (!strcmp(line, "VmallocUsed"))
		return level - fmin(level, p->own_bytes);
	if (strcmp(line, "Unaccounted") && strcmp(line, "UnmappedLRU"))
		return level;
	balance_build(s, &v->hint, NULL, &b);
	if (!strcmp(line, "UnmappedLRU"))
		return balance_line_kb(&b, BALANCE_OTHER_LRU) * 1024;
	return b.placed ? b.kb[BALANCE_REST] * 1024 : NAN;
}

void profile_pool_series(const struct view *v, const struct profile *p, const char *pool,
			 struct profile_series *out)
{
	const struct snapshot *s;

	out->nr = 0;
	for (size_t k = 0; (s = series_snapshot(v, k)); k++)
		series_add(out, s->t_s, pool_level(v, p, s, pool));
}

static int build_pools(struct profile_builder *b)
{
	struct profile_rows *rows = &b->p->sections[PROFILE_POOLS];

	for (size_t i = 0; i < sizeof(pool_lines) / sizeof(pool_lines[0]); i++) {
		struct profile_row *r = profile_add(rows, pool_lines[i], pool_lines[i]);
		struct profile_series series = {.nr = 0};

		if (!r)
			return -ENOMEM;
		r->level = pool_level(b->v, b->p, b->v->end, pool_lines[i]);
		if (b->v->first != b->v->last)
			r->change = r->level - pool_level(b->v, b->p, b->v->start, pool_lines[i]);
		if (!b->brief)
			profile_pool_series(b->v, b->p, pool_lines[i], &series);
		if (series_judge(&series, r))
			return -ENOMEM;
	}
	rows->measured = true;
	profile_finish(rows);
	return 0;
}

/* ---- caches ---- */

static int add_caches(struct profile_builder *b, const struct snapshot *s, bool end)
{
	struct profile_rows *rows = &b->p->sections[PROFILE_CACHES];
	double large = view_level_kb(b->v, s, "Slab") * 1024, sign = end ? 1 : -1;

	for (size_t i = 0; i <= s->slabs.nr; i++) {
		bool is_large = i == s->slabs.nr;
		const struct slab_level *l = is_large ? NULL : &s->slabs.items[i];
		const char *name = is_large ? "kmalloc-large" : l->name;
		double level = is_large ? large
					: (double)l->num_slabs * (double)l->pages_per_slab *
						  b->v->page_bytes;
		struct profile_row *r;

		large -= level;
		r = profile_add(rows,
				is_large ? "\x1f"
					   "kmalloc-large"
					 : match_cache(b->m, name),
				name);
		if (!r)
			return -ENOMEM;
		r->level = end ? level : 0;
		r->change = sign * level;
		if (!is_large)
			r->level_objects = end ? (double)l->active_objs : 0;
	}
	return 0;
}

static int profile_caches_judge(struct profile_builder *b)
{
	struct profile_rows *rows = &b->p->sections[PROFILE_CACHES];
	_cleanup_free_ struct profile_series *series = calloc(rows->nr + 1, sizeof(*series));
	_cleanup_free_ double *level = calloc(rows->nr + 1, sizeof(*level));
	const struct snapshot *s;

	if (!series || !level)
		return -ENOMEM;
	for (size_t k = 0; (s = series_snapshot(b->v, k)); k++) {
		if (!s->slabs.nr)
			continue;
		memset(level, 0, rows->nr * sizeof(*level));
		for (size_t i = 0; i < s->slabs.nr; i++) {
			const struct slab_level *l = &s->slabs.items[i];
			struct profile_row *r = profile_find(rows, match_cache(b->m, l->name));

			if (r)
				level[r - rows->items] += (double)l->num_slabs *
							  (double)l->pages_per_slab *
							  b->v->page_bytes;
		}
		for (size_t i = 0; i < rows->nr; i++)
			series_add(&series[i], s->t_s, level[i]);
	}
	for (size_t i = 0; i < rows->nr; i++)
		if (series_judge(&series[i], &rows->items[i]))
			return -ENOMEM;
	return 0;
}

static int build_caches(struct profile_builder *b)
{
	struct profile_rows *rows = &b->p->sections[PROFILE_CACHES];
	const struct view *v = b->v;

	if (!v->slab_end)
		return 0;
	rows->measured = true;
	if (add_caches(b, v->slab_end, true) ||
	    (v->slab_start != v->slab_end && add_caches(b, v->slab_start, false)))
		return -ENOMEM;
	profile_finish(rows);
	for (size_t i = 0; i < rows->nr && v->slab_start == v->slab_end; i++)
		rows->items[i].change = NAN;
	for (size_t i = 1; i < v->c->nr_caches && !b->brief; i++) {
		const struct cap_cache *cache = &v->c->caches[i];
		struct profile_row *r = profile_find(rows, match_cache(b->m, cache->name));

		if (!r || cache->large)
			continue;
		r->reclaim_known = true;
		r->reclaimable |= cache->reclaimable;
	}
	return b->brief ? 0 : profile_caches_judge(b);
}

/* The first and the last snapshot of the view for which has() is true. False when there is none. */
static bool ends_find(const struct view *v, bool (*has)(const struct snapshot *),
		      const struct snapshot **start, const struct snapshot **end)
{
	*start = *end = NULL;
	for (size_t i = v->first; i <= v->last; i++) {
		if (!has(&v->c->snapshots[i]))
			continue;
		*start = *start ?: &v->c->snapshots[i];
		*end = &v->c->snapshots[i];
	}
	return *end;
}

/* ---- vmalloc callers ---- */

static int add_vmallocs(struct profile_builder *b, const struct snapshot *s, bool end)
{
	struct profile_rows *rows = &b->p->sections[PROFILE_VMALLOC];
	double own = b->p->own_bytes;

	for (size_t i = 0; i < s->vmallocs.nr; i++) {
		const struct vmalloc_level *l = &s->vmallocs.items[i];
		double level = (double)l->pages * b->v->page_bytes, ours = 0;
		char caller[sizeof(l->caller)], *module = NULL;
		struct cap_frame f = {
			.symbol = caller, .module = (char *)"", .build_id = (char *)""};
		_cleanup_free_ char *key = NULL;
		struct profile_row *r;
		size_t size;
		FILE *out;

		if (!strncmp(l->caller, "array_map_alloc", strlen("array_map_alloc")))
			ours = fmin(level, own);
		own -= ours;
		level -= ours;
		if (level <= 0)
			continue;
		/* "symbol+0xoff [module]": offsets are not comparable between kernels */
		snprintf(caller, sizeof(caller), "%s", l->caller);
		module = strchr(caller, '[');
		if (module) {
			module[strcspn(module, "]")] = '\0';
			f.module = module + 1;
		}
		caller[strcspn(caller, "+ ")] = '\0';
		out = open_memstream(&key, &size);
		if (!out)
			return -ENOMEM;
		match_frame(b->m, &f, out);
		if (fclose(out))
			return -ENOMEM;
		r = profile_add(rows, key, key);
		if (!r)
			return -ENOMEM;
		r->level = end ? level : 0;
		r->change = end ? level : -level;
		r->level_objects = end ? (double)l->areas : 0;
	}
	return 0;
}

static bool has_vmallocs(const struct snapshot *s)
{
	return s->vmallocs.nr > 0;
}

static int build_vmallocs(struct profile_builder *b)
{
	const struct snapshot *start, *end;

	if (!ends_find(b->v, has_vmallocs, &start, &end))
		return 0;
	b->p->sections[PROFILE_VMALLOC].measured = true;
	if (add_vmallocs(b, end, true) || (start != end && add_vmallocs(b, start, false)))
		return -ENOMEM;
	profile_finish(&b->p->sections[PROFILE_VMALLOC]);
	return 0;
}

/* ---- kernel stacks and page tables by process or cgroup ---- */

void profile_cgroup_key(const struct profile_builder *b, const char *path, char *buf, size_t size)
{
	if (match_same_boot(b->m))
		snprintf(buf, size, "%s", path);
	else
		cgroup_normalise(path, buf, size);
}

/* What one holder has in one snapshot; index 0: stacks, index 1: page tables. */
struct holder_sum {
	double levels[2], objects[2];
};

static void holder_sum_add(struct holder_sum *sum, const struct task_level *l)
{
	sum->levels[0] += (double)l->stack_bytes;
	sum->levels[1] += (double)l->pgtables_bytes;
	sum->objects[0] += (double)l->threads;
	sum->objects[1] += 1;
}

static int add_holder(struct profile_builder *b, const char *key, const char *name,
		      const struct holder_sum *sum, bool end)
{
	for (size_t k = 0; k < 2; k++) {
		struct profile_row *r = profile_add(&b->p->sections[PROFILE_STACKS + k], key, name);

		if (!r)
			return -ENOMEM;
		r->level = end ? sum->levels[k] : 0;
		r->change = end ? sum->levels[k] : -sum->levels[k];
		r->level_objects = end ? sum->objects[k] : 0;
	}
	return 0;
}

/* Add up tasks by cgroup first: paths are long, and a cgroup may have many tasks. */
static int add_tasks_by_cgroup(struct profile_builder *b, const struct snapshot *s,
			       const struct cgroup_of *of, bool end)
{
	const struct capture *c = b->v->c;
	_cleanup_free_ struct holder_sum *sums = calloc(c->nr_cgroups, sizeof(*sums));
	char key[4096];
	int err = 0;

	if (!sums)
		return -ENOMEM;
	for (size_t i = 0; i < s->tasks.nr; i++)
		holder_sum_add(&sums[cgroup_of_id(of, s->tasks.items[i].tgid)], &s->tasks.items[i]);
	for (size_t id = 0; id < c->nr_cgroups && !err; id++) {
		const char *name = id ? c->cgroups[id] : "(cgroup not known)";

		if (!sums[id].objects[1])
			continue;
		profile_cgroup_key(b, name, key, sizeof(key));
		err = add_holder(b, key, name, &sums[id], end);
	}
	return err;
}

static int add_tasks(struct profile_builder *b, const struct snapshot *s,
		     const struct cgroup_of *of, bool end)
{
	int err = 0;

	if (b->p->by == GROWTH_BY_CGROUP)
		return add_tasks_by_cgroup(b, s, of, end);
	for (size_t i = 0; i < s->tasks.nr && !err; i++) {
		const struct task_level *l = &s->tasks.items[i];
		struct holder_sum sum = {0};

		holder_sum_add(&sum, l);
		err = add_holder(b, l->comm, l->comm, &sum, end);
	}
	return err;
}

static bool has_tasks(const struct snapshot *s)
{
	return s->tasks.nr > 0;
}

static int build_tasks(struct profile_builder *b)
{
	_cleanup_(cgroup_of_free) struct cgroup_of of = {0};
	const struct snapshot *start, *end;

	if (!ends_find(b->v, has_tasks, &start, &end))
		return 0;
	if (b->p->by == GROWTH_BY_CGROUP && cgroup_of_build(b->v->c, &of))
		return -ENOMEM;
	for (int s = PROFILE_STACKS; s <= PROFILE_PAGE_TABLES; s++)
		b->p->sections[s].measured = true;
	if (add_tasks(b, end, &of, true) || (start != end && add_tasks(b, start, &of, false)))
		return -ENOMEM;
	for (int s = PROFILE_STACKS; s <= PROFILE_PAGE_TABLES; s++)
		profile_finish(&b->p->sections[s]);
	return 0;
}

int profile_levels(struct profile_builder *b)
{
	return build_pools(b) || build_caches(b) || build_vmallocs(b) || build_tasks(b) ? -ENOMEM
											: 0;
}
