// SPDX-License-Identifier: GPL-2.0-only
/* Values that several JSON documents contain: see json_value.h. */
#include "render/json_value.h"

#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "findings/source_notes.h"

json_t *meta_text(const struct capture *c, const char *key)
{
	const char *value = capture_meta(c, key);

	return value[0] ? text(value) : json_null();
}

json_t *meta_number(const struct capture *c, const char *key)
{
	return number(capture_meta_number(c, key, NAN));
}

json_t *time_json(double wall_s)
{
	char buf[UNITS_MAX];

	return units_time(buf, "%Y-%m-%dT%H:%M:%SZ", wall_s) ? json_string(buf) : json_null();
}

json_t *verdict_json(struct json_out *o, char *const *sentences, size_t nr, const char *next)
{
	json_t *j = json_object(), *list = json_array();

	for (size_t i = 0; i < nr; i++)
		append(o, list, text(sentences[i]));
	put(o, j, "sentences", list);
	put(o, j, "next", next ? text(next) : json_null());
	return j;
}

json_t *hook_json(struct json_out *o, const char *name, enum pool pool, const char *how,
		  const char *reason, const char *cost)
{
	json_t *j = json_object();

	put(o, j, "name", text(name));
	put(o, j, "pool", json_string(pool_name(pool)));
	put(o, j, "attached", json_boolean(how[0]));
	put(o, j, "how", text(how));
	put(o, j, "reason", text(reason));
	put(o, j, "cost", text(cost));
	return j;
}

static json_t *frame_json(const struct cap_frame *f)
{
	_cleanup_free_ char *symbol = escape_utf8(f->symbol), *module = escape_utf8(f->module);
	char offset[24];

	snprintf(offset, sizeof(offset), "%llx", (unsigned long long)f->offset);
	if (!symbol || !module)
		return NULL;
	if (module[0] && strcmp(module, "vmlinux"))
		return json_sprintf("%s+0x%s [%s]", symbol, offset, module);
	return json_sprintf("%s+0x%s", symbol, offset);
}

/* Its text, which is made once if frames are kept. NULL without memory. */
static json_t *frame_of_path(struct json_out *o, const struct capture *c, uint32_t id)
{
	if (!o->frames)
		return frame_json(&c->frames[id]);
	if (!o->frames[id])
		o->frames[id] = frame_json(&c->frames[id]);
	return json_incref(o->frames[id]);
}

json_t *path_json(struct json_out *o, const struct capture *c, uint32_t stack)
{
	const struct cap_stack *s = &c->stacks[stack];
	json_t *list = json_array();

	for (uint32_t i = 0; i < s->nr_frames; i++)
		append(o, list, frame_of_path(o, c, s->frames[i]));
	return list;
}

static json_t *frame_lines_json(struct json_out *o, const struct capture *c, uint32_t id)
{
	const struct frame_lines *lines = source_lines_of(c->lines, id);
	json_t *list = json_array();

	for (size_t i = 0; lines && i < lines->nr; i++) {
		const struct source_line *l = &lines->items[i];
		json_t *j = json_object();

		put(o, j, "function", text(l->function ?: c->frames[id].symbol));
		put(o, j, "file", l->file[0] ? text(l->file) : json_null());
		put(o, j, "line", l->line ? json_integer(l->line) : json_null());
		put(o, j, "inlined", json_boolean(l->inlined));
		append(o, list, j);
	}
	return list;
}

json_t *path_lines_json(struct json_out *o, const struct capture *c, uint32_t stack)
{
	const struct cap_stack *s = &c->stacks[stack];
	json_t *list = json_array();

	for (uint32_t i = 0; i < s->nr_frames; i++)
		append(o, list, frame_lines_json(o, c, s->frames[i]));
	return list;
}

static json_t *source_module_json(struct json_out *o, const struct source_module *m)
{
	static const char *const names[] = {
		[SOURCE_FOUND] = "found",          [SOURCE_MISSING] = "missing",
		[SOURCE_MISMATCH] = "other_build", [SOURCE_NO_ID] = "no_build_id",
		[SOURCE_FAILED] = "failed",
	};
	json_t *j = json_object();

	put(o, j, "module", text(m->name));
	put(o, j, "build_id", m->build_id[0] ? text(m->build_id) : json_null());
	put(o, j, "status", json_string(names[m->status]));
	put(o, j, "file", m->path ? text(m->path) : json_null());
	put(o, j, "file_build_id",
	    m->status == SOURCE_MISMATCH ? text(m->why)
	    : m->status == SOURCE_FOUND  ? text(m->build_id)
					 : json_null());
	put(o, j, "frames", json_integer((json_int_t)m->frames));
	put(o, j, "frames_with_lines", json_integer((json_int_t)m->known));
	return j;
}

