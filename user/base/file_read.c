// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads whole small files into memory. Most /proc files fit the first buffer, so one or two read()
 * calls suffice. See file_read.h.
 */
#include "base/file_read.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"

#define FIRST_SIZE (32UL << 10)

int file_read_fd(int fd, char **buf, size_t *len)
{
	_cleanup_free_ char *data = NULL;
	size_t size = 0, n = 0;

	for (;;) {
		ssize_t got;

		if (n + 1 >= size) {
			char *bigger;

			if (size >= FILE_READ_MAX)
				return -EFBIG;
			size = size ? 2 * size : FIRST_SIZE;
			bigger = realloc(data, size);
			if (!bigger)
				return -ENOMEM;
			data = bigger;
		}
		got = read(fd, data + n, size - n - 1);
		if (got < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (!got)
			break;
		n += (size_t)got;
	}
	data[n] = '\0';
	*buf = TAKE_PTR(data);
	*len = n;
	return 0;
}

int file_read_pieces(int fd, file_take_t take, void *arg)
{
	_cleanup_free_ char *data = malloc(FILE_PIECE);
	size_t n = 0;
	ssize_t got, taken;

	if (!data)
		return -ENOMEM;
	do {
		got = read(fd, data + n, FILE_PIECE - n);
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got < 0)
			return -errno;
		n += (size_t)got;
		taken = n ? take(data, n, !got, arg) : 0;
		if (!taken && n == FILE_PIECE)
			taken = take(data, n, true, arg);
		if (taken < 0)
			return (int)taken;
		n -= (size_t)taken;
		memmove(data, data + taken, n);
	} while (got);
	return 0;
}

int file_open(const char *path)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (stat(path, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EMEDIUMTYPE;
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return -errno;
	return S_ISREG(st.st_mode) ? TAKE_FD(fd) : -EMEDIUMTYPE;
}

const char *file_why(int err)
{
	return err == EMEDIUMTYPE ? "it is not a regular file" : strerror(err);
}

int file_read(const char *path, char **buf, size_t *len)
{
	_cleanup_close_ int fd = file_open(path);
	struct stat st;

	if (fd < 0)
		return fd;
	if (!fstat(fd, &st) && (uint64_t)st.st_size > FILE_READ_MAX)
		return -EFBIG; /* before allocating memory for it */
	return file_read_fd(fd, buf, len);
}

size_t file_whole_lines(const char *buf, size_t len, bool last)
{
	while (!last && len && buf[len - 1] != '\n')
		len--;
	return len;
}

int file_read_line(const char *dir, const char *name, char *dst, size_t size)
{
	_cleanup_free_ char *buf = NULL;
	struct text rest, line = {"", 0};
	char path[PATH_MAX];
	size_t len = 0;
	int err;

	dst[0] = '\0';
	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	err = file_read(path, &buf, &len);
	if (err)
		return err;
	rest = (struct text){buf, len};
	text_line(&rest, &line);
	while (line.len && text_is_blank(line.p[line.len - 1]))
		line.len--;
	text_copy(line, dst, size);
	return 0;
}
