/* SPDX-License-Identifier: GPL-2.0-only */
/* Code that the files of a diff share. */
#ifndef KMEMTRACE_RENDER_DIFF_INTERNAL_H
#define KMEMTRACE_RENDER_DIFF_INTERNAL_H

#include "render/diff.h"
#include "render/page.h"
#include "render/rows.h"

/* Print the first screen, without the line of sections. */
void diff_screen(struct page *p, const struct diff *d, const struct diff_screen *s);

/* The number of rows in a section to show, before --top limits it. All pools are shown. */
static inline size_t section_rows(const struct diff *d, enum profile_section section,
				  const struct diff_options *options)
{
	const struct diff_rows *rows = &d->sections[section];

	return section == PROFILE_POOLS || options->all ? rows->nr : rows->changed;
}

static inline size_t section_shown(const struct diff *d, enum profile_section section,
				   const struct diff_options *options)
{
	size_t nr = section_rows(d, section, options);

	return section == PROFILE_POOLS ? nr : rows_shown(options->top, nr);
}

#endif
