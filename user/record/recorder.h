/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One recording, from the first snapshot to the finished capture. It attaches, runs the command,
 * takes a snapshot each second, writes checkpoints, and ends in order at the time limit, the
 * command's end or a signal. Called only by `record`. It must never harm the host or the command.
 */
#ifndef KMEMTRACE_RECORD_RECORDER_H
#define KMEMTRACE_RECORD_RECORDER_H

#include "record/options.h"
#include "trace/plan.h"

/*
 * Returns 0, or −errno after printing the reason. *command_status is the command's exit status as a
 * shell reports it (128 + signal), 0 without a command. If the command could not be run it is 126
 * or 127, and no file is left behind.
 */
int recorder_run(const struct plan *plan, const struct recorder_options *options,
		 int *command_status);

#endif
