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
