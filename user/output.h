/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Prints a document to standard output: completely or not at all, unless it is huge. On a terminal
 * that it does not fit it goes through a pager (pager.h).
 */
#ifndef KMEMTRACE_OUTPUT_H
#define KMEMTRACE_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

/* "auto", "always" or "never", as --color gives it. Returns 0 or −EINVAL. */
int output_set_colour(const char *when);
/* By default, colour only on a terminal, and only if NO_COLOR is unset (https://no-color.org). */
bool output_wants_colour(void);
/* The same for a document that output_file() writes to `path`: a file is no terminal. */
bool output_file_wants_colour(const char *path);
/* Does the locale use UTF-8? Sets LC_CTYPE. */
bool output_is_utf8(void);

/*
 * Print the document that `render` makes. It is collected in memory first, so a failure prints
 * nothing. A document of more than OUTPUT_KEPT bytes is written as it is made, to save memory; a
 * failure then leaves it incomplete. `what` names the document in messages. Returns 0 or −errno,
 * and sets errno to match. Prints why on failure, except for −EPIPE: the reader has seen enough.
 */
#define OUTPUT_KEPT (16 << 20)
int output_document(const char *what, int (*render)(const void *arg, FILE *out), const void *arg);

/*
 * The same to the file that -o names; NULL and "-" mean standard output. The file is replaced when
 * the document is complete, so a failure changes nothing. Refuses to replace an SQLite database,
 * because that is most likely the capture. Returns 0 or −errno. Prints why on failure.
 */
int output_file(const char *what, const char *path, int (*render)(const void *arg, FILE *out),
		const void *arg);

/*
 * Check all other output (help, the version) when the program exits: if it could not be written,
 * the program prints a message and exits with EXIT_FAILED.
 */
void output_check_at_exit(void);

#endif
