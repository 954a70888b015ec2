/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What SQLite sees of the file system: one capture and its journal, by descriptors. SQLite itself
 * would open, create and remove files by path, and follow whatever lies there by then; through this
 * VFS it gets a file that is already open, makes a journal in the directory that is already open,
 * and can reach nothing else. writer.c and reader.c use it; nothing else opens a capture.
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
#define VFS_CAPTURE_MAX (INT64_C(16) << 30) /* bytes of a capture that is read … */
#define VFS_JOURNAL_MAX (INT64_C(2) << 30)  /* … and of a journal that is rolled back */

struct vfs;

/* Why a journal beside a capture was not rolled back. */
enum vfs_refusal {
	VFS_FINE,
	VFS_NOT_REGULAR, /* a FIFO, a symbolic link, a directory */
	VFS_FOREIGN,     /* it belongs to somebody else than the capture */
	VFS_TOO_LARGE,
	VFS_NAMES_FILES, /* it ends in a name, which rolling back has SQLite delete */
	VFS_NO_ROOM,     /* in $TMPDIR */
	VFS_NO_TEMPORARY,
	VFS_TOO_SLOW
};

/*
 * For a capture that is written: `fd`, O_RDWR, is the file, and `place` where it is or will be.
 * Both stay the caller's and must outlive the VFS. Its journal has no name until vfs_is_named().
 */
int vfs_new_writer(const struct place *place, int fd, struct vfs **out);
void vfs_is_named(struct vfs *v);

/*
 * For one that is read: nothing is written, to whatever SQLite writes. What rolls back a journal
 * goes into a file without a name in $TMPDIR and is read from there. Rolling back ends at
 * `deadline` (CLOCK_PROCESS_CPUTIME_ID).
 */
int vfs_new_reader(const struct place *place, int fd, const struct timespec *deadline,
		   struct vfs **out);
enum vfs_refusal vfs_refusal(const struct vfs *v);
int vfs_errno(const struct vfs *v); /* of VFS_NO_TEMPORARY and VFS_NO_ROOM */
/* The first bytes of the file as SQLite sees it: after a rollback. Their number, or −errno. */
ssize_t vfs_head(struct vfs *v, void *buf, size_t len);

/* Open the one database there is. SQLite's code; *db may be set even so, and is to be closed. */
int vfs_open(struct vfs *v, sqlite3 **db);
/* After sqlite3_close(). NULL is fine. */
void vfs_free(struct vfs *v);

/* Is there a file that SQLite could take for a journal, or a -wal, beside the capture? */
bool vfs_has_beside(const struct place *place, const char *suffix);

/*
 * "This file is being recorded": a lock that the recorder holds from the creation of the file to
 * its end, however that comes. It is on a byte that SQLite never locks, so readers do not mind it.
 */
int vfs_recording_begin(int fd);
bool vfs_is_recorded(int fd);

#endif
