/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages to people, always on stderr, always one line; those of failures say what to do next.
 * Where stderr cannot be written, the next message that can is preceded by how many are missing.
 */
#ifndef KMEMTRACE_BASE_LOG_H
#define KMEMTRACE_BASE_LOG_H

#include <stdbool.h>

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

/*
 * The line that says how far a long task is: printed over the last one, cut to the terminal's
 * width, and ended by the next message or log_progress_end(). Nothing where stderr is no terminal.
 */
void log_progress(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_progress_end(void);

#endif
