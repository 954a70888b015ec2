/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages that network drivers keep for received packets (page pools): netlink's "netdev" family,
 * page-pool-get, kernels from 6.8 on; only those of this network namespace.
 */
#ifndef KMEMTRACE_PROC_PAGE_POOLS_H
#define KMEMTRACE_PROC_PAGE_POOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Pure: add the inflight memory of the pools in one datagram of answers. True when the list ends
 * with it; *bytes is then complete, or −1 when the kernel refused. */
bool page_pools_parse(const void *buf, size_t len, int64_t *bytes);

/* Bytes in page pools, −1 where the kernel does not say. */
int64_t page_pools_read(void);

#endif
