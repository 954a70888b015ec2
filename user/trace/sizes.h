/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How much memory a recording may take, and how large each table is within that. Called by
 * tracer.c, also for `doctor`, which prints it before anything is recorded. A pure function that
 * must never read the machine itself: tests run it for 512 CPUs, or 30 MiB of free memory.
 */
#ifndef KMEMTRACE_TRACE_SIZES_H
#define KMEMTRACE_TRACE_SIZES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Memory of the recorder besides its tables. It peaks while loading the programs (kernel types);
 * later it is mostly function names. Measured: docs/performance.md.
 */
#define SIZES_PROCESS (28ull << 20)
/*
 * The largest map. Creating a map stalls a CPU (see KMT_PART_BITS), so the live table is split into
 * parts.
 */
#define SIZES_MAP_MOST    (24ull << 20)
#define SIZES_GROUPS_MOST 65536

struct sizes_request {
	uint64_t memory;    /* --memory: bytes for all tables; 0: a default that depends on mode and
			       machine */
	uint64_t mem_total; /* bytes of the machine */
	uint64_t available; /* bytes available now (proc/available.h); 0: unknown, no limit */
	char cgroup[128];   /* the cgroup whose limit that is; "": MemAvailable */
	uint32_t cpus;      /* possible CPUs */
	bool exact;
	bool every;        /* exact to the end: nothing is ever sampled */
	uint64_t max_live; /* --max-live: objects that must fit; 0: as many as fit */
};

struct sizes {
	uint32_t live_bits; /* log2 of the rows of each table */
	uint32_t stack_bits;
	uint32_t memo_bits;
	uint32_t process_bits;
	uint32_t tallies;     /* rows for each CPU */
	uint32_t strata_cpus; /* CPUs that have strata of their own; 0: every object is tracked */
	uint32_t nest;        /* scratch rows for each CPU */
	uint32_t groups;    /* rows of the recorder's own sums: one per stack, process and cache */
	uint64_t live;      /* objects certain to fit; up to a quarter more may fit */
	uint64_t memory;    /* the limit in bytes */
	uint64_t bytes;     /* bytes used of it */
	uint64_t most;      /* the most the tables may take: half of what is available after
			       SIZES_PROCESS */
	uint64_t most_live; /* objects that fit in `most` bytes */
};

/*
 * Returns 0; −E2BIG if the smallest tables (or --max-live) do not fit in --memory; −ENOMEM if the
 * machine cannot spare the smallest tables or as much as --memory asks for. On failure *out holds
 * the smallest tables and out->bytes their size.
 */
int sizes_plan(const struct sizes_request *request, struct sizes *out);

/* Write to `why` why sizes_plan() returned `err` and what to do: a sentence without a full stop. */
void sizes_why(const struct sizes_request *request, const struct sizes *s, int err, char *why,
	       size_t size);

/*
 * Retry after the kernel had no memory for tables of `failed` bytes: *request asks for half of
 * that. False if half is less than the smallest tables need, or less than --memory or --max-live
 * asked for.
 */
bool sizes_retreat(const struct sizes_request *asked, uint64_t failed,
		   struct sizes_request *request);

#endif
