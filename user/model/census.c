// SPDX-License-Identifier: GPL-2.0-only
/* Figures of a census: see census.h. */
#include "model/census.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define NORMAL_95     1.959964
#define HITS_A_DEGREE 8  /* measured: intervals then hold in 94 to 99 of 100 (test_census.c) */
#define FEW_HITS      30 /* with fewer, the Poisson interval counts, too */
/* Two witnesses may differ by this much: they look at different moments. */
#define LAG_KB    2048
#define LAG_SHARE 0.005
/*
 * A CPU may hold back up to 125 pages of a counter (STAT_THRESHOLD of mm/vmstat.c), if the kernel
 * does not let us fold them in.
 */
#define LAG_PAGES_CPU 125

/* Limits of a Poisson variable of which `k` was seen: Wilson and Hilferty's approximation. */
static double poisson_high(double k)
{
	double n = k + 1;

	return n * pow(1 - 1 / (9 * n) + NORMAL_95 / (3 * sqrt(n)), 3);
}

static double poisson_low(double k)
{
	return k < 1 ? 0 : k * pow(1 - 1 / (9 * k) - NORMAL_95 / (3 * sqrt(k)), 3);
}

/* Student's t for 95 %: the first terms of its expansion (Abramowitz and Stegun 26.7.5). */
static double student(double degrees)
{
	return NORMAL_95 + 2.3723 / degrees + 2.8225 / (degrees * degrees);
}

/*
 * Add `weight` times another sum, which may rise and fall with this one: the error of the total is
 * at most the sum of the errors.
 */
static void census_sum_add(struct census_sum *to, const struct census_sum *from, double weight)
{
	to->sum += weight * from->sum;
	to->squares = pow(sqrt(to->squares) + weight * sqrt(from->squares), 2);
	if (from->hits > to->hits)
		to->hits = from->hits;
}

struct census_figure census_estimate(const struct census *c, const struct census_sum *sum,
				     double full, double kb)
{
	double strata = (double)c->counted / 2, scale, squares, error, low, high, hits, each;
	struct census_figure f = {0};

	if (!c->counted)
		return (struct census_figure){NAN, NAN, NAN};
	scale = (double)c->units / (double)c->counted;
	f.kb = f.low_kb = f.high_kb = sum->sum * scale * kb;
	if (census_is_whole(c))
		return f;
	/*
	 * What lies in one place begins and ends within two strata, and the pairs of these two may
	 * show no difference by chance. So we add one pair that differs by what is in a unit.
	 */
	squares = sum->squares + (sum->hits ? pow(sum->sum / (double)sum->hits, 2) : 0);
	/* few pairs make up most of the squares, so there are fewer degrees of freedom than pairs
	 */
	error = student(fmax(fmin(strata, (double)sum->hits / HITS_A_DEGREE), 3)) * scale *
		sqrt((1 - 1 / scale) * squares);
	low = sum->sum * scale - error;
	high = sum->sum * scale + error;
	if (sum->hits < FEW_HITS) {
		/* one more unit with some of it might be full of it */
		hits = (double)sum->hits;
		each = (sum->sum + full) / (hits + 1);
		low = fmin(low, hits > 0 ? sum->sum * scale * poisson_low(hits) / hits : 0);
		high = fmax(high, poisson_high(hits) * scale * each);
	}
	f.low_kb = fmax(low, sum->sum) * kb;
	f.high_kb = high * kb;
	return f;
}

/* ---- the same pages in /proc ---- */

static double meminfo_kb(const struct snapshot *s, const char *name)
{
	return (double)named_value_get(&s->meminfo, name, 0);
}

static double zones_pcp(const struct snapshot *s)
{
	double pages = 0;

	for (size_t i = 0; i < s->zones.nr; i++)
		pages += (double)s->zones.items[i].pcp;
	return pages;
}

