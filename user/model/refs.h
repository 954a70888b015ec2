/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What it means that something, or nothing, points to sampled objects: shares with intervals, and
 * the verdict. docs/refs.md has the same rules in prose. Pure.
 */
#ifndef KMEMTRACE_MODEL_REFS_H
#define KMEMTRACE_MODEL_REFS_H

#include "data/refs.h"

/* A share of objects, with its 95 % interval. NaN: no objects. */
struct refs_share {
	double share, low, high;
};

/*
 * Clopper & Pearson's interval (1934), which holds at least 95 times in 100. Without an interval if
 * the sample is everything.
 */
struct refs_share refs_share_of(uint64_t hits, uint64_t of, bool everything);

enum refs_verdict {
	REFS_LEAKED,      /* nothing points to them */
	REFS_HELD,        /* something points to them */
	REFS_FEW_OBJECTS, /* too few objects to tell */
	REFS_PARTIAL,     /* memory was scanned in part, so a pointer may have been missed */
	REFS_NO_CONTROL,  /* too few objects to show what the scan can see */
	REFS_BLIND,       /* nothing points to the control, either: the scan cannot see pointers */
	REFS_OWN_KIND,  /* only objects of the same cache point to them; not known what to these */
	REFS_DROPPED,   /* the same, and it is known that nothing else leads to any of these */
	REFS_UNDECIDED, /* to too many nothing points for them to be held, to too few for a leak */
};

struct refs_sheet {
	const struct refs *refs;
	enum refs_verdict verdict;
	struct refs_share unreferenced, own_kind, dropped;
	struct refs_share control;    /* that nothing points to */
	double scanned_kb;            /* whose words were read, in the second scan */
	double scanned_fraction;      /* of all memory, in the scan that saw less */
	double lost_objects, lost_kb; /* in all of the cache, by the share */
};

/* `out` borrows from `r`. */
void refs_sheet_build(const struct refs *r, struct refs_sheet *out);

/* Are they leaked, one by one or in rings that were dropped? */
static inline bool refs_verdict_is_leak(enum refs_verdict verdict)
{
	return verdict == REFS_LEAKED || verdict == REFS_DROPPED;
}

/* "leaked", "held", "few_objects" … */
const char *refs_verdict_name(enum refs_verdict verdict);

#endif
