// SPDX-License-Identifier: GPL-2.0-only
/* Frame, text and tables of an HTML page: see html.h. */
#include "render/html.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "base/vformat.h"
#include "render/html_assets.h"
#include "version.h"

#define FINDINGS_OPEN  5          /* at least so many are in sight at once */
#define FINDINGS_BYTES (40 << 10) /* of escaped text: more are not shown */
#define TABLE_BYTES    (24 << 10) /* the same of a table */

void html_put(struct html *h, const char *markup)
{
	fputs(markup, h->out);
}

/* The length of the first `max` characters. */
static size_t html_prefix(const char *s, size_t max)
{
	size_t at = 0;

	for (; max && s[at]; max--)
		for (at++; ((unsigned char)s[at] & 0xc0) == 0x80;)
			at++;
	return at;
}

static size_t html_characters(const char *s)
{
	size_t nr = 0;

	for (; *s; s++)
		nr += ((unsigned char)*s & 0xc0) != 0x80;
	return nr;
}

char *html_shown(struct html *h, const char *s, size_t max)
{
	size_t size = strlen(s), limit = max * 4, nr, head, tail;
	/* 64 KB need not be escaped to show a few hundred characters of both ends */
	_cleanup_free_ char *ends = NULL, *safe = NULL;
	char *cut;

	if (size > 2 * limit) {
		if (asprintf(&ends, "%.*s%s", (int)limit, s, s + size - limit) < 0)
			ends = NULL;
		safe = ends ? escape_terminal(ends, true) : NULL;
	} else {
		safe = escape_terminal(s, true);
	}
	if (!safe) {
		h->failed = true;
		return NULL;
	}
	nr = html_characters(safe);
	if (nr <= max && !ends)
		return TAKE_PTR(safe);
	h->cut++;
	head = html_prefix(safe, max * 2 / 3);
	tail = html_prefix(safe, nr - (max - max * 2 / 3 - 1));
	if (asprintf(&cut, "%.*s…%s", (int)head, safe, safe + tail) < 0) {
		h->failed = true;
		return NULL;
	}
	return cut;
}