/* What /proc says of a class in kB; NaN if it says nothing. `page_kb`: of one page. */
static double proc_kb(const struct snapshot *s, enum census_class class, double page_kb)
{
	switch (class) {
	case CENSUS_FREE:
		return meminfo_kb(s, "MemFree") + zones_pcp(s) * page_kb;
	case CENSUS_SLAB:
		return meminfo_kb(s, "Slab");
	case CENSUS_TABLE:
		return meminfo_kb(s, "PageTables");
	case CENSUS_ANON:
		return meminfo_kb(s, "AnonPages");
	case CENSUS_FILE:
		return meminfo_kb(s, "Cached") + meminfo_kb(s, "Buffers");
	case CENSUS_HUGETLB:
		return meminfo_kb(s, "Hugetlb");
	case CENSUS_ZSMALLOC:
		return (double)named_value_get(&s->vmstat, "nr_zspages", 0) * page_kb;
	case CENSUS_UNACCEPTED:
		return meminfo_kb(s, "Unaccepted");
	case CENSUS_REST:
		return meminfo_kb(s, "VmallocUsed") + meminfo_kb(s, "Percpu");
	default:
		return NAN;
	}
}

static const struct {
	const char *line;
	enum census_class with;
} lines[CENSUS_CLASSES] = {
	[CENSUS_FREE] = {"MemFree + CPU lists", CENSUS_CPU_FREE},
	[CENSUS_SLAB] = {"Slab", CENSUS_LARGE},
	[CENSUS_TABLE] = {"PageTables", CENSUS_CLASSES},
	[CENSUS_ANON] = {"AnonPages", CENSUS_CLASSES},
	[CENSUS_FILE] = {"Cached + Buffers", CENSUS_CLASSES},
	[CENSUS_HUGETLB] = {"Hugetlb", CENSUS_CLASSES},
	[CENSUS_ZSMALLOC] = {"nr_zspages", CENSUS_CLASSES},
	[CENSUS_UNACCEPTED] = {"Unaccepted", CENSUS_CLASSES},
	[CENSUS_REST] = {"VmallocUsed + Percpu", CENSUS_CLASSES},
};

/*
 * Should the two agree? The rest has pages that no line counts. Anonymous pages in the swap cache
 * may be mapped by nobody, and page tables are marked by counting them. Without a mark for large
 * kmalloc, Slab has more than the slab pages.
 */
static bool line_is_checked(const struct census *c, enum census_class class)
{
	if (class == CENSUS_REST || !census_tells(c, class))
		return false;
	return class != CENSUS_SLAB || census_tells(c, CENSUS_LARGE);
}

static void row_compare(const struct census *c, struct census_row *row)
{
	double page_kb = c->page_bytes / 1024.0, before, after, low, high, swap = 0;
	struct census_sum both = c->pages[row->class];
	struct census_figure figure;

	row->line = lines[row->class].line;
	row->with = lines[row->class].with;
	before = proc_kb(&c->before, row->class, page_kb);
	after = proc_kb(&c->after, row->class, page_kb);
	row->line_kb = (before + after) / 2;
	figure = row->figure;
	if (row->with != CENSUS_CLASSES) {
		const struct census_sum *with = &c->pages[row->with];

		census_sum_add(&both, with, 1);
		figure = census_estimate(c, &both, CENSUS_UNIT, page_kb);
	}
	if (row->class == CENSUS_ANON)
		swap = fmax(meminfo_kb(&c->before, "SwapCached"),
			    meminfo_kb(&c->after, "SwapCached"));
	row->difference_kb = figure.kb - row->line_kb;
	row->lag_kb = fmax(LAG_KB, LAG_SHARE * row->line_kb) + fabs(after - before) + swap +
		      c->cpus * LAG_PAGES_CPU * page_kb;
	row->checked = line_is_checked(c, row->class);
	low = fmin(before, after) - row->lag_kb;
	high = fmax(before, after) + row->lag_kb;
	/* 1 of 20 intervals of 95 % misses: two such widths miss by chance about once in 10,000 */
	row->differs = row->checked && (2 * figure.high_kb - figure.kb < low ||
					2 * figure.low_kb - figure.kb > high);
}

