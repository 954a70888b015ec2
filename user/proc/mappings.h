/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel memory that processes map: rings of perf events, packet sockets and io_uring, by the names
 * in /proc/PID/maps; and what they pinned (VmPin). A process that hangs with its mappings locked
 * would hang the reader, too: so a child reads, and is killed when it takes too long.
 */
#ifndef KMEMTRACE_PROC_MAPPINGS_H
#define KMEMTRACE_PROC_MAPPINGS_H

#include <stddef.h>

#include "data/unlisted.h"

struct mapping_totals {
	int64_t perf_kb, packet_kb, uring_kb, pinned_kb, most_pinned_kb;
	char pinned_by[UNLISTED_NAME + 16];
};

/* Pure: add what is in one process's maps, or in its status. */
void maps_parse(const char *buf, size_t len, struct mapping_totals *t);
void pinned_parse(const char *buf, size_t len, int pid, struct mapping_totals *t);

/* Fill out's perf_kb, packet_kb, uring_kb, pinned_kb and pinned_by, which stay unchanged when the
 * processes cannot be read in half a second. */
void mappings_read(const char *proc_root, struct unlisted *out);

#endif
