// SPDX-License-Identifier: GPL-2.0-only
/* Figures of the lenses: see lenses.h. */
#include "model/lenses.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/confidence.h"

struct lens_figure lens_estimate(const struct lens_sum *s)
{
	struct lens_figure f = {s->value, s->value, s->value};

	if (s->variance > 0 && s->value > 0)
		interval_weighted(s->value, s->variance, 0, &f.low, &f.high);
	return f;
}

const struct lens_space *lens_space_find(const struct census_lenses *l, bool net, uint32_t number)
{
	for (size_t i = 0; i < l->spaces.nr; i++)
		if (l->spaces.items[i].net == net && l->spaces.items[i].number == number)
			return &l->spaces.items[i];
	return NULL;
}

/* Of a network namespace: is no process in it? False if that is not known. */
static bool row_is_lonely(const struct census_lenses *l, const struct lens_row *row)
{
	return l->spaces_whole && row->lens == LENS_NET_NAMESPACES &&
	       !lens_space_find(l, true, row->space);
}

static void lens_sum_merge(struct lens_sum *to, const struct lens_sum *s)
{
	to->value += s->value;
	to->variance += s->variance;
	to->hits += s->hits;
}

/* A group while it is added up. */
struct lens_adding {
	const struct lens_row *like;
	struct lens_sum objects, kb, held_kb, queued_kb;
	double charged; /* objects of the current cgroup, … */
	uint32_t cgroup;
	double most; /* … and of the cgroup that has most */
	uint32_t most_cgroup;
	bool lonely;
};

struct lens_sorted {
	const struct lens_row *row;
	bool lonely;
};

static int compare_kinds(const struct lens_sorted *a, const struct lens_sorted *b)
{
	const struct lens_row *x = a->row, *y = b->row;
	int order;

	if (x->lens != y->lens)
		return x->lens < y->lens ? -1 : 1;
	if (a->lonely != b->lonely)
		return a->lonely ? 1 : -1;
	order = strncmp(x->what, y->what, sizeof(x->what))
			?: strncmp(x->device, y->device, sizeof(x->device));
	order = order ?: strncmp(x->kind, y->kind, sizeof(x->kind));
	order = order ?: strncmp(x->state, y->state, sizeof(x->state));
	return order ?: strncmp(x->family, y->family, sizeof(x->family));
}

static int compare_sorted(const void *x, const void *y)
{
	const struct lens_sorted *a = x, *b = y;
	int order = compare_kinds(a, b);

	if (order)
		return order;
	return a->row->cgroup < b->row->cgroup ? -1 : a->row->cgroup > b->row->cgroup;
}

static void adding_cgroup(struct lens_adding *g)
{
	if (g->cgroup != LENS_NO_CGROUP && g->charged > g->most) {
		g->most = g->charged;
		g->most_cgroup = g->cgroup;
	}
	g->charged = 0;
}

static void adding_add(struct lens_adding *g, const struct lens_row *row)
{
	lens_sum_merge(&g->objects, &row->objects);
	lens_sum_merge(&g->kb, &row->kb);
	lens_sum_merge(&g->held_kb, &row->held_kb);
	lens_sum_merge(&g->queued_kb, &row->queued_kb);
	if (row->cgroup != g->cgroup)
		adding_cgroup(g);
	g->cgroup = row->cgroup;
	g->charged += row->objects.value;
}

/* "ext4 (vda1)"; without the device if it says no more. */
static void file_system_words(const struct lens_row *row, char words[LENS_WORDS])
{
	if (row->device[0] && strcmp(row->device, row->what) != 0)
		snprintf(words, LENS_WORDS, "%s (%s)", row->what, row->device);
	else
		snprintf(words, LENS_WORDS, "%s", row->what);
}

/* `known`: whether a process is in a namespace */
static void group_words(const struct lens_row *row, bool lonely, bool known, char words[LENS_WORDS])
{
	char on[LENS_WORDS];

	file_system_words(row, on);
	switch (row->lens) {
	case LENS_SOCKETS:
		snprintf(words, LENS_WORDS, "%s %s", row->what, row->state);
		break;
	case LENS_FILES:
		if (!strcmp(row->what, "anon_inodefs") || !strcmp(row->what, "sockfs") ||
		    !strcmp(row->what, "pipefs"))
			snprintf(words, LENS_WORDS, "%s", row->kind[0] ? row->kind : row->what);
		else
			snprintf(words, LENS_WORDS, "%.60s: %s", on, row->kind);
		break;
	case LENS_NET_NAMESPACES:
		snprintf(words, LENS_WORDS, "%s",
			 lonely  ? "that no process is in"
			 : known ? "with processes"
				 : "with or without processes");
		break;
	case LENS_MOUNTS:
		snprintf(words, LENS_WORDS, "%s", on);
		break;
	default:
		snprintf(words, LENS_WORDS, "%.60s%s%s%s%s", on, row->kind[0] ? ": " : "",
			 row->kind, row->state[0] ? ", " : "", row->state);
	}
}