static void pages_build(const struct census *c, struct census_sheet *out)
{
	double page_kb = c->page_bytes / 1024.0;
	struct census_sum total = {0};

	for (int class = 0; class < CENSUS_CLASSES; class ++) {
		struct census_row *row = &out->rows[class];

		*row = (struct census_row){
			.class = class,
			.figure = census_estimate(c, &c->pages[class], CENSUS_UNIT, page_kb),
			.with = CENSUS_CLASSES,
			.line_kb = NAN,
			.difference_kb = NAN};
		if (lines[class].line)
			row_compare(c, row);
		total.sum += c->pages[class].sum;
	}
	total.hits = c->counted; /* each unit is full or a hole: its interval is not of interest */
	out->total = census_estimate(c, &total, CENSUS_UNIT, page_kb);
}

/* ---- caches and cgroups ---- */

static double scale_of(const struct census *c)
{
	return c->counted ? (double)c->units / (double)c->counted : NAN;
}

static int compare_charges(const void *x, const void *y)
{
	const struct census_charge_row *a = x, *b = y;

	if (a->cache != b->cache)
		return a->cache < b->cache ? -1 : 1;
	if (a->figure.kb != b->figure.kb)
		return a->figure.kb < b->figure.kb ? 1 : -1;
	return a->cgroup < b->cgroup ? -1 : a->cgroup > b->cgroup;
}

/* Charges of caches, by cache, the largest first. */
static int charges_build(const struct census *c, struct census_sheet *out)
{
	for (size_t i = 0; i < c->charges.nr; i++) {
		const struct census_charge *charge = &c->charges.items[i];
		struct census_charge_row *row;
		double bytes;

		if (charge->cache >= c->caches.nr)
			continue;
		row = ARRAY_PUSH(out);
		if (!row)
			return -ENOMEM;
		bytes = c->caches.items[charge->cache].object_bytes;
		*row = (struct census_charge_row){
			.cgroup = &c->cgroups.items[charge->cgroup],
			.objects = census_estimate(c, &charge->nr,
						   CENSUS_UNIT * c->page_bytes / bytes, 1),
			.figure = census_estimate(
				c, &charge->nr, CENSUS_UNIT * c->page_bytes / bytes, bytes / 1024),
			.cache = charge->cache,
			.class = charge->class};
	}
	if (out->nr)
		qsort(out->items, out->nr, sizeof(*out->items), compare_charges);
	return 0;
}

/* Subtract objects that are on CPUs' lists, of which the number is known exactly. */
static void figure_less(struct census_figure *f, double less)
{
	f->kb = fmax(f->kb - less, 0);
	f->low_kb = fmax(f->low_kb - less, 0);
	f->high_kb = fmax(f->high_kb - less, 0);
}

static int caches_rows_build(const struct census *c, struct census_sheet *out)
{
	double page_kb = c->page_bytes / 1024.0, scale = scale_of(c);
	size_t at = 0;

	out->caches = calloc(c->caches.nr + 1, sizeof(*out->caches));
	if (!out->caches)
		return -ENOMEM;
	out->nr_caches = c->caches.nr;
	for (size_t i = 0; i < c->caches.nr; i++) {
		const struct census_cache *cache = &c->caches.items[i];
		double bytes = cache->object_bytes, full = CENSUS_UNIT * c->page_bytes / bytes;
		struct census_cache_row *row = &out->caches[i];

		row->cache = cache;
		row->figure = census_estimate(c, &cache->pages, CENSUS_UNIT, page_kb);
		row->objects = census_estimate(c, &cache->used, full, 1);
		figure_less(&row->objects, cache->cpu_free > 0 ? (double)cache->cpu_free : 0);
		row->free_kb = fmax(cache->objects.sum * scale - row->objects.kb, 0) * bytes / 1024;
		row->empty_kb = cache->empty.sum * scale * page_kb;
		row->used_share = cache->objects.sum > 0
					  ? row->objects.kb / (cache->objects.sum * scale)
					  : NAN;
		row->charges = out->items ? out->items + at : NULL;
		for (; out->items && at < out->nr && out->items[at].cache == i;
		     at++, row->nr_charges++)
			row->charged += out->items[at].objects.kb;
	}
	return 0;
}

