/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file by the directory that holds it. The directory is opened once; from then on the file and
 * what lies beside it are named relative to that descriptor, so that nobody who swaps a part of the
 * path can redirect what is created, read or removed. The capture's writer and reader use it.
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
	PLACE_READ,  /* a symbolic link is followed: the place is that of its target */
	PLACE_CREATE /* the last part is never followed; links on the way only when PLACE_TRUSTS
			them */
};

/*
 * Find the place of `path`. Returns 0 or −errno, *out then untouched. −EPERM: PLACE_CREATE met a
 * symbolic link that belongs to somebody other than root, the caller, or the user sudo was run by.
 * The file itself need not exist. Close with place_close().
 */
int place_find(const char *path, enum place_use use, struct place *out);
void place_close(struct place *p);

/* Of NAME + suffix in the directory; a symbolic link is not followed. 0 or −errno. */
int place_stat(const struct place *p, const char *suffix, struct stat *st);

/*
 * Open NAME + suffix, which must be a regular file: it neither blocks nor follows a link, and opens
 * no device. Returns the descriptor, −EMEDIUMTYPE for what is no regular file, or −errno.
 */
int place_open(const struct place *p, const char *suffix, int flags);

/* Create NAME + suffix, mode 0600; it must not exist. The descriptor (O_RDWR), or −errno. */
int place_create(const struct place *p, const char *suffix);

/*
 * A file without a name in the directory, O_RDWR, mode 0600; it goes with its last descriptor.
 * −errno where the file system has none.
 */
int place_create_unnamed(const struct place *p);

/* Give such a file the name NAME, which must be free. 0 or −errno. */
int place_name(const struct place *p, int fd);
/* The same in place of the file that is there: at once, so that there is always one of the two. */
int place_replace(const struct place *p, int fd);

/* Remove NAME + suffix if it is still the file `only`. 0, −ESTALE when it is another, or −errno. */
int place_remove(const struct place *p, const char *suffix, const struct stat *only);

bool place_same(const struct stat *a, const struct stat *b);

/* A file without a name in $TMPDIR or /tmp, O_RDWR, that nothing can leave behind; or −errno. */
int place_temporary(void);
/* The directory it is in, for messages. */
const char *place_temporary_dir(void);

static inline void place_close_func(struct place *p)
{
	place_close(p);
}

#define _cleanup_place_ _cleanup_(place_close_func)

#endif
