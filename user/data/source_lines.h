/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the frames of a capture are in the source: what sym/lines.h found in debug information. It
 * is stored in no capture, because debug information can be had later, on any host.
 */
#ifndef KMEMTRACE_DATA_SOURCE_LINES_H
#define KMEMTRACE_DATA_SOURCE_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/array.h"

/* Strings come from debug information: they are hostile, so escape them. */
struct source_line {
	char *function; /* NULL: the frame's own function, which the capture names */
	char *file;     /* "mm/slub.c": within the directory of the sources */
	uint32_t line;  /* 0: unknown */
	bool inlined;   /* the compiler made this function a part of the next one */
};

/* The lines of one frame, innermost first. The last is of the frame's own function. */
struct frame_lines {
	ARRAY_OF(struct source_line);
};

enum source_status {
	SOURCE_FOUND,
	SOURCE_MISSING,  /* no file has its build id */
	SOURCE_MISMATCH, /* `path` is of another build, and was not used */
	SOURCE_NO_ID,    /* the capture has no build id, so no file can be checked */
	SOURCE_FAILED    /* `path` has the build id, and could not be read: see `why` */
};

/* The kernel, or a module. */
struct source_module {
	char *name, *build_id;
	enum source_status status;
	char *path;                 /* of the file; NULL: none */
	char *why;                  /* NULL, or why it failed; of a mismatch the file's build id */
	size_t frames, known;       /* frames that were wanted, and those with lines */
	size_t ambiguous, unlisted; /* function exists several times; the file does not have it */
};

struct source_lines {
	struct frame_lines *frames; /* of each frame of the capture */
	size_t nr_frames;
	ARRAY_OF(struct source_module) modules;
	char *looked_in; /* the directories, for messages */
	char *fetch_why; /* NULL, or why nothing could be fetched from debuginfod */
};

void source_lines_free(struct source_lines *s);
/* The lines of a frame; NULL if there are none. `s` may be NULL. */
const struct frame_lines *source_lines_of(const struct source_lines *s, uint32_t frame);

#endif
