/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * "did you mean …?": finds the known word closest to a mistyped one. Used when a command or a slab
 * cache is unknown. Pure.
 */
#ifndef KMEMTRACE_BASE_SUGGEST_H
#define KMEMTRACE_BASE_SUGGEST_H

#include <stddef.h>

#define SUGGEST_MAX 64 /* bytes; longer words are not compared */

/* The best match so far. Starts as {0}: no word. */
struct suggestion {
	const char *word; /* NULL: no word is close enough */
	size_t distance;
};

/*
 * Keep `known` if it is closer to `typed` than the best match so far, and close enough: at most one
 * typing error plus one per four letters (a letter too many, missing, wrong, or two swapped), or
 * `typed` is a prefix of `known`.
 */
void suggest_try(struct suggestion *s, const char *typed, const char *known);

#endif
