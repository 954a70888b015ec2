/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Aligned columns on a page. A column is as wide as its widest cell, up to its limit, counted in
 * terminal columns; what is longer is cut and ends in an ellipsis. Rows fill from left to right;
 * only ever print whole ones.
 */
#ifndef KMEMTRACE_RENDER_TABLE_H
#define KMEMTRACE_RENDER_TABLE_H

#include "render/page.h"

struct table_column {
	const char *head;
	size_t max; /* widest it may be, 0: no limit */
	bool right; /* figures align to the right */
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

/* An empty table with an array of columns. */
#define TABLE_INIT(page_, columns_) \
	table_init(page_, columns_, sizeof(columns_) / sizeof((columns_)[0]))

/* Append the next cell: words, or a figure as page_bytes() and page_count() write it. */
__attribute__((format(printf, 2, 3))) void table_words(struct table *t, const char *fmt, ...);
void table_bytes(struct table *t, double bytes, bool sign);
void table_count(struct table *t, double count, bool sign);
/* Print the head and all rows, and free the cells. */
void table_print(struct table *t);

#endif
