// SPDX-License-Identifier: GPL-2.0-only
/* Joins slabinfo, outstanding objects and traffic into one row per cache: see caches.h. */
#include "model/caches.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/confidence.h"
#include "model/sampling.h"

#define TREND_ROWS   128 /* caches that get a trend: those that changed or hold most */
#define TREND_POINTS 256
#define UNSEEN_LEAST 64    /* fewer objects without an event may be on free lists */
#define UNSEEN_SHARE 0.05  /* the same for a smaller share of the change of objects in use */
#define TREND_FLOOR  256.0 /* kB: name no pattern for a smaller change of a cache */

/* All names of all rows, sorted by name. */
struct row_name {
	const char *name;
	uint32_t row;
};

struct row_names {
	ARRAY_OF(struct row_name);
};

static int compare_name(const void *a, const void *b)
{
	return strcmp(((const struct row_name *)a)->name, ((const struct row_name *)b)->name);
}

static int names_add(struct row_names *names, const char *name, size_t row)
{
	struct row_name *n = ARRAY_PUSH(names);

	if (!n)
		return -ENOMEM;
	*n = (struct row_name){.name = name, .row = (uint32_t)row};
	return 0;
}

static void names_sort(struct row_names *names)
{
	if (names->nr)
		qsort(names->items, names->nr, sizeof(*names->items), compare_name);
}

static const struct row_name *names_find(const struct row_names *names, const char *name)
{
	struct row_name key = {.name = name};

	if (!names->nr)
		return NULL;
	return bsearch(&key, names->items, names->nr, sizeof(*names->items), compare_name);
}

static struct cache_row *caches_add(struct caches *caches, const char *name)
{
	struct cache_row *r = ARRAY_PUSH(caches);

	if (!r)
		return NULL;
	r->name = name;
	r->object_size = r->size = r->objects_per_slab = NAN;
	r->start_objects = r->end_objects = r->start_kb = r->end_kb = r->delta_kb = NAN;
	r->start_free_kb = r->end_free_kb = r->cpu_free = r->preexisting_freed_bytes = NAN;
	return r;
}

/* One row for each cache the capture lists. */
static int caches_add_captured(const struct view *v, struct caches *caches, struct row_names *names)
{
	for (size_t id = 0; id < v->c->nr_caches; id++)
		caches->by_id[id] = CACHES_NONE;
	for (size_t id = 1; id < v->c->nr_caches; id++) {
		const struct cap_cache *cap = &v->c->caches[id];
		struct cache_row *r = caches_add(caches, cap->name);

		if (!r)
			return -ENOMEM;
		r->cap = cap;
		r->large = cap->large;
		if (!cap->large) {
			r->object_size = (double)cap->object_size;
			r->size = (double)cap->size;
		}
		caches->by_id[id] = (uint32_t)(caches->nr - 1);
		if (cap->large)
			continue; /* a line of slabinfo with this name is another cache */
		if (names_add(names, cap->name, caches->nr - 1))
			return -ENOMEM;
		for (size_t i = 0; i < cap->aliases.nr; i++)
			if (names_add(names, cap->aliases.items[i], caches->nr - 1))
				return -ENOMEM;
	}
	names_sort(names);
	return 0;
}

/* One row for each line of slabinfo that matches no row yet. */
static int caches_add_listed(const struct snapshot *s, struct caches *caches,
			     struct row_names *names)
{
	size_t known = names->nr;

	for (size_t i = 0; i < s->slabs.nr; i++) {
		const struct slab_level *l = &s->slabs.items[i];
		struct row_names sorted = {.items = names->items, .nr = known};

		if (names_find(&sorted, l->name))
			continue;
		if (!caches_add(caches, l->name) || names_add(names, l->name, caches->nr - 1))
			return -ENOMEM;
	}
	names_sort(names);
	return 0;
}

static double level_kb(const struct view *v, const struct slab_level *l)
{
	return (double)l->num_slabs * (double)l->pages_per_slab * v->page_bytes / 1024;
}

/*
 * Slab − Σ caches, in kB: the level of large kmalloc. Slab lags behind the caches by what each CPU
 * has not passed on yet. Where they add up to more than Slab, large kmalloc is close to 0.
 */
