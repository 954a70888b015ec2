/* SPDX-License-Identifier: GPL-2.0-only */
/* What a capture says once of the recording that made it: host, settings, command, hooks. */
#ifndef KMEMTRACE_RECORD_METADATA_H
#define KMEMTRACE_RECORD_METADATA_H

#include "capture/capture.h"
#include "record/options.h"
#include "trace/plan.h"

/* 0 or −errno, which has been said. */
int metadata_put(struct capture_writer *w, const struct plan *plan,
		 const struct recorder_options *options, const struct tracer *tracer);

/*
 * What --pid, --cgroup and the sizes leave of all allocations, a blank before it: " of process 42";
 * "" without any (--cache is a mode). *out is the caller's to free. 0 or −ENOMEM.
 */
int metadata_filter(const struct tracer_options *options, char **out);

#endif
