/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads the kernel's own levels out of /proc into a struct snapshot (data/snapshot.h). The parsers
 * are pure: (buf, len, out). Hostile lines are skipped and counted in `bad_lines`.
 */
#ifndef KMEMTRACE_PROC_SNAPSHOT_H
#define KMEMTRACE_PROC_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#include "data/input.h"
#include "data/snapshot.h"

/* Which files snapshot_read() reads. Other parts stay empty. */
enum snapshot_parts {
	SNAPSHOT_MEMINFO = 1 << 0,
	SNAPSHOT_VMSTAT = 1 << 1,
	SNAPSHOT_SLABINFO = 1 << 2,
	SNAPSHOT_ZONEINFO = 1 << 3,
	SNAPSHOT_VMALLOCINFO = 1 << 4,
	SNAPSHOT_COUNTERS = 1 << 6, /* counters of /proc/sys: see counters.c */
	SNAPSHOT_ALL = (1 << 5) - 1 + SNAPSHOT_COUNTERS,
	SNAPSHOT_REFRESHED =
		1 << 5 /* the caller has just called snapshot_refresh(), which takes a few ms */
};

int meminfo_parse(const char *buf, size_t len, struct named_values *out);
int vmstat_parse(const char *buf, size_t len, struct named_values *out);
int slabinfo_parse(const char *buf, size_t len, struct slab_levels *out);
int zoneinfo_parse(const char *buf, size_t len, struct zone_levels *out);
int vmallocinfo_parse(const char *buf, size_t len, struct vmalloc_levels *out);

/*
 * Add the numbers of the line to `out`. The nth number gets the nth name (NULL: skip it). 0 or
 * −ENOMEM.
 */
int counters_line_parse(const char *line, const char *const names[], size_t nr,
			struct named_values *out);
/* Add "kernel.threads" from the line of /proc/loadavg. 0 or −ENOMEM. */
int loadavg_parse(const char *line, struct named_values *out);
/* Add the counters of /proc/net/sockstat or sockstat6, or of /proc/key-users. 0 or −ENOMEM. */
int sockstat_counters_parse(const char *buf, size_t len, struct named_values *out);
int key_users_parse(const char *buf, size_t len, struct named_values *out);
/* Add all counters that the tree at `root` has. 0 or −ENOMEM. */
int counters_read(const char *root, struct named_values *out);

/*
 * The same from an open file. A host with a million areas has 100 MB of this text, so this reads it
 * piece by piece. Its memory grows only with the number of callers. Returns 0 or −errno.
 */
int vmallocinfo_read(int fd, struct vmalloc_levels *out);

/*
 * Make the kernel add its per-CPU counters to the totals, by root/sys/vm/stat_refresh. Does nothing
 * if the file is missing or forbidden.
 */
void snapshot_refresh(const char *root);

/*
 * Read one snapshot from the proc tree at `root` ("/proc", or a recorded tree), refreshed. Files
 * that may not be read (slabinfo and vmallocinfo need root) leave their part empty. The caller sets
 * t_s and kind. Returns 0, or −errno when /proc/meminfo cannot be read.
 */
int snapshot_read(const char *root, unsigned int parts, struct snapshot *out);

/*
 * Read a copy of /proc that somebody made. Changes by mail, chat and editors are undone where the
 * meaning is plain (proc/foreign.h). *report lists them, and the lines that could not be read; free
 * it with input_report_free(). *out has no time. Returns as snapshot_read().
 */
int snapshot_read_copy(const char *root, unsigned int parts, struct input_report *report,
		       struct snapshot *out);

#endif
