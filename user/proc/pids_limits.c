// SPDX-License-Identifier: GPL-2.0-only
/* Walks the cgroups with the pids controller: see pids_limits.h. */
#include "proc/pids_limits.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path_queue.h"
#include "base/text.h"
#include "proc/mounts.h"

void pids_limits_free(struct pids_limits *p)
{
	for (size_t i = 0; i < p->nr; i++)
		free(p->items[i].path);
	ARRAY_FREE(p);
}

/* A number alone in a file of the directory; false for "max" and for anything else. */
static bool pids_read(int dir_fd, const char *name, int64_t *out)
{
	_cleanup_close_ int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char buf[32];
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf));

	while (n > 0 && buf[n - 1] == '\n')
		n--;
	return n > 0 && text_count((struct text){buf, (size_t)n}, INT64_MAX, out);
}

static int limit_add(int dir_fd, const char *path, struct pids_limits *out)
{
	struct pids_limit limit, *slot;

	if (!pids_read(dir_fd, "pids.max", &limit.max) ||
	    !pids_read(dir_fd, "pids.current", &limit.current))
		return 0;
	limit.path = strdup(*path ? path : "/");
	slot = limit.path ? ARRAY_PUSH(out) : NULL;
	if (!slot) {
		free(limit.path);
		return -ENOMEM;
	}
	*slot = limit;
	return 0;
}

static int cgroup_dirs_visit(struct path_queue *dirs, int mount_fd, const char *path,
			     struct pids_limits *out)
{
	int fd = openat(mount_fd, *path ? path + 1 : ".",
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int err;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	err = limit_add(fd, path, out);
	while (!err && (entry = readdir(dir)))
		if (entry->d_type == DT_DIR && strcmp(entry->d_name, ".") &&
		    strcmp(entry->d_name, ".."))
			err = path_queue_add(dirs, path, entry->d_name);
	return err;
}

int pids_limits_read(const char *proc_root, struct pids_limits *out)
{
	_cleanup_(pids_limits_free) struct pids_limits limits = {0};
	/* paths below the mount, "" for the mount itself */
	_cleanup_(path_queue_free) struct path_queue dirs = {.most = PIDS_LIMITS_WALK};
	_cleanup_close_ int mount_fd = -1;
	char mount[PATH_MAX];
	int err = mount_find(proc_root, "cgroup", "pids", mount, sizeof(mount));

	if (err)
		err = mount_find(proc_root, "cgroup2", "", mount, sizeof(mount));
	if (err)
		return err;
	mount_fd = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mount_fd < 0)
		return -ENOENT;
	err = path_queue_add(&dirs, "", "");
	for (size_t i = 0; !err && i < dirs.nr; i++)
		err = cgroup_dirs_visit(&dirs, mount_fd, dirs.items[i], &limits);
	if (err)
		return err;
	*out = limits;
	limits = (struct pids_limits){0};
	return 0;
}

static int compare_used(const void *a, const void *b)
{
	const struct pids_limit *x = a, *y = b;
	double used_x = (double)x->current / (double)(x->max ?: 1),
	       used_y = (double)y->current / (double)(y->max ?: 1);

	return used_x < used_y ? 1 : used_x > used_y ? -1 : strcmp(x->path, y->path);
}

void pids_limits_sort(struct pids_limits *p)
{
	if (p->nr)
		qsort(p->items, p->nr, sizeof(p->items[0]), compare_used);
}

const struct pids_limit *pids_limits_find(const struct pids_limits *p, const char *path)
{
	for (size_t i = 0; i < p->nr; i++)
		if (!strcmp(p->items[i].path, path))
			return &p->items[i];
	return NULL;
}
