/* SPDX-License-Identifier: GPL-2.0-only */
/* vasprintf() with one way to fail. */
#ifndef KMEMTRACE_BASE_VFORMAT_H
#define KMEMTRACE_BASE_VFORMAT_H

#include <stdarg.h>
#include <stdio.h>

/* The text as a new string, to be freed by the caller. NULL without memory. */
__attribute__((format(printf, 1, 0))) static inline char *vformat(const char *fmt, va_list ap)
{
	char *text;

	return vasprintf(&text, fmt, ap) < 0 ? NULL : text;
}

#endif
