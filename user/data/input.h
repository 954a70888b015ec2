/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What was wrong with a file that a person copied: lines that could not be read, and what was
 * corrected. proc/foreign.c fills it; findings/ turns it into sentences.
 */
#ifndef KMEMTRACE_DATA_INPUT_H
#define KMEMTRACE_DATA_INPUT_H

#include "base/array.h"

#define INPUT_TEXT_MAX 96

enum input_fault {
	INPUT_REFUSED,   /* the line was left out */
	INPUT_DUPLICATE, /* the line is there twice, with another value: the first counts */
	INPUT_MENDED, /* the whole file was not written as the kernel writes it, but its meaning is
			 clear */
};

struct input_line {
	enum input_fault fault;
	const char *file; /* "meminfo" */
	size_t number;    /* of the line, from 1; 0 for INPUT_MENDED */
	size_t count;     /* lines with this fault in this file; the first is shown */
	const char *why;
	char text[INPUT_TEXT_MAX]; /* the line, cut */
};

struct input_report {
	ARRAY_OF(struct input_line);
};

static inline void input_report_free(struct input_report *r)
{
	ARRAY_FREE(r);
}

#endif
