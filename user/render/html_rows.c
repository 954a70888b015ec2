// SPDX-License-Identifier: GPL-2.0-only
/* Strings, rows and series of the data of HTML pages: see html_rows.h. */
#include "render/html_rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "version.h"

struct html_string {
	char *shown;
	json_int_t at;
	UT_hash_handle hh;
};

#define HTML_DATA         (560 << 10) /* bytes: if the data is larger, … */
#define HTML_LINES_BUDGET (100 << 10) /* of source lines; they do not depend on which rows fit */
#define HTML_LESS         0.6         /* … budgets become this part of what they were */

json_t *html_rows_begin(struct html_rows *d, struct html *h, const char *kind, double scale)
{
	json_t *root = json_object();

	*d = (struct html_rows){
		.h = h, .strings = json_array(), .lines = json_object(), .scale = scale};
	put(&d->o, root, "kind", json_string(kind));
	put(&d->o, root, "schema", json_integer(JSON_SCHEMA_VERSION));
	return root;
}

char *html_data_fit(struct html *h,
		    json_t *(*make)(struct html *h, const void *arg, double scale,
				    struct html_cut *cut),
		    const void *arg, struct html_cut *cut)
{
	char *text = NULL;

	for (double scale = 1; !h->failed; scale *= HTML_LESS) {
		*cut = (struct html_cut){0};
		text = html_data_text(h, make(h, arg, scale, cut));
		if (!text || strlen(text) <= HTML_DATA)
			break;
		free(text);
		text = NULL;
	}
	return text;
}

void html_rows_end(struct html_rows *d, json_t *root)
{
	struct html_string *s, *next;

	put(&d->o, root, "strings", d->strings);
	if (json_object_size(d->lines))
		put(&d->o, root, "lines", json_incref(d->lines));
	json_decref(d->lines);
	d->h->failed |= d->o.failed != 0;
	HASH_ITER (hh, d->index, s, next) {
		HASH_DEL(d->index, s);
		free(s->shown);
		free(s);
	}
}

/* Its size in the page: '<' and what is not ASCII become \uXXXX. */
static size_t string_size(const char *s)
{
	size_t size = 3;

	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c >= 0xf0)
			size += 12;
		else if (c >= 0xc0 || c == '<')
			size += 6;
		else if (c < 0x80)
			size += c == '"' || c == '\\' ? 2 : 1;
	}
	return size;
}

json_t *html_string(struct html_rows *d, const char *name)
{
	_cleanup_free_ char *shown = NULL;
	struct html_string *s;

	if (!name || !name[0])
		return json_null();
	shown = html_shown(d->h, name, HTML_NAME);
	if (!shown)
		return NULL;
	HASH_FIND_STR(d->index, shown, s);
	if (s)
		return json_integer(s->at);
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->at = (json_int_t)json_array_size(d->strings);
	d->bytes += string_size(shown);
	append(&d->o, d->strings, json_string(shown));
	s->shown = TAKE_PTR(shown);
	HASH_ADD_KEYPTR(hh, d->index, s->shown, strlen(s->shown), s);
	return json_integer(s->at);
}

json_t *html_columns(struct html_rows *d, const char *const *names, size_t nr)
{
	json_t *list = json_array();

	for (size_t i = 0; i < nr; i++)
		append(&d->o, list, json_string(names[i]));
	return list;
}

bool html_row_fits(struct html_rows *d, json_t *rows, json_t *row, size_t budget)
{
	size_t size = json_dumpb(row, NULL, 0, JSON_COMPACT | JSON_REAL_PRECISION(12)) + 1;

	if ((double)(d->bytes + size) > (double)budget * d->scale) {
		json_decref(row);
		return false;
	}
	d->bytes += size;
	append(&d->o, rows, row);
	return true;
}

json_t *html_series(struct html_rows *d, const double *y, size_t nr)
{
	json_t *list = json_array();
	double last = 0;

	while (nr > 1 && y[nr - 1] == y[nr - 2]) /* NaN differs from itself */
		nr--;
	for (size_t i = 0; i < nr; i++) {
		double value = rint(y[i]);

		append(&d->o, list, number(value - last));
		if (isfinite(value))
			last = value;
	}
	return list;
}

json_t *html_times(struct html_rows *d, const double *t, size_t nr)
{
	json_t *list = json_array();

	for (size_t i = 0; i < nr; i++)
		append(&d->o, list, number(t[i]));
	return list;
}

char *html_source_line(const struct source_line *l)
{
	_cleanup_free_ char *place = NULL;
	char *words;
	int len = l->line ? asprintf(&place, "%s:%u", l->file, l->line)
			  : asprintf(&place, "%s", l->file);

	if (len < 0) {
		place = NULL;
		return NULL;
	}
	len = l->inlined ? asprintf(&words, "%s (inlined)  %s", l->function, place)
			 : asprintf(&words, "%s", place);
	return len < 0 ? NULL : words;
}

/* The lines of a frame, as one text with a line break after each. */
static void put_frame_lines(struct html_rows *d, json_int_t at, const struct frame_lines *lines)
{
	_cleanup_free_ char *all = NULL;
	size_t len = 0;
	FILE *f;
	char key[24];

	snprintf(key, sizeof(key), "%" JSON_INTEGER_FORMAT, at);
	if (json_object_get(d->lines, key) || (double)d->lines_bytes > HTML_LINES_BUDGET * d->scale)
		return;
	f = open_memstream(&all, &len);
	for (size_t i = 0; f && i < lines->nr; i++) {
		_cleanup_free_ char *words = html_source_line(&lines->items[i]);
		_cleanup_free_ char *shown = words ? html_shown(d->h, words, HTML_NAME) : NULL;

		if (i + 1 >= HTML_LINES && i + 1 < lines->nr)
			continue;
		d->o.failed |= shown ? 0 : -1;
		fprintf(f, "%s%s", i ? "\n" : "", shown ?: "");
	}
	if (!f || fclose(f)) {
		d->o.failed = -1;
		return;
	}
	d->lines_bytes += string_size(all) + strlen(key) + 4;
	d->bytes += string_size(all) + strlen(key) + 4;
	put(&d->o, d->lines, key, json_string(all));
}

json_t *html_path(struct html_rows *d, const struct capture *c, uint32_t stack)
{
	json_t *frames = path_json(&d->o, c, stack), *list = json_array();

	for (size_t i = 0; i < json_array_size(frames); i++) {
		const struct frame_lines *lines =
			source_lines_of(c->lines, c->stacks[stack].frames[i]);
		json_t *at = html_string(d, json_string_value(json_array_get(frames, i)));

		if (lines && json_is_integer(at))
			put_frame_lines(d, json_integer_value(at), lines);
		append(&d->o, list, at);
	}
	json_decref(frames);
	return list;
}