static double large_kb(const struct view *v, const struct snapshot *s)
{
	double kb = view_level_kb(v, s, "Slab");

	for (size_t i = 0; i < s->slabs.nr; i++)
		kb -= level_kb(v, &s->slabs.items[i]);
	return kb < 0 ? 0 : kb; /* NaN stays */
}

struct row_level {
	double objects, kb, free_kb;
	double cpu_free; /* objects that are free on CPU lists; NaN: not counted */
};

/* Levels of all rows in one snapshot; out has caches->nr elements. */
static void caches_measure(const struct view *v, const struct snapshot *s,
			   const struct caches *caches, const struct row_names *names,
			   struct row_level *out)
{
	for (size_t i = 0; i < caches->nr; i++)
		out[i] = (struct row_level){.cpu_free = NAN};
	for (size_t i = 0; i < s->slabs.nr; i++) {
		const struct slab_level *l = &s->slabs.items[i];
		const struct row_name *n = names_find(names, l->name);
		double kb = level_kb(v, l);

		if (!n)
			continue; /* created and destroyed between start and end */
		out[n->row].objects += (double)l->active_objs;
		out[n->row].kb += kb;
		out[n->row].free_kb += kb - (double)l->active_objs * (double)l->object_size / 1024;
		if (l->cpu_free >= 0) /* the first of several lines of one name has the count */
			out[n->row].cpu_free = fmax(out[n->row].cpu_free, 0) + (double)l->cpu_free;
	}
	for (size_t i = 0; i < caches->nr; i++)
		if (caches->items[i].large)
			out[i] = (struct row_level){
				.objects = NAN, .kb = large_kb(v, s), .cpu_free = NAN};
}

/* For caches that the tracer never saw, take the sizes from slabinfo. */
static void caches_size(const struct snapshot *s, struct caches *caches,
			const struct row_names *names)
{
	for (size_t i = 0; i < s->slabs.nr; i++) {
		const struct slab_level *l = &s->slabs.items[i];
		const struct row_name *n = names_find(names, l->name);
		struct cache_row *r = n ? &caches->items[n->row] : NULL;

		if (!r)
			continue;
		r->objects_per_slab = (double)l->objs_per_slab;
		if (!(r->size > 0))
			r->size = (double)l->object_size;
	}
}

/*
 * slabinfo counts free objects on CPU lists as in use. Subtract them if they were counted at both
 * ends. They are counted a moment later than slabinfo is read, so they can exceed its objects in
 * use.
 */
static void row_correct(struct cache_row *r, const struct row_level *start,
			const struct row_level *end)
{
	double start_free = fmin(start->cpu_free, r->start_objects),
	       end_free = fmin(end->cpu_free, r->end_objects);

	if (isnan(start->cpu_free) || isnan(end->cpu_free))
		return;
	r->start_objects -= start_free;
	r->start_free_kb += start_free * r->size / 1024;
	r->end_objects -= end_free;
	r->end_free_kb += end_free * r->size / 1024;
	r->cpu_free = end->cpu_free;
}

static int caches_level(const struct view *v, struct caches *caches, const struct row_names *names)
{
	_cleanup_free_ struct row_level *start = NULL, *end = NULL;

	if (!v->slab_start)
		return 0;
	start = calloc(caches->nr + 1, sizeof(*start));
	end = calloc(caches->nr + 1, sizeof(*end));
	if (!start || !end)
		return -ENOMEM;
	caches_size(v->slab_start, caches, names);
	caches_size(v->slab_end, caches, names);
	caches_measure(v, v->slab_start, caches, names, start);
	caches_measure(v, v->slab_end, caches, names, end);
	for (size_t i = 0; i < caches->nr; i++) {
		struct cache_row *r = &caches->items[i];

		r->start_objects = start[i].objects;
		r->start_kb = start[i].kb;
		r->start_free_kb = start[i].free_kb;
		/* One snapshot with slabinfo measures no change. */
		if (v->slab_end == v->slab_start)
			continue;
		r->end_objects = end[i].objects;
		r->end_kb = end[i].kb;
		r->end_free_kb = end[i].free_kb;
		r->delta_kb = r->end_kb - r->start_kb;
		row_correct(r, &start[i], &end[i]);
		r->delta_objects = r->end_objects - r->start_objects;
	}
	return 0;
}

