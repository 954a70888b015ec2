// SPDX-License-Identifier: GPL-2.0-only
/* Joins two profiles, or a profile and a baseline, and tests each row: see diff.h. */
#include "diff/diff.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/confidence.h"

#define Z95          1.959964
#define SIZE_DIFFERS 1.1 /* times as much memory: machines of another size */
#define NOISE_LIMIT  4.0 /* standard deviations, of a level's own noise or of a set's spread */

static const char *const status_names[] = {
	[DIFF_SAME] = "same",     [DIFF_NEW] = "new",   [DIFF_GROWN] = "grown",
	[DIFF_SHRUNK] = "shrunk", [DIFF_GONE] = "gone",
};

const char *diff_status_name(enum diff_status s)
{
	return status_names[s];
}

static enum diff_status status_of(const struct diff_figure *f, bool had, bool has)
{
	if (f->delta > 0)
		return had ? DIFF_GROWN : DIFF_NEW;
	return has ? DIFF_SHRUNK : DIFF_GONE;
}

/* ---- estimates ---- */

/* Bytes over a number of seconds (a rate), with their two kinds of uncertainty. */
struct estimate {
	double sum, var; /* bytes, and their variance from sampling */
	double loose_sd; /* other uncertainty: objects in flight, chance in the number of objects */
	double weight;   /* bytes that one sample stands for */
	double seconds;
};

/*
 * Objects younger than an eighth of the recording may be in flight, so half of their bytes count as
 * uncertain. The number of other objects varies like a Poisson count, because no workload does
 * exactly the same twice.
 */
static struct estimate held_estimate(const struct profile *p, const struct profile_row *r,
				     double weight)
{
	double settled = r ? fmax(0, r->held - r->young) : 0;
	double object = r && r->objects > 0 ? r->held / r->objects : 0;
	double none = p->sample_bytes > 0 ? fmax(fmax(p->weight, p->sample_bytes), weight) : 0;

	return (struct estimate){
		.sum = r ? r->held : 0,
		.var = r ? r->held_var : 0,
		.loose_sd = r ? sqrt(r->young * r->young / 4 + settled * object) : 0,
		.weight = r && r->held > 0 ? r->held_missed : none,
		.seconds = p->duration_s,
	};
}

static struct estimate churn_estimate(const struct profile *p, const struct profile_row *r)
{
	return (struct estimate){
		.sum = r && !isnan(r->churn) ? r->churn : 0,
		.var = r && !isnan(r->churn) ? r->churn_var : 0,
		.weight = r && r->churn > 0 ? 0 : p->sample_bytes,
		.seconds = p->duration_s,
	};
}

static void estimate_interval(const struct estimate *e, double z, double *low, double *high)
{
	double loose = z * e->loose_sd;

	/* A gamma interval cannot be negative; use a normal one for a net loss. */
	if (e->sum < 0) {
		*low = e->sum - hypot(z * sqrt(e->var), loose);
		*high = e->sum + hypot(z * sqrt(e->var), loose);
	} else {
		interval_weighted_at(z, e->sum, e->var, e->weight, low, high);
		*low = e->sum - hypot(e->sum - *low, loose);
		*high = e->sum + hypot(*high - e->sum, loose);
	}
	*low /= e->seconds;
	*high /= e->seconds;
}

/*
 * The interval of a difference, from the possibly asymmetric intervals of both sides: MOVER, Zou &
 * Donner (2008), Stat. Med. 27; for rates Li, Tang & Wong (2014).
 */
static void difference_interval(const struct estimate *base, const struct estimate *new_, double z,
				double *low, double *high)
{
	double b = base->sum / base->seconds, n = new_->sum / new_->seconds, bl, bh, nl, nh;

	estimate_interval(base, z, &bl, &bh);
	estimate_interval(new_, z, &nl, &nh);
	*low = n - b - hypot(n - nl, bh - b);
	*high = n - b + hypot(nh - n, b - bl);
}

/* Fill f from both sides. It changed when the interval at z, which allows for the number of rows,
 * excludes 0. */
