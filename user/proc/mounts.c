// SPDX-License-Identifier: GPL-2.0-only
/* Where a file system is mounted. See mounts.h. */
#include "proc/mounts.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/file_read.h"

/* Undo the octal escapes (\040 for a blank) of /proc/mounts, in place. */
static void mount_unescape(char *s)
{
	char *to = s;

	while (*s) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' &&
		    s[3] >= '0' && s[3] <= '7') {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
}

bool list_has(struct text list, const char *item)
{
	for (;;) {
		const char *comma = memchr(list.p, ',', list.len);
		struct text first = {list.p, comma ? (size_t)(comma - list.p) : list.len};

		if (text_is(first, item))
			return true;
		if (!comma)
			return false;
		list.len -= first.len + 1;
		list.p = comma + 1;
	}
}

/* Lines are "device mountpoint type options 0 0". */
int mount_find(const char *proc_root, const char *type, const char *option, char *dst, size_t size)
{
	return mount_find_nth(&(struct mount_query){proc_root, type, option, 0}, dst, size);
}

int mount_find_nth(const struct mount_query *q, char *dst, size_t size)
{
	_cleanup_free_ char *buf = NULL;
	struct text rest, line;
	char path[PATH_MAX];
	size_t len, seen = 0;
	int err;

	if (snprintf(path, sizeof(path), "%s/self/mounts", q->proc_root) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	err = file_read(path, &buf, &len);
	if (err)
		return err;
	rest = (struct text){buf, len};
	while (text_line(&rest, &line)) {
		struct text device, where, kind, options;

		if (!text_word(&line, &device) || !text_word(&line, &where) ||
		    !text_word(&line, &kind) || !text_word(&line, &options) ||
		    !text_is(kind, q->type) || (*q->option && !list_has(options, q->option)) ||
		    where.len >= size || seen++ < q->nth)
			continue;
		text_copy(where, dst, size);
		mount_unescape(dst);
		return 0;
	}
	return -ENOENT;
}
