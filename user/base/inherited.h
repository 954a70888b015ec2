/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The signals, limits and open files that this process inherits, and what it changes for itself.
 * main() calls inherited_take() first. A command that `record` runs must get all of it back
 * unchanged.
 */
#ifndef KMEMTRACE_BASE_INHERITED_H
#define KMEMTRACE_BASE_INHERITED_H

#include <stdbool.h>

/*
 * Remember everything, then arrange it for a tool that reports its failures itself:
 * - SIGPIPE and SIGXFSZ are ignored: a write that fails is an error like others.
 * - SIGCHLD gets its default action. If it were ignored, no child could be waited for.
 * - The soft limit on open files becomes the hard one.
 * - Standard streams that are closed are opened so that reading and writing fail. Otherwise the
 *   next file would get their number, and messages would be written into it.
 */
void inherited_take(void);

/* Was the signal ignored when the process started? Then it stays ignored: nohup(1) relies on it. */
bool inherited_ignores(int sig);

/* For a child before exec: restore signals, signal mask and limits. Async-signal-safe. */
void inherited_restore(void);

#endif
