/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages to the user, always on stderr, one line each. A failure message says what to do next. If
 * stderr cannot be written, the next message that can be is preceded by the number of missing ones.
 */
#ifndef KMEMTRACE_BASE_LOG_H
#define KMEMTRACE_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

/* Set once by main() from --verbose: log_debug() prints only then. */
extern bool log_verbose;

/*
 * Print "kmemtrace: MESSAGE" and return -err (err is a positive errno), so that a failing function
 * can end with `return log_error(ENOENT, "no capture at %s", path);`. errno is preserved.
 */
int log_error(int err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Print "kmemtrace: warning: MESSAGE". errno is preserved. */
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Print "kmemtrace: MESSAGE". errno is preserved. */
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Print "kmemtrace: MESSAGE" when log_verbose is set. errno is preserved. */
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The columns that a progress line may take; 0 if stderr is not a terminal. */
size_t log_progress_columns(void);

/*
 * A progress line: overwrites the previous one, is cut to the terminal's width, and is ended by the
 * next message or log_progress_end(). Prints nothing if stderr is not a terminal.
 */
void log_progress(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_progress_end(void);

#endif