static void figure_judge(struct diff_figure *f, const struct estimate *base,
			 const struct estimate *new_, double z, double floor)
{
	double low, high;

	f->base = base->sum / base->seconds;
	f->new_ = new_->sum / new_->seconds;
	f->delta = f->new_ - f->base;
	estimate_interval(base, Z95, &f->base_low, &f->base_high);
	estimate_interval(new_, Z95, &f->new_low, &f->new_high);
	difference_interval(base, new_, Z95, &f->low, &f->high);
	difference_interval(base, new_, z, &low, &high);
	if (fabs(f->delta) > floor && (low > 0 || high < 0))
		f->status = status_of(f, base->sum != 0, new_->sum != 0);
}

/* ---- rows of two captures ---- */

static void level_figure(struct diff_row *row, double floor)
{
	struct diff_figure *f = &row->level;
	double noise_b = row->base ? row->base->noise : 0,
	       noise_n = row->new_ ? row->new_->noise : 0;
	double limit;

	f->base = f->base_low = f->base_high = row->base ? row->base->level : 0;
	f->new_ = f->new_low = f->new_high = row->new_ ? row->new_->level : 0;
	f->delta = f->new_ - f->base;
	noise_b = isnan(noise_b) ? 0 : noise_b;
	noise_n = isnan(noise_n) ? 0 : noise_n;
	f->low = f->delta - Z95 * hypot(noise_b, noise_n);
	f->high = f->delta + Z95 * hypot(noise_b, noise_n);
	limit = fmax(floor, NOISE_LIMIT * hypot(noise_b, noise_n));
	limit = fmax(limit, DIFF_LEVEL_SHARE * fmax(f->base, f->new_));
	if (fabs(f->delta) > limit)
		f->status = status_of(f, f->base != 0, f->new_ != 0);
}

/* One reading of the levels has no rates. */
static double change_rate(double change, double duration_s)
{
	return duration_s > 0 ? change / duration_s : NAN;
}

static double rate_of_none(double duration_s)
{
	return duration_s > 0 ? 0 : NAN;
}

static void change_figure(const struct diff_input *in, struct diff_row *row)
{
	struct diff_figure *f = &row->growth;

	f->base = f->base_low = f->base_high =
		row->base ? change_rate(row->base->change, in->base->duration_s)
			  : rate_of_none(in->base->duration_s);
	f->new_ = f->new_low = f->new_high =
		row->new_ ? change_rate(row->new_->change, in->new_->duration_s)
			  : rate_of_none(in->new_->duration_s);
	f->delta = f->low = f->high = f->new_ - f->base;
}

static void level_judge(const struct diff_input *in, enum profile_section section,
			struct diff_row *row)
{
	level_figure(row, section == PROFILE_POOLS || section == PROFILE_CACHES
				  ? DIFF_LEVEL_FLOOR
				  : DIFF_LEVEL_FLOOR / 2);
	change_figure(in, row);
}

static bool pool_comparable(const struct diff_input *in, enum pool pool)
{
	if (in->set)
		return in->new_->traces[pool] && baseline_measured(in->set, PROFILE_GROWTH, pool);
	return in->base->traces[pool] && in->new_->traces[pool];
}

/* The smallest rate worth reporting: DIFF_HELD_FLOOR over the shorter recording. */
static double rate_floor(const struct diff_input *in)
{
	double seconds = in->new_->duration_s;

	if (in->base && in->base->duration_s < seconds)
		seconds = in->base->duration_s;
	return DIFF_HELD_FLOOR / seconds;
}

static void growth_judge(const struct diff_input *in, struct diff_row *row, double z)
{
	double weight = 0, floor;
	struct estimate base, new_;

	/* A side without samples takes the weight of a sample from the other side. */
	if (row->base && row->base->held > 0)
		weight = row->base->held_var / row->base->held;
	if (row->new_ && row->new_->held > 0)
		weight = fmax(weight, row->new_->held_var / row->new_->held);
	base = held_estimate(in->base, row->base, weight);
	new_ = held_estimate(in->new_, row->new_, weight);
	figure_judge(&row->growth, &base, &new_, z, rate_floor(in));
	if ((!row->base || isnan(row->base->churn)) && (!row->new_ || isnan(row->new_->churn))) {
		row->churn.base = row->churn.new_ = row->churn.delta = NAN;
		return;
	}
	base = churn_estimate(in->base, row->base);
	new_ = churn_estimate(in->new_, row->new_);
	floor = fmax(DIFF_CHURN_FLOOR,
		     DIFF_CHURN_SHARE * fmax(base.sum / base.seconds, new_.sum / new_.seconds));
	figure_judge(&row->churn, &base, &new_, z, floor);
}

