/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Merged slab caches: SLUB lets caches of one size and kind share one, and /proc/slabinfo then
 * shows a single name for all of them. In /sys/kernel/slab, all these names are links to one
 * directory (mm/slub.c, sysfs_slab_add).
 */
#ifndef KMEMTRACE_PROC_SLAB_ALIAS_H
#define KMEMTRACE_PROC_SLAB_ALIAS_H

#include <stddef.h>

struct slab_aliases;

/*
 * Read SYS_ROOT/kernel/slab. Returns 0 or −errno: −ENOENT where the kernel has no such directory
 * (the caller then goes on with NULL, which every function here takes as an empty set).
 */
int slab_aliases_load(const char *sys_root, struct slab_aliases **out);
void slab_aliases_free(struct slab_aliases *set);

/*
 * All names of the cache called `name`, its own among them, sorted. *nr is 0 and the return value
 * NULL for a cache that cannot be merged, or is not known. The strings belong to the set.
 */
const char *const *slab_aliases_of(const struct slab_aliases *set, const char *name, size_t *nr);

#endif
