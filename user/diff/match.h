/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One name for one thing in captures of different boots, hosts and kernels: caches by any of their
 * merged names, call paths by their functions (and offsets only where both run the very same code),
 * cgroups without what a boot makes up. Strings it returns for caches live as long as the match.
 */
#ifndef KMEMTRACE_DIFF_MATCH_H
#define KMEMTRACE_DIFF_MATCH_H

#include <stdio.h>

#include "data/capture.h"

struct match;

/*
 * What names in `other` have to do with those in `main` (usually the new one). With `join`, caches
 * that are merged in either capture are one, so that both sides are added up alike; without, only
 * those merged in `main` are, so that a name means the same against every one of many others. 0 or
 * −ENOMEM.
 */
int match_new(const struct capture *main, const struct capture *other, bool join,
	      struct match **out);
void match_free(struct match *m);

/* The name that stands for `name` and all it is merged with; kmalloc-rnd-NN-SIZE is kmalloc-SIZE.
 */
const char *match_cache(const struct match *m, const char *name);

/* Do both captures come from one build of the kernel (so that vmlinux offsets compare)? */
bool match_same_kernel(const struct match *m);
/* … and from one boot, joined (so that cgroup paths compare as they are)? */
bool match_same_boot(const struct match *m);

/*
 * The identity of a call path: its functions up to the way into the kernel, then that. With `loose`
 * only both ends of it, for kernels that inline or split what is between.
 */
void match_path(const struct match *m, const struct capture *c, uint32_t stack, bool loose,
		FILE *out);

void match_frame(const struct match *m, const struct cap_frame *f, FILE *out);

#define MATCH_SEPARATOR '\x1f' /* between the parts of an identity */

#endif
