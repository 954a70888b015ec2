/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What points to a sample of objects of a slab cache. trace/refs.c finds it, model/refs.c turns it
 * into shares with intervals and a verdict. It holds counts and names, never addresses.
 */
#ifndef KMEMTRACE_DATA_REFS_H
#define KMEMTRACE_DATA_REFS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/array.h"
#include "data/census.h"

#define REFS_NAME  64
#define REFS_FIELD 128
#define REFS_PATH  256

/* A place that points to objects of the sample. */
struct refs_referrer {
	enum census_class class;
	char cache[REFS_NAME];  /* of the objects that have the pointers; "" if it is no slab cache
				 */
	char type[REFS_NAME];   /* their struct; "": not known */
	char field[REFS_FIELD]; /* "private_data", or "+24" without a struct; "": various */
	bool own_kind;          /* it is the cache of the sample */
	uint64_t objects;       /* objects of the sample that it points to */
	uint64_t references;
	char where[REFS_FIELD]; /* outside slab caches: "static init_task"; "": not known */
};

/* Who holds an object, as far as people know it. */
enum refs_holder_kind {
	REFS_HOLDER_FILE_TABLE, /* open files of a process */
	REFS_HOLDER_PROCESS,    /* its tasks */
	REFS_HOLDER_SUPER_BLOCK,
	REFS_HOLDER_NET_NAMESPACE,
	REFS_HOLDER_MNT_NAMESPACE,
	REFS_HOLDER_IPC_NAMESPACE,
	REFS_HOLDER_USER, /* whose quota it counts against */
	REFS_HOLDER_KINDS
};

struct refs_holder {
	enum refs_holder_kind kind;
	char name[REFS_FIELD]; /* of the process, of the super block … */
	int32_t pid;           /* 0: no process */
	uint64_t cgroup;       /* of the process: its id; 0: not known */
	char cgroup_path[REFS_PATH];
	char through[REFS_FIELD]; /* how most of the objects are held: "file.private_data" */
	bool certain;             /* through pointers that are known to hold what they point to */
	uint64_t objects;         /* of the sample */
};

/* Objects that were looked for. They were live before and after. */
struct refs_counts {
	uint64_t checked;
	uint64_t unreferenced; /* nothing points to them */
	uint64_t weak;         /* only their page is pointed to */
	uint64_t own_kind;     /* only objects of their own cache point to them */
	uint64_t dropped;      /* of own_kind: nothing else leads to them, see closed */
	uint64_t changed;      /* nothing points to them, but their contents changed meanwhile */
	uint64_t freed;        /* not checked: freed while the scan ran */
};

enum refs_control {
	REFS_CONTROL_NONE,
	REFS_CONTROL_YOUNG, /* objects of the same cache, allocated a moment before */
	REFS_CONTROL_PATHS, /* … of the same cache, allocated by other call paths */
	REFS_CONTROL_OTHER, /* objects of other caches */
	REFS_CONTROLS
};

/* "young", …; "" for none. The parsers return 0, or −EINVAL. */
const char *refs_control_name(enum refs_control control);
int refs_control_parse(const char *name, enum refs_control *out);
/* "file_table", … */
const char *refs_holder_kind_name(enum refs_holder_kind kind);
int refs_holder_kind_parse(const char *name, enum refs_holder_kind *out);

/* One scan of memory. */
struct refs_scan {
	uint64_t frames, frames_all;    /* looked at, and all that there are */
	uint64_t pages[CENSUS_CLASSES]; /* whose words were read */
	uint64_t faults;                /* reads that failed */
	double cpu_s;
};

#define REFS_SCANS 2

struct refs {
	char cache[REFS_NAME];
	char kind[REFS_NAME]; /* which kind of its objects was looked at; "": all */
	char path[REFS_PATH]; /* of which call path these may be: "#1 (pipe_write) of a.kmt"; "" */
	uint32_t object_bytes;
	double wall_s, took_s, cpu_s;
	uint32_t page_bytes;
	uint64_t in_use;  /* objects of the cache, about: those on CPUs' lists count, too */
	bool found_all;   /* all memory was searched for slabs of the cache */
	bool all_objects; /* the sample is all objects of the cache */
	double apart_s;   /* between the scans */
	struct refs_scan scans[REFS_SCANS];
	struct refs_counts sample, control;
	enum refs_control control_kind;
	struct {
		ARRAY_OF(struct refs_referrer);
	} referrers;         /* the most objects first */
	uint64_t referenced; /* objects of the sample with a referrer, of which those are parts */
	bool closed;    /* all objects of the cache were looked for, so sample.dropped is known */
	bool too_short; /* they were not, because the budget is too short for it */
	struct {
		ARRAY_OF(struct refs_holder);
	} holders;            /* the most objects first */
	uint64_t held;        /* objects of the sample with a holder */
	bool holders_known;   /* holders were looked for */
	bool holders_partial; /* … but not all that processes have could be kept */
	uint32_t levels;      /* scans that were made beyond those of the sample */
};

/* Did the scan read all memory that it should? */
static inline bool refs_scan_is_whole(const struct refs_scan *s)
{
	return s->frames >= s->frames_all;
}

static inline void refs_free(struct refs *r)
{
	ARRAY_FREE(&r->referrers);
	ARRAY_FREE(&r->holders);
}

/* What `record --prove` found of the objects that a call path held at the end. */
struct proof {
	uint32_t stack; /* of the capture */
	struct refs refs;
};

#endif
