/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A census: what each page frame of a machine was used for at one moment. trace/census.c takes it,
 * model/census.c turns it into figures with intervals. It holds sums as they were counted, so that
 * a machine that was counted in part is never taken for one that was counted whole.
 */
#ifndef KMEMTRACE_DATA_CENSUS_H
#define KMEMTRACE_DATA_CENSUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/array.h"
#include "data/alloc_records.h"
#include "data/kinds.h"
#include "data/lenses.h"
#include "data/snapshot.h"

/* What a page is used for: exactly one of these. */
enum census_class {
	CENSUS_FREE,       /* in free blocks */
	CENSUS_CPU_FREE,   /* no reference and no type: free on a CPU's list */
	CENSUS_SLAB,       /* of slab caches */
	CENSUS_LARGE,      /* kmalloc() too large for a slab cache; Slab contains it */
	CENSUS_TABLE,      /* page tables */
	CENSUS_ANON,       /* anonymous memory of processes */
	CENSUS_FILE,       /* page cache, with shared memory */
	CENSUS_UNMAPPED,   /* pages of processes or files that nobody maps any more, but that
			      somebody pins */
	CENSUS_HUGETLB,    /* the pool of huge pages, free ones included */
	CENSUS_POOL,       /* page pools of network devices */
	CENSUS_ZSMALLOC,   /* compressed memory */
	CENSUS_OFFLINE,    /* given back to the hypervisor (balloons), or not plugged in */
	CENSUS_UNACCEPTED, /* not yet accepted from the hypervisor */
	CENSUS_RESERVED,   /* the kernel's image, the struct pages, and what firmware keeps */
	CENSUS_REST,       /* vmalloc, per-CPU memory, kernel stacks, drivers */
	CENSUS_CLASSES
};

/* The name in JSON: "page_tables"; and what it is, for people: "page tables". */
const char *census_class_name(enum census_class class);
const char *census_class_words(enum census_class class);
/* The class of that name. Returns 0 or −EINVAL. */
int census_class_parse(const char *name, enum census_class *out);

/* When a census of a capture was taken: before tracing began, or after it had ended. A census
 * without a recording is one at the start. */
enum census_moment { CENSUS_AT_START, CENSUS_AT_END, CENSUS_MOMENTS };

const char *census_moment_name(enum census_moment moment); /* "start", "end" */
int census_moment_parse(const char *name, enum census_moment *out);

/*
 * One figure, counted in the units of the census. `squares` is the sum over pairs of the squared
 * difference between the two units of a pair; it is 0 if all units were counted.
 */
struct census_sum {
	double sum;
	double squares;
	uint64_t hits; /* units in which it was not 0 */
};

#define CENSUS_UNIT 64 /* page frames in a unit */

/* A slab cache. */
struct census_cache {
	char name[64];
	uint32_t object_bytes; /* that one object occupies */
	bool reclaimable;
	int64_t cpu_free; /* of `used`: free objects on CPUs' lists; −1: not known */
	struct census_sum pages, empty; /* of its slabs, and of those with no object in use */
	struct census_sum objects;      /* for which there is room */
	struct census_sum used;         /* not free in their slab */
};

/*
 * A cgroup that memory is charged to. Memory of a removed cgroup is charged to the removed cgroup
 * itself, or was handed to the nearest one above that still exists; then `below` is set, and what
 * was charged there before has a row of its own.
 */
struct census_cgroup {
	char path[256]; /* in its hierarchy; "…" and the end if it is longer */
	uint64_t id;    /* inode of the directory */
	bool removed;
	bool below;      /* removed cgroups below it */
	uint32_t owners; /* that memory is charged to: with `below`, one for each removed cgroup */
};

/* What to print behind its path: " (removed)", or "" if it is as usual. */
const char *census_removal_words(const struct census_cgroup *g);

/* Objects of a cache, or pages of a class, that are charged to a cgroup. */
struct census_charge {
	uint32_t cache; /* index; CENSUS_NO_CACHE: pages */
	enum census_class class;
	uint32_t cgroup; /* index */
	struct census_sum nr;
};
#define CENSUS_NO_CACHE UINT32_MAX

struct census_caches {
	ARRAY_OF(struct census_cache);
};

struct census_cgroups {
	ARRAY_OF(struct census_cgroup);
};

struct census_charges {
	ARRAY_OF(struct census_charge);
};

/* Slab pages of a cache on a NUMA node. Only where there are several nodes. */
struct census_node {
	uint32_t cache;
	int node;
	struct census_sum pages;
};

struct census_nodes {
	ARRAY_OF(struct census_node);
};

/* Pages of which most are in no line of /proc/meminfo, by what they belong to and who has it. */
#define CENSUS_ORIGIN_PIPE   "pipe"        /* data in pipes, by process */
#define CENSUS_ORIGIN_PACKET "packet_ring" /* rings of packet sockets, by process */
#define CENSUS_ORIGIN_PERF   "perf_ring"   /* rings of perf events, by process */
#define CENSUS_ORIGIN_POOL   "page_pool"   /* page pools of network devices, by device */
struct census_origin {
	char kind[16];
	char name[64];
	bool counted; /* one by one, so the figure is exact even if the census is a sample */
	uint64_t nr;  /* pipes, sockets, …; 0: not known */
	struct census_sum pages;
};

struct census_origins {
	ARRAY_OF(struct census_origin);
};

struct census {
	double wall_s; /* when it began, in seconds since the epoch; 0: there is no census */
	double took_s, cpu_s;
	uint64_t units;   /* of which all memory consists, holes included */
	uint64_t counted; /* units that were looked at */
	uint64_t frames;  /* page frames in these that exist */
	uint32_t page_bytes;
	uint32_t unknown; /* bit mask of classes that this kernel does not mark */
	uint32_t cpus;    /* that may hold back changes of a counter */
	struct census_sum pages[CENSUS_CLASSES]; /* in page frames */
	struct census_caches caches;
	struct census_cgroups cgroups;
	struct census_charges charges;
	struct census_nodes nodes;
	struct census_kinds kinds;
	struct census_lenses lenses;
	struct census_origins origins;
	bool origins_known;           /* open files could be looked at */
	struct alloc_records records; /* what the kernel itself says of its allocations */
	uint64_t lost;                /* slabs and charges that were seen, but had no room */
	/*
	 * /proc just before and just after: vmstat, zoneinfo, and meminfo. Of each line of meminfo,
	 * `before` has the lowest and `after` the highest value that it had in between.
	 */
	struct snapshot before, after;
};

/* Was every page frame counted? */
static inline bool census_is_whole(const struct census *c)
{
	return c->counted == c->units;
}

void census_free(struct census *c);

#endif
