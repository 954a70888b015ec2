/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who has pages that no line of /proc/meminfo counts: pipes, rings of packet sockets and of perf
 * events, found by way of open files (bpf/origins.bpf.c). What only a mapping keeps, whose file is
 * closed, is not found.
 */
#ifndef KMEMTRACE_TRACE_ORIGINS_H
#define KMEMTRACE_TRACE_ORIGINS_H

#include <stddef.h>

#include "data/census.h"
#include "kmemtrace.h"

struct origins_found; /* what has been added */

/* NULL if memory is short. */
struct origins_found *origins_new(void);
void origins_free(struct origins_found *f);

/*
 * Add records. An object that several processes have is added once, to the process that was first.
 * Returns 0 or −ENOMEM.
 */
int origins_add(struct origins_found *f, const struct kmt_origin *records, size_t nr);

/* Add a row for each kind and name of process, the largest first. Returns 0 or −ENOMEM. */
int origins_finish(struct origins_found *f, struct census_origins *out);

/*
 * The programs that read them from the kernel. origins_load() returns 0, or −errno where the kernel
 * allows no such programs; origins_read() adds rows, and returns 0, or −errno after adding none.
 * Loading needs more privileges than reading.
 */
struct origins_bpf;
int origins_load(const char *btf_path, struct origins_bpf **out);
int origins_read(const struct origins_bpf *skel, struct census_origins *out);
void origins_unload(struct origins_bpf *skel);

#endif
