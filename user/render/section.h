/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sections that a document prints on demand, after its first screen. A document lists their names
 * in the order of printing; section i is bit i of what --show says.
 */
#ifndef KMEMTRACE_RENDER_SECTION_H
#define KMEMTRACE_RENDER_SECTION_H

#include "render/page.h"

/* The bit of the section with this name, all bits for "all", 0 if there is no such section. */
unsigned int section_bit(const char *const *names, size_t nr, const char *name, size_t len);
/* The last line of a first screen: it lists the sections. */
void section_more(struct page *p, const char *const *names, size_t nr);

#endif
