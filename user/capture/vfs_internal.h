/* SPDX-License-Identifier: GPL-2.0-only */
/* Internals of the VFS, shared by vfs.c and vfs_overlay.c only. */
#ifndef KMEMTRACE_CAPTURE_VFS_INTERNAL_H
#define KMEMTRACE_CAPTURE_VFS_INTERNAL_H

#include "capture/vfs.h"

/* Writes to a capture being read. They go to a sparse temporary file at the same offsets. */
struct overlay {
	bool on;
	int fd;
	uint8_t *changed; /* one bit per OVERLAY_UNIT bytes */
	int64_t size;     /* file size as SQLite sees it */
	int64_t below;    /* below this offset, unchanged bytes come from the capture */
};

enum vfs_file_kind { VFS_FILE_MAIN, VFS_FILE_JOURNAL, VFS_FILE_TEMPORARY };

struct vfs {
	sqlite3_vfs sqlite;
	char name[32];
	sqlite3_vfs *base; /* for time, sleep and chance */
	const struct place *place;
	int fd;
	int last_errno;
	/* writing */
	bool named;          /* the capture has its name, and so has the journal */
	bool journal_named;  /* there is a journal, and it has a name */
	struct stat journal; /* the file that is the journal */
	bool warned;
	/* reading */
	bool reading;
	struct timespec deadline;
	bool journal_done;    /* rolled back: hidden from now on */
	int64_t journal_size; /* when it was opened */
	enum vfs_refusal refusal;
	struct overlay overlay;
};

struct vfs_file {
	sqlite3_file base;
	struct vfs *v;
	int fd;
	enum vfs_file_kind kind;
	int lock;
};

/* Returns the bytes read, fewer only at the end of the file, or −errno. */
ssize_t vfs_read_fully(int fd, void *buf, size_t len, int64_t at);
int vfs_write_fully(int fd, const void *buf, size_t len, int64_t at);

ssize_t overlay_read(struct vfs *v, void *buf, size_t len, int64_t at);
int overlay_write(struct vfs *v, const void *buf, size_t len, int64_t at);
int overlay_truncate(struct vfs *v, int64_t size);
void overlay_free(struct vfs *v);

#endif
