/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads /proc/allocinfo (CONFIG_MEM_ALLOC_PROFILING, from 6.10; Documentation/mm/
 * allocation-profiling.rst). Pure but for alloc_sites_read(). Hostile lines are skipped and
 * counted.
 */
#ifndef KMEMTRACE_PROC_ALLOCINFO_H
#define KMEMTRACE_PROC_ALLOCINFO_H

#include <stddef.h>

#include "data/alloc_records.h"

/*
 * Lines "BYTES CALLS FILE:LINE [MODULE] func:FUNCTION", after a first line "allocinfo - version:
 * N". Returns 0, −EINVAL if it is no such file, or −ENOMEM; then the outputs are unchanged.
 */
int alloc_sites_parse(const char *buf, size_t len, struct alloc_sites *out,
		      struct alloc_source *about);

/* The same from root/allocinfo. −ENOENT: this kernel has none. */
int alloc_sites_read(const char *root, struct alloc_sites *out, struct alloc_source *about);
/* Is it counting now? */
bool alloc_sites_counted(const char *root);

#endif
