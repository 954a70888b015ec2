/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Limits on memory and CPU time of the commands that read captures, whatever the file contains: the
 * last line of defence behind the reader's budget. main() sets them; the kernel enforces them.
 * `record` must never be bound by them.
 */
#ifndef KMEMTRACE_BASE_BOUNDS_H
#define KMEMTRACE_BASE_BOUNDS_H

#define BOUNDS_MEMORY \
	(1000LL << 20)  /* bytes of private memory: below 1 GiB together with code and libraries */
#define BOUNDS_CPU_S 20 /* seconds of CPU time */

/* Call once, before anything is read. A lower existing limit stays. */
void bounds_set(void);
/* Restart the CPU time limit, for a command that reads several captures in turn. */
void bounds_renew(void);
/* The end of a message about lack of memory: the limit and what to do; "" if no limit was set. */
const char *bounds_memory_hint(void);

#endif
