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

struct folded {
	const struct samples *s;
	const struct export_options *o;
	ARRAY_OF(char) path; /* the line that is being made */
	char **frames;       /* the text of each frame of the capture; NULL: not used yet */
	bool failed;
};

static void path_add(struct folded *f, const char *text)
{
	size_t len = strlen(text);

	if (f->path.nr)
		len++;
	if (array_grow((void **)&f->path.items, &f->path.cap, 1, f->path.nr + len + 1)) {
		f->failed = true;
		return;
	}
	sprintf(f->path.items + f->path.nr, "%s%s", f->path.nr ? ";" : "", text);
	f->path.nr += len;
}

/*
 * A name as one frame: without ';' and without what moves the cursor of a terminal. malloc'ed; NULL
 * without memory.
 */
static char *frame_text(const char *raw)
{
	_cleanup_free_ char *s = escape_terminal(raw[0] ? raw : "[unnamed]", true);
	size_t extra = 0;
	char *text, *to;

	for (const char *at = s; at && *at; at++)
		extra += *at == ';' ? 3 : 0;
	text = to = s ? malloc(strlen(s) + extra + 1) : NULL;
	for (const char *at = s; to && *at; at++) {
		if (*at == ';')
			to = stpcpy(to, "\\x3b");
		else
			*to++ = *at;
	}
	if (to)
		*to = '\0';
	return text;
}

static void path_add_raw(struct folded *f, const char *raw)
{
	_cleanup_free_ char *text = frame_text(raw);

	if (text)
		path_add(f, text);
	else
		f->failed = true;
}

/* A function of the kernel. Its text is made once: thousands of paths contain it. */
static void path_add_frame(struct folded *f, const struct cap_frame *k, uint32_t id)
{
	_cleanup_free_ char *name = NULL;

	if (!f->frames[id] && k->module[0] && strcmp(k->module, "vmlinux")) {
		if (asprintf(&name, "%s [%s]", k->symbol, k->module) < 0)
			name = NULL;
		f->frames[id] = name ? frame_text(name) : NULL;
	} else if (!f->frames[id]) {
		f->frames[id] = frame_text(k->symbol);
	}
	if (f->frames[id])
		path_add(f, f->frames[id]);
	else
		f->failed = true;
}

/* A label as a frame. What has no slab cache has a class instead, such as pte or pipe. */
static void path_add_label(struct folded *f, const struct sample *x, enum sample_label label)
{
	char buf[16], none[32];
	const char *raw = sample_label_raw(f->s, x, label, buf);

	if (!raw[0] && label == LABEL_CACHE)
		raw = sample_label_raw(f->s, x, LABEL_CLASS, buf);
	snprintf(none, sizeof(none), "[no %s]", sample_label_name(label));
	path_add_raw(f, raw[0] ? raw : none);
}

static void path_make(struct folded *f, const struct sample *x)
{
	f->path.nr = 0;
	for (size_t i = 0; i < f->o->nr_root; i++)
		path_add_label(f, x, f->o->root[i]);
	for (uint32_t i = sample_depth(f->s, x); i--;) {
		struct sample_frame frame;

		sample_frame_get(f->s, x, i, &frame);
		if (frame.frame)
			path_add_frame(f, frame.frame, frame.id);
		else
			path_add_raw(f, frame.name);
	}
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
	struct folded f = {.s = s, .o = o};

	f.frames = calloc(s->r->c->nr_frames + 1, sizeof(*f.frames));
	f.failed = !f.frames;
	for (size_t i = 0; i < s->nr && !f.failed; i++) {
		int64_t figure = s->items[i].values[o->unit];
		struct folded_line *l = NULL;

		if (!figure)
			continue;
		path_make(&f, &s->items[i]);
		if (!f.failed)
			l = line_of(lines, f.path.items, f.path.nr);
		f.failed |= !l;
		if (l)
			l->figures[side] = sample_add(l->figures[side], figure);
	}
	for (size_t i = 0; f.frames && i < s->r->c->nr_frames; i++)
		free(f.frames[i]);
	free(f.frames);
	ARRAY_FREE(&f.path);
	return f.failed ? -ENOMEM : 0;
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
