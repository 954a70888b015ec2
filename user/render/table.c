// SPDX-License-Identifier: GPL-2.0-only
/* Prints aligned columns: see table.h. */
#include "render/table.h"

#include <stdarg.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "base/vformat.h"

#define INDENT 2

void table_words(struct table *t, const char *fmt, ...)
{
	_cleanup_free_ char *words = NULL;
	char **slot = ARRAY_PUSH(&t->cells);
	va_list ap;

	va_start(ap, fmt);
	words = vformat(fmt, ap);
	va_end(ap);
	if (slot && words)
		*slot = escape_terminal(words, t->page->utf8);
	t->page->failed |= !slot || !*slot;
}

void table_bytes(struct table *t, double bytes, bool sign)
{
	char buf[PAGE_CELL];

	table_words(t, "%s", page_bytes(t->page, buf, bytes, sign));
}

void table_count(struct table *t, double count, bool sign)
{
	char buf[PAGE_CELL];

	table_words(t, "%s", page_count(t->page, buf, count, sign));
}

static size_t column_width(const struct table *t, size_t column)
{
	size_t width = utf8_width(t->columns[column].head), max = t->columns[column].max;

	for (size_t i = column; i < t->cells.nr; i += t->nr_columns) {
		size_t w = utf8_width(t->cells.items[i]);

		if (w > width)
			width = w;
	}
	return max && width > max ? max : width;
}

/* `spaces` are pending: they are printed only before the next cell, so that no line ends in spaces.
 */
static void cell_print(const struct table *t, size_t column, const char *text, size_t width,
		       int *spaces)
{
	size_t used = utf8_width(text), bytes = strlen(text), cut = 0;
	FILE *out = t->page->out;

	if (used > width) {
		cut = utf8_width(t->page->glyphs->ellipsis);
		bytes = utf8_fit(text, width - cut);
		used = width;
	}
	*spaces += column ? 1 : INDENT;
	if (t->columns[column].right)
		*spaces += (int)(width - used);
	if (bytes) {
		fprintf(out, "%*s%.*s%s", *spaces, "", (int)bytes, text,
			cut ? t->page->glyphs->ellipsis : "");
		*spaces = 0;
	}
	if (!t->columns[column].right)
		*spaces += (int)(width - used);
	if (column + 1 == t->nr_columns) {
		fputc('\n', out);
		*spaces = 0;
	}
}

/* If the table is wider than the page, its last column gives way, unless it has figures. */
static void last_fit(const struct table *t, size_t *width)
{
	size_t last = t->nr_columns - 1, all = INDENT + last;

	for (size_t c = 0; c <= last; c++)
		all += width[c];
	if (all > PAGE_WIDTH && !t->columns[last].right && width[last] > all - PAGE_WIDTH + 1)
		width[last] -= all - PAGE_WIDTH;
}

void table_print(struct table *t)
{
	_cleanup_free_ size_t *width = calloc(t->nr_columns, sizeof(*width));
	int spaces = 0;

	t->page->failed |= !width;
	for (size_t c = 0; !t->page->failed && c < t->nr_columns; c++)
		width[c] = column_width(t, c);
	if (!t->page->failed)
		last_fit(t, width);
	for (size_t c = 0; !t->page->failed && c < t->nr_columns; c++)
		cell_print(t, c, t->columns[c].head, width[c], &spaces);
	for (size_t i = 0; !t->page->failed && i < t->cells.nr; i++)
		cell_print(t, i % t->nr_columns, t->cells.items[i], width[i % t->nr_columns],
			   &spaces);
	for (size_t i = 0; i < t->cells.nr; i++)
		free(t->cells.items[i]);
	ARRAY_FREE(&t->cells);
}
