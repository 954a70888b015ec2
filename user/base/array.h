/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Growable arrays as a pair of struct members: T *items; size_t nr, cap. ARRAY_PUSH() returns a
 * pointer to a new zeroed element, or NULL when memory is short (the array is then unchanged).
 * ARRAY_APPEND() adds copies of `n` elements; it returns 0, or −ENOMEM with the array unchanged.
 * SORTED_FIRST() searches what is sorted, whether it is such an array or not.
 */
#ifndef KMEMTRACE_BASE_ARRAY_H
#define KMEMTRACE_BASE_ARRAY_H

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define ARRAY_OF(type)       \
	struct {             \
		type *items; \
		size_t nr;   \
		size_t cap;  \
	}

static inline int array_grow(void **items, size_t *cap, size_t elem, size_t want)
{
	size_t n = *cap ? *cap : 16;
	void *p;

	while (n < want)
		n *= 2;
	if (n == *cap)
		return 0;
	p = reallocarray(*items, n, elem);
	if (!p)
		return -1;
	*items = p;
	*cap = n;
	return 0;
}

#define ARRAY_PUSH(a)                                                                  \
	(array_grow((void **)&(a)->items, &(a)->cap, sizeof(*(a)->items), (a)->nr + 1) \
		 ? NULL                                                                \
		 : (__typeof__((a)->items))memset(&(a)->items[(a)->nr++], 0, sizeof(*(a)->items)))

static inline int array_append(void **items, size_t *nr, size_t *cap, size_t elem, const void *from,
			       size_t n)
{
	if (!n)
		return 0;
	if (array_grow(items, cap, elem, *nr + n))
		return -ENOMEM;
	memcpy((char *)*items + *nr * elem, from, n * elem);
	*nr += n;
	return 0;
}

/* The compiler compares the types of `from` and the elements. */
#define ARRAY_APPEND(a, from, n)                                                     \
	array_append((void **)&(a)->items, &(a)->nr, &(a)->cap, sizeof(*(a)->items), \
		     1 ? (from) : (a)->items, n)

#define ARRAY_FREE(a)              \
	do {                       \
		free((a)->items);  \
		(a)->items = NULL; \
		(a)->nr = 0;       \
		(a)->cap = 0;      \
	} while (0)

/*
 * Set `i`, a size_t, to the first number for which `before` is false; to `count` if it is true for
 * all numbers below that. `before` is an expression of `i`, true up to some number: "the element is
 * before the one that is looked for".
 */
#define SORTED_FIRST(i, count, before)                   \
	do {                                             \
		size_t low_ = 0, high_ = (count);        \
                                                         \
		while (low_ < high_) {                   \
			(i) = low_ + (high_ - low_) / 2; \
			if (before)                      \
				low_ = (i) + 1;          \
			else                             \
				high_ = (i);             \
		}                                        \
		(i) = low_;                              \
	} while (0)

#endif
