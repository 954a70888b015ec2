/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that /proc/meminfo does not show but another file in /proc or /sys counts. Read once by a
 * live `balance`; −1 if this machine does not tell.
 */
#ifndef KMEMTRACE_PROC_UNLISTED_H
#define KMEMTRACE_PROC_UNLISTED_H

#include <stddef.h>

#include "data/unlisted.h"

/*
 * Pure parsers; values that are not found stay unchanged. The boot messages give one CPU's part of
 * percpu_first_pages.
 */
void sockstat_parse(const char *buf, size_t len, struct unlisted *out);
void boot_messages_parse(const char *buf, size_t len, struct unlisted *out);

/* Read all from the trees at proc_root and sys_root. Never fails. */
void unlisted_read(const char *proc_root, const char *sys_root, struct unlisted *out);

#endif
