// SPDX-License-Identifier: GPL-2.0-only
/* The classes whose bytes are not, or not only, in their own pool: see class.h. */
#include "data/class.h"

#include <string.h>

static const struct {
	enum pool pool;
	const char *class_;
	enum class_place place;
} places[] = {
	{POOL_VMALLOC, "thread", CLASS_SHARED},
	{POOL_VMALLOC, "vmap", CLASS_OUTSIDE},
	{POOL_VMALLOC, "ioremap", CLASS_OUTSIDE},
	{POOL_VMALLOC, "percpu", CLASS_OUTSIDE},
	{POOL_PAGETABLE, "kvm", CLASS_SECONDARY},
	{POOL_PAGETABLE, "iommu", CLASS_SECONDARY},
	{POOL_PAGE, "slab-backing", CLASS_OUTSIDE},
	{POOL_PAGE, "vmalloc-backing", CLASS_OUTSIDE},
	{POOL_PAGE, CLASS_PERCPU_BACKING, CLASS_OUTSIDE},
	{POOL_PAGE, "kstack-backing", CLASS_OUTSIDE},
	{POOL_PAGE, "page-cache", CLASS_OUTSIDE},
	{POOL_PAGE, "user", CLASS_OUTSIDE},
	{POOL_PAGE, "hugetlb", CLASS_OUTSIDE},
	{POOL_PAGE, "zswap", CLASS_OUTSIDE},
};

enum class_place class_place(enum pool pool, const char *class_)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (places[i].pool == pool && !strcmp(places[i].class_, class_))
			return places[i].place;
	return CLASS_IN_POOL;
}
