// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which file for which module, and what its reader says: see lines.h. Nothing that the reader
 * writes is trusted: it may have been taken over by the file.
 */
#include "sym/lines.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/confined.h"
#include "base/file_read.h"
#include "sym/debug_files.h"
#include "sym/debuginfod.h"
#include "sym/dwarf.h"

#define LINES_MEMORY (1000u << 20) /* of the process that reads a file */
#define LINES_OUTPUT (32u << 20)

const char *lines_library(void)
{
	return dwarf_library();
}

struct lines {
	struct capture *c;
	struct source_lines *s;
	struct debug_files files;
	uint32_t *module_of; /* of each frame, the number of its module from 1; 0: not wanted */
	uint64_t end_ns, fetch_end_ns;
};

/* ---- modules ---- */

static bool frame_has_source(const struct cap_frame *f)
{
	return f->symbol[0] && f->symbol[0] != '[' && f->module[0] && strcmp(f->module, "bpf") != 0;
}

static const char *frame_build_id(const struct capture *c, const struct cap_frame *f)
{
	if (!f->build_id[0] && !strcmp(f->module, "vmlinux"))
		return capture_meta(c, META_BUILD_ID);
	return f->build_id;
}

/* The number of the frame's module, from 1, which is added if it is new; 0 without memory. */
static uint32_t module_number(struct lines *l, const struct cap_frame *f)
{
	const char *build_id = frame_build_id(l->c, f);
	struct source_module *m;

	for (size_t i = 0; i < l->s->modules.nr; i++) {
		m = &l->s->modules.items[i];
		if (!strcmp(m->name, f->module) && !strcmp(m->build_id, build_id))
			return (uint32_t)i + 1;
	}
	m = ARRAY_PUSH(&l->s->modules);
	if (!m)
		return 0;
	m->name = strdup(f->module);
	m->build_id = strdup(build_id);
	m->status = build_id[0] ? SOURCE_MISSING : SOURCE_NO_ID;
	return m->name && m->build_id ? (uint32_t)l->s->modules.nr : 0;
}

#define MODULES_WANTED 1000 /* no kernel has more in its call paths */

static int modules_list(struct lines *l, const bool *wanted)
{
	for (uint32_t i = 1; i < l->c->nr_frames; i++) {
		if (!wanted[i] || !frame_has_source(&l->c->frames[i]) ||
		    l->s->modules.nr >= MODULES_WANTED)
			continue;
		l->module_of[i] = module_number(l, &l->c->frames[i]);
		if (!l->module_of[i])
			return -ENOMEM;
		l->s->modules.items[l->module_of[i] - 1].frames++;
	}
	return 0;
}

/* ---- what the reader of a file says ---- */

struct record_reader {
	struct lines *l;
	uint32_t module;
	const char *at;
	size_t left;
	bool other_build; /* the file has another build id, or none */
	bool no_elf, no_info;
	char build_id[132];
};

static char *record_text(struct record_reader *r, uint32_t len)
{
	char *text = strndup(r->at, len);

	r->at += len;
	r->left -= len;
	return text;
}

/* Add a line to its frame. A frame of another module, or with too many lines, is an error. */
static int record_line(struct record_reader *r, const struct dwarf_record *rec, char *function,
		       char *file)
{
	struct source_module *m = &r->l->s->modules.items[r->module - 1];
	struct frame_lines *lines;
	struct source_line *line = NULL;

	if (rec->frame >= r->l->c->nr_frames || r->l->module_of[rec->frame] != r->module)
		return -EBADMSG;
	lines = &r->l->s->frames[rec->frame];
	if (lines->nr > DWARF_INLINE_MAX)
		return -EBADMSG;
	m->known += !lines->nr;
	line = ARRAY_PUSH(lines);
	if (!line)
		return -ENOMEM;
	line->inlined = rec->inlined != 0;
	line->line = rec->line;
	line->file = strdup(file);
	line->function = line->inlined ? strdup(function[0] ? function : "[unnamed]") : NULL;
	return line->file && (line->function || !line->inlined) ? 0 : -ENOMEM;
}

