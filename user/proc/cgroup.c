// SPDX-License-Identifier: GPL-2.0-only
/*
 * Paths of cgroups by id, from a breadth-first walk over the cgroup2 tree; the list of found
 * directories is also the queue. readdir() tells which entries are directories, so 10 k cgroups
 * cost 10 k opens, and their half a million files are never stat()ed.
 */
#include "proc/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file_read.h"
#include "base/path_queue.h"
#include "base/text.h"
#include "proc/mounts.h"

#define HASH_NONFATAL_OOM        1
#define uthash_nonfatal_oom(elt) ((elt)->lost = true)
#include "base/hash.h"

#define ROOT_ID 1 /* id of the first node that kernfs_create_root() creates */

struct cgroup {
	uint64_t id;
	bool lost; /* the hash had no memory to take it */
	UT_hash_handle hh;
	char path[];
};

struct cgroups {
	char mount[PATH_MAX];
	struct cgroup *by_id;
};

void cgroups_free(struct cgroups *cg)
{
	if (!cg)
		return;
	HASH_FREE(cg->by_id);
	free(cg);
}

static void cgroups_cleanup(struct cgroups **cg)
{
	cgroups_free(*cg);
}

static int cgroup_add(struct cgroups *cg, uint64_t id, const char *path)
{
	const char *shown = *path ? path : "/";
	struct cgroup *c;

	HASH_FIND(hh, cg->by_id, &id, sizeof(id), c);
	if (c)
		return 0;
	c = calloc(1, sizeof(*c) + strlen(shown) + 1);
	if (!c)
		return -ENOMEM;
	c->id = id;
	strcpy(c->path, shown);
	HASH_ADD(hh, cg->by_id, id, sizeof(id), c);
	if (!c->lost)
		return 0;
	free(c);
	return -ENOMEM;
}

/*
 * Store the id of one directory and queue its subdirectories. A directory that is gone is no error.
 */
static int cgroup_visit(struct cgroups *cg, int mount_fd, struct path_queue *q, const char *path)
{
	int fd = openat(mount_fd, *path ? path + 1 : ".",
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	struct stat st;
	int err;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	if (fstat(fd, &st))
		return 0;
	err = cgroup_add(cg, st.st_ino, path);
	while (!err && (entry = readdir(dir)))
		if (entry->d_type == DT_DIR && strcmp(entry->d_name, ".") &&
		    strcmp(entry->d_name, ".."))
			err = path_queue_add(q, path, entry->d_name);
	return err;
}

int cgroups_refresh(struct cgroups *cg)
{
	_cleanup_close_ int mount_fd = open(cg->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* paths below the mount, "" for the mount itself */
	_cleanup_(path_queue_free) struct path_queue q = {.most = CGROUPS_MAX};
	int err;

	if (mount_fd < 0)
		return -errno;
	err = path_queue_add(&q, "", "");
	for (size_t i = 0; !err && i < q.nr; i++)
		err = cgroup_visit(cg, mount_fd, &q, q.items[i]);
	return err;
}

int cgroups_load(const char *proc_root, struct cgroups **out)
{
	_cleanup_(cgroups_cleanup) struct cgroups *cg = calloc(1, sizeof(*cg));
	int err;

	if (!cg)
		return -ENOMEM;
	err = mount_find(proc_root, "cgroup2", "", cg->mount, sizeof(cg->mount));
	if (!err)
		err = cgroups_refresh(cg);
	if (err)
		return err;
	*out = TAKE_PTR(cg);
	return 0;
}

const char *cgroups_mount(const struct cgroups *cg)
{
	return cg->mount;
}

bool cgroups_whole(const struct cgroups *cg)
{
	return !strcmp(cgroups_path(cg, ROOT_ID), "/");
}

int cgroups_find(const struct cgroups *cg, const char *path, uint64_t *id, uint32_t *level)
{
	size_t mount = strlen(cg->mount), len;
	const struct cgroup *c, *next;
	uint32_t depth = 0;

	if (!strncmp(path, cg->mount, mount) && (path[mount] == '/' || !path[mount]))
		path += mount;
	len = strlen(path);
	while (len && path[len - 1] == '/')
		len--;
	for (size_t i = 0; i < len; i++)
		depth += path[i] == '/';
	HASH_ITER (hh, cg->by_id, c, next) {
		if (len ? strncmp(c->path, path, len) || c->path[len] : strcmp(c->path, "/") != 0)
			continue;
		*id = c->id;
		*level = depth;
		return 0;
	}
	return -ENOENT;
}

const char *cgroups_path(const struct cgroups *cg, uint64_t id)
{
	const struct cgroup *c = NULL;

	if (cg)
		HASH_FIND(hh, cg->by_id, &id, sizeof(id), c);
	return c ? c->path : "";
}
