/* SPDX-License-Identifier: GPL-2.0-only */
/* Builds JSON documents: makes correct values, and remembers failures. */
#ifndef KMEMTRACE_RENDER_JSON_VALUE_H
#define KMEMTRACE_RENDER_JSON_VALUE_H

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "data/capture.h"

struct report;

/*
 * jansson propagates every failure: a NULL value makes json_object_set_new() fail, which returns −1
 * and is remembered here. Strings with invalid UTF-8 fail; text() avoids that.
 *
 * A document is written while it is built. Unbounded parts (rows, and the lists in them) are begun,
 * filled and ended, one value at a time, to save memory. Small parts and values are jansson trees.
 */
struct json_out {
	const struct report *r; /* NULL in other documents than reports */
	int failed;
	FILE *out;
	size_t depth; /* number of objects and lists begun and not ended */
	bool empty;   /* the innermost of them is still empty */
	/* The text of each frame of one capture, for path_json(): most frames are in many paths. */
	json_t **frames;
	size_t nr_frames;
};

/*
 * Begin an object ('{') or a list ('['), put a value into it, and end it. Within a list the key is
 * NULL. The layout is that of jansson with JSON_INDENT(1).
 */
void json_begin(struct json_out *o, const char *key, char bracket);
void json_member(struct json_out *o, const char *key, json_t *value);
void json_end(struct json_out *o, char bracket);
/* Put all members of `object`, and free it. */
void json_members(struct json_out *o, json_t *object);
/* Begin and end the document. Returns 0; −ENOMEM if a part of it failed; −EIO. */
void json_document_begin(struct json_out *o, FILE *out);
int json_document_end(struct json_out *o);
/*
 * Write a part of what jansson formatted. jansson leaves the control character DEL as it is, which
 * a terminal should not see, so it is escaped. It can only stand in a string. Returns 0 or −1.
 */
int json_text_put(FILE *out, const char *buf, size_t size);
/* False if writing has failed, so that no more values are needed. */
bool json_wanted(const struct json_out *o);

static inline void put(struct json_out *o, json_t *object, const char *key, json_t *value)
{
	o->failed |= json_object_set_new(object, key, value);
}

static inline void append(struct json_out *o, json_t *array, json_t *value)
{
	o->failed |= json_array_append_new(array, value);
}

static inline json_t *text(const char *s)
{
	_cleanup_free_ char *valid = escape_utf8(s);

	return valid ? json_string(valid) : NULL;
}

/* A number, or null if it was not measured. Whole numbers are integers; others have three decimals.
 */
static inline json_t *number(double value)
{
	double rounded = round(value * 1000) / 1000;

	if (!isfinite(value))
		return json_null();
	if (rounded == rint(rounded) && fabs(rounded) < 9e15)
		return json_integer((json_int_t)rounded);
	return json_real(fabs(rounded) < 9e12 ? rounded : value);
}

static inline json_t *whole(double value)
{
	return number(rint(value));
}

/* A ratio or p-value: three decimals would be too few. */
static inline json_t *fraction(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

json_t *meta_text(const struct capture *c, const char *key);
json_t *meta_number(const struct capture *c, const char *key);
/* Seconds since the epoch as ISO 8601 in UTC; null if absent or out of range. */
json_t *time_json(double wall_s);
/* The sentences of a verdict, and the command to run next, which may be NULL. */
json_t *verdict_json(struct json_out *o, char *const *sentences, size_t nr, const char *next);
/* A hook; `how` is "" if it is not attached. */
json_t *hook_json(struct json_out *o, const char *name, enum pool pool, const char *how,
		  const char *reason, const char *cost);
/*
 * A call path, one string per frame, innermost first. If paths_begin() was called before, the
 * strings are kept until paths_end(). Between the two, all paths must be of the same capture.
 */
json_t *path_json(struct json_out *o, const struct capture *c, uint32_t stack);
/*
 * The source lines of a call path: a list for each frame, innermost first, empty if there are none.
 */
json_t *path_lines_json(struct json_out *o, const struct capture *c, uint32_t stack);
/* Which debug information was used, module by module, and sentences that say so. */
json_t *source_lines_json(struct json_out *o, const struct capture *c);
void paths_begin(struct json_out *o, const struct capture *c);
void paths_end(struct json_out *o);

/* Write the document and free it. Returns 0; −ENOMEM if a part of it failed; −EIO. */
int document_write(struct json_out *o, json_t *root, FILE *out);

#endif
