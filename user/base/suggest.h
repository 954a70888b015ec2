/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * "did you mean …?": the known word that a mistyped one most likely stands for. Used where a name
 * is refused: commands, slab caches. Pure.
 */
#ifndef KMEMTRACE_BASE_SUGGEST_H
#define KMEMTRACE_BASE_SUGGEST_H

#include <stddef.h>

#define SUGGEST_MAX 64 /* bytes; longer words are not compared */

/* The best match so far. Starts as {0}: no word. */
struct suggestion {
	const char *word; /* NULL: nothing is near enough */
	size_t distance;
};

/*
 * Keep `known` when it is nearer to `typed` than what was kept before, and near enough: one typing
 * error, and one more for each four letters (a letter too many, too few, another one, or two
 * exchanged); or `typed` is the beginning of `known`.
 */
void suggest_try(struct suggestion *s, const char *typed, const char *known);

#endif
