/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which type fits the objects of a group? Each word is compared with what BTF says of the type's
 * word: a pointer to a cache of struct pid fits a `struct pid *`, a function fits a pointer to a
 * function with the same arguments, a list head that points to itself fits a list_head. The score
 * is the sum over all words, positive for what a random type of that size would hardly have,
 * negative for what the type does not allow. Names of functions count, too: a function
 * foo_release() speaks for a struct foo_state, the more the fewer types have "foo" in their names.
 *
 * Nothing here knows any type but the kernel's basic containers. Pure.
 */
#ifndef KMEMTRACE_TRACE_KINDS_SCORE_H
#define KMEMTRACE_TRACE_KINDS_SCORE_H

#include "data/kinds.h"
#include "trace/kinds_btf.h"
#include "trace/kinds_group.h"

struct kinds_scorer;

/* Borrows both. Looks up all functions and caches of `names` in BTF. Returns 0 or −ENOMEM. */
int kinds_scorer_new(const struct kinds_btf *btf, const struct kinds_names *names,
		     struct kinds_scorer **out);
void kinds_scorer_free(struct kinds_scorer *s);

/*
 * If the type of the group is likely, a named cache whose objects are all of this group holds that
 * type: pointers into the cache then speak for and against types of other groups, as they do if the
 * cache has the name of a type. Returns 0 or −ENOMEM.
 */
int kinds_scorer_learn(struct kinds_scorer *s, uint32_t cache, const struct kind_group *g);

/* Fill in functions and points_to of a group of objects of cache number `cache` in names. Returns 0
 * or −ENOMEM. */
int kinds_points(const struct kinds_names *names, uint32_t cache, const struct kind_group *g,
		 struct census_kind *out);
/* Fill in types and sure, too. Returns 0 or −ENOMEM. */
int kinds_score(const struct kinds_scorer *s, uint32_t cache, const struct kind_group *g,
		struct census_kind *out);

#endif
