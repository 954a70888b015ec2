// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file of a capture being written; see writer_file.h. It is created without a name (O_TMPFILE)
 * and named once it holds something to read. A recording that does not start therefore leaves
 * nothing, and replacing a capture never loses both. On a file system without O_TMPFILE it is named
 * from the start. Names are relative to the directory, which is opened once (base/place.h).
 */
#include "capture/writer_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/invoker.h"
#include "base/log.h"
#include "capture/format_internal.h"

#define OTHER_NAME "give another name with -o"

/* ---- existing files ---- */

static int refuse_old(const char *path, int fd)
{
	uint8_t head[100];
	ssize_t len;

	if (fd < 0 && fd != -EMEDIUMTYPE)
		return log_error(EEXIST, "%s exists and cannot be read (%s): " OTHER_NAME, path,
				 strerror(-fd));
	len = fd < 0 ? -1 : pread(fd, head, sizeof(head), 0);
	switch (len < 0 ? HEADER_NOT_SQLITE : capture_header_check(head, len)) {
	case HEADER_EMPTY:
	case HEADER_CAPTURE:
	case HEADER_NEWER:
		return 0;
	default:
		return log_error(EEXIST, "%s exists and is not a capture: " OTHER_NAME, path);
	}
}

/* Check the path: it must be free, or hold a capture that may be replaced. */
static int check_old(struct writer_file *f, bool overwrite)
{
	_cleanup_close_ int fd = -1;
	int err = place_stat(&f->place, "", &f->old);

	if (err == -ENOENT)
		return 0;
	fd = err ? err : place_open(&f->place, "", O_RDONLY);
	err = refuse_old(f->path, fd);
	if (err)
		return err;
	if (vfs_is_recorded(fd))
		return log_error(
			EBUSY,
			"%s is being recorded by another kmemtrace: end that first, or " OTHER_NAME,
			f->path);
	if (!overwrite)
		return log_error(EEXIST,
				 "%s exists already: overwrite it with --force, or " OTHER_NAME,
				 f->path);
	if (fstat(fd, &f->old))
		return log_error(errno, "cannot look at %s: %s", f->path, strerror(errno));
	f->replaces = true;
	return 0;
}

/*
 * Is the file with the journal's name really a journal? SQLite first writes zeros, then a journal's
 * mark, so after a kill the file can be empty, or hold all or part of either.
 */
static bool is_journal(const struct writer_file *f, struct stat *st)
{
	static const char mark[8] = {'\xd9', '\xd5', 5, '\xf9', ' ', '\xa1', 'c', '\xd7'};
	_cleanup_close_ int fd = place_open(&f->place, VFS_JOURNAL, O_RDONLY);
	char head[8] = "";
	ssize_t len;
	int marked = 0;

	if (fd < 0 || fstat(fd, st) || (st->st_uid && st->st_uid != f->old.st_uid))
		return false;
	len = pread(fd, head, sizeof(head), 0);
	while (marked < 8 && head[marked] == mark[marked])
		marked++;
	return len >= 0 && !memcmp(head + marked, (char[8]){0}, 8 - marked);
}

/*
 * Only files that belong to the capture being replaced may exist beside it; they are removed with
 * it.
 */
static int check_beside(struct writer_file *f)
{
	struct stat st;

	if (!place_stat(&f->place, VFS_JOURNAL, &st)) {
		f->replaces_journal = f->replaces && is_journal(f, &f->old_journal);
		if (!f->replaces_journal)
			return log_error(
				EEXIST,
				"%s%s exists but does not belong to this capture, and would be taken for a part of it; remove it if it is not needed, or " OTHER_NAME,
				f->path, VFS_JOURNAL);
	}
	if (!place_stat(&f->place, VFS_WAL, &st))
		return log_error(
			EEXIST,
			"%s%s exists, but kmemtrace never writes such a file, and SQLite would take it for a part of this capture; remove that file if it is not needed, or " OTHER_NAME,
			f->path, VFS_WAL);
	return 0;
}

/* ---- creation ---- */

static int remove_old(struct writer_file *f)
{
	int err = 0;

	if (f->replaces_journal)
		err = place_remove(&f->place, VFS_JOURNAL, &f->old_journal);
	return err == -ENOENT ? 0 : err;
}

/* For a file system without unnamed files: create it with its name. */
static int create_named(struct writer_file *f)
{
	int err = remove_old(f);

	if (!err && f->replaces)
		err = place_remove(&f->place, "", &f->old);
	if (!err) {
		f->fd = place_create(&f->place, "");
		err = f->fd < 0 ? f->fd : 0;
	}
	f->named = !err;
	return err;
}

static int create(struct writer_file *f)
{
	int fd = place_create_unnamed(&f->place);

	if (fd == -EOPNOTSUPP || fd == -EISDIR || fd == -EINVAL)
		return create_named(f);
	f->fd = fd < 0 ? -1 : fd;
	return fd < 0 ? fd : 0;
}

static int say_cannot_create(const char *path, int err)
{
	if (err == -EPERM)
		return log_error(
			EPERM,
			"cannot create %s: a symbolic link in the path belongs to another user; give the path that it leads to with -o",
			path);
	return log_error(-err, "cannot create %s: %s; " OTHER_NAME, path, strerror(-err));
}

