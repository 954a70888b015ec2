/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How much memory a recording may take here, and how large each table is within that. A pure
 * function, so that `doctor` can say beforehand what `record` will take, and so that a machine of
 * 512 CPUs, or one with 30 MiB left, can be tried on one of two CPUs.
 */
#ifndef KMEMTRACE_TRACE_SIZES_H
#define KMEMTRACE_TRACE_SIZES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the recorder takes beside its tables: most of it while the programs are loaded, for the
 * kernel's types, later for the names of functions (docs/performance.md has the measurement).
 */
#define SIZES_PROCESS (28ull << 20)
/* No map is larger: making one stalls a CPU, see KMT_PART_BITS. The live table consists of parts.
 */
#define SIZES_MAP_MOST    (24ull << 20)
#define SIZES_GROUPS_MOST 65536

struct sizes_request {
	uint64_t memory;    /* --memory: bytes for all tables; 0: a default for the mode and the
			       machine */
	uint64_t mem_total; /* of the machine, in bytes */
	uint64_t available; /* that can be had now, in bytes (proc/available.h); 0: not known, and
			       no limit */
	char cgroup[128];   /* whose limit that is; "": MemAvailable */
	uint32_t cpus;      /* possible CPUs */
	bool exact;
	uint64_t max_live; /* --max-live: objects that must fit; 0: as many as there is room for */
};

struct sizes {
	uint32_t live_bits; /* log2 of the rows of each table */
	uint32_t stack_bits;
	uint32_t memo_bits;
	uint32_t process_bits;
	uint32_t tallies;   /* rows for each CPU */
	uint32_t nest;      /* scratch rows for each CPU */
	uint32_t groups;    /* rows that the recorder makes of the live objects: one for each path,
			       process and cache */
	uint64_t live;      /* objects that fit for certain; a quarter more may */
	uint64_t memory;    /* the limit that was kept, */
	uint64_t bytes;     /* and what is used of it */
	uint64_t most;      /* the most that tables may take here: half of what is available beside
			       SIZES_PROCESS */
	uint64_t most_live; /* and the objects that fit in that */
};

/*
 * Returns 0; −E2BIG when the smallest tables (or --max-live) do not fit in --memory; −ENOMEM when
 * they, or --memory, are more than this machine can spare. On failure *out holds the smallest
 * tables, out->bytes what they would take.
 */
int sizes_plan(const struct sizes_request *request, struct sizes *out);

/* Why sizes_plan() returned `err`, and what to do about it: a sentence without a full stop. */
void sizes_why(const struct sizes_request *request, const struct sizes *s, int err, char *why,
	       size_t size);

/*
 * After the kernel had no memory for tables of `failed` bytes: ask for half of that in *request.
 * False when that is less than the smallest tables take, or less than what --memory or --max-live
 * asked for.
 */
bool sizes_retreat(const struct sizes_request *asked, uint64_t failed,
		   struct sizes_request *request);

#endif
