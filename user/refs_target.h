/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which objects `kmemtrace refs` looks at, if it is told a kind of a census (--kind) or a call path
 * of a capture (--path) instead of all objects of a cache. Captures have no addresses, so objects
 * of a call path are found by likeness: the kinds that the recording learned of it.
 */
#ifndef KMEMTRACE_REFS_TARGET_H
#define KMEMTRACE_REFS_TARGET_H

#include "data/census.h"
#include "data/refs.h"
#include "trace/refs_options.h"

/* A call path, as it was read from a capture. */
struct path_read {
	char cache[REFS_NAME];
	char words[REFS_PATH];
};

struct refs_target {
	const char *kind; /* of --kind: a number, counted from 1, or the name of a type; NULL */
	size_t rank;      /* of --path, from 1; 0: none */
	const char *file; /* the capture of --path */
	/* what is found out */
	struct path_read path;
	struct {
		ARRAY_OF(struct census_kind);
	} learned;            /* kinds of the call path; none: not known */
	char name[REFS_NAME]; /* of the kind that was met */
};

/*
 * Read what is asked for, and set what refs_take() must know of it. Returns 0, or −errno after
 * printing why.
 */
int refs_target_open(struct refs_target *t, struct refs_options *options);
/* Write into the result what was looked at. */
void refs_target_tell(const struct refs_target *t, struct refs *out);
void refs_target_close(struct refs_target *t);

#endif
