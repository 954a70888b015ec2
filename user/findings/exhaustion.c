// SPDX-License-Identifier: GPL-2.0-only
/* Time to exhaustion: see exhaustion.h. */
#include "findings/exhaustion.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "data/counter.h"
#include "model/confidence.h"

/* Leave distant ends out: a slope measured for a minute says nothing about next year. */
#define HORIZON_S     (365.0 * 86400)
#define HORIZON_TIMES 100 /* times the length of the recording */

#define MEMORY_FLOOR  1024.0 /* kB: name no pattern for a smaller change */
#define THREADS_FLOOR 32.0
#define FILES_FLOOR   64.0

/* `t`: the trend that what->slope is from. NULL: from two readings, which have no interval. */
static void exhaustion_add(const struct view *v, struct exhaustion *o,
			   const struct exhaustion_row *what, const struct trend *t)
{
	struct exhaustion_row *row = &o->rows[o->nr];

	if (o->nr == EXHAUSTION_ROWS || !(what->slope > 0) || !(what->left >= 0) ||
	    !(what->left / what->slope < fmin(HORIZON_S, HORIZON_TIMES * v->duration_s)))
		return;
	*row = *what;
	row->seconds = row->left / row->slope;
	row->low = t ? row->left / t->slope_high : NAN;
	row->high = !t ? NAN : t->slope_low > 0 ? row->left / t->slope_low : INFINITY;
	o->nr++;
}

static int compare_exhaustion(const void *a, const void *b)
{
	const struct exhaustion_row *x = a, *y = b;

	return x->seconds < y->seconds ? -1 : x->seconds > y->seconds;
}

/*
 * Minus (free and reclaimable memory), in kB: it rises by what cannot be reclaimed. MemAvailable
 * leaves out half of the page cache and half of the reclaimable slab, each half at most the low
 * watermarks (mm/show_mem.c, si_mem_available()). While a half is smaller than the watermarks,
 * MemAvailable falls although the memory that is taken can be reclaimed. So the parts left out are
 * added again.
 */
static double memory_taken(const struct view *v, const struct snapshot *s)
{
	double cache = or_zero(view_level_kb(v, s, "Active(file)")) +
		       or_zero(view_level_kb(v, s, "Inactive(file)"));
	double slab = or_zero(view_level_kb(v, s, "SReclaimable"));
	double least = snapshot_counter(v->end, "vm.min_free_kbytes");

	if (isnan(least)) /* mm/page_alloc.c, calculate_min_free_kbytes() */
		least = sqrt(16 * or_zero(view_level_kb(v, s, "MemTotal")));
	least *= 1.25; /* the low watermark */
	return -(view_level_kb(v, s, "MemAvailable") + fmin(cache / 2, least) +
		 fmin(slab / 2, least));
}

static double threads_there(const struct view *v, const struct snapshot *s)
{
	(void)v;
	return snapshot_counter(s, COUNTER_THREADS);
}

static double files_open(const struct view *v, const struct snapshot *s)
{
	(void)v;
	return snapshot_counter(s, COUNTER_FILES);
}

/* The trend of a level over the view. */
static int level_trend(const struct view *v,
		       double (*level)(const struct view *v, const struct snapshot *s),
		       double floor_, struct trend *out)
{
	size_t nr = v->last - v->first + 1, points = 0;
	_cleanup_free_ double *t = calloc(2 * nr, sizeof(*t));
	double *y;

	if (!t)
		return -ENOMEM;
	y = t + nr;
	for (size_t i = v->first; i <= v->last; i++) {
		double value = level(v, &v->c->snapshots[i]);

		if (isnan(value))
			continue;
		t[points] = v->c->snapshots[i].t_s;
		y[points++] = value;
	}
	return trend_of(t, y, points, floor_, out);
}

static void add_limit(const struct view *v, struct exhaustion *o, enum exhaustion_of of,
		      const char *name, double now, const struct trend *t)
{
	struct exhaustion_row row = {.of = of, .slope = t->slope};

	row.limit = snapshot_counter(v->end, name);
	row.left = row.limit - now;
	snprintf(row.name, sizeof(row.name), "%s", name);
	exhaustion_add(v, o, &row, t);
}

