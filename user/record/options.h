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
#include "trace/plan.h"
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
	bool no_census;
	double census_budget_s;
	bool prove;                 /* look for what points to what call paths hold at the end */
	double prove_budget_s;      /* CPU time that this may take */
	const char *census_refusal; /* why there can be no census; "" if there can */
	const struct plan *census_plan; /* of everything, whatever the recording is limited to */
};

/*
 * Set what the governor may do. Every recording has a CPU budget. `limited`: the user gave the
 * budget, so it is a limit: to keep it, the governor may turn an exact recording into a sampled
 * one, or pause pools.
 */
void recorder_options_govern(struct recorder_options *o, bool limited);

#define RECORDER_PATH_MAX 256
/* The capture's default name, "kmemtrace-HOST-20261121-013500.kmt". Returns buf. */
const char *recorder_default_path(char buf[RECORDER_PATH_MAX]);

#endif
