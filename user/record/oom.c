// SPDX-License-Identifier: GPL-2.0-only
/* Reads and writes the recorder's oom_score_adj. See oom.h. */
#include "record/oom.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file_read.h"
#include "base/log.h"

#define OOM_FIRST 1000 /* OOM_SCORE_ADJ_MAX */
#define OOM_NONE  (OOM_FIRST + 1)

static int before = OOM_NONE;

static void adj_write(int value)
{
	_cleanup_close_ int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	char text[16];
	int len = snprintf(text, sizeof(text), "%d\n", value);

	if (fd < 0 || write(fd, text, (size_t)len) != len)
		log_debug("cannot set oom_score_adj to %d (%s)", value, strerror(errno));
}

void oom_first(void)
{
	char line[16];

	if (before == OOM_NONE) {
		if (file_read_line("/proc/self", "oom_score_adj", line, sizeof(line)) || !*line)
			return;
		before = atoi(line);
	}
	adj_write(OOM_FIRST);
}

void oom_as_before(void)
{
	if (before != OOM_NONE)
		adj_write(before);
}
