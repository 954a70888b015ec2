// SPDX-License-Identifier: GPL-2.0-only
/* Objects of a kind, or like those of a call path: see refs_target.h. */
#include "refs_target.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/confined.h"
#include "base/log.h"
#include "base/privileges.h"
#include "capture/capture.h"
#include "findings/report_findings.h"
#include "model/likeness.h"

/* ---- which kinds fit ---- */

/* What is known of a kind, in a word. */
static void target_kind_name(const struct census_kind *kind, uint32_t number, char name[REFS_NAME])
{
	if (kind->sure != KIND_UNKNOWN && kind->nr_types)
		snprintf(name, REFS_NAME, "%.62s%s", kind->types[0].name,
			 kind->sure == KIND_POSSIBLE ? "?" : "");
	else
		snprintf(name, REFS_NAME, "number %u", number);
}

/* Kinds of a cache are numbered from 1, the most frequent first. */
static uint32_t kind_number(const struct census *c, uint32_t kind)
{
	uint32_t first = kind;

	while (first && c->kinds.items[first - 1].cache == c->kinds.items[kind].cache)
		first--;
	return kind - first + 1;
}

/* Is it the kind of --kind? */
static bool kind_is_asked(const struct refs_target *t, const struct census_kind *kind,
			  uint32_t number)
{
	char *end;
	unsigned long asked = strtoul(t->kind, &end, 10);

	if (!*end)
		return asked == number;
	return kind->sure != KIND_UNKNOWN && kind->nr_types &&
	       !strcmp(kind->types[0].name, t->kind);
}

/* Is it like a kind of the call path? */
static bool kind_is_learned(const struct refs_target *t, const struct census_kind *kind)
{
	for (size_t i = 0; i < t->learned.nr; i++)
		if (kinds_likeness(&t->learned.items[i], kind) >= LIKE_LEAST)
			return true;
	return false;
}

static bool target_kind_fits(void *arg, const struct census *c, uint32_t kind)
{
	const struct census_kind *k = &c->kinds.items[kind];
	struct refs_target *t = arg;
	uint32_t number = kind_number(c, kind);

	if (t->kind ? !kind_is_asked(t, k, number) : !kind_is_learned(t, k))
		return false;
	if (!t->name[0])
		target_kind_name(k, number, t->name);
	return true;
}

/* ---- a call path of a capture, in the process that reads the capture ---- */

static void kinds_write(const struct capture *c, const struct path_read *path, uint32_t stack,
			FILE *out)
{
	const struct census *learned = likeness_learned(c);

	for (size_t i = 0; learned && i < learned->kinds.paths.nr; i++) {
		const struct census_path *p = &learned->kinds.paths.items[i];

		if (p->stack == stack && p->kind != CENSUS_NO_KIND &&
		    !strcmp(learned->caches.items[p->cache].name, path->cache))
			fwrite(&learned->kinds.items[p->kind], sizeof(struct census_kind), 1, out);
	}
}

static int path_write(const struct refs_target *t, const struct report *r, FILE *out)
{
	const struct capture *c = r->c;
	const struct growth_group *g;
	const struct cap_stack *stack;
	_cleanup_free_ char *copy = strdup(t->file);
	struct path_read path = {0};
	uint32_t cache;

	if (t->rank > r->growth.nr)
		return log_error(
			ERANGE,
			"%s has only %zu call paths that hold memory: `kmemtrace report --show stacks %s` lists them",
			t->file, r->growth.nr, t->file);
	g = &r->growth.groups[t->rank - 1];
	cache = g->caches.nr ? g->caches.items[0].id : 0;
	if (g->pool != POOL_SLAB || !cache || c->caches[cache].large)
		return log_error(
			ENOTSUP,
			"call path #%zu of %s is in no slab cache, and only objects of these can be looked for",
			t->rank, t->file);
	snprintf(path.cache, sizeof(path.cache), "%s", c->caches[cache].name);
	stack = &c->stacks[g->key];
	snprintf(path.words, sizeof(path.words), "#%zu (%.64s) of %.128s", t->rank,
		 stack->nr_frames ? c->frames[stack->frames[0]].symbol : "not recorded",
		 copy ? basename(copy) : t->file);
	fwrite(&path, sizeof(path), 1, out);
	kinds_write(c, &path, g->key, out);
	return 0;
}

static int path_read_confined(void *arg, FILE *out)
{
	const struct refs_target *t = arg;
	struct capture *c;
	struct report r;
	struct view v;
	int err;

	privileges_keep_for(&t->file, 1);
	err = capture_read(t->file, &c);
	if (err)
		return err;
	view_whole(c, &v);
	err = report_build(&v, GROWTH_BY_STACK, &r);
	if (err)
		return log_error(-err, "not enough memory for the call paths of %s", t->file);
	return path_write(t, &r, out); /* the process ends: nothing need be freed */
}

/* ---- … and in the one that looks for objects ---- */

/*
 * A capture may be of an enemy, and this process needs all privileges of root later. So another
 * process reads it, with no more than that needs.
 */
static int path_read(struct refs_target *t)
{
	static const struct confinement bounds = {
		.seconds = 60, .memory_bytes = 2ul << 30, .output_bytes = 64ul << 20};
	_cleanup_free_ char *said = NULL;
	size_t len, kinds;
	int err = confined_run(path_read_confined, t, &bounds, &said, &len);

	if (err == -ETIMEDOUT || err == -EFAULT || err == -EFBIG)
		return log_error(-err, "%s was not read: that took too much time or memory",
				 t->file);
	if (err)
		return err;
	if (len < sizeof(t->path))
		return log_error(EIO, "%s was not read", t->file);
	memcpy(&t->path, said, sizeof(t->path));
	kinds = (len - sizeof(t->path)) / sizeof(*t->learned.items);
	for (size_t i = 0; i < kinds; i++) {
		struct census_kind *kind = ARRAY_PUSH(&t->learned);

		if (!kind)
			return log_error(ENOMEM, "not enough memory for the kinds of %s", t->file);
		memcpy(kind, said + sizeof(t->path) + i * sizeof(*kind), sizeof(*kind));
	}
	return 0;
}

/* ---- for the command ---- */

int refs_target_open(struct refs_target *t, struct refs_options *options)
{
	int err = t->rank ? path_read(t) : 0;

	if (err)
		return err;
	if (t->rank)
		options->cache = t->path.cache;
	if (t->kind || t->learned.nr) {
		options->kind_fits = target_kind_fits;
		options->kind_arg = t;
	}
	return 0;
}

void refs_target_tell(const struct refs_target *t, struct refs *out)
{
	snprintf(out->kind, sizeof(out->kind), "%s", t->name);
	snprintf(out->path, sizeof(out->path), "%s", t->path.words);
}

void refs_target_close(struct refs_target *t)
{
	ARRAY_FREE(&t->learned);
}
