// SPDX-License-Identifier: GPL-2.0-only
/* Counts the typing errors between two words. See suggest.h. */
#include "base/suggest.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define PREFIX_LEAST 2 /* shortest prefix that counts as a match */

static size_t lesser(size_t a, size_t b)
{
	return a < b ? a : b;
}

static bool same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/*
 * Optimal string alignment distance: Levenshtein's, where swapping two neighbours counts as one
 * error.
 */
static size_t typing_errors(const char *a, size_t na, const char *b, size_t nb)
{
	size_t row[3][SUGGEST_MAX + 1] = {0};
	size_t *before = row[0], *above = row[1], *here = row[2];

	for (size_t k = 0; k <= nb; k++)
		above[k] = k;
	for (size_t i = 1; i <= na; i++) {
		size_t *spare = before;

		here[0] = i;
		for (size_t k = 1; k <= nb; k++) {
			size_t other = above[k - 1] + !same(a[i - 1], b[k - 1]);

			here[k] = lesser(other, 1 + lesser(above[k], here[k - 1]));
			if (i > 1 && k > 1 && same(a[i - 1], b[k - 2]) && same(a[i - 2], b[k - 1]))
				here[k] = lesser(here[k], 1 + before[k - 2]);
		}
		before = above;
		above = here;
		here = spare;
	}
	return above[nb];
}

void suggest_try(struct suggestion *s, const char *typed, const char *known)
{
	size_t na = strlen(typed), nb = strlen(known), distance;

	if (!na || na > SUGGEST_MAX || nb > SUGGEST_MAX)
		return;
	distance = typing_errors(typed, na, known, nb);
	if (na >= PREFIX_LEAST && !strncasecmp(typed, known, na))
		distance = lesser(distance, 1);
	else if (distance > 1 + na / 4 || distance >= na)
		return;
	if (s->word && distance >= s->distance)
		return;
	s->word = known;
	s->distance = distance;
}
