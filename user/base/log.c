// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints messages to stderr. Control characters in arguments are neutralised, because names in them
 * are untrusted. See log.h.
 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool log_verbose;
static bool progress_shown;
static int lost, lost_why; /* number of messages that could not be written, and the first errno */

/* Write a message, preceded by the number of messages lost before it. stderr is not buffered. */
static void line_write(const char *prefix, const char *line)
{
	if (lost && fprintf(stderr,
			    "kmemtrace: warning: cannot write to standard error (%s): %d message%s "
			    "missing here\n",
			    strerror(lost_why), lost, lost == 1 ? " is" : "s are") > 0)
		lost = 0;
	if (fprintf(stderr, "kmemtrace: %s%s\n", prefix, line) < 0 && !lost++)
		lost_why = errno;
	clearerr(stderr);
}

static void log_line(const char *prefix, const char *fmt, va_list ap)
{
	int saved = errno;
	char line[2048];

	vsnprintf(line, sizeof(line), fmt, ap);
	for (char *p = line; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	log_progress_end();
	line_write(prefix, line);
	errno = saved;
}

int log_error(int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line("", fmt, ap);
	va_end(ap);
	return -err;
}

void log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line("warning: ", fmt, ap);
	va_end(ap);
}

void log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line("", fmt, ap);
	va_end(ap);
}

void log_debug(const char *fmt, ...)
{
	va_list ap;

	if (!log_verbose)
		return;
	va_start(ap, fmt);
	log_line("", fmt, ap);
	va_end(ap);
}

size_t log_progress_columns(void)
{
	struct winsize w;

	if (!isatty(STDERR_FILENO))
		return 0;
	/* the last column stays free: a terminal may wrap after it */
	return !ioctl(STDERR_FILENO, TIOCGWINSZ, &w) && w.ws_col > 1 ? w.ws_col - 1U : 79;
}

void log_progress(const char *fmt, ...)
{
	size_t columns = log_progress_columns();
	char line[256];
	va_list ap;

	if (!columns)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	fprintf(stderr, "\r\033[K%.*s", (int)columns, line);
	fflush(stderr);
	progress_shown = true;
}

void log_progress_end(void)
{
	if (progress_shown)
		fputc('\n', stderr);
	progress_shown = false;
}