/* Escaped for text and for attributes in double quotes. */
static void html_escaped(struct html *h, const char *s)
{
	static const char *const entities[128] = {
		['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;"};

	for (; *s; s++) {
		const char *entity = (unsigned char)*s < 128 ? entities[(unsigned char)*s] : NULL;

		if (entity)
			fputs(entity, h->out);
		else
			fputc(*s, h->out);
		h->bytes += entity ? strlen(entity) : 1;
	}
}

static void html_limited(struct html *h, const char *s, size_t max)
{
	_cleanup_free_ char *shown = html_shown(h, s, max);

	if (shown)
		html_escaped(h, shown);
}

void html_text(struct html *h, const char *s)
{
	html_limited(h, s, HTML_TEXT);
}

static void html_words_list(struct html *h, const char *fmt, va_list args)
{
	_cleanup_free_ char *words = vformat(fmt, args);

	if (words)
		html_text(h, words);
	else
		h->failed = true;
}

void html_words(struct html *h, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	html_words_list(h, fmt, args);
	va_end(args);
}

void html_name(struct html *h, const char *s)
{
	html_put(h, "<bdi>");
	html_limited(h, s, HTML_NAME);
	html_put(h, "</bdi>");
}

/* ---- the frame ---- */

static void html_bar(struct html *h, const struct html_head *head)
{
	html_put(h, "<header class=\"bar\"><a class=\"skip\" href=\"#main\">Skip to the report</a>"
		    "<b class=\"tool\">kmemtrace</b> <span class=\"state");
	html_put(h, head->alarm ? " alarm\">" : "\">");
	html_text(h, head->state);
	html_put(h, "</span>");
	if (head->trust)
		fprintf(h->out,
			" <span class=\"fact trust-%s\">trust<span class=\"wide\"> in the headline</span>: <b>%s</b></span>",
			head->trust, head->trust);
	fprintf(h->out, " <a class=\"fact\" href=\"#%s\">", head->about_losses);
	html_text(h, head->losses);
	html_put(h, "</a> <span class=\"fact source\">");
	html_text(h, head->source);
	html_put(h, "</span></header>\n");
}

void html_begin(struct html *h, const struct html_head *head)
{
	html_put(h, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		    "script-src '");
	html_put(h, html_script_hash);
	html_put(h, "'; style-src '");
	html_put(h, html_style_hash);
	html_put(h, "'; img-src data:; base-uri 'none'; form-action 'none'\">\n"
		    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		    "<meta name=\"color-scheme\" content=\"light dark\">\n"
		    "<meta name=\"generator\" content=\"kmemtrace " KMEMTRACE_VERSION "\">\n"
		    "<link rel=\"icon\" href=\"data:,\">\n<title>");
	html_text(h, head->title);
	html_put(h, "</title>\n<style>");
	html_put(h, html_style);
	html_put(h, "</style>\n</head>\n<body>\n");
	html_bar(h, head);
	html_put(h, "<main id=\"main\">\n");
}

char *html_data_text(struct html *h, json_t *data)
{
	_cleanup_free_ char *text =
		json_dumps(data, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(12));
	char *escaped = NULL, *to;
	size_t size = 1;

	json_decref(data);
	for (const char *p = text; p && *p; p++)
		size += *p == '<' || *p == '\x7f' ? 6 : 1;
	escaped = text ? malloc(size) : NULL;
	if (!escaped) {
		h->failed = true;
		return NULL;
	}
	to = escaped;
	for (const char *p = text; *p; p++) {
		if (*p == '<')
			to = stpcpy(to, "\\u003c");
		else if (*p == '\x7f')
			to = stpcpy(to, "\\u007f");
		else
			*to++ = *p;
	}
	*to = '\0';
	return escaped;
}

int html_end(struct html *h, const char *data)
{
	char cut[UNITS_MAX];

	html_put(h, "</main>\n<footer>");
	if (h->cut) {
		html_put(h, "<p id=\"cut-names\">");
		html_words(h,
			   "%s names or sentences were too long for this page, and are cut in the "
			   "middle (…). The JSON has all of them.",
			   units_count(cut, (double)h->cut));
		html_put(h, "</p>");
	}
	html_put(h, "<p>Made by kmemtrace " KMEMTRACE_VERSION ". This file needs no network. Its "
		    "script and style may be passed on under the MIT and ISC licences, which the "
		    "script contains.</p></footer>\n"
		    "<script type=\"application/json\" id=\"data\">");
	html_put(h, data ?: "{}");
	html_put(h, "</script>\n<script>");
	html_put(h, html_script);
	html_put(h, "</script>\n</body>\n</html>\n");
	return h->failed ? -ENOMEM : 0;
}

void html_section(struct html *h, const char *id, const char *heading)
{
	fprintf(h->out, "<section id=\"%s\" aria-labelledby=\"h-%s\"><h2 id=\"h-%s\">%s</h2>\n", id,
		id, id, heading);
}

void html_chart(struct html *h, const char *id, const char *label)
{
	fprintf(h->out, "<figure class=\"chart\" id=\"%s\" data-label=\"%s\" hidden></figure>\n",
		id, label);
}

/* ---- tables ---- */

void html_table(struct html *h, const char *id, const char *caption, const char *const *columns,
		size_t nr)
{
	h->begun = h->bytes;
	fprintf(h->out,
		"<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"%s\">"
		"<table id=\"%s\"><caption>%s</caption><thead><tr>",
		caption, id, caption);
	for (size_t i = 0; i < nr; i++) {
		bool figure = columns[i][0] == '#';

		fprintf(h->out, "<th scope=\"col\"%s>%s</th>", figure ? " class=\"n\"" : "",
			columns[i] + figure);
	}
	html_put(h, "</tr></thead><tbody>");
}

bool html_full(const struct html *h)
{
	return h->bytes - h->begun > TABLE_BYTES;
}

void html_table_end(struct html *h)
{
	html_put(h, "</tbody></table></div>\n");
}

void html_row(struct html *h)
{
	html_put(h, "\n<tr>");
}

void html_cell_name(struct html *h, const char *name)
{
	html_put(h, "<td>");
	html_name(h, name);
	html_put(h, "</td>");
}

void html_cell(struct html *h, const char *fmt, ...)
{
	va_list args;

	html_put(h, "<td>");
	va_start(args, fmt);
	html_words_list(h, fmt, args);
	va_end(args);
	html_put(h, "</td>");
}

static void html_cell_figure(struct html *h, double value, const char *words, bool sign)
{
	if (!isfinite(value)) {
		html_put(h, "<td class=\"n none\">–</td>");
		return;
	}
	fprintf(h->out, "<td class=\"n\" data-v=\"%.15g\">%s%s</td>", value,
		sign && value > 0 ? "+" : "", words);
}

void html_cell_bytes(struct html *h, double bytes, bool sign)
{
	char words[UNITS_MAX];

	html_cell_figure(h, bytes, units_bytes(words, bytes), sign);
}

void html_cell_seconds(struct html *h, double seconds)
{
	char words[UNITS_MAX];

	html_cell_figure(h, seconds, units_duration(words, seconds), false);
}

void html_cell_number(struct html *h, long long number)
{
	char words[UNITS_MAX];

	snprintf(words, sizeof(words), "%lld", number);
	html_cell_figure(h, (double)number, words, false);
}

void html_cell_count(struct html *h, double count, bool sign)
{
	char words[UNITS_MAX];

	html_cell_figure(h, count, units_count(words, count), sign);
}

/* ---- lines and lists ---- */

void html_item(struct html *h, const char *word, const char *text)
{
	if (!text[0])
		return;
	fprintf(h->out, "<dt>%s</dt><dd>", word);
	html_text(h, text);
	html_put(h, "</dd>\n");
}

void html_who_end(struct html *h, const char *cgroup, const char *cmdline)
{
	if (cgroup[0]) {
		html_put(h, "; cgroup ");
		html_name(h, cgroup);
	}
	if (cmdline[0]) {
		html_put(h, "; <code>");
		html_name(h, cmdline);
		html_put(h, "</code>");
	}
	html_put(h, "</dd>\n");
}

void html_command(struct html *h, const char *command)
{
	html_put(h, "<code class=\"command\">");
	html_text(h, command);
	html_put(h, "</code>");
}

static void html_finding(struct html *h, const struct finding *f)
{
	const char *severity = finding_severity_name(f->severity);

	fprintf(h->out, "<li class=\"%s\" data-kind=\"%s\"><b class=\"severity\">%s</b> <span>",
		severity, f->kind, severity);
	html_text(h, f->text);
	html_put(h, "</span>");
	if (f->next) {
		html_put(h, "<br>Next: ");
		html_command(h, f->next);
	}
	html_put(h, "</li>\n");
}

/* How many findings are always in sight: the severe ones, or a few if there are none. */
static size_t html_severe(const struct findings *list)
{
	size_t nr = 0;

	while (nr < list->nr && list->items[nr].severity <= FINDING_WARNING)
		nr++;
	return nr > FINDINGS_OPEN ? nr : FINDINGS_OPEN;
}

void html_findings(struct html *h, const struct findings *list)
{
	size_t nr = 0, severe = html_severe(list);

	html_section(h, "findings", "Findings");
	html_put(h, "<ul class=\"findings\">\n");
	h->begun = h->bytes;
	for (; nr < list->nr && h->bytes - h->begun < FINDINGS_BYTES; nr++) {
		if (nr == severe) {
			html_put(h, "</ul>\n<details class=\"more\"><summary>");
			html_words(h, "%zu more: notices and cautions", list->nr - nr);
			html_put(h, "</summary>\n<ul class=\"findings\">\n");
		}
		html_finding(h, &list->items[nr]);
	}
	html_put(h, nr > severe ? "</ul></details>\n" : "</ul>\n");
	if (nr < list->nr) {
		html_put(h, "<p class=\"cut\">");
		html_words(h, "%zu less severe findings are not shown; the JSON has them.",
			   list->nr - nr);
		html_put(h, "</p>");
	}
	html_put(h, "</section>\n");
}
