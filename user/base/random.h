/* SPDX-License-Identifier: GPL-2.0-only */
/* A small generator of random numbers for samples, not for secrets. xorshift64*: Vigna (2016). */
#ifndef KMEMTRACE_BASE_RANDOM_H
#define KMEMTRACE_BASE_RANDOM_H

#include <stdint.h>

/* The state must not be 0. */
static inline uint64_t random_next(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545F4914F6CDD1Dull;
}

/* A number below n, which must be at least 1. */
static inline uint64_t random_below(uint64_t *state, uint64_t n)
{
	return (uint64_t)(((unsigned __int128)random_next(state) * n) >> 64);
}

#endif