static int record_take(struct record_reader *r, const struct dwarf_record *rec, char *function,
		       char *file)
{
	struct source_module *m = &r->l->s->modules.items[r->module - 1];

	switch (rec->says) {
	case DWARF_BUILD_ID:
		snprintf(r->build_id, sizeof(r->build_id), "%.130s", function);
		r->other_build = strcmp(function, m->build_id) != 0;
		return 0;
	case DWARF_NOT_ELF:
		r->no_elf = true;
		return 0;
	case DWARF_NO_INFO:
		r->no_info = true;
		return 0;
	case DWARF_AMBIGUOUS:
		m->ambiguous++;
		return 0;
	case DWARF_UNLISTED:
		m->unlisted++;
		return 0;
	case DWARF_LINE:
		return r->other_build ? -EBADMSG : record_line(r, rec, function, file);
	default:
		return -EBADMSG;
	}
}

static int records_read(struct record_reader *r)
{
	int err = 0;

	while (!err && r->left) {
		_cleanup_free_ char *function = NULL, *file = NULL;
		struct dwarf_record rec;

		if (r->left < sizeof(rec))
			return -EBADMSG;
		memcpy(&rec, r->at, sizeof(rec));
		r->at += sizeof(rec);
		r->left -= sizeof(rec);
		if (rec.function_len > DWARF_TEXT_MAX || rec.file_len > DWARF_TEXT_MAX ||
		    rec.function_len + rec.file_len > r->left)
			return -EBADMSG;
		function = record_text(r, rec.function_len);
		file = record_text(r, rec.file_len);
		err = function && file ? record_take(r, &rec, function, file) : -ENOMEM;
	}
	return err;
}

/* ---- one file ---- */

static struct dwarf_want *wants_of(const struct lines *l, uint32_t module, size_t *nr)
{
	struct dwarf_want *wants =
		calloc(l->s->modules.items[module - 1].frames + 1, sizeof(*wants));

	*nr = 0;
	for (uint32_t i = 1; wants && i < l->c->nr_frames; i++)
		if (l->module_of[i] == module)
			wants[(*nr)++] = (struct dwarf_want){.symbol = l->c->frames[i].symbol,
							     .offset = l->c->frames[i].offset,
							     .frame = i};
	return wants;
}

/* A file with the right build id fails for this reason. */
static const char *failed_why(int err)
{
	switch (err) {
	case -ETIMEDOUT:
		return "reading it takes too long";
	case -EFAULT:
		return "reading it crashed, so it is damaged";
	case -ENOMEM:
		return "reading it takes too much memory";
	default:
		return "it is damaged";
	}
}

static int module_set(struct source_module *m, enum source_status status, const char *path,
		      const char *why)
{
	char *new_path = strdup(path), *new_why = why ? strdup(why) : NULL;

	if (!new_path || (why && !new_why)) {
		free(new_path);
		free(new_why);
		return -ENOMEM;
	}
	free(m->path);
	free(m->why);
	m->path = new_path;
	m->why = new_why;
	m->status = status;
	return 0;
}

/* Forget what a file said that then failed. */
static void module_forget(struct lines *l, uint32_t module)
{
	struct source_module *m = &l->s->modules.items[module - 1];

	m->known = m->ambiguous = m->unlisted = 0;
	for (uint32_t i = 1; i < l->c->nr_frames; i++) {
		struct frame_lines *lines = &l->s->frames[i];

		if (l->module_of[i] != module)
			continue;
		for (size_t k = 0; k < lines->nr; k++) {
			free(lines->items[k].function);
			free(lines->items[k].file);
		}
		lines->nr = 0;
	}
}

static double seconds_left(uint64_t end_ns, double most)
{
	uint64_t now = clock_ns();
	double left = end_ns > now ? (double)(end_ns - now) / 1e9 : 0;

	return left < most ? left : most;
}

