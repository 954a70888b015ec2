/* SPDX-License-Identifier: GPL-2.0-only */
/* A capture and the part of it that the command line asks for: what a report is of, and either side
 * of a diff. */
#ifndef KMEMTRACE_CAPTURE_INPUT_H
#define KMEMTRACE_CAPTURE_INPUT_H

#include "model/time_range.h"

struct capture_input {
	struct capture *c;
	struct time_range part;
};

/* The times are those of time_range_build(); NaN for both gives all of it. 0 or −errno, which has
 * been said. */
int capture_input_read(const char *path, double from_s, double to_s, struct capture_input *s);
void capture_input_free(struct capture_input *s);

#endif
