/* SPDX-License-Identifier: GPL-2.0-only */
/* The names under which a capture keeps what was lost and what was done (docs/capture-format.md).
 */
#ifndef KMEMTRACE_RECORD_LOSS_COUNTERS_H
#define KMEMTRACE_RECORD_LOSS_COUNTERS_H

#include "capture/capture.h"
#include "trace/audit.h"

/* Append every counter to the interval's losses. Returns 0 or −ENOMEM. */
int losses_put(const struct tracer_counts *counts, const struct audit_counts *audit,
	       uint64_t not_watched, struct cap_checkpoint *out);

#endif
