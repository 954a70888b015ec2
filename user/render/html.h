/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes an HTML page: its frame, text, tables, and the data for its script. html_report.c and
 * html_diff.c fill it. Everything that is not a constant of ours goes through html_text() or
 * html_name(): names in captures may be hostile, and must neither become markup nor reorder the
 * text around them.
 */
#ifndef KMEMTRACE_RENDER_HTML_H
#define KMEMTRACE_RENDER_HTML_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/units.h"
#include "findings/finding.h"

#define HTML_NAME 120  /* characters of a name; longer ones are cut in the middle */
#define HTML_TEXT 1200 /* … of a sentence */
#define HTML_CELL (UNITS_MAX + 1)

struct html {
	FILE *out;
	size_t cut;   /* names and sentences that were too long */
	size_t bytes; /* of escaped text until now … */
	size_t begun; /* … and when the table or list began */
	bool failed;
};

/* What the bar at the top of the page shows. */
struct html_head {
	const char *title;
	const char *state; /* "LEAK" */
	bool alarm;
	const char *trust;        /* "high"; NULL: each figure has its own */
	const char *losses;       /* in words */
	const char *about_losses; /* the section that says more of them */
	const char *source;       /* host and recording, in words */
};

/* From <!DOCTYPE html> to the begin of the sections. */
void html_begin(struct html *h, const struct html_head *head);
/* The data, from html_data_text(), the script, and the end. Returns 0 or −ENOMEM. */
int html_end(struct html *h, const char *data);
/* JSON as a script element may hold it: '<' begins no markup, whatever the strings hold. Frees
 * `data`. malloc'ed; NULL without memory. */
char *html_data_text(struct html *h, json_t *data);

/* A constant of ours, with markup. */
void html_put(struct html *h, const char *markup);
/* Text, escaped. */
void html_text(struct html *h, const char *s);
__attribute__((format(printf, 2, 3))) void html_words(struct html *h, const char *fmt, ...);
/* A name in an element of its own, so that its reading direction does not affect others. */
void html_name(struct html *h, const char *s);
/* What html_name() shows of a name, without markup. malloc'ed; NULL without memory. */
char *html_shown(struct html *h, const char *s, size_t max);

/* A section with its heading; `id` is a constant. */
void html_section(struct html *h, const char *id, const char *heading);
/* Where the script puts a picture; `label` says what it shows. */
void html_chart(struct html *h, const char *id, const char *label);

/* A table: its columns ("name", or "#size" for figures), then cells row by row. `sort`: the script
 * makes it sortable. */
void html_table(struct html *h, const char *id, const char *caption, const char *const *columns,
		size_t nr);
/* Has the table so much text that no more rows may follow? Names can be hostile in size, too. */
bool html_full(const struct html *h);
void html_table_end(struct html *h);
void html_row(struct html *h);
void html_cell_name(struct html *h, const char *name);
__attribute__((format(printf, 2, 3))) void html_cell(struct html *h, const char *fmt, ...);
/* Figures; the exact one is in an attribute for sorting. Not measured: a dash. */
void html_cell_bytes(struct html *h, double bytes, bool sign);
void html_cell_seconds(struct html *h, double seconds);
void html_cell_number(struct html *h, long long number); /* a process id */
void html_cell_count(struct html *h, double count, bool sign);

/* A line of the first screen; nothing if `text` is "". */
void html_item(struct html *h, const char *word, const char *text);
/* The end of a WHO line: the cgroup and the command line, if known. */
void html_who_end(struct html *h, const char *cgroup, const char *cmdline);
void html_command(struct html *h, const char *command);
/* All findings, the most severe first. */
void html_findings(struct html *h, const struct findings *list);

#endif
