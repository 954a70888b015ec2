/* SPDX-License-Identifier: GPL-2.0-only */
/* What a recording is asked to do. Filled by `record`, read by the recorder and stored as metadata.
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
	double duration_s; /* 0: until a signal or the command's end */
	double every_s;    /* between checkpoints; 0: the recorder's own spacing */
	int64_t max_bytes; /* of the file, kept by thinning out what is old; 0: no bound */
	bool quiet;        /* no progress line */
	char **command;    /* NULL-terminated, or NULL for none */
	struct tracer_options tracer;
	struct governor_options governor;
};

#endif
