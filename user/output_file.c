// SPDX-License-Identifier: GPL-2.0-only
/* Writes a document to a file that the user named with -o: see output_file() in output.h. Nothing
 * at that path changes until the document is complete. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/place.h"
#include "output.h"

#define PART ".kmemtrace-part" /* suffix of the new file where it cannot be unnamed */

/* What is at the path now. */
enum target { TARGET_NEW, TARGET_FILE, TARGET_DATABASE, TARGET_DEVICE };

static enum target target_of(const char *path)
{
	static const char magic[16] = "SQLite format 3";
	_cleanup_close_ int fd = -1;
	char head[sizeof(magic)];
	struct stat st;

	if (stat(path, &st))
		return TARGET_NEW;
	if (!S_ISREG(st.st_mode))
		return TARGET_DEVICE;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0 && read(fd, head, sizeof(head)) == sizeof(head) &&
	    !memcmp(head, magic, sizeof(magic)))
		return TARGET_DATABASE;
	return TARGET_FILE;
}

static int file_failed(const char *what, const char *path, int err)
{
	if (err == ENOMEM)
		return log_error(err, "not enough memory to make the %s%s", what,
				 bounds_memory_hint());
	if ((err == EACCES || err == EPERM) && !getuid())
		return log_error(
			err,
			"cannot write the %s to %s: %s; this command needs no privilege and gives "
			"up root's, so run it without sudo, or use > %s",
			what, path, strerror(err), path);
	return log_error(err, "cannot write the %s to %s: %s", what, path, strerror(err));
}

/* Render into a descriptor, which is closed. Returns 0 or −errno. */
static int render_into(int fd, int (*render)(const void *arg, FILE *out), const void *arg)
{
	FILE *f = fdopen(fd, "w");
	int err;

	if (!f) {
		close(fd);
		return -ENOMEM;
	}
	setvbuf(f, NULL, _IOFBF, 64 << 10);
	errno = 0;
	err = render(arg, f);
	if (ferror(f) || fflush(f))
		err = errno ? -errno : -EIO;
	if (fclose(f) && !err)
		err = errno ? -errno : -EIO;
	return err;
}

/* A new file beside the place, with the permissions of any new file; *named: it has a name. */
static int part_create(const struct place *p, bool *named)
{
	mode_t mask = umask(0);
	int fd = place_create_unnamed(p);

	umask(mask);
	*named = false;
	if (fd == -EOPNOTSUPP || fd == -EISDIR || fd == -EINVAL) {
		fd = place_create(p, PART);
		*named = fd >= 0;
	}
	if (fd >= 0 && fchmod(fd, 0666 & ~mask))
		log_debug("cannot set the mode of the new file: %s", strerror(errno));
	return fd;
}

static int part_finish(const struct place *p, int fd, bool named)
{
	char part[NAME_MAX + 1];

	if (!named)
		return place_replace(p, fd);
	if (snprintf(part, sizeof(part), "%s%s", p->name, PART) > NAME_MAX)
		return -ENAMETOOLONG;
	return renameat(p->dir, part, p->dir, p->name) ? -errno : 0;
}

static int file_replace(const char *path, int (*render)(const void *arg, FILE *out),
			const void *arg)
{
	_cleanup_place_ struct place p = PLACE_NONE;
	_cleanup_close_ int fd = -1;
	struct stat st = {0};
	bool named = false;
	int err = place_find(path, PLACE_CREATE, &p), copy;

	if (err)
		return err;
	fd = part_create(&p, &named);
	if (fd < 0)
		return fd;
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	err = copy < 0 ? -errno : fstat(fd, &st) ? -errno : 0;
	err = err ?: render_into(copy, render, arg);
	err = err ?: part_finish(&p, fd, named);
	if (err && named)
		place_remove(&p, PART, &st);
	return err;
}

int output_file(const char *what, const char *path, int (*render)(const void *arg, FILE *out),
		const void *arg)
{
	int err, fd;

	if (!path || !strcmp(path, "-"))
		return output_document(what, render, arg);
	switch (target_of(path)) {
	case TARGET_DATABASE:
		return log_error(EEXIST,
				 "%s is a capture or another database, and the %s would replace "
				 "it: give another name, or remove the file first",
				 path, what);
	case TARGET_DEVICE: /* a pipe, /dev/stdout */
		fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
		err = fd < 0 ? -errno : render_into(fd, render, arg);
		break;
	default:
		err = file_replace(path, render, arg);
	}
	return err ? file_failed(what, path, -err) : 0;
}
