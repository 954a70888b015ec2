/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Errors that a limit of this process causes: open files, address space, the size of a file, the
 * number of processes. Named with the command that raises the limit, wherever a failure is told to
 * people.
 */
#ifndef KMEMTRACE_BASE_LIMITS_H
#define KMEMTRACE_BASE_LIMITS_H

#include <stdbool.h>

#define LIMITS_MAX 160

/* Can a limit of this process be why something failed with `err` (a positive errno)? */
bool limits_cause(int err);

/*
 * strerror(err), and where limits_cause() is true the limit and what to do: "Too many open files:
 * this process may open 64; run `ulimit -n 1024` first". Returns buf.
 */
const char *limits_explain(int err, char buf[LIMITS_MAX]);

#endif
