// SPDX-License-Identifier: GPL-2.0-only
/* What changed between two censuses: see census_delta.h. */
#include "model/census_delta.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A row of one of the two sheets. */
struct side_row {
	const char *name;
	const struct census_cgroup *cgroup;
	enum lens lens;
	struct census_figure figure;
	double objects;
	bool after; /* of the second sheet */
};

struct side_rows {
	ARRAY_OF(struct side_row);
};

static int compare_names(const struct side_row *a, const struct side_row *b)
{
	int by_name = strcmp(a->name, b->name);

	if (a->lens != b->lens)
		return a->lens < b->lens ? -1 : 1;
	if (by_name || !a->cgroup || !b->cgroup)
		return by_name;
	if (a->cgroup->removed != b->cgroup->removed)
		return a->cgroup->removed - b->cgroup->removed;
	return a->cgroup->below - b->cgroup->below;
}

static int compare_rows(const void *x, const void *y)
{
	const struct side_row *a = x, *b = y;
	int by_name = compare_names(a, b);

	return by_name ?: a->after - b->after;
}

static int compare_changes(const void *x, const void *y)
{
	const struct census_change *a = x, *b = y;

	if (fabs(a->kb.kb) != fabs(b->kb.kb))
		return fabs(a->kb.kb) < fabs(b->kb.kb) ? 1 : -1;
	return strcmp(a->name, b->name);
}

static double square(double v)
{
	return v * v;
}

static void change_compute(struct census_change *c)
{
	const struct census_figure *a = &c->before, *b = &c->after;

	c->kb.kb = b->kb - a->kb;
	c->kb.low_kb = c->kb.kb - sqrt(square(b->kb - b->low_kb) + square(a->high_kb - a->kb));
	c->kb.high_kb = c->kb.kb + sqrt(square(b->high_kb - b->kb) + square(a->kb - a->low_kb));
	c->surely = c->kb.kb != 0 && (c->kb.low_kb > 0 || c->kb.high_kb < 0);
}

/* The same thing may have several rows of one side: two removed cgroups of one path. */
static void change_figure_add(struct census_figure *to, const struct census_figure *from)
{
	to->low_kb = to->kb + from->kb -
		     sqrt(square(to->kb - to->low_kb) + square(from->kb - from->low_kb));
	to->high_kb = to->kb + from->kb +
		      sqrt(square(to->high_kb - to->kb) + square(from->high_kb - from->kb));
	to->kb += from->kb;
}

/* Match the rows of both sides. Reorders `rows`. */
static int changes_make(struct side_rows *rows, struct census_changes *out)
{
	struct census_change *c = NULL;

	if (rows->nr)
		qsort(rows->items, rows->nr, sizeof(*rows->items), compare_rows);
	for (size_t i = 0; i < rows->nr; i++) {
		const struct side_row *row = &rows->items[i];

		if (!c || compare_names(row, &rows->items[i - 1])) {
			c = ARRAY_PUSH(out);
			if (!c)
				return -ENOMEM;
			*c = (struct census_change){
				.name = row->name, .cgroup = row->cgroup, .lens = row->lens};
		}
		change_figure_add(row->after ? &c->after : &c->before, &row->figure);
		c->objects += row->after ? row->objects : -row->objects;
	}
	for (size_t i = 0; i < out->nr; i++)
		change_compute(&out->items[i]);
	if (out->nr)
		qsort(out->items, out->nr, sizeof(*out->items), compare_changes);
	return 0;
}

static int push_row(struct side_rows *rows, const struct side_row *row)
{
	struct side_row *new_ = ARRAY_PUSH(rows);

	if (!new_)
		return -ENOMEM;
	*new_ = *row;
	return 0;
}

enum { SIDE_PAGES, SIDE_CACHES, SIDE_CGROUPS, SIDE_OBJECTS, SIDE_SITES, SIDES };

static int push_objects(const struct lens_sheet *s, bool after, struct side_rows *rows)
{
	int err = 0;

	for (size_t i = 0; i < s->nr && !err; i++) {
		const struct lens_group *g = &s->items[i];

		err = push_row(rows,
			       &(struct side_row){.name = g->words,
						  .lens = g->like->lens,
						  .figure = {g->kb.value, g->kb.low, g->kb.high},
						  .objects = g->objects.value,
						  .after = after});
	}
	return err;
}

static int push_sites(const struct site_groups *g, bool after, struct side_rows *rows)
{
	int err = 0;

	for (size_t i = 0; i < g->nr && !err; i++) {
		double kb = g->items[i].bytes / 1024;

		err = push_row(rows, &(struct side_row){.name = g->items[i].words,
							.lens = LENSES,
							.figure = {kb, kb, kb},
							.objects = g->items[i].calls,
							.after = after});
	}
	return err;
}

static int push_sheet(const struct census_sheet *s, bool after, struct side_rows rows[SIDES])
{
	int err = 0;

	for (int class = 0; class < CENSUS_CLASSES && !err; class ++)
		err = push_row(&rows[SIDE_PAGES],
			       &(struct side_row){.name = census_class_words(class),
						  .figure = s->rows[class].figure,
						  .objects = NAN,
						  .lens = LENSES,
						  .after = after});
	for (size_t i = 0; i < s->nr_caches && !err; i++)
		err = push_row(&rows[SIDE_CACHES],
			       &(struct side_row){.name = s->caches[i].cache->name,
						  .figure = s->caches[i].figure,
						  .objects = s->caches[i].objects.kb,
						  .lens = LENSES,
						  .after = after});
	for (size_t i = 0; i < s->nr_cgroups && !err; i++)
		err = push_row(&rows[SIDE_CGROUPS],
			       &(struct side_row){.name = s->cgroups[i].cgroup->path,
						  .cgroup = s->cgroups[i].cgroup,
						  .figure = s->cgroups[i].figure,
						  .objects = NAN,
						  .lens = LENSES,
						  .after = after});
	return err;
}

int census_delta_build(const struct census_sheet *before, const struct census_sheet *after,
		       struct census_delta *out)
{
	struct side_rows rows[SIDES] = {0};
	struct census_delta d = {0};
	int err = push_sheet(before, false, rows);

	err = err ?: push_sheet(after, true, rows);
	if (lens_sheet_is_known(&before->lenses) && lens_sheet_is_known(&after->lenses)) {
		err = err ?: push_objects(&before->lenses, false, &rows[SIDE_OBJECTS]);
		err = err ?: push_objects(&after->lenses, true, &rows[SIDE_OBJECTS]);
	}
	if (before->sites.known && after->sites.known) {
		err = err ?: push_sites(&before->sites, false, &rows[SIDE_SITES]);
		err = err ?: push_sites(&after->sites, true, &rows[SIDE_SITES]);
	}
	err = err ?: changes_make(&rows[SIDE_PAGES], &d.pages);
	err = err ?: changes_make(&rows[SIDE_CACHES], &d.caches);
	err = err ?: changes_make(&rows[SIDE_CGROUPS], &d.cgroups);
	err = err ?: changes_make(&rows[SIDE_OBJECTS], &d.objects);
	err = err ?: changes_make(&rows[SIDE_SITES], &d.sites);
	for (int i = 0; i < SIDES; i++)
		ARRAY_FREE(&rows[i]);
	if (err)
		census_delta_free(&d);
	else
		*out = d;
	return err;
}

void census_delta_free(struct census_delta *d)
{
	ARRAY_FREE(&d->pages);
	ARRAY_FREE(&d->caches);
	ARRAY_FREE(&d->cgroups);
	ARRAY_FREE(&d->objects);
	ARRAY_FREE(&d->sites);
}
