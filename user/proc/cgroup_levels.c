// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks the cgroup trees, the top first, for the counts of cgroup_levels.h. A machine can have both
 * kinds of trees. In a cgroup2 tree, cgroup.stat counts the removed cgroups of each subtree. For a
 * v1 tree, /proc/cgroups has only one count for the whole tree.
 */
#include "proc/cgroup_levels.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/file_read.h"
#include "base/text.h"
#include "proc/mounts.h"

#define WALK_MAX   4096 /* directories */
#define WALK_S     0.2
#define ROWS_MAX   64
#define DYING_KEPT 16 /* a subtree with at least so many removed cgroups gets a row */
#define ROOT_ID    1  /* id of the first node that kernfs_create_root() creates */

struct cgroup_walk {
	const char *mount;
	double deadline_s;
	struct cgroup_levels rows;
	ARRAY_OF(char *) queue; /* paths below the mount, "" for the mount itself */
};

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void cgroup_walk_free(struct cgroup_walk *w)
{
	for (size_t i = 0; i < w->queue.nr; i++)
		free(w->queue.items[i]);
	ARRAY_FREE(&w->queue);
	ARRAY_FREE(&w->rows);
}

/* "name value" in dir/cgroup.stat; −1 where there is none. */
static int64_t stat_value(const char *buf, size_t len, const char *name)
{
	struct text rest = {buf, len}, line, word;
	int64_t value;

	while (text_line(&rest, &line))
		if (text_word(&line, &word) && text_is(word, name) && text_word(&line, &word) &&
		    text_count(word, INT32_MAX, &value))
			return value;
	return -1;
}

/* If a path is too long, keep its end, because the ends of paths differ most. */
static void path_store(const char *path, struct cgroup_level *row)
{
	size_t len = strlen(path), room = sizeof(row->path) - 1 - strlen("…");

	if (len < sizeof(row->path))
		strcpy(row->path, *path ? path : "/");
	else
		snprintf(row->path, sizeof(row->path), "…%s", path + len - room);
}

static int cgroup_walk_row(struct cgroup_walk *w, const char *path,
			   const struct cgroup_level *counts)
{
	struct cgroup_level *row;

	if (counts->dying < (*path ? DYING_KEPT : 0))
		return 0;
	row = ARRAY_PUSH(&w->rows);
	if (!row)
		return -ENOMEM;
	*row = *counts;
	path_store(path, row);
	return 0;
}

static int cgroup_walk_add(struct cgroup_walk *w, const char *parent, const char *name)
{
	char **slot, *path;

	if (w->queue.nr >= WALK_MAX)
		return 0;
	if (asprintf(&path, "%s%s%s", parent, *name ? "/" : "", name) < 0)
		return -ENOMEM;
	slot = ARRAY_PUSH(&w->queue);
	if (!slot) {
		free(path);
		return -ENOMEM;
	}
	*slot = path;
	return 0;
}

static void counts_read(const char *dir, struct cgroup_level *counts)
{
	_cleanup_free_ char *buf = NULL;
	char file[PATH_MAX + 16];
	size_t len;

	*counts = (struct cgroup_level){.descendants = -1, .dying = -1};
	if (snprintf(file, sizeof(file), "%s/cgroup.stat", dir) < (int)sizeof(file) &&
	    !file_read(file, &buf, &len)) {
		counts->descendants = stat_value(buf, len, "nr_descendants");
		counts->dying = stat_value(buf, len, "nr_dying_descendants");
	}
}

/* Read one directory and queue those below it. A directory that is gone is no error. */
static int visit(struct cgroup_walk *w, const char *path)
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct cgroup_level counts;
	const struct dirent *entry;
	char name[PATH_MAX];
	struct stat st;
	int err;

	if (snprintf(name, sizeof(name), "%s%s", w->mount, path) >= (int)sizeof(name))
		return 0;
	dir = opendir(name);
	if (!dir || fstat(dirfd(dir), &st))
		return 0;
	counts_read(name, &counts);
	counts.id = st.st_ino;
	err = cgroup_walk_row(w, path, &counts);
	while (!err && (entry = readdir(dir)))
		if (entry->d_type == DT_DIR && strcmp(entry->d_name, ".") &&
		    strcmp(entry->d_name, ".."))
			err = cgroup_walk_add(w, path, entry->d_name);
	return err;
}

/*
 * Visit breadth-first, so that in a tree that is too large the deepest levels are left out, never
 * the top.
 */
