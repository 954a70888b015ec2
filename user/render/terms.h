/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The words that reports use, each with its explanation in plain English. `kmemtrace explain`
 * prints them.
 */
#ifndef KMEMTRACE_RENDER_TERMS_H
#define KMEMTRACE_RENDER_TERMS_H

#include <stddef.h>

#include "render/page.h"

struct term {
	const char *name;  /* in lower case, except for names that the kernel uses */
	const char *brief; /* one line of the list, at most 56 columns */
	const char *text;  /* what it means and what to do about it */
	const char *also;  /* names of related terms, separated by ", "; "" for none */
};

extern const struct term terms[];
extern const size_t nr_terms;

/* The term of that name, whatever its case; '_' and '-' are spaces. NULL: there is none. */
const struct term *term_find(const char *name);

void term_text(struct page *p, const struct term *t);
void terms_list(struct page *p);

#endif
