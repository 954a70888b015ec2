// SPDX-License-Identifier: GPL-2.0-only
/* Names of the classes of pages, and the end of a census: see census.h. */
#include "data/census.h"

#include <errno.h>
#include <string.h>

static const struct {
	const char *name, *words;
} classes[CENSUS_CLASSES] = {
	[CENSUS_FREE] = {"free", "free"},
	[CENSUS_CPU_FREE] = {"cpu_free", "free (other)"},
	[CENSUS_SLAB] = {"slab", "slab caches"},
	[CENSUS_LARGE] = {"large_kmalloc", "large kmalloc"},
	[CENSUS_TABLE] = {"page_tables", "page tables"},
	[CENSUS_ANON] = {"anonymous", "anonymous"},
	[CENSUS_FILE] = {"file", "page cache"},
	[CENSUS_UNMAPPED] = {"unmapped", "unmapped"},
	[CENSUS_HUGETLB] = {"hugetlb", "huge page pool"},
	[CENSUS_POOL] = {"page_pool", "network pools"},
	[CENSUS_ZSMALLOC] = {"zsmalloc", "zsmalloc"},
	[CENSUS_OFFLINE] = {"offline", "balloons"},
	[CENSUS_UNACCEPTED] = {"unaccepted", "unaccepted"},
	[CENSUS_RESERVED] = {"reserved", "reserved"},
	[CENSUS_REST] = {"other", "other pages"},
};

const char *census_class_name(enum census_class class)
{
	return classes[class].name;
}

const char *census_class_words(enum census_class class)
{
	return classes[class].words;
}

const char *census_removal_words(const struct census_cgroup *g)
{
	return g->removed ? " (removed)" : g->below ? " (removed children)" : "";
}

int census_class_parse(const char *name, enum census_class *out)
{
	for (int class = 0; class < CENSUS_CLASSES; class ++)
		if (!strcmp(name, classes[class].name)) {
			*out = class;
			return 0;
		}
	return -EINVAL;
}

static const char *const moments[CENSUS_MOMENTS] = {"start", "end"};

const char *census_moment_name(enum census_moment moment)
{
	return moments[moment];
}

int census_moment_parse(const char *name, enum census_moment *out)
{
	for (int moment = 0; moment < CENSUS_MOMENTS; moment++)
		if (!strcmp(name, moments[moment])) {
			*out = moment;
			return 0;
		}
	return -EINVAL;
}

void census_free(struct census *c)
{
	ARRAY_FREE(&c->caches);
	ARRAY_FREE(&c->cgroups);
	ARRAY_FREE(&c->charges);
	ARRAY_FREE(&c->nodes);
	census_kinds_free(&c->kinds);
	census_lenses_free(&c->lenses);
	ARRAY_FREE(&c->origins);
	alloc_records_free(&c->records);
	snapshot_free(&c->before);
	snapshot_free(&c->after);
	*c = (struct census){0};
}