static void set_named(struct writer_file *f)
{
	f->named = true;
	f->name_fd = openat(f->place.dir, f->place.name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	vfs_is_named(f->vfs);
}

static int create_all(struct writer_file *f, bool overwrite)
{
	int err = place_find(f->path, PLACE_CREATE, &f->place);

	if (!err && strlen(f->place.name) + strlen(VFS_JOURNAL) > NAME_MAX)
		err = -ENAMETOOLONG;
	if (err)
		return say_cannot_create(f->path, err);
	err = check_old(f, overwrite);
	if (!err)
		err = check_beside(f);
	if (err)
		return err;
	err = create(f);
	if (err)
		return say_cannot_create(f->path, err);
	vfs_recording_begin(f->fd); /* if locks do not work here, nobody can check for this one */
	err = vfs_new_writer(&f->place, f->fd, &f->vfs);
	if (err) {
		writer_file_remove(f);
		return log_error(-err, "cannot write %s: %s", f->path, strerror(-err));
	}
	if (f->named)
		set_named(f);
	return 0;
}

int writer_file_new(const char *path, bool overwrite, struct writer_file *f)
{
	int err;

	*f = (struct writer_file){
		.place = PLACE_NONE, .fd = -1, .name_fd = -1, .path = strdup(path)};
	if (!f->path)
		return log_error(ENOMEM, "cannot write %s: not enough memory", path);
	err = create_all(f, overwrite);
	if (err)
		writer_file_close(f);
	return err;
}

/*
 * Check again: has the file to be replaced changed, or is it being recorded, since the first check?
 */
static int check_again(const struct writer_file *f)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (!f->replaces)
		return 0;
	fd = place_open(&f->place, "", O_RDONLY);
	if (fd == -ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st) || !place_same(&st, &f->old) || vfs_is_recorded(fd))
		return -EEXIST;
	return 0;
}

int writer_file_publish(struct writer_file *f)
{
	int err;

	if (f->named)
		return 0;
	err = check_again(f);
	if (!err)
		err = remove_old(
			f); /* first: an old journal must never lie beside the new capture */
	if (!err)
		err = f->replaces ? place_replace(&f->place, f->fd) : place_name(&f->place, f->fd);
	if (err == -EEXIST || err == -ESTALE)
		return log_error(
			EEXIST,
			"cannot create %s: another file was put there meanwhile; " OTHER_NAME,
			f->path);
	if (err)
		return say_cannot_create(f->path, err);
	set_named(f);
	return 0;
}

/* ---- is it still there? ---- */

/* Ask the kernel where the file is now. False if it has no name that we can find. */
static bool find_now(const struct writer_file *f, const struct stat *ours, char *now, size_t size)
{
	char self[32];
	struct stat st;
	ssize_t len;

	snprintf(self, sizeof(self), "/proc/self/fd/%d", f->name_fd);
	len = readlink(self, now, size - 1);
	if (len <= 0)
		return false;
	now[len] = '\0';
	return !lstat(now, &st) && place_same(&st, ours);
}

static int say_lost(const struct writer_file *f, const struct stat *ours, bool whole)
{
	struct stat there;
	bool other = !lstat(f->path, &there);
	char now[PATH_MAX];

	if (!ours->st_nlink)
		return log_error(ESTALE,
				 "%s was %s while it was recorded: the recording is lost; record "
				 "anew, where nobody else removes files",
				 f->path, other ? "replaced by another file" : "removed");
	if (!find_now(f, ours, now, sizeof(now)))
		return log_error(ESTALE,
				 "%s was moved while it was recorded: find it with: find / -xdev "
				 "-inum %llu%s",
				 f->path, (unsigned long long)ours->st_ino,
				 whole ? "" : "; the recording ends here");
	return log_error(
		ESTALE,
		"%s was moved to %s while it was recorded%s%s; read it with: kmemtrace "
		"report %s",
		f->path, now, other ? ", and another file is in its place" : "",
		whole ? ": the capture is complete" : ": the recording ends here, incomplete", now);
}

int writer_file_check(const struct writer_file *f, bool whole)
{
	struct stat ours, there;

	if (!f->named || fstat(f->fd, &ours))
		return 0;
	if (!lstat(f->path, &there) && place_same(&ours, &there))
		return 0;
	return say_lost(f, &ours, whole);
}

/* ---- the end ---- */

/*
 * Give a capture recorded through sudo to the user who called sudo. We created the file, so it is
 * nobody else's, and its descriptor is used, so no path can be swapped. But a file in a directory
 * of root can have a meaning there (/etc/ld.so.conf.d) and must not become writable for a user who
 * could not have created it. So this is done only if the user could have created the file. It is
 * done last, because the owner of a file can change what SQLite reads back from it.
 */
void writer_file_hand_over(const struct writer_file *f)
{
	struct stat dir;
	uid_t uid;
	gid_t gid;

	if (!f->named || !invoker_read(&uid, &gid) || fstat(f->place.dir, &dir))
		return;
	if (dir.st_uid != uid && !(dir.st_mode & S_IWOTH))
		return;
	if (fchown(f->fd, uid, gid))
		log_debug("cannot give %s to user %u (%s)", f->path, uid, strerror(errno));
}

void writer_file_remove(const struct writer_file *f)
{
	struct stat ours;

	if (f->named && !fstat(f->fd, &ours))
		place_remove(&f->place, "", &ours);
}

void writer_file_close(struct writer_file *f)
{
	vfs_free(f->vfs);
	if (f->fd >= 0)
		close(f->fd);
	if (f->name_fd >= 0)
		close(f->name_fd);
	place_close(&f->place);
	free(f->path);
	*f = (struct writer_file){.place = PLACE_NONE, .fd = -1, .name_fd = -1};
}
