/* SPDX-License-Identifier: GPL-2.0-only */
/* A capture and the part of it that the command line asks for. A report has one; a diff has two. */
#ifndef KMEMTRACE_CAPTURE_INPUT_H
#define KMEMTRACE_CAPTURE_INPUT_H

#include "model/time_range.h"

struct capture_input {
	struct capture *c;
	struct time_range range;
};

/* Read a capture. For the times see time_range_build(); NaN for both selects all of it. Returns 0
 * or −errno. Prints why on failure. */
int capture_input_read(const char *path, double from_s, double to_s, struct capture_input *s);
void capture_input_free(struct capture_input *s);

#endif
