/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Prints aligned columns on a page. A column is as wide as its widest cell, up to its limit, in
 * terminal columns; a longer cell is cut and ends in an ellipsis. Fill rows from left to right, and
 * print only complete rows.
 */
#ifndef KMEMTRACE_RENDER_TABLE_H
#define KMEMTRACE_RENDER_TABLE_H

#include "render/page.h"

struct table_column {
	const char *head;
	size_t max; /* maximum width; 0: no limit */
	bool right; /* align to the right, for figures */
};

struct table {
	struct page *page;
	const struct table_column *columns;
	size_t nr_columns;
	ARRAY_OF(char *) cells; /* row by row, escaped */
};

static inline struct table table_init(struct page *page, const struct table_column *columns,
				      size_t nr_columns)
{
	return (struct table){.page = page, .columns = columns, .nr_columns = nr_columns};
}

/* Create an empty table from an array of columns. */
#define TABLE_INIT(page_, columns_) \
	table_init(page_, columns_, sizeof(columns_) / sizeof((columns_)[0]))

/* Append the next cell: words, or a figure as page_bytes() and page_count() format it. */
__attribute__((format(printf, 2, 3))) void table_words(struct table *t, const char *fmt, ...);
void table_bytes(struct table *t, double bytes, bool sign);
void table_count(struct table *t, double count, bool sign);
/* Print the head and all rows, and free the cells. */
void table_print(struct table *t);

#endif
