// SPDX-License-Identifier: GPL-2.0-only
/* The names of pools: see pool.h. */
#include "data/pool.h"

#include <errno.h>
#include <string.h>

static const char *const pool_names[POOLS] = {
	[POOL_SLAB] = "slab",     [POOL_VMALLOC] = "vmalloc",     [POOL_PERCPU] = "percpu",
	[POOL_KSTACK] = "kstack", [POOL_PAGETABLE] = "pagetable", [POOL_PAGE] = "page",
};

const char *pool_name(enum pool pool)
{
	return (unsigned int)pool < POOLS ? pool_names[pool] : "unknown";
}

const struct pool_label pool_labels[POOL_LABELS] = {
	{"Slab", POOL_SLAB},
	{"VmallocUsed", POOL_VMALLOC},
	{"Percpu", POOL_PERCPU},
	{"KernelStack", POOL_KSTACK},
	{"PageTables", POOL_PAGETABLE},
	{"SecPageTables", POOL_PAGETABLE},
	{"Unaccounted", POOL_PAGE},
};

int pool_parse_any(const char *name, enum pool *out)
{
	for (size_t i = 0; i < POOL_LABELS; i++) {
		if (strcasecmp(name, pool_labels[i].name))
			continue;
		*out = pool_labels[i].pool;
		return 0;
	}
	return pool_parse(name, out);
}

int pool_parse(const char *name, enum pool *out)
{
	for (unsigned int i = 0; i < POOLS; i++) {
		if (strcmp(name, pool_names[i]))
			continue;
		*out = i;
		return 0;
	}
	return -EINVAL;
}
