/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Aligned columns on a terminal. Cells are text that is escaped already; a column is as wide as its
 * widest cell, up to its limit, counted in terminal columns; what is longer is cut and ends in an
 * ellipsis.
 */
#ifndef KMEMTRACE_RENDER_TABLE_H
#define KMEMTRACE_RENDER_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/array.h"

struct table_column {
	const char *head;
	size_t max; /* widest it may be, 0: no limit */
	bool right; /* figures align to the right */
};

struct table {
	const struct table_column *columns;
	size_t nr_columns;
	const char *ellipsis;
	ARRAY_OF(char *) cells; /* row by row */
	bool failed;		/* memory was short: table_print() says so */
};

/* Append the next cell; rows fill from left to right. Only ever call with whole rows. */
__attribute__((format(printf, 2, 3))) void table_cell(struct table *t, const char *fmt, ...);
/* Print the head and all rows, `indent` spaces in, and free the cells. 0 or −ENOMEM. */
int table_print(struct table *t, FILE *out, unsigned int indent);

#endif