void lens_holder_words(const struct lens_holder *h, char words[LENS_WORDS])
{
	struct lens_row row = {.lens = h->lens};

	memcpy(row.what, h->what, sizeof(row.what));
	memcpy(row.device, h->device, sizeof(row.device));
	memcpy(row.kind, h->kind, sizeof(row.kind));
	memcpy(row.state, h->state, sizeof(row.state));
	group_words(&row, false, true, words);
}

static int adding_end(struct lens_adding *g, struct lens_sheet *out)
{
	struct lens_group *group = ARRAY_PUSH(out);

	if (!group)
		return -ENOMEM;
	adding_cgroup(g);
	*group = (struct lens_group){.like = g->like,
				     .objects = lens_estimate(&g->objects),
				     .kb = lens_estimate(&g->kb),
				     .held_kb = lens_estimate(&g->held_kb),
				     .queued_kb = lens_estimate(&g->queued_kb),
				     .cgroup = g->most_cgroup,
				     .cgroup_share =
					     g->objects.value > 0 ? g->most / g->objects.value : 0,
				     .lonely = g->lonely};
	group_words(g->like, g->lonely, out->census->lenses.spaces_whole, group->words);
	group->bytes = 1024 * group->kb.value;
	if (g->like->lens == LENS_SOCKETS)
		group->bytes += 1024 * (group->held_kb.value + group->queued_kb.value);
	return 0;
}

static int compare_lens_groups(const void *x, const void *y)
{
	const struct lens_group *a = x, *b = y;

	if (a->like->lens != b->like->lens)
		return a->like->lens < b->like->lens ? -1 : 1;
	if (a->bytes != b->bytes)
		return a->bytes < b->bytes ? 1 : -1;
	return strncmp(a->like->what, b->like->what, sizeof(a->like->what));
}

static int groups_build(const struct lens_sorted *sorted, size_t nr, struct lens_sheet *out)
{
	struct lens_adding g = {0};
	int err = 0;

	for (size_t i = 0; i < nr && !err; i++) {
		if (!i || compare_kinds(&sorted[i - 1], &sorted[i]))
			g = (struct lens_adding){.like = sorted[i].row,
						 .cgroup = LENS_NO_CGROUP,
						 .most_cgroup = LENS_NO_CGROUP,
						 .lonely = sorted[i].lonely};
		adding_add(&g, sorted[i].row);
		if (i + 1 == nr || compare_kinds(&sorted[i], &sorted[i + 1]))
			err = adding_end(&g, out);
	}
	if (out->nr)
		qsort(out->items, out->nr, sizeof(*out->items), compare_lens_groups);
	return err;
}

/* What there was no time to recognise may be of any kind. */
static void totals_build(const struct census_lenses *l, struct lens_sheet *out)
{
	const struct lens_rows *rows = &l->rows;
	struct lens_sum objects[LENSES] = {0}, kb[LENSES] = {0};

	for (size_t i = 0; i < rows->nr; i++) {
		lens_sum_merge(&objects[rows->items[i].lens], &rows->items[i].objects);
		lens_sum_merge(&kb[rows->items[i].lens], &rows->items[i].kb);
	}
	for (int lens = 0; lens < LENSES; lens++) {
		out->objects[lens] = lens_estimate(&objects[lens]);
		out->objects[lens].high += l->unrecognised;
		out->kb[lens] = lens_estimate(&kb[lens]);
	}
}

int lens_sheet_build(const struct census *c, struct lens_sheet *out)
{
	const struct lens_rows *rows = &c->lenses.rows;
	struct lens_sorted *sorted = calloc(rows->nr + 1, sizeof(*sorted));
	struct lens_sheet built = {.census = c};
	int err;

	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < rows->nr; i++)
		sorted[i] = (struct lens_sorted){&rows->items[i],
						 row_is_lonely(&c->lenses, &rows->items[i])};
	if (rows->nr)
		qsort(sorted, rows->nr, sizeof(*sorted), compare_sorted);
	err = groups_build(sorted, rows->nr, &built);
	free(sorted);
	if (err) {
		lens_sheet_free(&built);
		return err;
	}
	totals_build(&c->lenses, &built);
	*out = built;
	return 0;
}

void lens_sheet_free(struct lens_sheet *s)
{
	ARRAY_FREE(s);
}
