// SPDX-License-Identifier: GPL-2.0-only
/* Paragraphs on a terminal: see wrap.h. */
#include "render/wrap.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/escape.h"

/* A line may end at this space: not between a figure and its unit. */
static bool may_break(const char *words, size_t at)
{
	return words[at] == ' ' &&
	       !(at && isdigit((unsigned char)words[at - 1]) &&
		 (isupper((unsigned char)words[at + 1]) || !strncmp(words + at + 1, "s ", 2)));
}

void wrap_print(FILE *out, unsigned int indent, const char *words)
{
	size_t room = WRAP_WIDTH - indent;

	while (*words) {
		size_t fit = utf8_fit(words, room), cut = fit;

		while (words[fit] && cut > 0 && !may_break(words, cut))
			cut--;
		if (!cut)
			cut = fit; /* one word longer than the line */
		fprintf(out, "%*s%.*s\n", (int)indent, "", (int)cut, words);
		words += cut;
		words += *words == ' ';
	}
}
