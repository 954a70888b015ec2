/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the commands that read captures may take of the machine they run on, whatever the file says:
 * the last line of defence behind the reader's budget. The kernel enforces both limits.
 */
#ifndef KMEMTRACE_BASE_BOUNDS_H
#define KMEMTRACE_BASE_BOUNDS_H

#define BOUNDS_MEMORY \
	(1000LL << 20)  /* bytes of memory of its own: with code and libraries below 1 GiB */
#define BOUNDS_CPU_S 20 /* seconds of CPU time */

/* Call once, before anything is read. A limit that is already lower stays. */
void bounds_set(void);
/* A command that reads one capture after another has the time anew for each. */
void bounds_renew(void);
/* To end a message that memory was short: what is true and what to do. "" where no limit was set.
 */
const char *bounds_memory_hint(void);

#endif