/* The cgroup whose pids.max is reached first: lines "max start end path" (META_PIDS_LIMITS). */
static void add_cgroup_limit(const struct view *v, struct exhaustion *o)
{
	const char *line = capture_meta(v->c, META_PIDS_LIMITS);
	double took = v->c->snapshots[v->c->nr_snapshots - 1].t_s - v->c->snapshots[0].t_s;
	struct exhaustion_row soonest = {.left = INFINITY, .slope = 1};

	while (*line) {
		double max, start, end;
		int at = 0, n = (int)strcspn(line, "\n");

		if (sscanf(line, "%lf %lf %lf %n", &max, &start, &end, &at) == 3 && at > 0 &&
		    at < n && end - start >= THREADS_FLOOR && end <= max && took > 0 &&
		    (max - end) / (end - start) < soonest.left / (soonest.slope * took)) {
			soonest = (struct exhaustion_row){.of = EXHAUSTION_THREADS,
							  .limit = max,
							  .left = max - end,
							  .slope = (end - start) / took};
			snprintf(soonest.name, sizeof(soonest.name), "pids.max of %.*s", n - at,
				 line + at);
		}
		line += n;
		line += *line == '\n';
	}
	if (isfinite(soonest.left))
		exhaustion_add(v, o, &soonest, NULL);
}

static int threads_build(const struct view *v, struct exhaustion *o)
{
	double now = snapshot_counter(v->end, COUNTER_THREADS);
	struct trend t;

	if (level_trend(v, threads_there, THREADS_FLOOR, &t))
		return -ENOMEM;
	if (t.pattern != PATTERN_GROWING)
		return 0;
	add_limit(v, o, EXHAUSTION_THREADS, COUNTER_THREADS_MAX, now, &t);
	add_limit(v, o, EXHAUSTION_THREADS, COUNTER_PID_MAX, now, &t);
	add_cgroup_limit(v, o);
	return 0;
}

static int files_build(const struct view *v, struct exhaustion *o)
{
	struct trend t;

	if (level_trend(v, files_open, FILES_FLOOR, &t))
		return -ENOMEM;
	if (t.pattern == PATTERN_GROWING)
		add_limit(v, o, EXHAUSTION_FILES, COUNTER_FILES_MAX,
			  snapshot_counter(v->end, COUNTER_FILES), &t);
	return 0;
}

static int memory_build(const struct view *v, struct exhaustion *o)
{
	struct trend t;

	if (level_trend(v, memory_taken, MEMORY_FLOOR, &t))
		return -ENOMEM;
	if (t.pattern == PATTERN_GROWING)
		exhaustion_add(v, o,
			       &(struct exhaustion_row){.of = EXHAUSTION_MEMORY,
							.name = "MemAvailable",
							.limit = NAN,
							.left = o->available_kb,
							.slope = t.slope},
			       &t);
	return 0;
}

/* One sentence for the verdict, the first screen and the section. */
static void exhaustion_find(const struct exhaustion_row *row, struct findings *list)
{
	const bool memory = row->of == EXHAUSTION_MEMORY;
	const char *what = row->of == EXHAUSTION_FILES ? "open files" : "threads";
	const struct finding *as =
		FINDING(row->seconds < EXHAUSTION_URGENT_S ? FINDING_CRITICAL : FINDING_WARNING,
			"exhaustion", ABOUT_COUNTER, .part = PART_EXHAUSTION);
	char rate[UNITS_MAX], left[UNITS_MAX], limit[UNITS_MAX], when[UNITS_MAX],
		interval[INTERVAL_WORDS_MAX];
	struct finding *f;

	units_duration(when, row->seconds);
	interval_words(interval, " (", row->seconds, row->low, row->high, units_duration);
	if (memory)
		f = findings_add(list, as,
				 "At this rate, the available %s are gone in %s%s: %s falls by "
				 "%s/s.",
				 units_bytes(left, row->left * 1024), when, interval, row->name,
				 units_bytes(rate, row->slope * 1024));
	else
		f = findings_add(
			list, as,
			"At this rate, %s is reached in %s%s: %.1f new %s per second, %s of %s "
			"left.",
			row->name, when, interval, row->slope, what, units_count(left, row->left),
			units_count(limit, row->limit));
	finding_subject(f, "%s", row->name);
	finding_figure(f, "seconds", row->seconds, row->low, row->high);
	finding_figure(f, memory ? "left_kb" : "left", row->left, NAN, NAN);
	finding_figure(f, memory ? "kb_per_s" : "per_s", row->slope, NAN, NAN);
	finding_evidence(f, "outlook", "%s", row->name);
}

bool exhaustion_is_of(const struct exhaustion_row *row, const struct ledger_row *pool)
{
	return row->of != EXHAUSTION_MEMORY || !pool || !trend_has_rate(&pool->trend) ||
	       pool->trend.slope >= row->slope / 2;
}

int exhaustion_build(const struct view *v, struct findings *list, struct exhaustion *out)
{
	struct exhaustion o = {.available_kb = view_level_kb(v, v->end, "MemAvailable")};

	if (memory_build(v, &o) || threads_build(v, &o) || files_build(v, &o))
		return -ENOMEM;
	if (o.nr)
		qsort(o.rows, o.nr, sizeof(o.rows[0]), compare_exhaustion);
	for (size_t i = 0; i < o.nr; i++)
		exhaustion_find(&o.rows[i], list);
	*out = o;
	return 0;
}
