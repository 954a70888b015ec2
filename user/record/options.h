/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The options of a recording. `record` fills them; the recorder reads them and stores them as
 * metadata.
 */
#ifndef KMEMTRACE_RECORD_OPTIONS_H
#define KMEMTRACE_RECORD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "record/governor.h"
#include "trace/tracer.h"

struct recorder_options {
	const char *path; /* of the capture */
	bool overwrite;
	double duration_s; /* 0: record until a signal or the command's end */
	double every_s;    /* between checkpoints; 0: the recorder chooses */
	int64_t max_bytes; /* limit of the file size, kept by thinning out old data; 0: none */
	bool quiet;        /* no progress line */
	char **command;    /* NULL-terminated, or NULL for none */
	struct tracer_options tracer;
	struct governor_options governor;
};

#endif
