/* SPDX-License-Identifier: GPL-2.0-only */
/* The names under which a capture keeps what was lost and what was done (docs/capture-format.md). */
#ifndef KMEMTRACE_LIVE_LOSSES_H
#define KMEMTRACE_LIVE_LOSSES_H

#include "capture/capture.h"
#include "live/tracer.h"

/* Append every counter to the interval's losses. Returns 0 or −ENOMEM. */
int losses_put(const struct tracer_counts *counts, struct cap_interval *out);

#endif