static int cgroup_walk_all(struct cgroup_walk *w)
{
	int err = cgroup_walk_add(w, "", "");

	for (size_t i = 0; i < w->queue.nr && !err && now_s() < w->deadline_s; i++)
		err = visit(w, w->queue.items[i]);
	return err;
}

static int compare_dying(const void *a, const void *b)
{
	const struct cgroup_level *x = a, *y = b;

	return (x->dying < y->dying) - (x->dying > y->dying);
}

/* Keep the root, whose count is the largest, and the subtrees with the most removed cgroups. */
static void rows_limit(struct cgroup_levels *rows)
{
	if (rows->nr <= ROWS_MAX)
		return;
	qsort(rows->items, rows->nr, sizeof(*rows->items), compare_dying);
	rows->nr = ROWS_MAX;
}

int64_t cgroup_v1_dying(const char *buf, size_t len, const char *controller, int64_t directories)
{
	struct text rest = {buf, len}, line, word;
	int64_t hierarchy, count;

	while (text_line(&rest, &line)) {
		if (!text_word(&line, &word) || !text_is(word, controller) ||
		    !text_word(&line, &word) || !text_count(word, INT32_MAX, &hierarchy) ||
		    !text_word(&line, &word) || !text_count(word, INT32_MAX, &count))
			continue;
		return count > directories ? count - directories : 0;
	}
	return -1;
}

/* The number of directories of a v1 tree; −1 when there are too many to count. */
static int64_t directories_count(const char *mount, double deadline_s)
{
	int64_t count = 0;
	_cleanup_(cgroup_walk_free) struct cgroup_walk w = {.mount = mount,
							    .deadline_s = deadline_s};
	int err = cgroup_walk_add(&w, "", "");

	for (size_t i = 0; i < w.queue.nr && !err; i++) {
		_cleanup_closedir_ DIR *dir = NULL;
		const struct dirent *entry;
		char name[PATH_MAX];

		if (now_s() > deadline_s || snprintf(name, sizeof(name), "%s%s", mount,
						     w.queue.items[i]) >= (int)sizeof(name))
			return -1;
		dir = opendir(name);
		count += dir != NULL;
		while (dir && !err && (entry = readdir(dir)))
			if (entry->d_type == DT_DIR && strcmp(entry->d_name, ".") &&
			    strcmp(entry->d_name, ".."))
				err = cgroup_walk_add(&w, w.queue.items[i], entry->d_name);
	}
	return err || w.queue.nr >= WALK_MAX ? -1 : count;
}

/*
 * In v1 each cgroup of the memory hierarchy that was removed and still has something charged to it
 * counts in /proc/cgroups, but has no directory any more. In a cgroup namespace the directories
 * are only a part, so nothing can be said.
 */
static int v1_read(const char *proc_root, double deadline_s, struct cgroup_levels *out)
{
	_cleanup_free_ char *buf = NULL;
	char mount[PATH_MAX], path[PATH_MAX];
	int64_t directories, dying;
	struct cgroup_level *row;
	struct stat st;
	size_t len;

	if (mount_find(proc_root, "cgroup", "memory", mount, sizeof(mount)) ||
	    snprintf(path, sizeof(path), "%s/cgroups", proc_root) >= (int)sizeof(path) ||
	    file_read(path, &buf, &len) || stat(mount, &st) || st.st_ino != ROOT_ID)
		return 0;
	directories = directories_count(mount, deadline_s);
	dying = directories < 0 ? -1 : cgroup_v1_dying(buf, len, "memory", directories);
	if (dying < 0)
		return 0;
	row = ARRAY_PUSH(out);
	if (!row)
		return -ENOMEM;
	*row = (struct cgroup_level){
		.path = CGROUP_V1_MEMORY, .descendants = directories - 1, .dying = dying};
	return 0;
}

int cgroup_levels_read(const char *proc_root, struct cgroup_levels *out)
{
	char mount[PATH_MAX];
	_cleanup_(cgroup_walk_free) struct cgroup_walk w = {.mount = mount,
							    .deadline_s = now_s() + WALK_S};
	int err = 0;

	if (!mount_find(proc_root, "cgroup2", "", mount, sizeof(mount)))
		err = cgroup_walk_all(&w);
	rows_limit(&w.rows);
	err = err ?: v1_read(proc_root, w.deadline_s, &w.rows);
	if (err)
		return err;
	*out = w.rows;
	w.rows = (struct cgroup_levels){0};
	return 0;
}
