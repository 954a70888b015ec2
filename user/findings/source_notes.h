/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Says which debug information gave the source lines of a capture (--lines), and why other frames
 * have none. Text, JSON and HTML print the same sentences.
 */
#ifndef KMEMTRACE_FINDINGS_SOURCE_NOTES_H
#define KMEMTRACE_FINDINGS_SOURCE_NOTES_H

#include "data/capture.h"

struct source_notes {
	ARRAY_OF(char *);
	bool failed; /* memory was short */
};

/* None if --lines was not given. Free with source_notes_free(). */
void source_notes_build(const struct capture *c, struct source_notes *out);
void source_notes_free(struct source_notes *n);

#endif
