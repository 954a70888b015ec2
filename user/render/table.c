// SPDX-License-Identifier: GPL-2.0-only
/* Aligned columns: see table.h. */
#include "render/table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"

void table_cell(struct table *t, const char *fmt, ...)
{
	char **slot = ARRAY_PUSH(&t->cells);
	va_list ap;

	va_start(ap, fmt);
	if (!slot) {
		t->failed = true;
	} else if (vasprintf(slot, fmt, ap) < 0) {
		*slot = NULL;
		t->failed = true;
	}
	va_end(ap);
}

static void cell_print(const struct table *t, FILE *out, size_t column, const char *text,
		       size_t width)
{
	size_t used = utf8_width(text), bytes = strlen(text), cut = 0;
	bool last = column + 1 == t->nr_columns;

	if (used > width) {
		cut = utf8_width(t->ellipsis);
		bytes = utf8_fit(text, width - cut);
		used = width;
	}
	if (t->columns[column].right)
		fprintf(out, "%*s", (int)(width - used), "");
	fwrite(text, 1, bytes, out);
	fputs(cut ? t->ellipsis : "", out);
	if (!t->columns[column].right && !last)
		fprintf(out, "%*s", (int)(width - used), "");
	fputs(last ? "\n" : " ", out);
}

int table_print(struct table *t, FILE *out, unsigned int indent)
{
	_cleanup_free_ size_t *width = calloc(t->nr_columns, sizeof(*width));
	bool failed = t->failed || !width;

	for (size_t c = 0; !failed && c < t->nr_columns; c++) {
		width[c] = utf8_width(t->columns[c].head);
		for (size_t i = c; i < t->cells.nr; i += t->nr_columns) {
			size_t w = utf8_width(t->cells.items[i]);

			if (w > width[c])
				width[c] = w;
		}
		if (t->columns[c].max && width[c] > t->columns[c].max)
			width[c] = t->columns[c].max;
	}
	for (size_t c = 0; !failed && c < t->nr_columns; c++) {
		fprintf(out, "%*s", c ? 0 : (int)indent, "");
		cell_print(t, out, c, t->columns[c].head, width[c]);
	}
	for (size_t i = 0; !failed && i < t->cells.nr; i++) {
		size_t c = i % t->nr_columns;

		fprintf(out, "%*s", c ? 0 : (int)indent, "");
		cell_print(t, out, c, t->cells.items[i], width[c]);
	}
	for (size_t i = 0; i < t->cells.nr; i++)
		free(t->cells.items[i]);
	ARRAY_FREE(&t->cells);
	return failed ? -ENOMEM : 0;
}
