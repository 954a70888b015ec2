// SPDX-License-Identifier: GPL-2.0-only
/* Figures of a census: see census.h. */
#include "model/census.h"

#include <math.h>

#define NORMAL_95 1.959964
#define FEW_HITS  30 /* with fewer, the Poisson interval counts, too */
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

struct census_figure census_estimate(const struct census *c, const struct census_sum *sum,
				     double kb)
{
	double strata = (double)c->counted / 2, scale, error, low, high, hits, each;
	struct census_figure f = {0};

	if (!c->counted)
		return (struct census_figure){NAN, NAN, NAN};
	scale = (double)c->units / (double)c->counted;
	f.kb = f.low_kb = f.high_kb = sum->sum * scale * kb;
	if (census_is_whole(c))
		return f;
	error = student(strata) * scale * sqrt((1 - 1 / scale) * sum->squares);
	low = sum->sum * scale - error;
	high = sum->sum * scale + error;
	if (sum->hits < FEW_HITS) {
		/* one more unit with some of it might be full of it */
		hits = (double)sum->hits;
		each = (sum->sum + CENSUS_UNIT) / (hits + 1);
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

		both.sum += with->sum;
		both.hits += with->hits;
		/* an upper bound: √(a + b)² with the two in step */
		both.squares = pow(sqrt(both.squares) + sqrt(with->squares), 2);
		figure = census_estimate(c, &both, page_kb);
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

void census_sheet_build(const struct census *c, struct census_sheet *out)
{
	double page_kb = c->page_bytes / 1024.0;
	struct census_sum total = {0};

	*out = (struct census_sheet){.census = c};
	out->counted_share = c->units ? (double)c->counted / (double)c->units : NAN;
	for (int class = 0; class < CENSUS_CLASSES; class ++) {
		struct census_row *row = &out->rows[class];

		*row = (struct census_row){.class = class,
					   .figure = census_estimate(c, &c->pages[class], page_kb),
					   .with = CENSUS_CLASSES,
					   .line_kb = NAN,
					   .difference_kb = NAN};
		if (lines[class].line)
			row_compare(c, row);
		total.sum += c->pages[class].sum;
	}
	total.hits = c->counted; /* each unit is full or a hole: its interval is not of interest */
	out->total = census_estimate(c, &total, page_kb);
}
