// SPDX-License-Identifier: GPL-2.0-only
/* Names to constants. See focus.h. */
#include "live/focus.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "proc/cgroup.h"
#include "proc/slab_alias.h"
#include "proc/snapshot.h"

#define CACHE_LARGE "kmalloc-large" /* the tool's own name for large kmalloc, which lies in no cache */

static const struct slab_level *level_find(const struct slab_levels *slabs, const char *name)
{
	for (size_t i = 0; i < slabs->nr; i++)
		if (!strcmp(slabs->items[i].name, name))
			return &slabs->items[i];
	return NULL;
}

/* The cache in slabinfo that `name` is, or was merged into; NULL when there is none. */
static const struct slab_level *level_resolve(const struct slab_levels *slabs, const struct slab_aliases *aliases,
					      const char *name)
{
	const struct slab_level *level = level_find(slabs, name);
	size_t nr = 0;
	const char *const *same = slab_aliases_of(aliases, name, &nr);

	for (size_t i = 0; i < nr && !level; i++)
		level = level_find(slabs, same[i]);
	return level;
}

/*
 * May it serve kmalloc()? kmalloc-N, kmalloc-cg-N, kmalloc-rnd-NN-N, dma-kmalloc-N, and the buckets of one caller
 * (CONFIG_SLAB_BUCKETS, 6.11): msg_msg-N, memdup_user-N. All end in their size; a few others do, which only costs.
 */
static bool is_kmalloc(const char *name)
{
	const char *size = strrchr(name, '-');
	size_t digits = size ? strspn(size + 1, "0123456789") : 0;

	return digits && (!strcmp(size + 1 + digits, "") || !strcmp(size + 1 + digits, "k"));
}

static int cache_resolve(const struct slab_levels *slabs, const struct slab_aliases *aliases, const char **name,
			 struct tracer_options *o, bool *kmalloc)
{
	const struct slab_level *level;
	uint64_t size;

	if (!strcmp(*name, CACHE_LARGE)) {
		*kmalloc = true;
		o->max_size = UINT64_MAX;
		return 0;
	}
	level = level_resolve(slabs, aliases, *name);
	if (!level)
		return log_error(ENOENT, "no cache is called '%s'; /proc/slabinfo lists them", *name);
	if (strcmp(*name, level->name))
		log_debug("cache %s was merged into %s", *name, level->name);
	*name = strdup(level->name);
	if (!*name)
		return log_error(ENOMEM, "out of memory");
	*kmalloc |= is_kmalloc(level->name);
	size = level->object_size;
	if (size < o->min_size)
		return log_error(EINVAL, "objects of %s are smaller than --min-size", *name);
	if (size > o->max_size)
		o->max_size = size;
	return 0;
}

int focus_caches(const char *proc_root, const char *sys_root, const char **names, struct tracer_options *o,
		 bool *kmalloc)
{
	_cleanup_(snapshot_free) struct snapshot s = {};
	struct slab_aliases *aliases = NULL;
	uint64_t least = UINT64_MAX;
	int err;

	if (!o->nr_caches)
		return 0;
	*kmalloc = false;
	err = snapshot_read(proc_root, SNAPSHOT_SLABINFO | SNAPSHOT_MEMINFO, &s);
	if (err)
		return log_error(-err, "cannot read /proc/slabinfo (%s)", strerror(-err));
	slab_aliases_load(sys_root, &aliases);
	for (size_t i = 0; i < o->nr_caches && !err; i++) {
		const struct slab_level *level;

		err = cache_resolve(&s.slabs, aliases, &names[i], o, kmalloc);
		level = err ? NULL : level_find(&s.slabs, names[i]);
		if (level && (uint64_t)level->object_size < least)
			least = level->object_size;
	}
	o->sizes_fit = least != UINT64_MAX;
	if (o->sizes_fit && !(o->max_size == UINT64_MAX && o->nr_caches == 1))
		o->min_size = least;
	slab_aliases_free(aliases);
	return err;
}

int focus_cgroup(const char *proc_root, const char *path, struct tracer_options *o)
{
	struct cgroups *cgroups = NULL;
	int err = cgroups_load(proc_root, &cgroups);

	if (err)
		return log_error(-err, "no cgroup2 tree is mounted here: --cgroup needs one");
	err = cgroups_find(cgroups, path, &o->cgroup, &o->cgroup_level);
	cgroups_free(cgroups);
	return err ? log_error(-err, "no cgroup is called '%s'; /proc/PID/cgroup names a process's", path) : 0;
}