static struct diff_row *rows_add(struct diff_rows *rows, const struct profile_row *base,
				 const struct profile_row *new_)
{
	struct diff_row *row = ARRAY_PUSH(rows);

	if (row) {
		row->base = base;
		row->new_ = new_;
	}
	return row;
}

/* Both sides are sorted by key, so one pass joins them. */
static int rows_join(const struct diff_input *in, enum profile_section section,
		     struct diff_rows *out)
{
	const struct profile_rows *a = &in->base->sections[section],
				  *b = &in->new_->sections[section];
	size_t i = 0, k = 0;

	while (i < a->nr || k < b->nr) {
		int order = i == a->nr   ? 1
			    : k == b->nr ? -1
					 : strcmp(a->items[i].key, b->items[k].key);
		const struct profile_row *base = order <= 0 ? &a->items[i++] : NULL;
		const struct profile_row *new_ = order >= 0 ? &b->items[k++] : NULL;

		if (section == PROFILE_GROWTH &&
		    !pool_comparable(in, base ? base->pool : new_->pool))
			continue;
		if (!rows_add(out, base, new_))
			return -ENOMEM;
	}
	return 0;
}

/* ---- call paths that match only at both ends ---- */

static const char *row_loose(const struct diff_row *r)
{
	const char *loose = r->base && r->new_ ? NULL : r->base ? r->base->loose : r->new_->loose;

	return loose ?: "";
}

static int compare_loose(const void *a, const void *b)
{
	const struct diff_row *x = *(struct diff_row *const *)a, *y = *(struct diff_row *const *)b;
	int order = strcmp(row_loose(x), row_loose(y));

	return order ? order : (x > y) - (x < y);
}

/*
 * Kernels inline or split functions in the middle of a call path. When each side has exactly one
 * unmatched call path with the same two ends, join the two and mark them as similar.
 */
static int rows_join_similar(struct diff_rows *rows)
{
	_cleanup_free_ struct diff_row **open = calloc(rows->nr + 1, sizeof(*open));
	size_t nr = 0, kept = 0;

	if (!open)
		return -ENOMEM;
	for (size_t i = 0; i < rows->nr; i++)
		if (row_loose(&rows->items[i])[0])
			open[nr++] = &rows->items[i];
	if (nr)
		qsort(open, nr, sizeof(*open), compare_loose);
	for (size_t i = 0, end; i < nr; i = end) {
		for (end = i + 1; end < nr && !strcmp(row_loose(open[i]), row_loose(open[end]));)
			end++;
		if (end - i != 2 || !open[i]->base == !open[i + 1]->base)
			continue;
		open[i]->base = open[i]->base ?: open[i + 1]->base;
		open[i]->new_ = open[i]->new_ ?: open[i + 1]->new_;
		open[i]->similar = true;
		open[i + 1]->base = open[i + 1]->new_ = NULL; /* dropped below */
	}
	for (size_t i = 0; i < rows->nr; i++)
		if (rows->items[i].base || rows->items[i].new_)
			rows->items[kept++] = rows->items[i];
	rows->nr = kept;
	return 0;
}

/* ---- rows against a set ---- */

/* A figure of the new capture, to compare with a set: with its 95 % interval, the interval that
 * decides, and the smallest difference that is reported. */
struct set_reading {
	double value, low95, high95, low, high, floor;
};

/* A figure that was read, not estimated. */
static struct set_reading reading_exact(double value, double floor)
{
	return (struct set_reading){value, value, value, value, value, floor};
}

static struct set_reading reading_of(const struct estimate *e, double z, double floor)
{
	struct set_reading r = {.value = e->sum / e->seconds, .floor = floor};

	estimate_interval(e, Z95, &r.low95, &r.high95);
	estimate_interval(e, z, &r.low, &r.high);
	return r;
}

