/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private to the files that fill a profile together: profile.c (rows), profile_levels.c,
 * profile_growth.c, and profile_build.c, which calls them. Nobody else may include it.
 */
#ifndef KMEMTRACE_DIFF_PROFILE_INTERNAL_H
#define KMEMTRACE_DIFF_PROFILE_INTERNAL_H

#include "diff/profile.h"

struct profile_builder {
	const struct view *v;
	const struct match *m;
	bool brief;
	struct profile *p;
};

/* Fill all sections of levels, or the section of growth. 0 or −ENOMEM. */
int profile_levels(struct profile_builder *b);
int profile_growth(struct profile_builder *b);

/* A new row with copies of both strings, or NULL. */
struct profile_row *profile_add(struct profile_rows *rows, const char *key, const char *name);
/* Sort rows by identity and merge those with the same one. */
void profile_finish(struct profile_rows *rows);
/* a + b. An unknown one (NaN) counts as 0; if both are unknown, so is the sum. */
double profile_sum(double a, double b);

/* The identity of a cgroup: its path within one boot; otherwise normalised (cgroup_normalise()). */
void profile_cgroup_key(const struct profile_builder *b, const char *path, char *buf, size_t size);

#endif
