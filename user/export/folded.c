// SPDX-License-Identifier: GPL-2.0-only
/*
 * Folded stacks: see export.h. Paths that differ only in offsets are one line. Flame graph tools
 * split a line at ';' and take what follows the last blank as the figure.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "base/hash.h"
#include "export/export.h"

struct folded_line {
	int64_t figures[2]; /* base, new */
	UT_hash_handle hh;
	char path[];
};

/* A name as one frame: without ';' and without what moves the cursor of a terminal. 0 or −ENOMEM.
 */
static int put_frame(FILE *f, const char *raw)
{
	_cleanup_free_ char *s = escape_terminal(raw[0] ? raw : "[unnamed]", true);

	if (!s)
		return -ENOMEM;
	for (const char *at = s; *at; at++) {
		if (*at == ';')
			fputs("\\x3b", f);
		else
			fputc(*at, f);
	}
	return 0;
}

/* A label as a frame. What has no slab cache has a class instead, such as pte or pipe. */
static int put_root(FILE *f, const struct samples *s, const struct sample *x,
		    enum sample_label label)
{
	bool failed = false;
	_cleanup_free_ char *text = sample_label_text(s, x, label, &failed);
	char none[32];

	if (!text && label == LABEL_CACHE)
		text = sample_label_text(s, x, LABEL_CLASS, &failed);
	snprintf(none, sizeof(none), "[no %s]", sample_label_name(label));
	return failed ? -ENOMEM : put_frame(f, text ? text : none);
}

static int put_path(FILE *f, const struct samples *s, const struct sample *x,
		    const struct export_options *o)
{
	int err = 0;

	for (size_t i = 0; i < o->nr_root && !err; i++) {
		err = put_root(f, s, x, o->root[i]);
		fputc(';', f);
	}
	for (uint32_t i = sample_depth(s, x); i-- && !err;) {
		struct sample_frame frame;
		const struct cap_frame *k;
		_cleanup_free_ char *name = NULL;

		sample_frame_get(s, x, i, &frame);
		k = frame.frame;
		if (k && k->module[0] && strcmp(k->module, "vmlinux")) {
			if (asprintf(&name, "%s [%s]", k->symbol, k->module) < 0)
				name = NULL;
			err = name ? put_frame(f, name) : -ENOMEM;
		} else {
			err = put_frame(f, k ? k->symbol : frame.name);
		}
		if (i)
			fputc(';', f);
	}
	return err;
}

/* The line of a path. NULL without memory. */
static struct folded_line *line_of(struct folded_line **lines, const char *path, size_t len)
{
	struct folded_line *l;

	HASH_FIND(hh, *lines, path, len, l);
	if (l)
		return l;
	l = calloc(1, sizeof(*l) + len + 1);
	if (!l)
		return NULL;
	memcpy(l->path, path, len + 1);
	HASH_ADD_KEYPTR(hh, *lines, l->path, len, l);
	return l;
}

static int lines_add(struct folded_line **lines, const struct samples *s,
		     const struct export_options *o, size_t side)
{
	for (size_t i = 0; i < s->nr; i++) {
		int64_t figure = s->items[i].values[o->unit];
		_cleanup_free_ char *path = NULL;
		struct folded_line *l;
		size_t len = 0;
		FILE *f;
		int err;

		if (!figure)
			continue;
		f = open_memstream(&path, &len);
		if (!f)
			return -ENOMEM;
		err = put_path(f, s, &s->items[i], o);
		if (fclose(f) || err)
			return -ENOMEM;
		l = line_of(lines, path, len);
		if (!l)
			return -ENOMEM;
		l->figures[side] = sample_add(l->figures[side], figure);
	}
	return 0;
}

static int compare_line(const struct folded_line *a, const struct folded_line *b)
{
	return strcmp(a->path, b->path);
}

/* Print the lines, sorted by path, and free them. */
static int64_t lines_print(struct folded_line *lines, bool two, FILE *out)
{
	struct folded_line *l, *next;
	int64_t negative = 0;

	HASH_SRT(hh, lines, compare_line);
	HASH_ITER (hh, lines, l, next) {
		for (size_t i = 0; i < 2; i++)
			if (l->figures[i] < 0) {
				negative = sample_add(negative, l->figures[i]);
				l->figures[i] = 0;
			}
		if (l->figures[0] || l->figures[1])
			fprintf(out, "%s", l->path);
		if (two && (l->figures[0] || l->figures[1]))
			fprintf(out, " %" PRId64, l->figures[0]);
		if (l->figures[0] || l->figures[1])
			fprintf(out, " %" PRId64 "\n", l->figures[1]);
		HASH_DEL(lines, l);
		free(l);
	}
	return negative;
}

int export_folded(const struct export_input *in, const struct export_options *o, int64_t *negative,
		  FILE *out)
{
	_cleanup_(samples_free) struct samples new_ = {0}, base = {0};
	unsigned int labels = 0;
	struct folded_line *lines = NULL;
	int err;

	for (size_t i = 0; i < o->nr_root; i++)
		labels |= 1u << o->root[i];
	if (labels & 1u << LABEL_CACHE)
		labels |= 1u << LABEL_CLASS;
	if (samples_build(in->r, labels, &new_) ||
	    (in->base && samples_build(in->base, labels, &base)))
		return -ENOMEM;
	err = lines_add(&lines, &new_, o, 1);
	if (in->base)
		err = err ?: lines_add(&lines, &base, o, 0);
	*negative = lines_print(lines, in->base, out);
	return err ?: ferror(out) ? -EIO : 0;
}
