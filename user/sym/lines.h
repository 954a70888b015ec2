/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds the source lines of a capture's frames in debug information, for --lines. It only uses a
 * file whose build id is the one in the capture. Files are read in a process that may do nothing
 * but read them, so a hostile one costs at most the lines of its module.
 */
#ifndef KMEMTRACE_SYM_LINES_H
#define KMEMTRACE_SYM_LINES_H

#include "data/capture.h"

#define LINES_FILE_S  30.0  /* seconds for one file */
#define LINES_ALL_S   60.0  /* for all files */
#define LINES_FETCH_S 180.0 /* for downloads by debuginfod */

/* Was kmemtrace built with libdw? The version of libdw, or NULL. */
const char *lines_library(void);

struct lines_options {
	const char *debug_dir; /* of --debug-dir; NULL: /usr/lib/debug */
	const char *root;      /* see struct debug_files */
};

/*
 * Find the lines of the frames that `wanted` marks (one bool a frame). c->lines then has what was
 * found, and of each module why nothing was. Returns 0 or −ENOMEM.
 */
int lines_find(struct capture *c, const bool *wanted, const struct lines_options *o);

#endif
