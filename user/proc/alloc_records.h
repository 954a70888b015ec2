/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads all that the kernel itself says about its allocations. /proc/allocinfo is small. The files
 * of debugfs are read only if asked for: while it writes alloc_traces, the kernel looks at all
 * objects of a cache with interrupts off, and each record of page_owner drains the CPUs' lists of
 * free pages.
 */
#ifndef KMEMTRACE_PROC_ALLOC_RECORDS_H
#define KMEMTRACE_PROC_ALLOC_RECORDS_H

#include <stdbool.h>

#include "data/alloc_records.h"
#include "data/census.h"

/* How long page_owner may be read, and alloc_traces of all caches; what of them is stored. */
#define ALLOC_PATHS_S     2.0
#define ALLOC_PATHS_KEPT  256
#define ALLOC_PATHS_CACHE 16
/* Caches with more objects are left out, because interrupts would be off for too long. */
#define ALLOC_OBJECTS_MOST 100000

/*
 * Read /proc/allocinfo, and with `paths` what debugfs has of the caches of the census, into
 * c->records, which is empty. Sources that this kernel does not have are left out. Returns 0, or
 * −ENOMEM; then c->records is unchanged.
 */
int alloc_records_read(const char *proc_root, const char *sys_root, bool paths, struct census *c);

/* Which of them this kernel has. */
void alloc_uses_read(const char *proc_root, const char *sys_root, struct alloc_uses *out);

#endif
