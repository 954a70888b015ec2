/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads source lines from the DWARF debug information of one file, with elfutils' libdw. The file
 * may be hostile, so sym/lines.c calls this in a process that is confined, and reads what it
 * writes. Built without libdw, it writes nothing.
 */
#ifndef KMEMTRACE_SYM_DWARF_H
#define KMEMTRACE_SYM_DWARF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The version of libdw; NULL: built without it. */
const char *dwarf_library(void);

struct dwarf_want {
	const char *symbol;
	uint64_t offset; /* of the return address in the function */
	uint32_t frame;
	/* for dwarf.c: */
	uint64_t pc; /* of the call */
	size_t found;
};

struct dwarf_job {
	int fd;
	const char *build_id; /* of the capture, in hex */
	struct dwarf_want *wants;
	size_t nr;
};

enum dwarf_says {
	DWARF_BUILD_ID, /* `function` is the file's build id; nothing else follows a wrong one */
	DWARF_NOT_ELF,
	DWARF_NO_INFO,   /* the file has the build id, and no debug information */
	DWARF_AMBIGUOUS, /* of `frame`: several functions have its name */
	DWARF_UNLISTED,  /* of `frame`: no function has its name */
	DWARF_LINE,      /* of `frame`, innermost first */
};

/* What the process writes: this, then the two strings. */
struct dwarf_record {
	uint32_t says, frame, line, inlined;
	uint32_t function_len, file_len;
};

#define DWARF_TEXT_MAX   256 /* bytes of a name; longer ones are cut */
#define DWARF_INLINE_MAX 24  /* functions inlined into each other at one place */

/* `arg` is a struct dwarf_job. Returns 0 or −errno. */
int dwarf_write_lines(void *arg, FILE *out);

/*
 * A path of debug information as people know it: without the directory of the sources, which is
 * what it has in common with the directory of the build, and without "." and "..". Writes
 * dst[size].
 */
void source_path_shorten(const char *path, const char *build_dir, char *dst, size_t size);

#endif
