/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line of a process, for the report. The collector calls this once per process. */
#ifndef KMEMTRACE_PROC_PROCESS_H
#define KMEMTRACE_PROC_PROCESS_H

#include <stddef.h>
#include <sys/types.h>

/*
 * The command line of `pid`, its arguments separated by blanks, cut to fit dst[size]; "" for a
 * kernel thread. Returns 0 or −errno (−ENOENT or −ESRCH: it is gone), dst is then "". The command
 * line may contain any byte but NUL: escape it.
 */
int process_cmdline(const char *proc_root, pid_t pid, char *dst, size_t size);

#endif
