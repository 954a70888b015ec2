/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kinds of objects: what the live objects of a slab cache look like, and which types of the kernel
 * fit. trace/kinds.c fills it in, as a part of the census; model/kinds.c turns it into shares. It
 * has names only: never an address, never what an object contains.
 */
#ifndef KMEMTRACE_DATA_KINDS_H
#define KMEMTRACE_DATA_KINDS_H

#include <stdint.h>

#include "base/array.h"

#define KIND_TYPES     3 /* types that fit best */
#define KIND_NAMES     6 /* functions, and caches, that are named */
#define KIND_NAME_MAX  64
#define KIND_SIGN_MAX  512 /* bytes of a signature */
#define KINDS_WHY_MAX  200
#define KINDS_OF_CACHE 12 /* a cache has at most so many; others are counted together */

/* How sure the best type is. */
enum kind_sure {
	KIND_UNKNOWN,  /* no type fits, or several do */
	KIND_POSSIBLE, /* it fits better than others, but by little */
	KIND_LIKELY,   /* it fits much better than any other type */
};

struct kind_type {
	char name[KIND_NAME_MAX]; /* "timerfd_ctx" */
	double score; /* evidence for it: the sum over all words (trace/kinds_score.h) */
};

#define CENSUS_NO_CGROUP UINT32_MAX

/* Objects of one cache that are alike. */
struct census_kind {
	uint32_t cache;   /* index in the census */
	uint32_t objects; /* of the sample */
	/* The cgroup that most of these are charged to, as index in the census, and how many are;
	 * CENSUS_NO_CGROUP: none is known. */
	uint32_t cgroup, charged;
	double effective; /* of how many independent ones the sample says as much */
	enum kind_sure sure;
	uint32_t nr_types;
	struct kind_type types[KIND_TYPES]; /* the best first */
	char functions[KIND_NAMES]
		      [KIND_NAME_MAX]; /* that they point to, also by a table; "": end */
	char points_to[KIND_NAMES][KIND_NAME_MAX]; /* caches; "": end */
	/* What most of them have: "0:->filp 16:->pid 24:self". The same in another boot. */
	char signature[KIND_SIGN_MAX];
};

/* The sample of a cache. */
struct kind_sample {
	uint32_t cache;
	uint32_t drawn;  /* places for objects, … */
	uint32_t live;   /* … in which a live object was, … */
	uint32_t unsure; /* … or of which this is not known */
};

/*
 * What a call path allocates: of one that a recording tracked, and held objects at its end. A path
 * with objects of several kinds has a row for each.
 */
struct census_path {
	uint32_t cache;   /* index in the census */
	uint32_t kind;    /* index; CENSUS_NO_KIND: other kinds, or no object was looked at */
	uint32_t stack;   /* of the capture */
	uint32_t tracked; /* objects of the path in this cache that were tracked, … */
	uint32_t looked;  /* … of which so many were looked at, … */
	uint32_t alike;   /* … of which so many are of the kind */
	double objects;   /* that the path holds of the kind, estimated */
};
#define CENSUS_NO_KIND UINT32_MAX

struct census_kinds {
	ARRAY_OF(struct census_kind); /* by cache, the most frequent first */
	struct {
		ARRAY_OF(struct kind_sample);
	} samples;
	struct {
		ARRAY_OF(struct census_path);
	} paths;
	double cpu_s;              /* CPU time, in the kernel and here */
	uint32_t skipped;          /* caches for which there was no time */
	char why[KINDS_WHY_MAX];   /* why there are none; "" if there are */
	char lacks[KINDS_WHY_MAX]; /* what could not be told; "" for nothing */
};

const char *kind_sure_name(enum kind_sure sure);
void census_kinds_free(struct census_kinds *k);

#endif
