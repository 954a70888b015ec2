/* SPDX-License-Identifier: GPL-2.0-only */
/* How the commands print a document: whole or not at all, unless it is huge. */
#ifndef KMEMTRACE_OUTPUT_H
#define KMEMTRACE_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

/* Colour on a terminal only, and not for those who ask for none (https://no-color.org). */
bool output_wants_colour(void);
/* Whether the locale shows UTF-8; sets LC_CTYPE. */
bool output_is_utf8(void);

/*
 * Print what `render` makes: a failure leaves nothing half-printed. A document of more than
 * OUTPUT_KEPT bytes is printed while it is made, so that it takes no memory; a failure then leaves
 * a part. errno is the write's. `what` names the document in messages. 0 or −errno, which has been
 * said; −EPIPE has not: a reader that has seen enough need not be told.
 */
#define OUTPUT_KEPT (16 << 20)
int output_document(const char *what, int (*render)(const void *arg, FILE *out), const void *arg);

/*
 * Whatever else is printed (help, the version) is checked when the program exits: what could not be
 * written ends it with EXIT_FAILED and a message.
 */
void output_check_at_exit(void);

#endif
