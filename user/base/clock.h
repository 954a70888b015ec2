/* SPDX-License-Identifier: GPL-2.0-only */
/* The clocks: a monotonic one for durations, the CPU time of a thread, and wall-clock time. */
#ifndef KMEMTRACE_BASE_CLOCK_H
#define KMEMTRACE_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_read_ns(clockid_t clock)
{
	struct timespec now = {};

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static inline uint64_t clock_ns(void)
{
	return clock_read_ns(CLOCK_MONOTONIC);
}

/* What this thread has used of the CPUs. */
static inline uint64_t clock_thread_ns(void)
{
	return clock_read_ns(CLOCK_THREAD_CPUTIME_ID);
}

/* Seconds since the epoch. */
static inline double clock_wall_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

#endif
