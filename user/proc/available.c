// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads MemAvailable and the memory limits of cgroups. See available.h. A limit counts the page
 * cache as used, but the kernel reclaims the inactive part before it refuses memory, so that part
 * counts as available.
 */
#include "proc/available.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file_read.h"
#include "base/text.h"
#include "proc/mounts.h"
#include "proc/snapshot.h"

/* The file names of a memory cgroup, in cgroup v1 and v2. */
struct tree {
	const char *type, *option; /* in /proc/self/mounts */
	const char *controller;    /* in /proc/self/cgroup; "": the line of cgroup2 */
	const char *limit, *usage, *inactive;
};

static const struct tree trees[] = {
	{"cgroup2", "", "", "memory.max", "memory.current", "inactive_file"},
	{"cgroup", "memory", "memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
	 "total_inactive_file"},
};

/* One number in a file; false: there is no such file, or it says "max". */
static bool bytes_read(const char *dir, const char *name, uint64_t *out)
{
	char line[64];

	return !file_read_line(dir, name, line, sizeof(line)) && text_u64(text_of(line), out);
}

/* "NAME value" in memory.stat; 0 where there is none. */
static uint64_t stat_read(const char *dir, const char *name)
{
	_cleanup_free_ char *buf = NULL;
	struct text rest, line, word;
	char path[PATH_MAX + 16];
	uint64_t value = 0;
	size_t len;

	snprintf(path, sizeof(path), "%s/memory.stat", dir);
	if (file_read(path, &buf, &len))
		return 0;
	rest = (struct text){buf, len};
	while (text_line(&rest, &line))
		if (text_word(&line, &word) && text_is(word, name) && text_word(&line, &word) &&
		    text_u64(word, &value))
			return value;
	return 0;
}

static void limit_apply(const struct tree *t, const char *dir, struct memory_available *out)
{
	uint64_t limit, usage, left;

	if (!bytes_read(dir, t->limit, &limit) || !bytes_read(dir, t->usage, &usage))
		return;
	usage -= usage < stat_read(dir, t->inactive) ? usage : stat_read(dir, t->inactive);
	left = limit > usage ? limit - usage : 0;
	if (left >= out->bytes)
		return;
	out->bytes = left;
	snprintf(out->cgroup, sizeof(out->cgroup), "%s", dir);
}

/* Lines are "7:cpu,memory:/path", that of cgroup2 "0::/path". */
static bool cgroup_of_self(const char *proc_root, const char *controller, char *dst, size_t size)
{
	_cleanup_free_ char *buf = NULL;
	struct text rest, line;
	char path[PATH_MAX];
	size_t len;

	if (snprintf(path, sizeof(path), "%s/self/cgroup", proc_root) >= (int)sizeof(path) ||
	    file_read(path, &buf, &len))
		return false;
	rest = (struct text){buf, len};
	while (text_line(&rest, &line)) {
		const char *names = memchr(line.p, ':', line.len), *where;

		where = names ? memchr(names + 1, ':', line.len - (size_t)(names + 1 - line.p))
			      : NULL;
		if (!where)
			continue;
		if (!list_has((struct text){names + 1, (size_t)(where - names - 1)}, controller))
			continue;
		text_copy((struct text){where + 1, line.len - (size_t)(where + 1 - line.p)}, dst,
			  size);
		return true;
	}
	return false;
}

/* Apply the limits of the cgroup at `path` below `mount` and of all its ancestors. */
static void tree_apply(const struct tree *t, const char *mount, const char *path,
		       struct memory_available *out)
{
	char dir[PATH_MAX];
	size_t root = strlen(mount);
	char *slash;

	if (snprintf(dir, sizeof(dir), "%s%s", mount, path) >= (int)sizeof(dir))
		return;
	for (;;) {
		limit_apply(t, dir, out);
		slash = strrchr(dir, '/');
		if (strlen(dir) <= root || !slash || slash < dir + root)
			return;
		*slash = '\0';
	}
}

int memory_available_read(const char *proc_root, struct memory_available *out)
{
	_cleanup_(snapshot_free) struct snapshot s = {};
	struct memory_available a = {};
	char mount[PATH_MAX], path[PATH_MAX];
	int64_t kb;

	if (snapshot_read(proc_root, SNAPSHOT_MEMINFO, &s))
		return -ENOENT;
	kb = named_value_get(&s.meminfo, "MemAvailable", -1);
	if (kb < 0)
		kb = named_value_get(&s.meminfo, "MemFree", -1);
	if (kb < 0)
		return -ENOENT;
	a.bytes = (uint64_t)kb * 1024;
	for (size_t i = 0; i < sizeof(trees) / sizeof(trees[0]); i++)
		if (!mount_find(proc_root, trees[i].type, trees[i].option, mount, sizeof(mount)) &&
		    cgroup_of_self(proc_root, trees[i].controller, path, sizeof(path)))
			tree_apply(&trees[i], mount, path, &a);
	*out = a;
	return 0;
}
