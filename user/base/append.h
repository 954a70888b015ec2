/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sentences that are put together piece by piece in a buffer of fixed size. findings/ writes its
 * sentences with it.
 */
#ifndef KMEMTRACE_BASE_APPEND_H
#define KMEMTRACE_BASE_APPEND_H

#include <stddef.h>

/* Append to the string dst[size], and cut what does not fit. */
__attribute__((format(printf, 3, 4))) void append_words(char *dst, size_t size, const char *fmt,
							...);

#endif
