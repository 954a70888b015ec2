// SPDX-License-Identifier: GPL-2.0-only
/* See append.h. */
#include "base/append.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void append_words(char *dst, size_t size, const char *fmt, ...)
{
	size_t at = strlen(dst);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(dst + at, size - at, fmt, ap);
	va_end(ap);
}
