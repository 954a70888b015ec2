/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * --fail-if-growth POOL=SIZE[/TIME]: how much a pool may grow before a script is told. Without a
 * time the growth itself counts, with one the rate. Pure.
 */
#ifndef KMEMTRACE_FINDINGS_GROWTH_LIMIT_H
#define KMEMTRACE_FINDINGS_GROWTH_LIMIT_H

#include <stdbool.h>
#include <stddef.h>

#define GROWTH_LIMITS_MAX 16
#define GROWTH_LIMIT_POOLS \
	"Slab, VmallocUsed, KernelStack, PageTables, SecPageTables, Percpu or Unaccounted"

struct growth_limit {
	const char *pool; /* as in the ledger */
	double bytes;
	double seconds; /* 0: of the growth as a whole */
};

/*
 * "Slab=16M", "kstack=1M/1h": names of the ledger or of a pool, any case; the size has a unit, or
 * is 0. 0, −EINVAL, or −ENOMSG: the unit is missing.
 */
int growth_limit_parse(const char *text, struct growth_limit *out);

/* What was measured of a pool: bytes it grew by, and bytes a second. NaN: not measured. */
struct growth_limit_facts {
	double grown, rate;
};

/* 1: grown beyond the gate; 0: not; −ENODATA: that was not measured. */
int growth_limit_check(const struct growth_limit *g, const struct growth_limit_facts *facts);

/* "Slab grew by 20.0 MiB, more than 16.0 MiB". Returns buf. */
char *growth_limit_describe(const struct growth_limit *g, const struct growth_limit_facts *facts,
			    char *buf, size_t size);

#endif
