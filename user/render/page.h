/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Prints a document on a terminal of 80 columns: headings, paragraphs, and tables (table.h). Names
 * in it may be hostile, so everything that is printed through here is escaped here. A lack of
 * memory is remembered, and page_end() returns it.
 */
#ifndef KMEMTRACE_RENDER_PAGE_H
#define KMEMTRACE_RENDER_PAGE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/array.h"
#include "base/units.h"

#define PAGE_WIDTH 80
#define PAGE_CELL  (UNITS_MAX + 1) /* a formatted figure with a sign */

/* The characters that differ between UTF-8 and ASCII terminals. */
struct page_glyphs {
	const char *none; /* for figures that were not measured */
	const char *ellipsis, *differs;
	const char *bars[8];
};

struct page {
	FILE *out;
	bool colour, utf8;
	const struct page_glyphs *glyphs;
	ARRAY_OF(char *) kept; /* what page_fit() returned, freed at the end */
	size_t headings;       /* printed until now */
	bool begun, failed;
};

enum page_style { PAGE_BOLD, PAGE_RED };

void page_begin(struct page *p, FILE *out, bool colour, bool utf8);
/* Returns 0 or −ENOMEM. Write errors set the error flag of `out`. */
int page_end(struct page *p);

/* The sequences that switch a style on, and all styles off; "" without colours. */
const char *page_on(const struct page *p, enum page_style style);
const char *page_off(const struct page *p);

/* An empty line (except at the top), then the title. */
__attribute__((format(printf, 3, 4))) void page_heading(struct page *p, enum page_style style,
							const char *fmt, ...);
/* Text broken at spaces, each line indented by `indent`. A figure stays with its unit. */
__attribute__((format(printf, 3, 4))) void page_paragraph(struct page *p, unsigned int indent,
							  const char *fmt, ...);
/* A word before a paragraph that is indented by its width. */
#define PAGE_LABEL 9 /* columns */
struct page_label {
	const char *word;
	enum page_style style;
	size_t lines; /* at most; text that is cut off ends in an ellipsis */
};
__attribute__((format(printf, 3, 4))) void page_item(struct page *p, const struct page_label *label,
						     const char *fmt, ...);
/* A command after a label. If it is too long, it continues on the next line, as a shell reads it.
 */
void page_command(struct page *p, const char *label, const char *command);

/* Sentences, and the command to run next, which is not broken, so that it can be copied. NULL or
 * "": no command. */
void page_verdict(struct page *p, bool alarm, char *const *sentences, size_t nr, const char *next);
/* s escaped, at most `columns` wide. It is valid as long as the page. */
const char *page_fit(struct page *p, const char *s, size_t columns);
/* The same, cut in the middle, so that both ends can be recognised. */
const char *page_fit_middle(struct page *p, const char *s, size_t columns);

/* A paragraph in pieces: write to f between the two calls. Returns false if there is not enough
 * memory. */
struct page_words {
	FILE *f;
	char *words;
	size_t size;
};
bool page_words_begin(struct page *p, struct page_words *w);
void page_words_end(struct page *p, struct page_words *w, unsigned int indent);
void page_words_item(struct page *p, struct page_words *w, const struct page_label *label);

/* "12.3M", "1,234": with a '+' if positive and `sign`; the glyph for none if NaN. */
const char *page_bytes(const struct page *p, char buf[PAGE_CELL], double bytes, bool sign);
const char *page_count(const struct page *p, char buf[PAGE_CELL], double count, bool sign);
/* Bars for `nr` figures, at most 32 of them, from their minimum (or 0) to their maximum. */
void page_bars(struct page *p, const double *y, size_t nr, bool from_zero);

#endif
