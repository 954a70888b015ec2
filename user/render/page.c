// SPDX-License-Identifier: GPL-2.0-only
/* Prints documents on a terminal: see page.h. */
#include "render/page.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "base/vformat.h"

#define BARS_MAX 32

static const struct page_glyphs glyphs_utf8 = {.none = "–",
					       .ellipsis = "…",
					       .differs = "≠",
					       .bars = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"}};
static const struct page_glyphs glyphs_ascii = {.none = "-",
						.ellipsis = "~",
						.differs = "!=",
						.bars = {"_", ".", ",", "-", "=", "+", "*", "#"}};

void page_begin(struct page *p, FILE *out, bool colour, bool utf8)
{
	*p = (struct page){.out = out,
			   .colour = colour,
			   .utf8 = utf8,
			   .glyphs = utf8 ? &glyphs_utf8 : &glyphs_ascii};
}

int page_end(struct page *p)
{
	for (size_t i = 0; i < p->kept.nr; i++)
		free(p->kept.items[i]);
	ARRAY_FREE(&p->kept);
	return p->failed ? -ENOMEM : 0;
}

const char *page_on(const struct page *p, enum page_style style)
{
	static const char *const codes[] = {[PAGE_BOLD] = "\033[1m", [PAGE_RED] = "\033[31m"};

	return p->colour ? codes[style] : "";
}

const char *page_off(const struct page *p)
{
	return p->colour ? "\033[0m" : "";
}

void page_heading(struct page *p, enum page_style style, const char *fmt, ...)
{
	va_list ap;

	fprintf(p->out, "%s%s", p->begun ? "\n" : "", page_on(p, style));
	va_start(ap, fmt);
	vfprintf(p->out, fmt, ap);
	va_end(ap);
	fprintf(p->out, "%s\n", page_off(p));
	p->headings++;
	p->begun = true;
}

/* May a line end at this space? Not between a figure and its unit. */
static bool may_break(const char *words, size_t at)
{
	return words[at] == ' ' &&
	       !(at && isdigit((unsigned char)words[at - 1]) &&
		 (isupper((unsigned char)words[at + 1]) || !strncmp(words + at + 1, "s ", 2)));
}

/* How many bytes of `words` fit on a line of `room` columns. */
static size_t line_fit(const char *words, size_t room)
{
	size_t fit = utf8_fit(words, room), cut = fit;

	while (words[fit] && cut > 0 && !may_break(words, cut))
		cut--;
	return cut ?: fit; /* one word is longer than the line */
}

static void print_wrapped(struct page *p, unsigned int indent, const char *words)
{
	_cleanup_free_ char *safe = escape_terminal(words, p->utf8);

	p->failed |= !safe;
	for (words = safe ?: ""; *words; words += *words == ' ') {
		size_t cut = line_fit(words, PAGE_WIDTH - indent);

		fprintf(p->out, "%*s%.*s\n", (int)indent, "", (int)cut, words);
		words += cut;
	}
}

/* Like print_wrapped(), with the label before the first line. If words are left, the last allowed
 * line ends in an ellipsis. */
static void print_item(struct page *p, const struct page_label *label, const char *words)
{
	_cleanup_free_ char *safe = escape_terminal(words, p->utf8);
	size_t room = PAGE_WIDTH - PAGE_LABEL;

	p->failed |= !safe;
	words = safe ?: "";
	for (size_t line = 0; *words && line < label->lines; line++) {
		bool last = line + 1 == label->lines && utf8_width(words) > room;
		size_t cut = line_fit(words, last ? room - 1 : room);

		if (line)
			fprintf(p->out, "%*s", PAGE_LABEL, "");
		else
			fprintf(p->out, "%s%-*s%s", page_on(p, label->style), PAGE_LABEL,
				label->word, page_off(p));
		fprintf(p->out, "%.*s%s\n", (int)cut, words, last ? p->glyphs->ellipsis : "");
		words += cut;
		words += *words == ' ';
	}
	p->begun = true;
}

/* NULL without memory, which is remembered. */
__attribute__((format(printf, 2, 0))) static char *format_words(struct page *p, const char *fmt,
								va_list ap)
{
	char *words = vformat(fmt, ap);

	p->failed |= !words;
	return words;
}

void page_item(struct page *p, const struct page_label *label, const char *fmt, ...)
{
	_cleanup_free_ char *words = NULL;
	va_list ap;

	va_start(ap, fmt);
	words = format_words(p, fmt, ap);
	va_end(ap);
	print_item(p, label, words ?: "");
}

void page_words_item(struct page *p, struct page_words *w, const struct page_label *label)
{
	if (fclose(w->f))
		p->failed = true;
	else
		print_item(p, label, w->words);
	free(w->words);
}

/* Print a command that begins at column PAGE_LABEL, as a shell reads it. */
static void print_command(struct page *p, const char *words)
{
	size_t room = PAGE_WIDTH - PAGE_LABEL;

	while (utf8_width(words) > room) {
		size_t cut = line_fit(words, room - 2);

		fprintf(p->out, "%.*s \\\n%*s", (int)cut, words, PAGE_LABEL, "");
		words += cut;
		words += *words == ' ';
	}
	fputs(words, p->out);
}

void page_command(struct page *p, const char *label, const char *command)
{
	_cleanup_free_ char *safe = escape_terminal(command, p->utf8);
	/* A comment cannot be continued by a backslash, so it gets a line of its own. */
	char *comment =
		safe && utf8_width(safe) > PAGE_WIDTH - PAGE_LABEL ? strstr(safe, "  # ") : NULL;

	p->failed |= !safe;
	fprintf(p->out, "%-*s%s", PAGE_LABEL, label, page_on(p, PAGE_BOLD));
	if (comment)
		*comment = '\0';
	print_command(p, safe ?: "");
	if (comment)
		fprintf(p->out, "\n%*s%s", PAGE_LABEL, "", comment + 2);
	fprintf(p->out, "%s\n", page_off(p));
}

void page_paragraph(struct page *p, unsigned int indent, const char *fmt, ...)
{
	_cleanup_free_ char *words = NULL;
	va_list ap;

	va_start(ap, fmt);
	words = format_words(p, fmt, ap);
	va_end(ap);
	print_wrapped(p, indent, words ?: "");
}

void page_verdict(struct page *p, bool alarm, char *const *sentences, size_t nr, const char *next)
{
	_cleanup_free_ char *safe = next ? escape_terminal(next, p->utf8) : NULL;
	struct page_words w;

	page_heading(p, alarm ? PAGE_RED : PAGE_BOLD, "VERDICT");
	if (!page_words_begin(p, &w))
		return;
	for (size_t i = 0; i < nr; i++)
		fprintf(w.f, "%s%s", i ? " " : "", sentences[i]);
	page_words_end(p, &w, 2);
	p->failed |= next && !safe;
	if (safe && safe[0])
		fprintf(p->out, "  Next: %s%s%s\n", page_on(p, PAGE_BOLD), safe, page_off(p));
}

const char *page_fit(struct page *p, const char *s, size_t columns)
{
	_cleanup_free_ char *whole = escape_terminal(s, p->utf8);
	char **slot = whole ? ARRAY_PUSH(&p->kept) : NULL, *cut = NULL;

	if (slot && utf8_width(whole) > columns &&
	    asprintf(&cut, "%.*s%s", (int)utf8_fit(whole, columns - 1), whole,
		     p->glyphs->ellipsis) < 0)
		slot = NULL;
	if (!slot) {
		p->failed = true;
		return "";
	}
	*slot = cut ?: TAKE_PTR(whole);
	return *slot;
}

const char *page_fit_middle(struct page *p, const char *s, size_t columns)
{
	_cleanup_free_ char *whole = escape_terminal(s, p->utf8);
	size_t width = whole ? utf8_width(whole) : 0;
	size_t head = (columns - 1) / 2, tail = columns - 1 - head;
	char **slot = whole ? ARRAY_PUSH(&p->kept) : NULL, *cut = NULL;
	const char *end;

	if (slot && width > columns) {
		end = whole + utf8_fit(whole, width - tail);
		while (*end && utf8_width(end) > tail) /* a wide character crossed the cut */
			end += utf8_fit(end, 2);
		if (asprintf(&cut, "%.*s%s%s", (int)utf8_fit(whole, head), whole,
			     p->glyphs->ellipsis, end) < 0)
			slot = NULL;
	}
	if (!slot) {
		p->failed = true;
		return "";
	}
	*slot = cut ?: TAKE_PTR(whole);
	return *slot;
}

bool page_words_begin(struct page *p, struct page_words *w)
{
	*w = (struct page_words){0};
	w->f = open_memstream(&w->words, &w->size);
	p->failed |= !w->f;
	return w->f != NULL;
}

void page_words_end(struct page *p, struct page_words *w, unsigned int indent)
{
	if (fclose(w->f))
		p->failed = true;
	else
		print_wrapped(p, indent, w->words);
	free(w->words);
}

/* The figure is in buf + 1. Put a '+' before it if needed. */
static const char *with_sign(char buf[PAGE_CELL], bool positive)
{
	buf[0] = '+';
	return positive && strcmp(buf + 1, "0") ? buf : buf + 1;
}

const char *page_bytes(const struct page *p, char buf[PAGE_CELL], double bytes, bool sign)
{
	if (isnan(bytes))
		return p->glyphs->none;
	units_bytes_short(buf + 1, bytes);
	return with_sign(buf, sign && bytes > 0);
}

const char *page_count(const struct page *p, char buf[PAGE_CELL], double count, bool sign)
{
	if (isnan(count))
		return p->glyphs->none;
	units_count(buf + 1, count);
	return with_sign(buf, sign && count > 0);
}

void page_bars(struct page *p, const double *y, size_t nr, bool from_zero)
{
	size_t points = nr < BARS_MAX ? nr : BARS_MAX;
	double low = from_zero ? 0 : INFINITY, high = -INFINITY;

	for (size_t i = 0; i < nr; i++) {
		if (isnan(y[i]))
			continue;
		low = fmin(low, y[i]);
		high = fmax(high, y[i]);
	}
	for (size_t i = 0; i < points; i++) {
		double value = y[points > 1 ? i * (nr - 1) / (points - 1) : 0];
		double level = high > low ? (value - low) / (high - low) * 7.999 : 0;

		fputs(isnan(value) || (from_zero && !(value > 0)) ? " "
								  : p->glyphs->bars[(size_t)level],
		      p->out);
	}
}
