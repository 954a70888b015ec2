/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An attacker with perfect timing. `attack` is called before each system call that names a file, in
 * this program and in libsqlite3: the functions here replace those of libc. Include it in one file
 * only, before anything that declares these functions with other attributes.
 */
#ifndef TESTS_UNIT_ATTACKER_H
#define TESTS_UNIT_ATTACKER_H

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void (*attack)(int step); /* NULL: nobody is there */
static int attack_step;
static bool attack_tmpfile; /* the file system has no unnamed files */

static void attack_now(void)
{
	void (*now)(int) = attack;

	if (!now)
		return;
	attack = NULL; /* system calls of the attacker are no steps */
	now(attack_step++);
	attack = now;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define MODE_OF(flags, mode)                                       \
	if ((flags)&O_CREAT || ((flags)&O_TMPFILE) == O_TMPFILE) { \
		va_list ap;                                        \
		va_start(ap, flags);                               \
		(mode) = va_arg(ap, mode_t);                       \
		va_end(ap);                                        \
	}

int open(const char *path, int flags, ...)
{
	mode_t mode = 0;

	MODE_OF(flags, mode)
	attack_now();
	return REAL(open)(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	mode_t mode = 0;

	MODE_OF(flags, mode)
	attack_now();
	return REAL(open64)(path, flags, mode);
}

int openat(int at, const char *path, int flags, ...)
{
	mode_t mode = 0;

	MODE_OF(flags, mode)
	attack_now();
	if (attack_tmpfile && (flags & O_TMPFILE) == O_TMPFILE) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return REAL(openat)(at, path, flags, mode);
}

int unlink(const char *path)
{
	attack_now();
	return REAL(unlink)(path);
}

int unlinkat(int at, const char *path, int flags)
{
	attack_now();
	return REAL(unlinkat)(at, path, flags);
}

int linkat(int from_at, const char *from, int to_at, const char *to, int flags)
{
	attack_now();
	return REAL(linkat)(from_at, from, to_at, to, flags);
}

int renameat(int from_at, const char *from, int to_at, const char *to)
{
	attack_now();
	return REAL(renameat)(from_at, from, to_at, to);
}

/* ---- killed at the n-th write ---- */

static int kill_at = -1; /* half of this write is done, and then the process is killed */

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	if (kill_at < 0 || kill_at--)
		return REAL(pwrite)(fd, bytes, len, at);
	REAL(pwrite)(fd, bytes, len / 2, at);
	raise(SIGKILL);
	return -1;
}

#endif
