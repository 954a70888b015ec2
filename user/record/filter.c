// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resolves the names of caches, processes and cgroups against /proc and /sys, and explains the ones
 * that do not exist. See filter.h.
 */
#include "record/filter.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <linux/magic.h>

#include "base/cleanup.h"
#include "base/file_read.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/suggest.h"
#include "proc/cgroup.h"
#include "proc/namespaces.h"
#include "proc/slab_alias.h"
#include "proc/snapshot.h"

#define CACHE_LARGE \
	"kmalloc-large" /* this tool's name for large kmalloc, which belongs to no cache */

static const struct slab_level *level_find(const struct slab_levels *slabs, const char *name)
{
	for (size_t i = 0; i < slabs->nr; i++)
		if (!strcmp(slabs->items[i].name, name))
			return &slabs->items[i];
	return NULL;
}

/* The slabinfo line of the cache `name`, or of the cache it was merged into; NULL: none. */
static const struct slab_level *level_resolve(const struct slab_levels *slabs,
					      const struct slab_aliases *aliases, const char *name)
{
	const struct slab_level *level = level_find(slabs, name);
	size_t nr = 0;
	const char *const *same = slab_aliases_of(aliases, name, &nr);

	for (size_t i = 0; i < nr && !level; i++)
		level = level_find(slabs, same[i]);
	return level;
}

/*
 * May this cache serve kmalloc()? kmalloc-N, kmalloc-cg-N, kmalloc-rnd-NN-N, dma-kmalloc-N, and
 * per-caller buckets (CONFIG_SLAB_BUCKETS, 6.11) such as msg_msg-N and memdup_user-N do. All end in
 * their size. A few other caches do too; taking them for kmalloc only costs time.
 */
static bool is_kmalloc(const char *name)
{
	const char *size = strrchr(name, '-');
	size_t digits = size ? strspn(size + 1, "0123456789") : 0;

	return digits && (!strcmp(size + 1 + digits, "") || !strcmp(size + 1 + digits, "k"));
}

static int cache_unknown(const struct slab_levels *slabs, const char *name)
{
	struct suggestion near = {0};

	for (size_t i = 0; i < slabs->nr; i++)
		suggest_try(&near, name, slabs->items[i].name);
	if (near.word)
		return log_error(
			ENOENT,
			"no cache is called '%s'; did you mean %s? /proc/slabinfo lists them", name,
			near.word);
	return log_error(ENOENT, "no cache is called '%s'; /proc/slabinfo lists them", name);
}

static int cache_resolve(const struct slab_levels *slabs, const struct slab_aliases *aliases,
			 const char **name, struct tracer_options *o, bool *kmalloc)
{
	const struct slab_level *level;
	uint64_t size;

	if (!strcmp(*name, CACHE_LARGE)) {
		*kmalloc = true;
		o->cache_max_size = UINT64_MAX;
		return 0;
	}
	level = level_resolve(slabs, aliases, *name);
	if (!level)
		return cache_unknown(slabs, *name);
	if (strcmp(*name, level->name))
		log_debug("cache %s was merged into %s", *name, level->name);
	*name = strdup(level->name);
	if (!*name)
		return limits_no_memory("reading the names of caches and cgroups");
	*kmalloc |= is_kmalloc(level->name);
	size = level->object_size;
	if (size < o->min_size)
		return log_error(
			EINVAL,
			"objects of %s are of %llu bytes, which is less than --min-size: leave that out",
			*name, (unsigned long long)size);
	if (size > o->cache_max_size)
		o->cache_max_size = size;
	return 0;
}

int filter_caches(const char *proc_root, const char *sys_root, const char **names,
		  struct tracer_options *o, bool *kmalloc)
{
	_cleanup_(snapshot_free) struct snapshot s = {};
	struct slab_aliases *aliases = NULL;
	uint64_t least = UINT64_MAX;
	int err;

	if (!o->nr_caches)
		return 0;
	*kmalloc = false;
	err = snapshot_read(proc_root, SNAPSHOT_SLABINFO | SNAPSHOT_MEMINFO, &s);
	if (!err && !s.slabs.nr)
		err = -ENODATA;
	if (err)
		return log_error(
			-err,
			"--cache needs /proc/slabinfo, which cannot be read: run as root (or with "
			"CAP_DAC_READ_SEARCH), where /proc is not masked");
	slab_aliases_load(sys_root, &aliases);
	for (size_t i = 0; i < o->nr_caches && !err; i++) {
		const struct slab_level *level;

		err = cache_resolve(&s.slabs, aliases, &names[i], o, kmalloc);
		level = err ? NULL : level_find(&s.slabs, names[i]);
		if (level && (uint64_t)level->object_size < least)
			least = level->object_size;
	}
	if (least != UINT64_MAX)
		o->cache_min_size = least;
	slab_aliases_free(aliases);
	return err;
}