/* Try a file. *done: no other one need be tried. */
static int file_try(struct lines *l, uint32_t module, const char *path, bool *done)
{
	struct source_module *m = &l->s->modules.items[module - 1];
	const struct confinement bounds = {.seconds = seconds_left(l->end_ns, LINES_FILE_S),
					   .memory_bytes = LINES_MEMORY,
					   .output_bytes = LINES_OUTPUT,
					   .no_files = true};
	_cleanup_close_ int fd = file_open(path);
	struct record_reader r = {.l = l, .module = module};
	_cleanup_free_ struct dwarf_want *wants = NULL;
	_cleanup_free_ char *said = NULL;
	struct dwarf_job job = {.fd = fd, .build_id = m->build_id};
	int err;

	if (fd < 0)
		return 0;
	job.wants = wants = wants_of(l, module, &job.nr);
	if (!wants)
		return -ENOMEM;
	err = confined_run(dwarf_write_lines, &job, &bounds, &said, &r.left);
	r.at = said;
	err = err ?: records_read(&r);
	if (!err && (r.no_elf || r.other_build))
		return m->status == SOURCE_MISSING && r.build_id[0]
			       ? module_set(m, SOURCE_MISMATCH, path, r.build_id)
			       : 0;
	if (!err && r.no_info) /* a stripped module */
		return 0;
	*done = !err;
	if (!err)
		return module_set(m, SOURCE_FOUND, path, NULL);
	module_forget(l, module);
	return module_set(m, SOURCE_FAILED, path, failed_why(err));
}

static const char *fetch_failed_why(int err)
{
	switch (err) {
	case -ETIMEDOUT:
		return "the download was not complete after 3 min, and was stopped: `debuginfod-find "
		       "debuginfo BUILD_ID` has no such limit; run this again after it";
	case -ELIBACC:
		return "the library libdebuginfod.so.1 could not be loaded: install libdebuginfod1";
	case -ENOENT:
		return "the servers of DEBUGINFOD_URLS do not have it";
	default:
		return "the servers of DEBUGINFOD_URLS could not be asked: see `debuginfod-find -v "
		       "debuginfo BUILD_ID`";
	}
}

static int file_fetch(struct lines *l, uint32_t module, bool *done)
{
	struct source_module *m = &l->s->modules.items[module - 1];
	_cleanup_free_ char *path = NULL;
	double seconds = seconds_left(l->fetch_end_ns, LINES_FETCH_S);
	int err = seconds > 0 ? debuginfod_fetch(m->name, m->build_id, seconds, &path) : -ETIMEDOUT;

	if (!err) {
		l->end_ns = clock_ns() + (uint64_t)(LINES_ALL_S * 1e9);
		return file_try(l, module, path, done);
	}
	if (!l->s->fetch_why || err != -ENOENT) {
		free(l->s->fetch_why);
		l->s->fetch_why = strdup(fetch_failed_why(err));
		return l->s->fetch_why ? 0 : -ENOMEM;
	}
	return 0;
}

static int module_lines(struct lines *l, uint32_t module)
{
	const struct source_module *m = &l->s->modules.items[module - 1];
	_cleanup_(path_queue_free) struct path_queue paths = {.most = 100};
	bool done = false;
	int err;

	if (m->status == SOURCE_NO_ID)
		return 0;
	err = debug_files_find(&l->files, m->name, m->build_id, &paths);
	for (size_t i = 0; !err && !done && i < paths.nr; i++)
		err = file_try(l, module, paths.items[i], &done);
	if (!err && !done && debuginfod_wanted())
		err = file_fetch(l, module, &done);
	return err;
}

int lines_find(struct capture *c, const bool *wanted, const struct lines_options *o)
{
	struct lines l = {.c = c,
			  .s = calloc(1, sizeof(*l.s)),
			  .module_of = calloc(c->nr_frames + 1, sizeof(*l.module_of)),
			  .files = {.debug_dir = o->debug_dir,
				    .root = o->root ?: "",
				    .release = capture_meta(c, META_RELEASE)}};
	int err = l.s && l.module_of ? 0 : -ENOMEM;

	if (!err) {
		l.s->frames = calloc(c->nr_frames + 1, sizeof(*l.s->frames));
		l.s->nr_frames = l.s->frames ? c->nr_frames : 0;
		l.s->looked_in = debug_files_places(&l.files);
		err = l.s->frames && l.s->looked_in ? 0 : -ENOMEM;
	}
	l.end_ns = clock_ns() + (uint64_t)(LINES_ALL_S * 1e9);
	l.fetch_end_ns = clock_ns() + (uint64_t)(LINES_FETCH_S * 1e9);
	err = err ?: modules_list(&l, wanted);
	for (uint32_t i = 1; !err && i <= l.s->modules.nr; i++)
		err = module_lines(&l, i);
	debug_files_free(&l.files);
	free(l.module_of);
	if (err) {
		source_lines_free(l.s);
		return err;
	}
	source_lines_free(c->lines);
	c->lines = l.s;
	return 0;
}
