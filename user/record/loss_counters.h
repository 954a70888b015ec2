/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The names under which a capture stores its counters of losses and of work done
 * (docs/capture-format.md). The collector calls this at each checkpoint. A name must never change:
 * captures contain it.
 */
#ifndef KMEMTRACE_RECORD_LOSS_COUNTERS_H
#define KMEMTRACE_RECORD_LOSS_COUNTERS_H

#include "capture/capture.h"
#include "trace/audit.h"

/* Events that were not recorded at all, so far. */
uint64_t losses_events(const struct tracer_counts *counts);

/* Append every counter to the checkpoint's losses. Returns 0 or −ENOMEM. */
int losses_put(const struct tracer_counts *counts, const struct audit_counts *audit,
	       uint64_t not_watched, struct cap_checkpoint *out);

#endif
