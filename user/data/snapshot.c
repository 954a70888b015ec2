// SPDX-License-Identifier: GPL-2.0-only
/* Finds values in a snapshot and frees it: see snapshot.h. */
#include "data/snapshot.h"

#include <string.h>

int64_t named_value_get(const struct named_values *v, const char *name, int64_t missing)
{
	for (size_t i = 0; i < v->nr; i++)
		if (!strcmp(v->items[i].name, name))
			return v->items[i].value;
	return missing;
}

int64_t vmalloc_levels_pages(const struct vmalloc_levels *levels)
{
	int64_t pages = 0;

	for (size_t i = 0; i < levels->nr; i++)
		if (levels->items[i].kind == VMALLOC_VMALLOC)
			pages += levels->items[i].pages;
	return pages;
}

void snapshot_free(struct snapshot *s)
{
	ARRAY_FREE(&s->meminfo);
	ARRAY_FREE(&s->vmstat);
	ARRAY_FREE(&s->slabs);
	ARRAY_FREE(&s->zones);
	ARRAY_FREE(&s->vmallocs);
	ARRAY_FREE(&s->tasks);
	ARRAY_FREE(&s->cgroups);
	ARRAY_FREE(&s->nodes);
	ARRAY_FREE(&s->bpf);
	ARRAY_FREE(&s->bpf_holders);
}
