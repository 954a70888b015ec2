// SPDX-License-Identifier: GPL-2.0-only
/* Adds up /proc/allocinfo by function: see site_groups.h. */
#include "model/site_groups.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare_site_groups(const void *x, const void *y)
{
	const struct site_group *a = x, *b = y;

	return strcmp(a->words, b->words);
}

/* Make one row of those with the same name, which are neighbours. */
static void site_groups_merge(struct site_groups *g)
{
	size_t nr = 0;

	for (size_t i = 0; i < g->nr; i++) {
		struct site_group *last = nr ? &g->items[nr - 1] : NULL;

		if (last && !strcmp(last->words, g->items[i].words)) {
			last->bytes += g->items[i].bytes;
			last->calls += g->items[i].calls;
		} else {
			g->items[nr++] = g->items[i];
		}
	}
	g->nr = nr;
}

int site_groups_build(const struct alloc_records *r, struct site_groups *out)
{
	struct site_groups g = {.known = alloc_source_get(r, ALLOC_SITES)};

	for (size_t i = 0; i < r->sites.nr; i++) {
		const struct alloc_site *site = &r->sites.items[i];
		struct site_group *row = ARRAY_PUSH(&g);

		if (!row) {
			site_groups_free(&g);
			return -ENOMEM;
		}
		row->bytes = (double)site->bytes;
		row->calls = (double)site->calls;
		snprintf(row->words, sizeof(row->words), "%s (%s)%s%s%s", site->function,
			 site->file, site->module[0] ? " [" : "", site->module,
			 site->module[0] ? "]" : "");
	}
	if (g.nr)
		qsort(g.items, g.nr, sizeof(*g.items), compare_site_groups);
	site_groups_merge(&g);
	*out = g;
	return 0;
}

void site_groups_free(struct site_groups *g)
{
	ARRAY_FREE(g);
}
