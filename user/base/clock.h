/* SPDX-License-Identifier: GPL-2.0-only */
/* The clocks: a monotonic one for durations, the CPU time of a thread, and wall-clock time. */
#ifndef KMEMTRACE_BASE_CLOCK_H
#define KMEMTRACE_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

/* What this thread has used of the CPUs. */
static inline uint64_t clock_thread_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

/* Seconds since the epoch. */
static inline double clock_wall_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

#endif