static void set_figure(struct diff_figure *f, const struct baseline_stat *stat,
		       const struct set_reading *r)
{
	double edge_high, edge_low;

	*f = (struct diff_figure){.base = stat->median,
				  .base_low = stat->low,
				  .base_high = stat->high,
				  .new_ = r->value,
				  .new_low = r->low95,
				  .new_high = r->high95,
				  .delta = r->value - stat->median,
				  .low = r->low95 - stat->median,
				  .high = r->high95 - stat->median};
	if (!(stat->n > 0) || isnan(r->value))
		return;
	edge_high = fmax(stat->high, stat->median + NOISE_LIMIT * stat->sd);
	edge_low = fmin(stat->low, stat->median - NOISE_LIMIT * stat->sd);
	if (fabs(f->delta) > r->floor && (r->low > edge_high || r->high < edge_low))
		f->status = status_of(f, stat->present > 0 && stat->median != 0, r->value != 0);
}

static const struct baseline_stat *row_stat(const struct diff_input *in,
					    enum profile_section section,
					    const struct diff_row *row, enum baseline_measure m,
					    struct baseline_stat *none)
{
	if (row->set)
		return &row->set->stat[m];
	/* The set has no such row, so the new capture has it. */
	*none = (struct baseline_stat){.n = baseline_measured(in->set, section, row->new_->pool)};
	return none;
}

static void set_level_judge(const struct diff_input *in, enum profile_section section,
			    struct diff_row *row)
{
	struct baseline_stat none;
	const struct baseline_stat *level = row_stat(in, section, row, BASELINE_LEVEL, &none);
	double value = row->new_ ? row->new_->level : 0;
	double floor = fmax(DIFF_LEVEL_FLOOR, DIFF_LEVEL_SHARE * fmax(value, level->median));
	double change = row->new_ ? row->new_->change / in->new_->duration_s : 0;
	struct set_reading level_now = reading_exact(value, floor);
	struct set_reading change_now =
		reading_exact(change, fmax(DIFF_LEVEL_FLOOR / in->new_->duration_s, 0));

	set_figure(&row->level, level, &level_now);
	set_figure(&row->growth, row_stat(in, section, row, BASELINE_CHANGE, &none), &change_now);
}

static void set_growth_judge(const struct diff_input *in, struct diff_row *row, double z)
{
	struct baseline_stat none;
	struct estimate e = held_estimate(in->new_, row->new_, 0);
	struct set_reading now = reading_of(&e, z, rate_floor(in));

	set_figure(&row->growth, row_stat(in, PROFILE_GROWTH, row, BASELINE_CHANGE, &none), &now);
	row->churn.base = row->churn.new_ = row->churn.delta = NAN;
	if (!row->new_ || isnan(row->new_->churn))
		return;
	e = churn_estimate(in->new_, row->new_);
	now = reading_of(&e, z, DIFF_CHURN_FLOOR);
	now.floor = fmax(DIFF_CHURN_FLOOR, DIFF_CHURN_SHARE * now.value);
	set_figure(&row->churn, row_stat(in, PROFILE_GROWTH, row, BASELINE_CHURN, &none), &now);
}

static int rows_against_set(const struct diff_input *in, enum profile_section section,
			    struct diff_rows *out)
{
	const struct profile_rows *rows = &in->new_->sections[section];
	const struct baseline_row *set;
	size_t i = 0;

	for (size_t k = 0; k < rows->nr; k++) {
		struct diff_row *row;

		if (section == PROFILE_GROWTH && !pool_comparable(in, rows->items[k].pool))
			continue;
		row = rows_add(out, NULL, &rows->items[k]);
		if (!row)
			return -ENOMEM;
		row->set = baseline_find(in->set, section, rows->items[k].key);
	}
	/* Add the rows that only the set has; profile_find() relies on the order of `rows`. */
	while ((set = baseline_next(in->set, section, &i))) {
		struct diff_row *row;

		if (profile_find(rows, set->key) ||
		    (section == PROFILE_GROWTH && !pool_comparable(in, set->pool)))
			continue;
		row = rows_add(out, NULL, NULL);
		if (!row)
			return -ENOMEM;
		row->set = set;
	}
	return 0;
}

