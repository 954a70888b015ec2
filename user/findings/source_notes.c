// SPDX-License-Identifier: GPL-2.0-only
/* The sentences about source lines: see source_notes.h. */
#include "findings/source_notes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vformat.h"

#define NAMED 4 /* modules that a sentence names */

__attribute__((format(printf, 2, 3))) static void source_note(struct source_notes *n,
							      const char *fmt, ...)
{
	char **slot = ARRAY_PUSH(n);
	va_list ap;

	va_start(ap, fmt);
	if (slot)
		*slot = vformat(fmt, ap);
	va_end(ap);
	n->failed |= !slot || !*slot;
	if (slot && !*slot)
		n->nr--;
}

/* "vmlinux, ext4 and 12 more": the modules with this status. Returns how many there are. */
static size_t modules_named(const struct source_lines *s, enum source_status status, char *buf,
			    size_t size)
{
	size_t nr = 0, all = 0, at = 0;

	for (size_t i = 0; i < s->modules.nr; i++)
		all += s->modules.items[i].status == status;
	buf[0] = '\0';
	for (size_t i = 0; i < s->modules.nr && nr < NAMED; i++) {
		if (s->modules.items[i].status != status)
			continue;
		at += (size_t)snprintf(buf + at, size - at, "%s%.60s",
				       !nr             ? ""
				       : nr + 1 == all ? " and "
						       : ", ",
				       s->modules.items[i].name);
		nr++;
	}
	if (all > NAMED)
		snprintf(buf + at, size - at, " and %zu more", all - NAMED);
	return all;
}

static void notes_found(const struct source_lines *s, struct source_notes *n)
{
	size_t modules = 0, frames = 0, known = 0, ambiguous = 0, unlisted = 0;

	for (size_t i = 0; i < s->modules.nr; i++) {
		const struct source_module *m = &s->modules.items[i];

		if (m->status != SOURCE_FOUND)
			continue;
		frames += m->frames;
		known += m->known;
		ambiguous += m->ambiguous;
		unlisted += m->unlisted;
		if (modules++ < NAMED)
			source_note(n, "Source lines of %s are from %s.", m->name, m->path);
	}
	if (modules > NAMED)
		source_note(n, "Source lines of %zu more modules were found.", modules - NAMED);
	if (ambiguous)
		source_note(n,
			    "%zu of %zu frames have no line: several functions have the same name, "
			    "and a capture has no addresses that tell them apart.",
			    ambiguous, frames);
	if (unlisted)
		source_note(n,
			    "%zu of %zu frames have no line: the debug information lists no "
			    "function of that name and length.",
			    unlisted, frames);
	if (known + ambiguous + unlisted < frames)
		source_note(n, "%zu of %zu frames have no line in the debug information.",
			    frames - known - ambiguous - unlisted, frames);
}

static void notes_missing(const struct capture *c, struct source_notes *n)
{
	const struct source_lines *s = c->lines;
	const char *release = capture_meta(c, META_RELEASE);
	char names[512];
	size_t nr = modules_named(s, SOURCE_MISSING, names, sizeof(names));

	if (!nr)
		return;
	source_note(
		n,
		"No debug information of %s was found in %s: install that of this very kernel "
		"(Debian: linux-image-%.100s-dbg; Fedora: kernel-debuginfo), name its directory "
		"with --debug-dir%s.",
		names, s->looked_in, release[0] ? release : "RELEASE",
		s->fetch_why ? "" : ", or set DEBUGINFOD_URLS");
	if (s->fetch_why)
		source_note(n, "It was not fetched with debuginfod: %s.", s->fetch_why);
}

static void notes_of_module(const struct source_module *m, struct source_notes *n)
{
	if (m->status == SOURCE_MISMATCH)
		source_note(n,
			    "%s was not used: it is of another build of %s (build id %s; the "
			    "recorded one has %s). Install the debug information of the kernel "
			    "that was recorded.",
			    m->path, m->name, m->why, m->build_id);
	if (m->status == SOURCE_FAILED)
		source_note(n, "%s was not used: %s. Install it again.", m->path, m->why);
}

void source_notes_build(const struct capture *c, struct source_notes *out)
{
	const struct source_lines *s = c->lines;
	char names[512];

	*out = (struct source_notes){0};
	if (!s)
		return;
	notes_found(s, out);
	for (size_t i = 0; i < s->modules.nr; i++)
		notes_of_module(&s->modules.items[i], out);
	notes_missing(c, out);
	if (modules_named(s, SOURCE_NO_ID, names, sizeof(names)))
		source_note(out,
			    "The capture has no build id of %s, so it cannot be known which debug "
			    "information is right, and none was used.",
			    names);
}

void source_notes_free(struct source_notes *n)
{
	for (size_t i = 0; i < n->nr; i++)
		free(n->items[i]);
	ARRAY_FREE(n);
}
