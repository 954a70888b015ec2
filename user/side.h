/* SPDX-License-Identifier: GPL-2.0-only */
/* A capture and the part of it that the command line asks for: what a report is of, and either side of a diff. */
#ifndef KMEMTRACE_SIDE_H
#define KMEMTRACE_SIDE_H

#include "model/part.h"

struct side {
	struct capture *c;
	struct part part;
};

/* The times are those of part_build(); NaN for both gives all of it. 0 or −errno, which has been said. */
int side_read(const char *path, double from_s, double to_s, struct side *s);
void side_free(struct side *s);

#endif
