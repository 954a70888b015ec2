/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A helper process that keeps CAP_SYS_ADMIN so that the recorder can drop it. The kernel requires
 * it each time run-time counting is turned on (BPF_ENABLE_STATS), and to walk over the BPF objects
 * of the machine; CAP_SYS_PTRACE shows which processes hold these. The recorder starts the helper
 * before it opens anything that a child could inherit. The helper must never do anything else, and
 * it ends with the recorder.
 */
#ifndef KMEMTRACE_TRACE_STATS_HELPER_H
#define KMEMTRACE_TRACE_STATS_HELPER_H

#include <sys/types.h>

#include "trace/bpf_objects.h"

struct stats_helper {
	pid_t pid;
	int fd; /* −1: no helper is running */
};

/* Returns 0, or −errno with no helper running. */
int stats_helper_start(struct stats_helper *h);

/*
 * Turn on run-time counting. It lasts until the returned descriptor is closed. Returns −errno on
 * failure.
 */
int stats_helper_ask(struct stats_helper *h);

/* All BPF objects of the machine (bpf_objects.h). Returns 0 or −errno. */
int stats_helper_bpf(struct stats_helper *h, struct bpf_objects *out);

void stats_helper_stop(struct stats_helper *h);

#endif
