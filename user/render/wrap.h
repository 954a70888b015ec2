/* SPDX-License-Identifier: GPL-2.0-only */
/* Paragraphs on a terminal of 80 columns. */
#ifndef KMEMTRACE_RENDER_WRAP_H
#define KMEMTRACE_RENDER_WRAP_H

#include <stdio.h>

#define WRAP_WIDTH 80

/* Print words (escaped already), broken at spaces, each line `indent` in; a figure stays with its
 * unit. */
void wrap_print(FILE *out, unsigned int indent, const char *words);

#endif
