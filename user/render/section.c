// SPDX-License-Identifier: GPL-2.0-only
/* Finds sections by name, and lists them: see section.h. */
#include "render/section.h"

#include <string.h>

unsigned int section_bit(const char *const *names, size_t nr, const char *name, size_t len)
{
	if (len == strlen("all") && !strncmp(name, "all", len))
		return (1U << nr) - 1;
	for (size_t i = 0; i < nr; i++)
		if (len == strlen(names[i]) && !strncmp(name, names[i], len))
			return 1U << i;
	return 0;
}

void section_more(struct page *p, const char *const *names, size_t nr)
{
	size_t at = PAGE_LABEL + strlen("--show ");
	struct page_words words;

	if (!page_words_begin(p, &words))
		return;
	for (size_t i = 0; i < nr; i++) {
		/* lines are broken at spaces only */
		bool fits = at + strlen(names[i]) < PAGE_WIDTH;

		at = (fits ? at : PAGE_LABEL) + strlen(names[i]) + 1;
		fprintf(words.f, "%s%s%s", i ? "," : "--show ", fits ? "" : " ", names[i]);
	}
	fputs(" or all; `kmemtrace explain` explains the words.", words.f);
	page_words_item(p, &words, &(struct page_label){"MORE", PAGE_BOLD, 2});
}
