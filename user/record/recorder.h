/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One recording, from the first snapshot to the finished capture: attaches, runs the command, takes
 * a snapshot each second, checkpoints what is attributed, and ends in order at the duration, the
 * command's end or a signal. Used by `record` alone.
 */
#ifndef KMEMTRACE_RECORD_RECORDER_H
#define KMEMTRACE_RECORD_RECORDER_H

#include "record/options.h"
#include "trace/plan.h"

/*
 * Returns 0 or −errno (the reason is printed). *command_status is the command's exit status as a
 * shell would give it (128 + signal), 0 without a command; 126 or 127, and nothing is left behind,
 * when it could not be run.
 */
int recorder_run(const struct plan *plan, const struct recorder_options *options,
		 int *command_status);

#endif
