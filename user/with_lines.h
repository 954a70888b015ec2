/* SPDX-License-Identifier: GPL-2.0-only */
/* The options --lines and --debug-dir, which report and export share. */
#ifndef KMEMTRACE_WITH_LINES_H
#define KMEMTRACE_WITH_LINES_H

#include <argp.h>
#include <stdbool.h>

#include "findings/report_findings.h"

struct with_lines {
	bool wanted;
	const char *debug_dir; /* NULL: /usr/lib/debug */
};

#define LINES_HELP                                                                                \
	"Show where functions are in the source, and which are inlined: file and line. It needs " \
	"debug information of the very kernel that was recorded"
#define DEBUG_DIR_HELP                                                                     \
	"Look for debug information in DIR, such as a kernel's build directory (default: " \
	"/usr/lib/debug; with DEBUGINFOD_URLS set, debuginfod is asked last). Implies --lines"

/* One of the options was given; `dir` is NULL for --lines. Ends the program if kmemtrace was built
 * without libdw. */
void with_lines_set(struct argp_state *state, const char *dir, struct with_lines *o);
/*
 * If they are wanted, find the lines of the `top` largest groups' call paths (0: all groups), or of
 * all that the capture has if `g` is NULL. Call it without privileges. Returns 0 or −errno. Prints
 * why on failure.
 */
int with_lines_find(const struct with_lines *o, struct capture *c, const struct growth *g,
		    size_t top);
/* Print on stderr where the lines are from, and what is missing: for formats that cannot say it. */
void with_lines_tell(const struct capture *c);

#endif