/* ---- order ---- */

/* The figure that decides a row's status: the level, or for growth the rate. */
static const struct diff_figure *main_figure(const struct diff_row *r)
{
	return isnan(r->level.delta) ? &r->growth : &r->level;
}

/* 0: grown; 1: shrunk; 2: unchanged. */
static int row_class(const struct diff_figure *f)
{
	return f->status == DIFF_SAME ? 2 : f->status >= DIFF_SHRUNK;
}

static int compare_diff_row(const void *a, const void *b)
{
	const struct diff_row *x = a, *y = b;
	const struct diff_figure *fx = main_figure(x), *fy = main_figure(y);
	double dx = isnan(fx->delta) ? 0 : fabs(fx->delta),
	       dy = isnan(fy->delta) ? 0 : fabs(fy->delta);

	if (row_class(fx) != row_class(fy))
		return row_class(fx) - row_class(fy);
	if (dx != dy)
		return dx < dy ? 1 : -1;
	return strcmp(diff_row_key(x), diff_row_key(y));
}

static int compare_churn(const void *a, const void *b, void *arg)
{
	const struct diff_row *rows = arg;
	double x = fabs(rows[*(const size_t *)a].churn.delta),
	       y = fabs(rows[*(const size_t *)b].churn.delta);

	return x < y ? 1 : x > y ? -1 : 0;
}

static int churn_sort(struct diff *d)
{
	struct diff_rows *rows = &d->sections[PROFILE_GROWTH];

	d->churn_order = calloc(rows->nr + 1, sizeof(*d->churn_order));
	if (!d->churn_order)
		return -ENOMEM;
	for (size_t i = 0; i < rows->nr; i++)
		if (rows->items[i].churn.status != DIFF_SAME)
			d->churn_order[d->nr_churn++] = i;
	if (d->nr_churn)
		qsort_r(d->churn_order, d->nr_churn, sizeof(*d->churn_order), compare_churn,
			rows->items);
	return 0;
}

/* ---- sections ---- */

/* Held bytes that are not in flight. */
static double settled(const struct profile_row *r)
{
	return r ? r->held - r->young : 0;
}

/*
 * The number of rows that chance could make look changed: those with enough settled bytes to be
 * reported. Each row's own interval allows for bytes in flight.
 */
static size_t rows_judged(const struct diff_rows *rows)
{
	size_t nr = 0;

	for (size_t i = 0; i < rows->nr; i++)
		nr += fmax(settled(rows->items[i].base), settled(rows->items[i].new_)) >=
		      DIFF_HELD_FLOOR;
	return nr ? nr : 1;
}

static int section_build(struct diff *d, enum profile_section section)
{
	const struct diff_input *in = &d->in;
	struct diff_rows *rows = &d->sections[section];
	double z;

	rows->comparable = in->new_->sections[section].measured &&
			   (in->set ? baseline_measured(in->set, section, POOL_SLAB) ||
					      section == PROFILE_GROWTH
				    : in->base->sections[section].measured);
	if (!rows->comparable)
		return 0;
	if (in->set ? rows_against_set(in, section, rows) : rows_join(in, section, rows))
		return -ENOMEM;
	if (!in->set && section == PROFILE_GROWTH && rows_join_similar(rows))
		return -ENOMEM;
	/* Bonferroni: all rows together may raise a false alarm in one of twenty comparisons. */
	z = interval_deviate(DIFF_FALSE_ALARMS / (double)rows_judged(rows));
	for (size_t i = 0; i < rows->nr; i++) {
		struct diff_row *row = &rows->items[i];

		if (section == PROFILE_GROWTH) {
			row->level.base = row->level.new_ = row->level.delta = NAN;
			(in->set ? set_growth_judge : growth_judge)(in, row, z);
		} else {
			row->churn.base = row->churn.new_ = row->churn.delta = NAN;
			(in->set ? set_level_judge : level_judge)(in, section, row);
		}
		rows->changed += main_figure(row)->status != DIFF_SAME;
	}
	if (rows->nr)
		qsort(rows->items, rows->nr, sizeof(*rows->items), compare_diff_row);
	return 0;
}

