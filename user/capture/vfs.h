/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What SQLite sees of the file system: one capture and its journal, by descriptors. SQLite's own
 * VFS opens, creates and removes files by path, and would follow whatever was put there meanwhile.
 * This one gives it a file that is already open and a journal in a directory that is already open,
 * and must never let it reach anything else. Only writer.c and reader.c use it; nothing else opens
 * a capture.
 */
#ifndef KMEMTRACE_CAPTURE_VFS_H
#define KMEMTRACE_CAPTURE_VFS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/place.h"

#define VFS_JOURNAL     "-journal"
#define VFS_WAL         "-wal"
#define VFS_CAPTURE_MAX (INT64_C(16) << 30) /* largest capture that is read */
#define VFS_JOURNAL_MAX (INT64_C(2) << 30)  /* largest journal that is rolled back */

struct vfs;

/* Why a journal beside a capture was not rolled back. */
enum vfs_refusal {
	VFS_FINE,
	VFS_NOT_REGULAR, /* a FIFO, a symbolic link, a directory */
	VFS_FOREIGN,     /* its owner is neither root nor the capture's owner */
	VFS_TOO_LARGE,
	VFS_NAMES_FILES, /* it names a file that SQLite would delete */
	VFS_NO_ROOM,     /* in $TMPDIR */
	VFS_NO_TEMPORARY,
	VFS_TOO_SLOW
};

/*
 * For writing a capture: `fd` (O_RDWR) is the file, `place` where it is or will be. The VFS borrows
 * both; they must outlive it. The journal has no name until vfs_is_named().
 */
int vfs_new_writer(const struct place *place, int fd, struct vfs **out);
void vfs_is_named(struct vfs *v);

/*
 * For reading a capture: nothing is written to it. What SQLite writes to roll back a journal goes
 * to an unnamed file in $TMPDIR and is read from there. Rolling back stops at `deadline`
 * (CLOCK_PROCESS_CPUTIME_ID).
 */
int vfs_new_reader(const struct place *place, int fd, const struct timespec *deadline,
		   struct vfs **out);
enum vfs_refusal vfs_refusal(const struct vfs *v);
int vfs_errno(const struct vfs *v); /* the errno of VFS_NO_TEMPORARY and VFS_NO_ROOM */
/*
 * Read the first bytes of the file as SQLite sees it, after a rollback. Returns their number or
 * −errno.
 */
ssize_t vfs_head(struct vfs *v, void *buf, size_t len);

/* Open the database. Returns SQLite's code. Close *db if it is set, even after an error. */
int vfs_open(struct vfs *v, sqlite3 **db);
/* After sqlite3_close(). NULL is fine. */
void vfs_free(struct vfs *v);

/* Is there a file beside the capture that SQLite could take for a journal or a -wal? */
bool vfs_has_beside(const struct place *place, const char *suffix);

/*
 * The lock that means "this file is being recorded". The recorder holds it from creation until it
 * ends, even if killed. It is on a byte that SQLite never locks, so it does not disturb readers.
 */
int vfs_recording_begin(int fd);
bool vfs_is_recorded(int fd);

#endif
