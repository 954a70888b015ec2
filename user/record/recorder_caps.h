/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Gives up the capabilities that a recording no longer needs once it is attached and its command
 * runs. The recorder calls this once; base/privileges.h does the work.
 */
#ifndef KMEMTRACE_RECORD_RECORDER_CAPS_H
#define KMEMTRACE_RECORD_RECORDER_CAPS_H

#include <stdbool.h>

#include "trace/tracer.h"

struct recorder_caps {
	const struct tracer *tracer;
	const char *path; /* of the capture */
	bool command;     /* there is a command to end */
	bool helper;      /* a helper turns on run-time counting: trace/stats_helper.h */
	bool prove;       /* there will be a proof: record/recorder_prove.h */
};

/*
 * Give up all other capabilities. A failure is printed with --verbose, and the recording goes on.
 */
void recorder_caps_give_up(const struct recorder_caps *caps);

#endif