static void caches_trace(const struct view *v, const struct outstanding *outstanding,
			 struct caches *caches)
{
	for (size_t i = 0; i < outstanding->nr; i++) {
		const struct outstanding_row *h = &outstanding->items[i];
		struct cache_row *r;

		if (h->h->pool != POOL_SLAB || caches->by_id[h->h->cache] == CACHES_NONE)
			continue;
		r = &caches->items[caches->by_id[h->h->cache]];
		r->traced = true;
		r->held_objects += h->objects;
		r->held_bytes += h->bytes;
		r->held_var += h->bytes_var;
		r->held_missed = fmax(r->held_missed, h->h->bytes_missed);
		r->tracked += (double)h->h->tracked;
		r->verified += (double)h->h->verified;
		r->verified_live += (double)h->h->verified_live;
	}
	for (size_t i = 0; v->at && i < v->at->cache_churn.nr; i++) {
		const struct cap_cache_churn *churn = &v->at->cache_churn.items[i];
		struct cache_row *r;

		if (caches->by_id[churn->cache] == CACHES_NONE)
			continue;
		r = &caches->items[caches->by_id[churn->cache]];
		r->traced = true;
		r->allocs += churn->allocs;
		r->frees += churn->frees;
		r->unseen_frees += churn->unseen_frees;
	}
}

/* Bytes of older objects that were freed (docs/ledger.md): outstanding bytes minus growth. 0 if
 * that is within the sampling error; at most what the cache had at the start. */
static double preexisting_freed(const struct cache_row *r)
{
	double had, delta, missing;

	if (r->large) {
		had = r->start_kb * 1024;
		delta = r->delta_kb * 1024;
	} else {
		had = r->start_objects * r->size;
		delta = r->delta_objects * r->size;
	}
	missing = r->held_bytes - delta;
	if (isnan(missing))
		return NAN;
	if (missing <= 1.96 * sqrt(r->held_var))
		return 0;
	return fmin(missing, fmax(had, 0));
}

/*
 * How many objects fewer or more than held_objects there may be, 95 times in 100: the error of
 * sampling and audit. A cache without samples may hold up to SAMPLING_MISSED times the longest
 * sampling period that was in force for it. So may a cache with a few samples from a time of
 * shorter periods.
 */
static void margins(const struct view *v, const struct cache_row *r, struct trust_facts *f)
{
	double size = r->held_bytes > 0 ? r->held_bytes / r->held_objects : r->size, low, high;

	interval_weighted(r->held_bytes, r->held_var, r->held_missed, &low, &high);
	if (!(size > 0))
		return;
	f->held_less = (r->held_bytes - low) / size;
	f->held_more = (high - r->held_bytes) / size;
	f->missed = fmax(f->held_more, SAMPLING_MISSED * sampling_of_cache(v, r->name) / size);
}

static void caches_judge(const struct view *v, double lost_ratio, struct caches *caches)
{
	bool all = view_traces(v, POOL_SLAB) && !v->cache_filter && !v->filter[0];

	for (size_t i = 0; i < caches->nr; i++) {
		struct cache_row *r = &caches->items[i];
		struct trust_facts f = {
			.frees = r->frees,
			.unseen_frees = r->unseen_frees,
			.held_objects = r->held_objects,
			.held_bytes = r->held_bytes,
			.tracked = r->tracked,
			.verified = r->verified,
			.verified_live = r->verified_live,
			.slabinfo_delta = r->delta_objects,
			.slabinfo_slack = v->cpus * trust_slabinfo_slack(
							    r->size, fmax(r->objects_per_slab, 0),
							    !isnan(r->cpu_free)),
			.start_objects = r->start_objects,
			.lost_ratio = lost_ratio,
			.complete = v->complete,
		};

		margins(v, r, &f);
		if (r->large && r->held_objects > 0) {
			/* No object counts: convert bytes to objects of the mean traced size. */
			f.slabinfo_delta = r->delta_kb * 1024 * r->held_objects / r->held_bytes;
			f.slabinfo_slack = 1;
			f.start_objects = r->start_kb * 1024 * r->held_objects / r->held_bytes;
		}
		r->traced |= all;
		if ((!r->traced && v->cache_filter) || v->filter[0]) {
			f.slabinfo_delta = NAN; /* a filter: slabinfo counts more than was traced */
			r->preexisting_freed_bytes = 0;
		} else {
			r->preexisting_freed_bytes = preexisting_freed(r);
		}
		r->unseen_objects =
			fmax(0, f.slabinfo_delta - f.held_objects - f.slabinfo_slack - f.missed);
		if (isnan(f.slabinfo_delta) || !r->traced)
			r->unseen_objects = NAN;
		r->unseen_bytes = r->unseen_objects * r->size;
		trust_judge(&f, &r->trust);
	}
}

