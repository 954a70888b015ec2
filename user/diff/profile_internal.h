/* SPDX-License-Identifier: GPL-2.0-only */
/* The inside of profile_build(): what profile.c, profile_levels.c and profile_growth.c share. */
#ifndef KMEMTRACE_DIFF_PROFILE_INTERNAL_H
#define KMEMTRACE_DIFF_PROFILE_INTERNAL_H

#include "diff/profile.h"

struct profile_build {
	const struct view *v;
	const struct match *m;
	bool brief;
	struct profile *p;
};

/* Fill all sections of levels; that of growth. 0 or −ENOMEM. */
int profile_levels(struct profile_build *b);
int profile_growth(struct profile_build *b);

/* A new row with copies of both strings, or NULL. */
struct profile_row *profile_add(struct profile_rows *rows, const char *key, const char *name);
/* Sort by identity, and let each be there once. */
void profile_finish(struct profile_rows *rows);
/* a + b, of which either may be unknown. */
double profile_sum(double a, double b);

/* The identity of a cgroup: as it is within one boot, else without what a boot makes up. */
void profile_cgroup_key(const struct profile_build *b, const char *path, char *buf, size_t size);

#endif
