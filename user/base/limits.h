/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Explains errors caused by a limit of this process (open files, address space, file size, number
 * of processes), with the command that raises the limit. Used by every message about a failed
 * system call.
 */
#ifndef KMEMTRACE_BASE_LIMITS_H
#define KMEMTRACE_BASE_LIMITS_H

#include <stdbool.h>

#define LIMITS_MAX 160

/* Can a limit of this process have caused `err` (a positive errno)? */
bool limits_cause(int err);

/*
 * strerror(err), and if limits_cause() is true also the limit and what to do: "Too many open files:
 * this process may open 64; run `ulimit -n 1024` first". Returns buf.
 */
const char *limits_explain(int err, char buf[LIMITS_MAX]);

/* Print that memory ran out while `doing` ("reading the tables"), and why. Returns −ENOMEM. */
int limits_no_memory(const char *doing);

#endif