json_t *source_lines_json(struct json_out *o, const struct capture *c)
{
	_cleanup_(source_notes_free) struct source_notes notes;
	json_t *j = json_object(), *modules = json_array(), *list = json_array();

	source_notes_build(c, &notes);
	for (size_t i = 0; i < c->lines->modules.nr; i++)
		append(o, modules, source_module_json(o, &c->lines->modules.items[i]));
	for (size_t i = 0; i < notes.nr; i++)
		append(o, list, text(notes.items[i]));
	o->failed |= notes.failed ? -1 : 0;
	put(o, j, "modules", modules);
	put(o, j, "notes", list);
	return j;
}

void paths_begin(struct json_out *o, const struct capture *c)
{
	o->frames = calloc(c->nr_frames + 1, sizeof(json_t *));
	o->nr_frames = o->frames ? c->nr_frames : 0;
}

void paths_end(struct json_out *o)
{
	for (size_t i = 0; i < o->nr_frames; i++)
		json_decref(o->frames[i]);
	free(o->frames);
	o->frames = NULL;
	o->nr_frames = 0;
}

#define LAYOUT (JSON_INDENT(1) | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(12))

/* ---- a document that is written while it is built ---- */

static void new_line(const struct json_out *o)
{
	fputc('\n', o->out);
	for (size_t i = 0; i < o->depth; i++)
		fputc(' ', o->out);
}

/* Write what precedes a value: the comma after the previous one, the indentation, and the key. Keys
 * are our own, in ASCII. */
static void before_value(struct json_out *o, const char *key)
{
	if (!o->depth)
		return;
	if (!o->empty)
		fputc(',', o->out);
	o->empty = false;
	new_line(o);
	if (key)
		fprintf(o->out, "\"%s\": ", key);
}

void json_begin(struct json_out *o, const char *key, char bracket)
{
	before_value(o, key);
	fputc(bracket, o->out);
	o->depth++;
	o->empty = true;
}

void json_end(struct json_out *o, char bracket)
{
	o->depth--;
	if (!o->empty)
		new_line(o);
	fputc(bracket, o->out);
	o->empty = false;
}

int json_text_put(FILE *out, const char *buf, size_t size)
{
	while (size) {
		const char *del = memchr(buf, '\x7f', size);
		size_t len = del ? (size_t)(del - buf) : size;

		if (fwrite(buf, 1, len, out) != len || (del && fputs("\\u007f", out) < 0))
			return -1;
		len += del != NULL;
		buf += len;
		size -= len;
	}
	return 0;
}

static int write_text(const char *buf, size_t size, void *out)
{
	return json_text_put(out, buf, size);
}

/* jansson formats a value as if it were the whole document, so indent its lines by our depth. */
static int write_indented(const char *buf, size_t size, void *arg)
{
	const struct json_out *o = arg;

	while (size) {
		const char *end = memchr(buf, '\n', size);
		size_t len = end ? (size_t)(end - buf) : size;

		if (json_text_put(o->out, buf, len))
			return -1;
		if (end) {
			new_line(o);
			len++;
		}
		buf += len;
		size -= len;
	}
	return 0;
}

void json_member(struct json_out *o, const char *key, json_t *value)
{
	before_value(o, key);
	if (!value || json_dump_callback(value, write_indented, o, LAYOUT | JSON_ENCODE_ANY))
		o->failed |= !ferror(o->out);
	json_decref(value);
}

void json_members(struct json_out *o, json_t *object)
{
	o->failed |= !object;
	for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i))
		json_member(o, json_object_iter_key(i), json_incref(json_object_iter_value(i)));
	json_decref(object);
}

bool json_wanted(const struct json_out *o)
{
	return !o->failed && !ferror(o->out);
}

void json_document_begin(struct json_out *o, FILE *out)
{
	o->out = out;
	o->depth = 0;
	json_begin(o, NULL, '{');
}

int json_document_end(struct json_out *o)
{
	json_end(o, '}');
	fputc('\n', o->out);
	if (o->failed)
		return -ENOMEM;
	return ferror(o->out) ? -EIO : 0;
}

/* ---- a small document: one tree ---- */

int document_write(struct json_out *o, json_t *root, FILE *out)
{
	int err = 0;

	if (o->failed)
		err = -ENOMEM;
	else if (json_dump_callback(root, write_text, out, LAYOUT) || fputc('\n', out) == EOF)
		err = -EIO;
	json_decref(root);
	return err;
}
