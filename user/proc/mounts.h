/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a file system is mounted, from /proc/self/mounts. Used to find the trees of cgroups. */
#ifndef KMEMTRACE_PROC_MOUNTS_H
#define KMEMTRACE_PROC_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

/*
 * The first mount of this type that has this option ("": any options). Returns 0, or −errno with
 * dst untouched: −ENOENT if there is none.
 */
int mount_find(const char *proc_root, const char *type, const char *option, char *dst, size_t size);

/* The same, but the nth such mount, counted from 0. */
struct mount_query {
	const char *proc_root, *type, *option;
	size_t nth;
};
int mount_find_nth(const struct mount_query *q, char *dst, size_t size);

/* Is `item` in a list such as "cpu,memory"? "" is only in the empty list. */
bool list_has(struct text list, const char *item);

#endif
