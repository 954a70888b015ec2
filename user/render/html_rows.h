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
	json_t *lines; /* of frames with source lines: index of the frame → text of its lines */
	size_t lines_bytes;
	size_t bytes; /* of all strings and rows */
	double scale; /* of all budgets */
};

/* Begin the data of a page; `kind` is "report" or "diff". */
json_t *html_rows_begin(struct html_rows *d, struct html *h, const char *kind, double scale);
/* Put the strings into the document, tell the page of failures, and free the rest. */
void html_rows_end(struct html_rows *d, json_t *root);

/* How much of the report the data has, for the page to say. */
struct html_cut {
	size_t paths, all_paths;
	double paths_bytes; /* of the paths that were added up */
	size_t caches, all_caches;
	size_t processes, all_processes; /* rows of held memory by process */
};

/*
 * Make the data of a page, as a script element may hold it. Hostile figures and names can need more
 * room than budgets foresee: then it is made again with smaller budgets, until it fits. `cut` is
 * set anew each time. malloc'ed; NULL without memory.
 */
char *html_data_fit(struct html *h,
		    json_t *(*make)(struct html *h, const void *arg, double scale,
				    struct html_cut *cut),
		    const void *arg, struct html_cut *cut);

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
/* Lines of one frame that a page has at most: the first ones, and the function's own. */
#define HTML_LINES 8
/* "alloc_msg (inlined)  ipc/msgutil.c:57", or "ipc/msgutil.c:91": malloc'ed; NULL without memory.
 */
char *html_source_line(const struct source_line *l);
/* A call path as indexes of strings, innermost first. */
json_t *html_path(struct html_rows *d, const struct capture *c, uint32_t stack);

#endif
