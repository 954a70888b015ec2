// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads /proc/PID/cmdline, but only as much as is wanted: a process can put megabytes there. See
 * process.h.
 */
#include "proc/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

#include "base/cleanup.h"

int process_cmdline(const char *proc_root, pid_t pid, char *dst, size_t size)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];
	size_t len = 0;
	ssize_t got;

	dst[0] = '\0';
	if (snprintf(path, sizeof(path), "%s/%d/cmdline", proc_root, (int)pid) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (len < size - 1 && (got = read(fd, dst + len, size - 1 - len)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			dst[0] = '\0';
			return -errno;
		}
		len += (size_t)got;
	}
	while (len && dst[len - 1] == '\0')
		len--;
	for (size_t i = 0; i < len; i++)
		if (dst[i] == '\0')
			dst[i] = ' ';
	dst[len] = '\0';
	return 0;
}
