// SPDX-License-Identifier: GPL-2.0-only
/* Names of the classes of pages, and the end of a census: see census.h. */
#include "data/census.h"

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

void census_free(struct census *c)
{
	ARRAY_FREE(&c->caches);
	ARRAY_FREE(&c->cgroups);
	ARRAY_FREE(&c->charges);
	ARRAY_FREE(&c->nodes);
	snapshot_free(&c->before);
	snapshot_free(&c->after);
	*c = (struct census){0};
}
