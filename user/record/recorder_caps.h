/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which capabilities a recording needs once it is attached and its command runs. The recorder calls
 * this once; base/privileges.h does the rest.
 */
#ifndef KMEMTRACE_RECORD_RECORDER_CAPS_H
#define KMEMTRACE_RECORD_RECORDER_CAPS_H

#include <stdbool.h>

#include "trace/tracer.h"

struct recorder_caps {
	const struct tracer *tracer;
	const char *path; /* of the capture */
	bool command;     /* there is one to end */
	bool helper;      /* has run times counted: trace/stats_helper.h */
};

/* Give up all others. What fails is said with --verbose, and the recording goes on. */
void recorder_caps_give_up(const struct recorder_caps *caps);

#endif
