/* SPDX-License-Identifier: GPL-2.0-only */
/* What a capture says once of the recording that made it: host, settings, command, hooks. */
#ifndef KMEMTRACE_LIVE_ABOUT_H
#define KMEMTRACE_LIVE_ABOUT_H

#include "capture/capture.h"
#include "live/recorder.h"

/* 0 or −errno, which has been said. */
int about_put(struct capture_writer *w, const struct plan *plan,
	      const struct recorder_options *options, const struct tracer *tracer);

#endif