/* The last census of a capture; NULL: there is none. */
static const struct census *last_census(const struct view *v)
{
	struct census *const *census = v->c->census;

	return census[CENSUS_AT_END] ?: census[CENSUS_AT_START];
}

static int census_compare(struct diff *d)
{
	const struct census *base = d->in.base_view ? last_census(d->in.base_view) : NULL,
			    *new_ = last_census(d->in.new_view);

	if (!base || !new_)
		return 0;
	return census_sheet_build(base, &d->census[0])
		       ?: census_sheet_build(new_, &d->census[1])
			       ?: census_delta_build(&d->census[0], &d->census[1], &d->census_delta);
}

int diff_build(const struct diff_input *in, struct diff *out)
{
	struct diff d = {.in = *in};
	int err = 0;

	for (int s = 0; s < PROFILE_SECTIONS && !err; s++)
		err = section_build(&d, s);
	err = err ?: churn_sort(&d);
	err = err ?: census_compare(&d);
	if (err)
		diff_free(&d);
	else
		*out = d;
	return err;
}

void diff_free(struct diff *d)
{
	for (int s = 0; s < PROFILE_SECTIONS; s++)
		ARRAY_FREE(&d->sections[s]);
	free(d->churn_order);
	census_delta_free(&d->census_delta);
	census_sheet_free(&d->census[0]);
	census_sheet_free(&d->census[1]);
}

/* ---- figures derived from others ---- */

static bool sizes_differ(double a, double b)
{
	return a > 0 && b > 0 && (a > SIZE_DIFFERS * b || b > SIZE_DIFFERS * a);
}

bool diff_is_copy(const struct view *v)
{
	return v && capture_meta(v->c, META_COPY)[0];
}

bool diff_sizes_differ(const struct diff_input *in)
{
	return in->base && (in->base->cpus != in->new_->cpus ||
			    sizes_differ(in->base->mem_total_kb, in->new_->mem_total_kb));
}

double diff_relative(const struct diff_figure *f)
{
	return f->base > 0 ? f->delta / f->base : NAN;
}

double diff_times(const struct diff_figure *f)
{
	return f->base > 0 ? f->new_ / f->base : NAN;
}

size_t diff_rows_grown(const struct diff_rows *rows)
{
	size_t nr = 0;

	while (nr < rows->nr && row_class(main_figure(&rows->items[nr])) == 0)
		nr++;
	return nr;
}

double diff_new_bytes(const struct diff *d, double bytes_per_s)
{
	return bytes_per_s * d->in.new_->duration_s;
}

/* ---- a row's identity ---- */

const struct profile_row *diff_row_side(const struct diff_row *r)
{
	return r->new_ ?: r->base;
}

const struct view *diff_row_view(const struct diff *d, const struct diff_row *r)
{
	return r->new_ ? d->in.new_view : d->in.base_view;
}

const char *diff_row_key(const struct diff_row *r)
{
	return r->new_ ? r->new_->key : r->base ? r->base->key : r->set->key;
}

const char *diff_row_name(const struct diff_row *r)
{
	return r->new_ ? r->new_->name : r->base ? r->base->name : r->set->name;
}

enum pool diff_row_pool(const struct diff_row *r)
{
	return r->new_ ? r->new_->pool : r->base ? r->base->pool : r->set->pool;
}

bool diff_row_shown(const struct diff_row *r)
{
	return r->level.base > 0 || r->level.new_ > 0 || strcmp(diff_row_name(r), "UnmappedLRU");
}

char *diff_row_label(const struct diff_row *r)
{
	const char *name = diff_row_name(r), *path = strchr(diff_row_key(r), MATCH_SEPARATOR);
	char *label = NULL;
	size_t size;
	FILE *out;

	if (name[0] || !path)
		return strdup(name);
	out = open_memstream(&label, &size);
	if (!out)
		return NULL;
	for (path++; *path; path++) {
		if (*path != MATCH_SEPARATOR)
			fputc(*path, out);
		else if (path[1])
			fputs(" < ", out);
	}
	if (fclose(out)) {
		free(label);
		return NULL;
	}
	return label;
}