/* Mark the caches that a report for people shows. */
static void caches_note(struct caches *caches)
{
	for (size_t i = 0; i < caches->nr; i++) {
		struct cache_row *r = &caches->items[i];

		r->notable = r->delta_kb > 0 || r->held_bytes > 0;
		r->unseen = r->unseen_objects > fmax(UNSEEN_LEAST, UNSEEN_SHARE * r->delta_objects);
		caches->nr_notable += r->notable;
	}
}

static int compare_cache_growth(const void *a, const void *b)
{
	const struct cache_row *x = a, *y = b;
	double dx = isnan(x->delta_kb) ? -INFINITY : x->delta_kb;
	double dy = isnan(y->delta_kb) ? -INFINITY : y->delta_kb;

	if (dx != dy)
		return dx < dy ? 1 : -1;
	if (x->held_bytes != y->held_bytes)
		return x->held_bytes < y->held_bytes ? 1 : -1;
	return strcmp(x->name, y->name);
}

/* Compare the rows that two indices refer to. */
static int compare_index(const void *a, const void *b, void *rows)
{
	const struct cache_row *items = rows;

	return compare_cache_growth(&items[*(const uint32_t *)a], &items[*(const uint32_t *)b]);
}

/* Sort the rows, and update the indices by which ids and names refer to them. */
static int caches_sort(const struct view *v, struct caches *caches, struct row_names *names)
{
	_cleanup_free_ struct cache_row *sorted = calloc(caches->nr + 1, sizeof(*sorted));
	_cleanup_free_ uint32_t *order = calloc(caches->nr + 1, sizeof(*order)); /* old indices */
	_cleanup_free_ uint32_t *moved = calloc(caches->nr + 1, sizeof(*moved)); /* old to new */

	if (!sorted || !order || !moved)
		return -ENOMEM;
	if (!caches->nr)
		return 0;
	for (size_t i = 0; i < caches->nr; i++)
		order[i] = (uint32_t)i;
	qsort_r(order, caches->nr, sizeof(*order), compare_index, caches->items);
	for (size_t i = 0; i < caches->nr; i++) {
		sorted[i] = caches->items[order[i]];
		moved[order[i]] = (uint32_t)i;
	}
	memcpy(caches->items, sorted, caches->nr * sizeof(*sorted));
	for (size_t id = 0; id < v->c->nr_caches; id++)
		if (caches->by_id[id] != CACHES_NONE)
			caches->by_id[id] = moved[caches->by_id[id]];
	for (size_t i = 0; i < names->nr; i++)
		names->items[i].row = moved[names->items[i].row];
	return 0;
}

struct trend_pick {
	double weight;
	uint32_t row;
};

static int compare_pick(const void *a, const void *b)
{
	const struct trend_pick *x = a, *y = b;

	if (x->weight != y->weight)
		return x->weight < y->weight ? 1 : -1;
	return (x->row > y->row) - (x->row < y->row);
}

/* Put the rows that changed or hold most first. Returns how many to use, at most TREND_ROWS. */
static size_t caches_pick(const struct caches *caches, struct trend_pick *picks)
{
	size_t nr = 0;

	for (size_t i = 0; i < caches->nr; i++) {
		const struct cache_row *r = &caches->items[i];
		double delta = isnan(r->delta_kb) ? 0 : fabs(r->delta_kb);

		picks[nr++] = (struct trend_pick){.weight = fmax(delta, r->held_bytes / 1024),
						  .row = (uint32_t)i};
	}
	if (nr)
		qsort(picks, nr, sizeof(*picks), compare_pick);
	return nr < TREND_ROWS ? nr : TREND_ROWS;
}

