// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rolls back without writing to the capture: what SQLite writes goes to an unnamed temporary file
 * and is read from there. It takes as much space as the journal has pages, and it can never be left
 * behind. Used by vfs.c for readers.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "capture/vfs_internal.h"

ssize_t vfs_read_fully(int fd, void *buf, size_t len, int64_t at)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, (char *)buf + done, len - done, at + (int64_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int vfs_write_fully(int fd, const void *buf, size_t len, int64_t at)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pwrite(fd, (const char *)buf + done, len - done, at + (int64_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -ENOSPC;
		done += (size_t)n;
	}
	return 0;
}

#define OVERLAY_UNIT 512 /* SQLite's smallest page size */

/* Refuse without space for twice the journal, so that the host does not run out of space because of
 * us. */
static int check_room(struct vfs *v, int fd)
{
	struct statvfs fs;

	if (fstatvfs(fd, &fs))
		return -errno;
	if ((double)fs.f_bavail * (double)fs.f_frsize < 2.0 * (double)v->journal_size) {
		v->refusal = VFS_NO_ROOM;
		return -ENOSPC;
	}
	return 0;
}

static int begin(struct vfs *v)
{
	struct overlay *o = &v->overlay;
	_cleanup_close_ int fd = -1;
	uint8_t *changed;
	struct stat st;
	int err;

	if (o->on)
		return 0;
	if (fstat(v->fd, &st))
		return -errno;
	if (st.st_size > VFS_CAPTURE_MAX)
		return -EFBIG;
	fd = place_temporary();
	err = fd < 0 ? fd : check_room(v, fd);
	if (err) {
		if (!v->refusal)
			v->refusal = VFS_NO_TEMPORARY;
		v->last_errno = -err;
		return err;
	}
	changed = calloc(VFS_CAPTURE_MAX / OVERLAY_UNIT / 8, 1);
	if (!changed)
		return -ENOMEM;
	*o = (struct overlay){.on = true,
			      .fd = TAKE_FD(fd),
			      .changed = changed,
			      .size = st.st_size,
			      .below = st.st_size};
	return 0;
}

static bool is_changed(const struct overlay *o, int64_t at)
{
	int64_t unit = at / OVERLAY_UNIT;

	return o->changed[unit / 8] & 1 << unit % 8;
}

/*
 * The number of bytes from `at` on, up to `most`, that come from the same file (overlay or
 * capture).
 */
static size_t alike(const struct overlay *o, int64_t at, size_t most)
{
	size_t n = OVERLAY_UNIT - (size_t)(at % OVERLAY_UNIT);

	while (n < most && is_changed(o, at + (int64_t)n) == is_changed(o, at))
		n += OVERLAY_UNIT;
	return n < most ? n : most;
}

static int read_alike(struct vfs *v, char *buf, size_t len, int64_t at)
{
	const struct overlay *o = &v->overlay;
	ssize_t n = 0;

	if (is_changed(o, at))
		n = vfs_read_fully(o->fd, buf, len, at);
	else if (at < o->below)
		n = vfs_read_fully(v->fd, buf,
				   at + (int64_t)len > o->below ? (size_t)(o->below - at) : len,
				   at);
	if (n < 0)
		return (int)n;
	memset(buf + n, 0, len - (size_t)n); /* truncated, then extended again: zeros */
	return 0;
}

ssize_t overlay_read(struct vfs *v, void *buf, size_t len, int64_t at)
{
	const struct overlay *o = &v->overlay;
	size_t done = 0;

	if (at >= o->size)
		return 0;
	if ((int64_t)len > o->size - at)
		len = (size_t)(o->size - at);
	while (done < len) {
		int64_t from = at + (int64_t)done;
		size_t n = alike(o, from, len - done);
		int err = read_alike(v, (char *)buf + done, n, from);

		if (err)
			return err;
		done += n;
	}
	return (ssize_t)len;
}

int overlay_write(struct vfs *v, const void *buf, size_t len, int64_t at)
{
	struct overlay *o = &v->overlay;
	int err;

	if (at % OVERLAY_UNIT || len % OVERLAY_UNIT || at < 0 ||
	    at + (int64_t)len > VFS_CAPTURE_MAX)
		return -EFBIG;
	err = begin(v);
	if (!err)
		err = vfs_write_fully(o->fd, buf, len, at);
	if (err)
		return err;
	for (int64_t unit = at / OVERLAY_UNIT; unit < (at + (int64_t)len) / OVERLAY_UNIT; unit++)
		o->changed[unit / 8] |= 1 << unit % 8;
	if (at + (int64_t)len > o->size)
		o->size = at + (int64_t)len;
	return 0;
}

int overlay_truncate(struct vfs *v, int64_t size)
{
	struct overlay *o = &v->overlay;
	int err;

	if (size % OVERLAY_UNIT || size < 0 || size > VFS_CAPTURE_MAX)
		return -EFBIG;
	err = begin(v);
	if (err)
		return err;
	for (int64_t unit = size / OVERLAY_UNIT; unit * OVERLAY_UNIT < o->size; unit++)
		o->changed[unit / 8] &= ~(1 << unit % 8);
	o->size = size;
	if (o->below > size)
		o->below = size;
	return 0;
}

void overlay_free(struct vfs *v)
{
	if (v->overlay.fd >= 0)
		close(v->overlay.fd);
	free(v->overlay.changed);
}
