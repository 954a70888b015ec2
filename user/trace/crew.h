/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Threads that work at the same time, each with something of its own, which it makes itself. They
 * have the priority of the thread that calls crew_new(), and wait between two pieces of work. Used
 * by the scan for references.
 */
#ifndef KMEMTRACE_TRACE_CREW_H
#define KMEMTRACE_TRACE_CREW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct crew;

/* What each thread does first, and what is done with *own in the end, by the caller of crew_free().
 */
struct crew_kind {
	int (*open)(void *arg, void **own); /* 0 or −errno */
	void (*close)(void *own);
	void *arg;
};

/*
 * Start `nr` threads, and wait until each has made its own. Returns 0, or −errno if a thread could
 * not be made or failed; *out is unchanged then, and no thread is left.
 */
int crew_new(const struct crew_kind *kind, size_t nr, struct crew **out);
/* End the threads, which must not be at work. */
void crew_free(struct crew *c);

size_t crew_size(const struct crew *c);
/* What thread i made. */
void *crew_own(const struct crew *c, size_t i);

/* Let each thread call work(own, arg). */
void crew_begin(struct crew *c, int (*work)(void *own, void *arg), void *arg);
/*
 * Wait at most `ms` milliseconds. False if threads are still at work. If true, *err is 0 or the
 * first −errno that one of them returned.
 */
bool crew_wait(struct crew *c, uint32_t ms, int *err);

#endif