/* The levels of the picked rows over time, as the rows of a table of TREND_POINTS columns. */
static int caches_series(const struct view *v, const struct trend_pick *picks, size_t nr,
			 const struct row_names *names, struct caches *caches)
{
	_cleanup_free_ struct row_level *level = calloc(caches->nr + 1, sizeof(*level));
	size_t span = v->last - v->first, want = span + 1 < TREND_POINTS ? span + 1 : TREND_POINTS;

	caches->series = calloc((TREND_ROWS + 1) * TREND_POINTS, sizeof(*caches->series));
	if (!level || !caches->series)
		return -ENOMEM;
	caches->series_t = caches->series + TREND_ROWS * TREND_POINTS;
	for (size_t i = 0; i < want; i++) {
		const struct snapshot *s =
			&v->c->snapshots[v->first + (want > 1 ? i * span / (want - 1) : 0)];

		if (!s->slabs.nr)
			continue;
		caches_measure(v, s, caches, names, level);
		caches->series_t[caches->nr_series] = s->t_s;
		for (size_t k = 0; k < nr; k++)
			caches->series[k * TREND_POINTS + caches->nr_series] =
				level[picks[k].row].kb;
		caches->nr_series++;
	}
	return 0;
}

static int caches_trend(const struct view *v, struct caches *caches, const struct row_names *names)
{
	_cleanup_free_ struct trend_pick *picks = calloc(caches->nr + 1, sizeof(*picks));
	size_t nr;

	if (!picks)
		return -ENOMEM;
	for (size_t i = 0; i < caches->nr; i++)
		caches->items[i].trend = trend_unknown;
	nr = caches_pick(caches, picks);
	if (caches_series(v, picks, nr, names, caches))
		return -ENOMEM;
	for (size_t k = 0; k < nr; k++) {
		struct cache_row *r = &caches->items[picks[k].row];

		r->series = caches->series + k * TREND_POINTS;
		if (trend_of(caches->series_t, r->series, caches->nr_series, TREND_FLOOR,
			     &r->trend))
			return -ENOMEM;
	}
	return 0;
}

/* Large kmalloc has a level whenever slabinfo could be read, traced or not. */
static int caches_add_large(const struct view *v, struct caches *caches)
{
	struct cache_row *r;

	if (!v->slab_start)
		return 0;
	for (size_t i = 0; i < caches->nr; i++)
		if (caches->items[i].large)
			return 0;
	r = caches_add(caches, "kmalloc-large");
	if (!r)
		return -ENOMEM;
	r->large = true;
	return 0;
}

/* Insert each row that is larger than one of those found so far. */
static void caches_find_largest(struct caches *c)
{
	for (size_t i = 0; i < c->nr; i++) {
		size_t k = c->nr_largest;

		if (!(c->items[i].end_kb > 0))
			continue;
		while (k && c->items[c->largest[k - 1]].end_kb < c->items[i].end_kb)
			k--;
		if (k == CACHES_LARGEST)
			continue;
		if (c->nr_largest < CACHES_LARGEST)
			c->nr_largest++;
		memmove(c->largest + k + 1, c->largest + k,
			(c->nr_largest - k - 1) * sizeof(c->largest[0]));
		c->largest[k] = (uint32_t)i;
	}
}

static int caches_fill(const struct view *v, const struct outstanding *outstanding,
		       double lost_ratio, struct row_names *names, struct caches *caches)
{
	caches->by_id = calloc(v->c->nr_caches + 1, sizeof(*caches->by_id));
	if (!caches->by_id || caches_add_captured(v, caches, names))
		return -ENOMEM;
	if (v->slab_start && (caches_add_listed(v->slab_start, caches, names) ||
			      caches_add_listed(v->slab_end, caches, names)))
		return -ENOMEM;
	if (caches_add_large(v, caches) || caches_level(v, caches, names))
		return -ENOMEM;
	caches_trace(v, outstanding, caches);
	caches_judge(v, lost_ratio, caches);
	caches_note(caches);
	if (caches_sort(v, caches, names))
		return -ENOMEM;
	caches_find_largest(caches);
	return caches_trend(v, caches, names);
}

int caches_build(const struct view *v, const struct outstanding *outstanding, double lost_ratio,
		 struct caches *out)
{
	struct caches caches = {0};
	struct row_names names = {0};
	int err = caches_fill(v, outstanding, lost_ratio, &names, &caches);

	ARRAY_FREE(&names);
	if (err)
		caches_free(&caches);
	else
		*out = caches;
	return err;
}

void caches_free(struct caches *c)
{
	ARRAY_FREE(c);
	free(c->by_id);
	c->by_id = NULL;
	free(c->series);
	c->series = c->series_t = NULL;
}
