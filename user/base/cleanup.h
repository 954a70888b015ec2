/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scope-bound cleanup, as in systemd and bpfilter: a variable marked _cleanup_free_ is freed when
 * it leaves scope; TAKE_PTR() transfers ownership instead. Functions then need no goto.
 */
#ifndef KMEMTRACE_BASE_CLEANUP_H
#define KMEMTRACE_BASE_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free_func(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_close_func(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_fclose_func(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void cleanup_closedir_func(DIR **d)
{
	if (*d)
		closedir(*d);
}

#define _cleanup_(fn)      __attribute__((cleanup(fn)))
#define _cleanup_free_     _cleanup_(cleanup_free_func)
#define _cleanup_close_    _cleanup_(cleanup_close_func)
#define _cleanup_fclose_   _cleanup_(cleanup_fclose_func)
#define _cleanup_closedir_ _cleanup_(cleanup_closedir_func)

/* Return ptr and set it to NULL: the caller becomes the owner. */
#define TAKE_PTR(ptr)                           \
	({                                      \
		__typeof__(ptr) _taken = (ptr); \
		(ptr) = NULL;                   \
		_taken;                         \
	})

/* The same for a descriptor; it is set to −1. */
#define TAKE_FD(fd)                   \
	({                            \
		int _taken_fd = (fd); \
		(fd) = -1;            \
		_taken_fd;            \
	})

#endif
