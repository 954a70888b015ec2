/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A directory with copies of files of /proc, as `balance --proc` and `diff` take it. For diff it
 * becomes a capture of one snapshot that holds levels only.
 */
#ifndef KMEMTRACE_PROC_COPY_H
#define KMEMTRACE_PROC_COPY_H

#include "data/capture.h"
#include "data/input.h"

bool proc_copy_is(const char *path); /* is it a directory? */

/*
 * Read the snapshot; `report` says which lines were mended or refused. Returns 0 or −errno: prints
 * why when there is no meminfo, or none that can be read.
 */
int proc_copy_read(const char *dir, struct input_report *report, struct snapshot *out);

/*
 * The copy as a capture: levels, and what the directory says of the host and the kernel. Warns of
 * lines that were refused. Returns 0 or −errno after printing why. Free with capture_free().
 */
int proc_copy_capture(const char *dir, struct capture **out);

#endif
