/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's own counts of files, inodes, dentries, sockets, keys and connections
 * (data/counter.h) beside the slab caches that hold these objects. The two counts are independent
 * of each other. If they agree, the cache holds what its name says. If they do not, the difference
 * is a finding. The report and the balance sheet print them. Pure.
 */
#ifndef KMEMTRACE_FINDINGS_WITNESS_H
#define KMEMTRACE_FINDINGS_WITNESS_H

#include <stdbool.h>

#include "data/snapshot.h"
#include "findings/finding.h"

#define WITNESSES    7
#define WITNESS_TEXT 400

enum witness_state {
	WITNESS_UNKNOWN, /* one of the two counts is missing */
	WITNESS_AGREES,
	WITNESS_PART, /* the counter is of one namespace, and the cache, which is of the machine,
			 has more */
	WITNESS_DIFFERS,
};

struct witness_def {
	const char *name;     /* in JSON; must never change */
	const char *label;    /* for people, up to 20 columns */
	const char *counter;  /* data/counter.h */
	const char *caches;   /* for people, up to 20 columns */
	bool is_of_namespace; /* the counter sees one namespace only */
	/* Why a cache can have more objects than the counter, and the other way round; "" where
	 * there is no usual reason. Whole sentences. */
	const char *more, *fewer;
};

struct witness {
	const struct witness_def *def;
	double count_start, count_end;     /* NaN: not known */
	double objects_start, objects_end; /* in use, of all caches; NaN: no such cache */
	double count_delta, objects_delta; /* from start to end; NaN: not known */
	double object_bytes;               /* mean size of one */
	double bytes_end;                  /* of objects_end */
	enum witness_state state;
	char text[WITNESS_TEXT]; /* what does not fit together; "" if nothing */
};

struct witnesses {
	struct witness items[WITNESSES]; /* those whose counter is known at the end */
	size_t nr;
};

const char *witness_state_name(enum witness_state state); /* "unknown", "agrees", … for JSON */

/*
 * Compare the counters of `end` with its caches. `start` may be NULL: a single moment, and then all
 * its figures are NaN.
 */
void witnesses_build(const struct snapshot *start, const struct snapshot *end,
		     struct witnesses *out);

/* Append a finding for each counter that does not fit its caches. */
void witnesses_find(const struct witnesses *w, struct findings *list);

/* The removed and the present cgroups below one; NaN unknown. */
struct removed_below {
	const char *path; /* owned by the snapshot */
	double removed_start, removed, present;
};

/* Those below cgroup `i` of `end`. `start` may be NULL. */
void removed_below(const struct snapshot *start, const struct snapshot *end, size_t i,
		   struct removed_below *out);

#define REMOVED_CGROUPS_MANY 100.0 /* more are a finding: docs/interpretation.md */

/* The removed cgroups of the machine that still exist, as far as its trees show; NaN unknown. */
double removed_cgroups(const struct snapshot *s);
/* The cgroups that are in use, of the same tree; NaN unknown. */
double present_cgroups(const struct snapshot *s);

#endif
