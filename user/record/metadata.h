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

#endif
