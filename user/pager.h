/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shows a document that is longer than the terminal in a pager, as git does. output.c calls it with
 * the finished document. It must never be run when standard output is not a terminal.
 */
#ifndef KMEMTRACE_PAGER_H
#define KMEMTRACE_PAGER_H

#include <stdbool.h>
#include <stddef.h>

/* Is standard output a terminal that the document does not fit, and is there a pager to use? */
bool pager_wanted(const char *document, size_t size);

/*
 * Run the pager on the document and wait until it ends. The user may quit before it has read
 * everything. Returns false if it could not be run: then print the document without it.
 */
bool pager_show(const char *document, size_t size);

#endif
