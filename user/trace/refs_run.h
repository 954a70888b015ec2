/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The programs of bpf/refs.bpf.c, loaded, and the memory that they read. Only files of trace/refs*
 * use it. Its tables may have addresses of objects in them, so the scan leaves out the page frames
 * of these tables and of the kernel stack of each thread that runs programs: these threads are all
 * there when a run is opened. One of them makes all calls. On a large machine the others (the crew)
 * scan, each with programs and tables of its own, which is a refs_run, too.
 */
#ifndef KMEMTRACE_TRACE_REFS_RUN_H
#define KMEMTRACE_TRACE_REFS_RUN_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "refs_shared.h"
#include "trace/background.h"
#include "trace/crew.h"
#include "trace/plan.h"
#include "trace/refs_memory.h"

struct refs_bpf;

enum refs_program {
	REFS_FIND,
	REFS_SCAN,
	REFS_CHECK,
	REFS_SOURCES,
	REFS_MERGED,
	REFS_CACHE,  /* census_cache */
	REFS_GATHER, /* audit_gather */
	REFS_PROGRAMS
};

struct refs_run {
	struct refs_bpf *skel;
	struct kmt_refs *refs; /* what the programs share with us */
	struct kmt_census *census;
	struct kmt_audit *audit;
	struct refs_memory memory;
	uint64_t direct;      /* address of the first page frame in the direct map */
	uint64_t pages_bytes; /* of the array of struct page; 0: do not look for pointers to it */
	uint64_t random;      /* state of the generator */
	uint64_t budget_ns;   /* CPU time that all but loading may take; 0: no limit */
	bool (*stop)(void *arg); /* see struct refs_options */
	void *stop_arg;
	clockid_t clock;    /* CPU time of its thread */
	uint64_t began_ns;  /* that time when it began */
	uint64_t loaded_ns; /* CPU time of all threads until all was loaded */
	uint64_t census_ns; /* CPU time of a census that was taken for it, in a thread of its own */
	struct crew *crew;  /* NULL: there are no other threads */
	uint32_t page_shift;
	uint32_t cpus, nodes;
	bool old; /* audit_pages_old learns where pages are */
	struct background background;
};

/*
 * Load the programs, and let `threads` threads scan; 0: as many as the size of memory and the
 * number of CPUs suggest. Returns 0 or −errno; *out is unchanged on failure.
 */
int refs_run_open(const struct plan *plan, uint32_t threads, struct refs_run **out);
void refs_run_close(struct refs_run *r);

/* The runs that scan: those of the crew, or the run itself if there is none. */
size_t refs_run_scanners(const struct refs_run *r);
struct refs_run *refs_run_scanner(struct refs_run *r, size_t i);

/* Run a program on this CPU. Returns 0 or −errno. */
int refs_run_program(struct refs_run *r, enum refs_program which, const uint64_t args[3]);

/* CPU time of all threads since it began; is a share (0 to 1) of the budget used up, or shall it
 * stop? */
uint64_t refs_run_spent_ns(const struct refs_run *r);
bool refs_run_is_over(const struct refs_run *r, double share);

#endif
