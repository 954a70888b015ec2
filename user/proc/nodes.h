/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Levels by NUMA node, from /sys/devices/system/node and the node counts of /proc/vmallocinfo. Only
 * on machines with memory in more than one node: elsewhere they say nothing new. `record` reads
 * them at both ends, `balance` once.
 */
#ifndef KMEMTRACE_PROC_NODES_H
#define KMEMTRACE_PROC_NODES_H

#include "data/snapshot.h"

/*
 * Pure parser of nodeN/meminfo ("Node 0 MemTotal: 4 kB"): appends to `out` what belongs to `node`.
 * Returns 0 or −ENOMEM.
 */
int node_meminfo_parse(const char *buf, size_t len, int node, struct node_levels *out);

/* Fill s->nodes, also from s->vmallocs, which must have been read. Returns 0 or −ENOMEM. */
int nodes_read(const char *sys_root, struct snapshot *s);

#endif
