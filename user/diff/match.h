/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Identities that hold across captures of different boots, hosts and kernels. A cache matches by
 * any of its merged names; a call path by its functions, and by offsets only if both captures ran
 * the same build. profile.c calls it and diff.c compares the results. Strings returned for caches
 * live as long as the match.
 */
#ifndef KMEMTRACE_DIFF_MATCH_H
#define KMEMTRACE_DIFF_MATCH_H

#include <stdio.h>

#include "data/capture.h"

struct match;

/*
 * Match the names of `other` to those of `main` (usually the new capture). With `join`, caches that
 * are merged in either capture count as one, so that both sides add up alike. Without `join`, only
 * caches that are merged in `main` count as one, so that a name means the same in every comparison
 * with `main`. 0 or −ENOMEM.
 */
int match_new(const struct capture *main, const struct capture *other, bool join,
	      struct match **out);
void match_free(struct match *m);

/* The common name of `name` and all caches merged with it; kmalloc-rnd-NN-SIZE becomes
 * kmalloc-SIZE. */
const char *match_cache(const struct match *m, const char *name);

/* Are both captures of the same kernel build, so that vmlinux offsets are comparable? */
bool match_same_kernel(const struct match *m);
/* Are both of the same boot (and joined), so that cgroup paths are comparable as they are? */
bool match_same_boot(const struct match *m);

/*
 * Write the identity of a call path: its functions, innermost first, then the kernel entry. With
 * `loose`, only the innermost function and the entry, because kernels inline or split what is
 * between.
 */
void match_stack(const struct match *m, const struct capture *c, uint32_t stack, bool loose,
		 FILE *out);

/* Write the identity of one frame. */
void match_frame(const struct match *m, const struct cap_frame *f, FILE *out);

#define MATCH_SEPARATOR '\x1f' /* between the parts of an identity */

#endif
