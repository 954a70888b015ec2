/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Says which call paths allocate objects such as those that are older than a recording. Nothing
 * traced these; but a recording knows of what kinds the objects of its call paths are, and older
 * objects of a kind are shown with the paths that hold that kind, as "looks like". The recording
 * may be the same one, or another (`census --like`), also of another boot or kernel: kinds are
 * compared by their types and signatures, which consist of names. Pure.
 *
 * A share is that of a path among the traced objects of the kind. Its interval is Wilson's; it says
 * how far chance may have moved the share, not whether older objects came in the same shares.
 */
#ifndef KMEMTRACE_MODEL_LIKENESS_H
#define KMEMTRACE_MODEL_LIKENESS_H

#include "data/capture.h"
#include "model/census.h"

/* A path that allocates such objects. */
struct like_path {
	uint32_t stack; /* of the capture that taught */
	double share, share_low, share_high;
	double objects; /* that it holds there, estimated */
};

/* Older objects that look like those of call paths. */
struct like_row {
	uint32_t cache;                 /* index in the older census */
	const struct census_kind *kind; /* of that census; NULL: all objects of the cache */
	double objects, kb;             /* older ones */
	double tracked;                 /* traced objects of the kind, of all paths */
	size_t first, nr;               /* its paths in struct likeness, the largest share first */
};

struct likeness {
	const struct capture *taught; /* the stacks of the paths are its */
	ARRAY_OF(struct like_row);    /* those with most memory first */
	struct {
		ARRAY_OF(struct like_path);
	} paths;
};

/*
 * `older` says what was there; of `taught`, the last census with call paths says what these hold.
 * Without one, *out is empty. `out` borrows from both. Returns 0 or −ENOMEM; on failure, `out` is
 * unchanged.
 */
int likeness_build(const struct census_sheet *older, const struct capture *taught,
		   struct likeness *out);
void likeness_free(struct likeness *l);
/* The row of a kind, or with NULL that of a whole cache; NULL: there is none. */
const struct like_row *likeness_find(const struct likeness *l, uint32_t cache,
				     const struct census_kind *kind);

/* The last census of a capture that knows call paths; NULL: none does. */
const struct census *likeness_learned(const struct capture *taught);

/* ---- for tests ---- */

#define LIKE_LEAST 0.7 /* two kinds are alike from this on */
/* How alike two kinds of one cache are, from 0 to 1. */
double kinds_likeness(const struct census_kind *a, const struct census_kind *b);

#endif
