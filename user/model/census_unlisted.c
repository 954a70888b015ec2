// SPDX-License-Identifier: GPL-2.0-only
/* See census_unlisted.h. */
#include "model/census_unlisted.h"

#include <math.h>
#include <string.h>

static const struct {
	const char *kind, *words;
	bool other; /* its pages are of the class "other" */
} origins[] = {
	{CENSUS_ORIGIN_PIPE, "data in pipes", true},
	{CENSUS_ORIGIN_PACKET, "rings of packet sockets", true},
	{CENSUS_ORIGIN_PERF, "rings of perf events", true},
	{CENSUS_ORIGIN_POOL, "network page pool", false},
};
#define NR_ORIGINS (sizeof(origins) / sizeof(origins[0]))

const char *census_origin_words(const char *kind)
{
	for (size_t i = 0; i < NR_ORIGINS; i++)
		if (!strcmp(kind, origins[i].kind))
			return origins[i].words;
	return kind;
}

static bool origin_is_other(const char *kind)
{
	for (size_t i = 0; i < NR_ORIGINS; i++)
		if (!strcmp(kind, origins[i].kind))
			return origins[i].other;
	return false;
}

struct census_figure census_origin_figure(const struct census *c,
					  const struct census_origin *origin)
{
	double page_kb = c->page_bytes / 1024.0, kb = origin->pages.sum * page_kb;

	if (origin->counted)
		return (struct census_figure){kb, kb, kb};
	return census_estimate(c, &origin->pages, CENSUS_UNIT, page_kb);
}

struct census_unlisted census_unlisted(const struct census_sheet *s)
{
	struct census_unlisted u = {.kb = s->rows[CENSUS_REST].difference_kb};

	for (size_t i = 0; i < s->census->origins.nr; i++)
		if (origin_is_other(s->census->origins.items[i].kind))
			u.found_kb +=
				census_origin_figure(s->census, &s->census->origins.items[i]).kb;
	u.unknown_kb = isnan(u.kb) ? NAN : fmax(u.kb - u.found_kb, 0);
	return u;
}

double census_cgroup_unlisted_kb(const struct census_cgroup_row *row)
{
	return row->classes_kb[CENSUS_REST] + row->classes_kb[CENSUS_UNMAPPED];
}
