/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One recording, from the first snapshot to the finished capture: attaches, runs the command, takes a
 * snapshot each second, checkpoints what is attributed, and ends in order at the duration, the command's end
 * or a signal. Used by `record` alone.
 */
#ifndef KMEMTRACE_LIVE_RECORDER_H
#define KMEMTRACE_LIVE_RECORDER_H

#include "live/plan.h"
#include "live/tracer.h"

struct recorder_options {
	const char *path;   /* of the capture */
	bool overwrite;
	double duration_s;  /* 0: until a signal or the command's end */
	double every_s;     /* between checkpoints; 0: the recorder's own spacing */
	int64_t max_bytes;  /* of the file, kept by thinning out what is old; 0: no bound */
	bool quiet;         /* no progress line */
	char **command;     /* NULL-terminated, or NULL for none */
	struct tracer_options tracer;
	struct governor_options governor;
};

/*
 * Returns 0 or −errno (the reason is printed). *command_status is the command's exit status as a shell would
 * give it (128 + signal), 0 without a command; 126 or 127, and nothing is left behind, when it could not be run.
 */
int recorder_run(const struct plan *plan, const struct recorder_options *options, int *command_status);

#endif
