/* SPDX-License-Identifier: GPL-2.0-only */
/* The number of rows of a list that --top selects, the same in text and JSON. */
#ifndef KMEMTRACE_RENDER_ROWS_H
#define KMEMTRACE_RENDER_ROWS_H

#include <stddef.h>

/* `top` 0: all. */
static inline size_t rows_shown(size_t top, size_t nr)
{
	return top && top < nr ? top : nr;
}

#endif
