/* SPDX-License-Identifier: GPL-2.0-only */
/* A call path of a capture, one frame a line, innermost first; inlined functions have lines of
 * their own. */
#ifndef KMEMTRACE_RENDER_PATH_H
#define KMEMTRACE_RENDER_PATH_H

#include "data/capture.h"
#include "render/page.h"

void path_print(struct page *p, const struct capture *c, uint32_t stack);

#endif
