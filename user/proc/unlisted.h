/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that no line of /proc/meminfo shows, where something else in /proc or /sys counts it. Read
 * once by `balance`, live; −1 where this machine does not say.
 */
#ifndef KMEMTRACE_PROC_UNLISTED_H
#define KMEMTRACE_PROC_UNLISTED_H

#include <stddef.h>

#include "data/unlisted.h"

/*
 * Pure parsers; what is not there is left as it was. The boot messages give one CPU's part of
 * percpu_first_pages.
 */
void sockstat_parse(const char *buf, size_t len, struct unlisted *out);
void boot_messages_parse(const char *buf, size_t len, struct unlisted *out);

/* Read all from the trees at proc_root and sys_root. Never fails. */
void unlisted_read(const char *proc_root, const char *sys_root, struct unlisted *out);

#endif
