/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file named relative to its opened directory. The directory is opened once; the file and its
 * neighbours are then named relative to that descriptor. Swapping a part of the path must never
 * redirect what is created, read or removed. The capture's writer and reader use it.
 */
#ifndef KMEMTRACE_BASE_PLACE_H
#define KMEMTRACE_BASE_PLACE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "base/cleanup.h"

struct place {
	int dir; /* −1: none */
	char name[NAME_MAX + 1];
};

#define PLACE_NONE        \
	{                 \
		.dir = -1 \
	}

enum place_use {
	PLACE_READ,  /* symbolic links are followed: the place is the target's */
	PLACE_CREATE /* the last part is never followed, links on the way only if they are trusted
		      */
};

/*
 * Find the place of `path`. The file itself need not exist. Returns 0 or −errno with *out
 * untouched. −EPERM: with PLACE_CREATE, a symbolic link on the way belongs to neither root, the
 * caller, nor the user who called sudo. Close with place_close().
 */
int place_find(const char *path, enum place_use use, struct place *out);
void place_close(struct place *p);

/*
 * fstatat() of NAME + suffix in the directory, without following a symbolic link. Returns 0 or
 * −errno.
 */
int place_stat(const struct place *p, const char *suffix, struct stat *st);

/*
 * Open NAME + suffix, which must be a regular file. Never blocks, follows a link or opens a device.
 * Returns the descriptor, −EMEDIUMTYPE if it is not a regular file, or −errno.
 */
int place_open(const struct place *p, const char *suffix, int flags);

/* Create NAME + suffix, mode 0600; it must not exist. The descriptor (O_RDWR), or −errno. */
int place_create(const struct place *p, const char *suffix);

/*
 * Create an unnamed file in the directory (O_RDWR, mode 0600). It disappears with its last
 * descriptor. Returns −errno if the file system does not support that.
 */
int place_create_unnamed(const struct place *p);

/* Give an unnamed file the name NAME, which must not exist. Returns 0 or −errno. */
int place_name(const struct place *p, int fd);
/* The same, but replaces the existing file atomically: one of the two always exists. */
int place_replace(const struct place *p, int fd);

/*
 * Remove NAME + suffix if it is still the file `only`. Returns 0, −ESTALE if it is another file, or
 * −errno.
 */
int place_remove(const struct place *p, const char *suffix, const struct stat *only);

bool place_same(const struct stat *a, const struct stat *b);

/*
 * Create an unnamed file in $TMPDIR or /tmp (O_RDWR). It can never be left behind. Returns −errno
 * on failure.
 */
int place_temporary(void);
/* The directory it is in, for messages. */
const char *place_temporary_dir(void);

static inline void place_close_func(struct place *p)
{
	place_close(p);
}

#define _cleanup_place_ _cleanup_(place_close_func)

#endif
