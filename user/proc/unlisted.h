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

/* The number after the first word that is `name`, in a file of lines "name value", "name 4 value"
 * or "name: value": arcstats, hv-balloon, vmmemctl, ttm/page_pool. −1 where there is none. */
int64_t table_value_parse(const char *buf, size_t len, const char *name);

/* The first balloon driver among the modules of /proc/modules. */
void modules_parse(const char *buf, size_t len, struct unlisted *out);

/* /proc/allocinfo: the largest places that allocate whole pages that no line of /proc/meminfo
 * counts. */
void allocinfo_parse(const char *buf, size_t len, uint64_t page_bytes, struct unlisted *out);

/* As unlisted_read(), from a copy of /proc alone. */
void unlisted_read_copy(const char *proc_root, struct unlisted *out);

/* Read all from the trees at proc_root and sys_root. Never fails. */
void unlisted_read(const char *proc_root, const char *sys_root, struct unlisted *out);

#endif