static int compare_cgroups(const void *x, const void *y)
{
	const struct census_cgroup_row *a = x, *b = y;

	if (a->figure.kb != b->figure.kb)
		return a->figure.kb < b->figure.kb ? 1 : -1;
	return a->cgroup < b->cgroup ? -1 : a->cgroup > b->cgroup;
}

/* Removed cgroups are counted by what is charged to them, or by what they handed up. */
static void removed_count(struct census_sheet *out)
{
	uint64_t named = 0, handed = 0;

	for (size_t i = 0; i < out->nr_cgroups; i++) {
		const struct census_cgroup *g = out->cgroups[i].cgroup;

		if (!g->removed && !g->below)
			continue;
		named += g->removed;
		handed += g->below ? g->owners : 0;
		out->removed_kb += out->cgroups[i].figure.kb;
	}
	out->removed = named > handed ? named : handed;
}

static int cgroups_rows_build(const struct census *c, struct census_sheet *out)
{
	struct {
		struct census_sum all, slab;
	} *sums = calloc(c->cgroups.nr + 1, sizeof(*sums));
	double page_kb = c->page_bytes / 1024.0, full = CENSUS_UNIT * page_kb;

	out->cgroups = calloc(c->cgroups.nr + 1, sizeof(*out->cgroups));
	if (!sums || !out->cgroups) {
		free(sums);
		return -ENOMEM;
	}
	out->nr_cgroups = c->cgroups.nr;
	for (size_t i = 0; i < c->charges.nr; i++) {
		const struct census_charge *charge = &c->charges.items[i];
		double kb = page_kb;

		if (charge->cache < c->caches.nr) {
			kb = c->caches.items[charge->cache].object_bytes / 1024.0;
			census_sum_add(&sums[charge->cgroup].slab, &charge->nr, kb);
		} else {
			out->cgroups[charge->cgroup].classes_kb[charge->class] +=
				charge->nr.sum * scale_of(c) * page_kb;
		}
		census_sum_add(&sums[charge->cgroup].all, &charge->nr, kb);
	}
	for (size_t i = 0; i < c->cgroups.nr; i++) {
		out->cgroups[i].cgroup = &c->cgroups.items[i];
		out->cgroups[i].figure = census_estimate(c, &sums[i].all, full, 1);
		out->cgroups[i].slab = census_estimate(c, &sums[i].slab, full, 1);
	}
	free(sums);
	qsort(out->cgroups, out->nr_cgroups, sizeof(*out->cgroups), compare_cgroups);
	removed_count(out);
	return 0;
}

/* What the objects in use are. */
static int kinds_rows_build(const struct census *c, struct census_sheet *out)
{
	double *objects = calloc(out->nr_caches + 1, sizeof(*objects));
	int err;

	if (!objects)
		return -ENOMEM;
	for (size_t i = 0; i < out->nr_caches; i++)
		objects[i] = out->caches[i].objects.kb;
	err = kinds_sheet_build(c, objects, &out->kinds);
	free(objects);
	return err;
}

int census_sheet_build(const struct census *c, struct census_sheet *out)
{
	struct census_sheet s = {.census = c};
	int err;

	s.counted_share = c->units ? (double)c->counted / (double)c->units : NAN;
	pages_build(c, &s);
	err = charges_build(c, &s) ?: caches_rows_build(c, &s) ?: cgroups_rows_build(c, &s)
		?: kinds_rows_build(c, &s) ?: lens_sheet_build(c, &s.lenses)
		?: site_groups_build(&c->records, &s.sites);
	if (err)
		census_sheet_free(&s);
	else
		*out = s;
	return err;
}

void census_sheet_free(struct census_sheet *s)
{
	free(s->items);
	free(s->caches);
	free(s->cgroups);
	kinds_sheet_free(&s->kinds);
	lens_sheet_free(&s->lenses);
	site_groups_free(&s->sites);
	*s = (struct census_sheet){0};
}
