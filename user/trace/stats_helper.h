/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process that holds CAP_SYS_ADMIN, so that the recorder need not: the kernel asks for it each
 * time the programs' run time is to be counted (BPF_ENABLE_STATS). It does just that, when asked,
 * knows nothing else, and ends when the recorder does. Started before there is anything to inherit.
 */
#ifndef KMEMTRACE_TRACE_STATS_HELPER_H
#define KMEMTRACE_TRACE_STATS_HELPER_H

#include <sys/types.h>

struct stats_helper {
	pid_t pid;
	int fd; /* −1: there is none */
};

/* 0 or −errno; then there is none. */
int stats_helper_start(struct stats_helper *h);

/* Run times are counted until the descriptor that this returns is closed. −errno when not. */
int stats_helper_ask(struct stats_helper *h);

void stats_helper_stop(struct stats_helper *h);

#endif