/* The first number of the line "NAME:\tNUMBER" in /proc/PID/status; −1: no such line. */
static int status_number(const char *status, const char *name)
{
	const char *line = strstr(status, name);

	return line ? atoi(line + strlen(name)) : -1;
}

int filter_pid(const char *proc_root, int pid)
{
	_cleanup_free_ char *status = NULL;
	char path[256];
	int process;
	size_t len;

	if (!namespaces_all_seen(proc_root))
		return log_error(
			ENOTSUP,
			"--pid needs the host's process numbers, but this process has a PID namespace of its own: record on the host (docker run --pid=host), or use --cgroup");
	if (kill(pid, 0) && errno == ESRCH)
		return log_error(
			ESRCH,
			"there is no process %d: find its number with `pgrep -a NAME` or `ps`",
			pid);
	snprintf(path, sizeof(path), "%s/%d/status", proc_root, pid);
	if (file_read(path, &status, &len))
		return 0; /* it exists but is hidden from us */
	process = status_number(status, "\nTgid:");
	if (process > 0 && process != pid)
		return log_error(
			ESRCH,
			"%d is a thread of process %d: give --pid %d, which traces all its threads",
			pid, process, process);
	return 0;
}

/*
 * Does the path name a cgroup of version 1: "4:memory:/a" as in /proc/PID/cgroup, or a path below a
 * v1 mount?
 */
static bool is_cgroup_v1(const char *path)
{
	size_t digits = strspn(path, "0123456789");
	struct statfs fs;

	if (digits && path[digits] == ':' && strchr(path + digits + 1, ':'))
		return true;
	return path[0] == '/' && !statfs(path, &fs) &&
	       (unsigned int)fs.f_type == CGROUP_SUPER_MAGIC;
}

static int cgroup_find(const struct cgroups *cgroups, const char *path, struct tracer_options *o)
{
	_cleanup_free_ char *rooted = NULL;

	if (!strncmp(path, "0::", 3))
		path += 3;
	else if (is_cgroup_v1(path))
		return log_error(
			ENOTSUP,
			"'%s' is a cgroup of version 1, but --cgroup takes only version 2: give a path "
			"below %s",
			path, cgroups_mount(cgroups));
	if (!cgroups_whole(cgroups))
		return log_error(
			ENOTSUP,
			"--cgroup needs the whole cgroup tree, but %s shows only a container's part: record on the host (docker run --cgroupns=host)",
			cgroups_mount(cgroups));
	if (asprintf(&rooted, "%s%s", path[0] == '/' ? "" : "/", path) < 0) {
		rooted = NULL;
		return limits_no_memory("reading the names of caches and cgroups");
	}
	if (cgroups_find(cgroups, rooted, &o->cgroup, &o->cgroup_level))
		return log_error(
			ENOENT,
			"there is no cgroup '%s': give its path below %s, such as "
			"/system.slice/ssh.service; `grep ^0:: /proc/PID/cgroup` prints the path of a process",
			path, cgroups_mount(cgroups));
	o->cgroup_path = strdup(cgroups_path(cgroups, o->cgroup));
	return o->cgroup_path ? 0 : limits_no_memory("reading the names of caches and cgroups");
}

int filter_cgroup(const char *proc_root, const char *path, struct tracer_options *o)
{
	struct cgroups *cgroups = NULL;
	int err = cgroups_load(proc_root, &cgroups);

	if (err == -ENOENT)
		return log_error(ENOENT, "--cgroup needs a cgroup2 tree, but none is mounted here: "
					 "`mount -t cgroup2 none DIRECTORY`");
	if (err)
		return log_error(-err, "cannot read the cgroup tree (%s)", strerror(-err));
	err = cgroup_find(cgroups, path, o);
	cgroups_free(cgroups);
	return err;
}

int filter_resolve(const char *proc_root, const char *sys_root, const char **caches,
		   const char *cgroup, struct tracer_options *o, struct plan_request *request)
{
	bool kmalloc = true;
	int err;

	o->caches = caches;
	if (o->nr_caches) {
		o->exact = true;
		*request = (struct plan_request){.pools[POOL_SLAB] = true};
	}
	err = filter_caches(proc_root, sys_root, caches, o, &kmalloc);
	request->no_kmalloc = !kmalloc;
	if (!err && o->pid)
		err = filter_pid(proc_root, o->pid);
	if (!err && cgroup)
		err = filter_cgroup(proc_root, cgroup, o);
	return err;
}
