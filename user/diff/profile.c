// SPDX-License-Identifier: GPL-2.0-only
/* Rows of profiles: adds, merges and finds them. See profile.h; profile_build.c fills a profile. */
#include "diff/profile_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const section_names[PROFILE_SECTIONS] = {
	[PROFILE_POOLS] = "pools",
	[PROFILE_CACHES] = "caches",
	[PROFILE_VMALLOC] = "vmalloc_callers",
	[PROFILE_STACKS] = "kernel_stacks",
	[PROFILE_PAGE_TABLES] = "page_tables",
	[PROFILE_GROWTH] = "growth",
};

const char *profile_section_name(enum profile_section s)
{
	return section_names[s];
}

/* ---- rows ---- */

struct profile_row *profile_add(struct profile_rows *rows, const char *key, const char *name)
{
	struct profile_row *r = ARRAY_PUSH(rows);

	if (!r)
		return NULL;
	r->key = strdup(key);
	r->name = strdup(name);
	r->level = r->noise = r->change = r->level_objects = NAN;
	r->churn = r->churn_var = NAN;
	return r->key && r->name ? r : NULL;
}

static void row_clear(struct profile_row *r)
{
	free(r->key);
	free(r->loose);
	free(r->name);
	free(r->cache);
	free(r->who);
}

double profile_sum(double a, double b)
{
	return isnan(a) ? b : isnan(b) ? a : a + b;
}

/* Merge two rows of one identity; names for people come from the larger one. */
static void row_merge(struct profile_row *into, struct profile_row *r)
{
	double mine = fmax(into->held, 0), other = fmax(r->held, 0);
	double share = fmax(into->who_share * mine, r->who_share * other);

	into->who_share = mine + other > 0 ? share / (mine + other) : 0;
	if (r->held > into->held) {
		struct profile_row larger = *r;

		r->name = into->name;
		r->cache = into->cache;
		r->who = into->who;
		into->name = larger.name;
		into->cache = larger.cache;
		into->who = larger.who;
		into->stack = larger.stack;
		into->process = larger.process;
		into->cgroup = larger.cgroup;
	}
	into->held += r->held;
	into->held_var += r->held_var;
	into->held_missed = fmax(into->held_missed, r->held_missed);
	into->objects += r->objects;
	into->young += r->young;
	into->churn = profile_sum(into->churn, r->churn);
	into->churn_var = profile_sum(into->churn_var, r->churn_var);
	into->level = profile_sum(into->level, r->level);
	into->change = profile_sum(into->change, r->change);
	into->level_objects = profile_sum(into->level_objects, r->level_objects);
	into->noise = sqrt(profile_sum(into->noise * into->noise, r->noise * r->noise));
	row_clear(r);
}

static int compare_profile_row(const void *a, const void *b)
{
	const struct profile_row *x = a, *y = b;
	int order = strcmp(x->key, y->key);

	return order ? order : (x->stack > y->stack) - (x->stack < y->stack);
}

void profile_finish(struct profile_rows *rows)
{
	size_t kept = 0;

	if (!rows->nr)
		return;
	qsort(rows->items, rows->nr, sizeof(*rows->items), compare_profile_row);
	for (size_t i = 1; i < rows->nr; i++) {
		if (!strcmp(rows->items[kept].key, rows->items[i].key))
			row_merge(&rows->items[kept], &rows->items[i]);
		else
			rows->items[++kept] = rows->items[i];
	}
	rows->nr = kept + 1;
}

struct profile_row *profile_find(const struct profile_rows *rows, const char *key)
{
	struct profile_row wanted = {.key = (char *)key};
	size_t low = 0, high = rows->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(wanted.key, rows->items[middle].key);

		if (!order)
			return &rows->items[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

double profile_per_cpu(const struct profile *p, double level)
{
	return level / p->cpus;
}

double profile_per_gib(const struct profile *p, double level)
{
	return level / p->mem_total_kb * (1 << 20);
}

void profile_free(struct profile *p)
{
	for (int s = 0; s < PROFILE_SECTIONS; s++) {
		for (size_t i = 0; i < p->sections[s].nr; i++)
			row_clear(&p->sections[s].items[i]);
		ARRAY_FREE(&p->sections[s]);
	}
}
