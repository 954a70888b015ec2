/* SPDX-License-Identifier: GPL-2.0-only */
/* How many rows of a list are printed: what --top asks for, the same in text and JSON. */
#ifndef KMEMTRACE_RENDER_ROWS_H
#define KMEMTRACE_RENDER_ROWS_H

#include <stddef.h>

/* `top` 0: all of them. */
static inline size_t rows_shown(size_t top, size_t nr)
{
	return top && top < nr ? top : nr;
}

#endif
