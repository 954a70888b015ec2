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
	struct page_words words;

	if (!page_words_begin(p, &words))
		return;
	for (size_t i = 0; i < nr; i++)
		fprintf(words.f, "%s%s", i ? "," : "--show ", names[i]);
	fputs(" or all; `kmemtrace explain` explains the words.", words.f);
	page_words_item(p, &words, &(struct page_label){"MORE", PAGE_BOLD, 2});
}
