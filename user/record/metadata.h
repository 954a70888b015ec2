/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Facts stored once per capture: host, settings, command, hooks. The recorder calls this at the
 * start.
 */
#ifndef KMEMTRACE_RECORD_METADATA_H
#define KMEMTRACE_RECORD_METADATA_H

#include "capture/capture.h"
#include "record/options.h"
#include "trace/plan.h"

/* Returns 0, or −errno after printing why. */
int metadata_put(struct capture_writer *w, const struct plan *plan,
		 const struct recorder_options *options, const struct tracer *tracer);

/* Only the facts about the host. Returns 0, or −errno after printing why. */
int metadata_put_host(struct capture_writer *w);

/*
 * Describe what --pid, --cgroup and --min-size select, with a leading blank: " of process 42"; ""
 * if nothing is filtered (--cache is a mode, not a filter). The caller frees *out. Returns 0 or
 * −ENOMEM.
 */
int metadata_filter(const struct tracer_options *options, char **out);

#endif
