/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs a function in a process of its own, which may take only so much time and memory, and returns
 * what it wrote. sym/ uses it for work that may go wrong: libraries that parse hostile files, and
 * the network. Whatever happens in there, this process only gets an error.
 */
#ifndef KMEMTRACE_BASE_CONFINED_H
#define KMEMTRACE_BASE_CONFINED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct confinement {
	double seconds;      /* until it is killed; it may take as much CPU time */
	size_t memory_bytes; /* private memory */
	size_t output_bytes; /* it may write this much */
	bool no_files;       /* it may only read files that are open, and write its output */
};

/*
 * Run work(arg, out). On success *output has what it wrote, malloc'ed, and *len its length. Returns
 * 0, or what work() returned, a negative number; −ETIMEDOUT, −EFBIG: too much output; −EFAULT: it
 * crashed; or −errno of starting it.
 */
int confined_run(int (*work)(void *arg, FILE *out), void *arg, const struct confinement *bounds,
		 char **output, size_t *len);

#endif
