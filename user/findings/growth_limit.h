/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * --fail-if-growth POOL=SIZE[/TIME]: parses a limit and checks what was measured against it.
 * Without TIME, it limits the growth itself; with TIME, the rate. report and diff call it, and
 * args.c prints what it finds. Pure.
 */
#ifndef KMEMTRACE_FINDINGS_GROWTH_LIMIT_H
#define KMEMTRACE_FINDINGS_GROWTH_LIMIT_H

#include "diff/diff.h"
#include "model/ledger.h"

#define GROWTH_LIMITS_MAX 16
#define GROWTH_LIMIT_POOLS \
	"Slab, VmallocUsed, KernelStack, PageTables, SecPageTables, Percpu, UnmappedLRU or Unaccounted"

struct growth_limit {
	const char *pool; /* as in the ledger */
	double bytes;
	double seconds; /* of TIME; 0 without it */
};

struct growth_limits {
	struct growth_limit items[GROWTH_LIMITS_MAX];
	size_t nr;
};

/*
 * Parse "Slab=16M" or "kstack=1M/1h": the ledger's name or the pool's, in any case; the size needs
 * a unit unless it is 0. Returns 0, −EINVAL, or −ENOMSG when the unit is missing.
 */
int growth_limit_parse(const char *text, struct growth_limit *out);

/* What was measured: bytes of growth, and bytes per second. NaN: not measured. */
struct growth_limit_facts {
	double grown, rate;
};

/* The growth of the limit's pool in a recording, or from one to another. */
struct growth_limit_facts growth_limit_of_ledger(const struct growth_limit *g,
						 const struct ledger *l, double duration_s);
struct growth_limit_facts growth_limit_of_diff(const struct growth_limit *g, const struct diff *d);

/* 1: beyond the limit; 0: within it; −ENODATA: the growth was not measured. */
int growth_limit_check(const struct growth_limit *g, const struct growth_limit_facts *facts);

/* "Slab grew by 20.0 MiB, more than 16.0 MiB". Returns buf. */
char *growth_limit_describe(const struct growth_limit *g, const struct growth_limit_facts *facts,
			    char *buf, size_t size);

#endif
