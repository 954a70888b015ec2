/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How large each table is, for one limit on memory. A pure function, so that `doctor` can say
 * beforehand what `record` will take, and so that a machine of 512 CPUs can be tried on one of two.
 */
#ifndef KMEMTRACE_TRACE_SIZES_H
#define KMEMTRACE_TRACE_SIZES_H

#include <stdbool.h>
#include <stdint.h>

struct sizes_request {
	uint64_t memory;    /* --memory: bytes for all tables; 0: a default for the mode and the
			       machine */
	uint64_t mem_total; /* of the machine, in bytes */
	uint32_t cpus;      /* possible CPUs */
	bool exact;
	uint64_t max_live; /* --max-live: objects that must fit; 0: as many as there is room for */
};

struct sizes {
	uint32_t live_bits; /* log2 of the rows of each table */
	uint32_t stack_bits;
	uint32_t memo_bits;
	uint32_t process_bits;
	uint32_t tallies; /* rows for each CPU */
	uint32_t nest;    /* scratch rows for each CPU */
	uint64_t live;    /* objects that fit for certain; a quarter more may */
	uint64_t memory;  /* the limit that was kept, */
	uint64_t bytes;   /* and what is used of it */
};

/*
 * Returns 0, or −E2BIG when the smallest tables (or --max-live) do not fit; *out then holds those
 * smallest tables, and out->bytes what they would take.
 */
int sizes_plan(const struct sizes_request *request, struct sizes *out);

#endif
