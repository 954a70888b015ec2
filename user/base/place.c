// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks a path part by part with O_NOFOLLOW. A symbolic link is read and checked, and its target is
 * walked the same way. Links of procfs are not text but direct references, so the kernel follows
 * those. See place.h.
 */
#include "base/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "base/invoker.h"

#define LINKS_MAX 40 /* the kernel's own limit */

/* A path being walked: `rest` is still to be walked, starting at `dir`. */
struct walk {
	int dir;
	char rest[PATH_MAX];
	int links;
	enum place_use use;
	bool must_match;    /* the last part was a link of procfs: the result … */
	struct stat wanted; /* … must be this file */
};

static void move_to(struct walk *w, int dir)
{
	if (w->dir >= 0)
		close(w->dir);
	w->dir = dir;
}

static int root_or_cwd(struct walk *w)
{
	int dir = open(w->rest[0] == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return -errno;
	move_to(w, dir);
	return 0;
}

/* Take the first part off `rest`. False if nothing is left. */
static bool next_part(struct walk *w, char *part, size_t size, int *err)
{
	char *from = w->rest + strspn(w->rest, "/");
	size_t len = strcspn(from, "/");

	*err = len < size ? 0 : -ENAMETOOLONG;
	if (!len || *err)
		return false;
	memcpy(part, from, len);
	part[len] = '\0';
	memmove(w->rest, from + len, strlen(from + len) + 1);
	return true;
}

/*
 * May a file be created where this link leads? Only if root, the caller or the sudo user owns the
 * link.
 */
static bool is_trusted(const struct stat *link)
{
	uid_t uid;
	gid_t gid;

	return !link->st_uid || link->st_uid == geteuid() ||
	       (invoker_read(&uid, &gid) && uid == link->st_uid);
}

/* Put the link's target in front of `rest`. */
static int follow(struct walk *w, const char *part)
{
	char text[PATH_MAX], joined[2 * PATH_MAX];
	ssize_t len = readlinkat(w->dir, part, text, sizeof(text) - 1);

	if (len < 0)
		return -errno;
	text[len] = '\0';
	if (++w->links > LINKS_MAX)
		return -ELOOP;
	if (snprintf(joined, sizeof(joined), "%s%s", text, w->rest) >= (int)sizeof(w->rest))
		return -ENAMETOOLONG;
	strcpy(w->rest, joined);
	return text[0] == '/' ? root_or_cwd(w) : 0;
}

static bool is_procfs(int dir)
{
	struct statfs fs;

	return !fstatfs(dir, &fs) && fs.f_type == PROC_SUPER_MAGIC;
}

static int enter(struct walk *w, const char *part)
{
	_cleanup_close_ int fd = openat(w->dir, part, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	if (S_ISLNK(st.st_mode)) {
		int dir;

		if (w->use == PLACE_CREATE && !is_trusted(&st))
			return -EPERM;
		if (!is_procfs(w->dir))
			return follow(w, part);
		dir = openat(w->dir, part, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (dir < 0)
			return -errno;
		move_to(w, dir);
		return 0;
	}
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	move_to(w, fd);
	fd = -1;
	return 0;
}

/*
 * Handle the last part. Returns 1 if it was a link that was followed, so that the walk continues.
 */
static int arrive(struct walk *w, const char *part)
{
	struct stat st;
	int err;

	if (w->use != PLACE_READ || fstatat(w->dir, part, &st, AT_SYMLINK_NOFOLLOW) ||
	    !S_ISLNK(st.st_mode))
		return 0;
	if (is_procfs(w->dir)) {
		if (fstatat(w->dir, part, &w->wanted, 0))
			return -errno;
		w->must_match = true;
	}
	err = follow(w, part);
	return err ? err : 1;
}

static int place_walk(struct walk *w, char *part)
{
	int err = root_or_cwd(w);

	while (!err) {
		bool last;

		if (!next_part(w, part, NAME_MAX + 1, &err))
			return err ? err : -EISDIR;
		last = !w->rest[0];
		if (last && strcmp(part, ".") && strcmp(part, "..")) {
			err = arrive(w, part);
			if (err <= 0)
				return err;
			err = 0;
		} else {
			err = enter(w, part);
		}
	}
	return err;
}

int place_find(const char *path, enum place_use use, struct place *out)
{
	struct walk w = {.dir = -1, .use = use};
	struct place found = PLACE_NONE;
	struct stat st;
	int err;

	if (!*path)
		return -ENOENT;
	if (strlen(path) >= sizeof(w.rest))
		return -ENAMETOOLONG;
	strcpy(w.rest, path);
	err = place_walk(&w, found.name);
	if (!err && w.must_match &&
	    (fstatat(w.dir, found.name, &st, AT_SYMLINK_NOFOLLOW) || !place_same(&st, &w.wanted)))
		err = -ENOENT;
	if (!err) {
		/*
		 * open for reading, so that it can be synced; without permission, O_PATH suffices
		 */
		found.dir = openat(w.dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (found.dir < 0)
			found.dir = openat(w.dir, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
		err = found.dir < 0 ? -errno : 0;
	}
	if (w.dir >= 0)
		close(w.dir);
	if (!err)
		*out = found;
	return err;
}

void place_close(struct place *p)
{
	if (p->dir >= 0)
		close(p->dir);
	p->dir = -1;
}

bool place_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static int name_with(const struct place *p, const char *suffix, char name[NAME_MAX + 1])
{
	return snprintf(name, NAME_MAX + 1, "%s%s", p->name, suffix) > NAME_MAX ? -ENAMETOOLONG : 0;
}

int place_stat(const struct place *p, const char *suffix, struct stat *st)
{
	char name[NAME_MAX + 1];
	int err = name_with(p, suffix, name);

	if (err)
		return err;
	return fstatat(p->dir, name, st, AT_SYMLINK_NOFOLLOW) ? -errno : 0;
}

int place_open(const struct place *p, const char *suffix, int flags)
{
	char name[NAME_MAX + 1];
	_cleanup_close_ int fd = -1;
	struct stat st;
	int err = name_with(p, suffix, name);

	if (err)
		return err;
	/* check the type first: opening a device can already have an effect */
	if (fstatat(p->dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EMEDIUMTYPE;
	fd = openat(p->dir, name, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return errno == ELOOP || errno == ENXIO ? -EMEDIUMTYPE : -errno;
	if (fstat(fd, &st))
		return -errno;
	return S_ISREG(st.st_mode) ? TAKE_FD(fd) : -EMEDIUMTYPE;
}

int place_create(const struct place *p, const char *suffix)
{
	char name[NAME_MAX + 1];
	int err = name_with(p, suffix, name), fd;

	if (err)
		return err;
	fd = openat(p->dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

int place_create_unnamed(const struct place *p)
{
	int fd = openat(p->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : fd;
}

static int link_as(const struct place *p, int fd, const char *name)
{
	char self[32];

	/* AT_EMPTY_PATH needs CAP_DAC_READ_SEARCH; the fallback needs /proc. */
	if (!linkat(fd, "", p->dir, name, AT_EMPTY_PATH))
		return 0;
	if (errno == EEXIST)
		return -errno;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, self, p->dir, name, AT_SYMLINK_FOLLOW) ? -errno : 0;
}

int place_name(const struct place *p, int fd)
{
	return link_as(p, fd, p->name);
}

int place_replace(const struct place *p, int fd)
{
	char name[48];
	uint64_t salt = 0;
	int err;

	if (getrandom(&salt, sizeof(salt), 0) != sizeof(salt))
		return -EAGAIN;
	snprintf(name, sizeof(name), ".kmemtrace-%016llx.new", (unsigned long long)salt);
	err = link_as(p, fd, name);
	if (err)
		return err;
	if (!renameat(p->dir, name, p->dir, p->name))
		return 0;
	err = -errno;
	unlinkat(p->dir, name, 0);
	return err;
}

/*
 * Between check and removal, the owner of the directory can put another file there. That does no
 * harm: they could remove that file themselves.
 */
int place_remove(const struct place *p, const char *suffix, const struct stat *only)
{
	char name[NAME_MAX + 1];
	struct stat st;
	int err = name_with(p, suffix, name);

	if (!err)
		err = place_stat(p, suffix, &st);
	if (err)
		return err;
	if (!place_same(&st, only))
		return -ESTALE;
	return unlinkat(p->dir, name, 0) ? -errno : 0;
}

const char *place_temporary_dir(void)
{
	const char *dir = secure_getenv("TMPDIR");

	return dir && *dir ? dir : "/tmp";
}

int place_temporary(void)
{
	char path[PATH_MAX];
	int fd = open(place_temporary_dir(), O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0)
		return fd;
	if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
		return -errno;
	if (snprintf(path, sizeof(path), "%s/kmemtrace.XXXXXX", place_temporary_dir()) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	unlink(path);
	return fd;
}
