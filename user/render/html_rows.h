/* SPDX-License-Identifier: GPL-2.0-only */
/* What the data of HTML pages consists of: strings stored once, rows within a budget of bytes, and
 * series as differences. html_data.c and html_diff_data.c use it. */
#ifndef KMEMTRACE_RENDER_HTML_ROWS_H
#define KMEMTRACE_RENDER_HTML_ROWS_H

#include "render/html.h"
#include "render/json_value.h"

struct html_string;

struct html_rows {
	struct html *h;
	struct json_out o; /* remembers failures */
	json_t *strings;   /* the list of all strings */
	struct html_string *index;
	size_t bytes; /* of all strings and rows */
	double scale; /* of all budgets */
};

/* Hostile figures and names can need more room than budgets foresee. Then the data is made again,
 * with budgets of HTML_LESS of the size. */
#define HTML_DATA (560 << 10)
#define HTML_LESS 0.6

void html_rows_begin(struct html_rows *d, struct html *h, double scale);
/* Frees everything but the strings, which belong to the document. */
void html_rows_end(struct html_rows *d);

/* The index of a name in the list of strings, as it is shown; null for NULL and "". */
json_t *html_string(struct html_rows *d, const char *name);
/* The columns of a table, as a list of their names. */
json_t *html_columns(struct html_rows *d, const char *const *names, size_t nr);
/* Append a row if all rows and strings together stay below `budget` bytes. */
bool html_row_fits(struct html_rows *d, json_t *rows, json_t *row, size_t budget);
/* The first figure, rounded, then the difference of each to the one before; null where unknown.
 * The last ones are left out if nothing changes. */
json_t *html_series(struct html_rows *d, const double *y, size_t nr);
json_t *html_times(struct html_rows *d, const double *t, size_t nr);
/* A call path as indexes of strings, innermost first. */
json_t *html_path(struct html_rows *d, const struct capture *c, uint32_t stack);

#endif
