/* SPDX-License-Identifier: GPL-2.0-only */
/* How the commands print a document: whole or not at all. */
#ifndef KMEMTRACE_OUTPUT_H
#define KMEMTRACE_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

/* Colour on a terminal only, and not for those who ask for none (https://no-color.org). */
bool output_wants_colour(void);
/* Whether the locale shows UTF-8; sets LC_CTYPE. */
bool output_is_utf8(void);

/*
 * Call `render` into memory, then print what it made: a failure leaves nothing half-printed, and
 * errno is the write's. `what` names the document in messages. 0 or −errno, which has been said;
 * −EPIPE has not: a reader that has seen enough need not be told.
 */
int output_document(const char *what, int (*render)(const void *arg, FILE *out), const void *arg);

#endif
