/* SPDX-License-Identifier: GPL-2.0-only */
/* What every JSON document is put together from: values that are right, and failures remembered. */
#ifndef KMEMTRACE_RENDER_JSON_VALUE_H
#define KMEMTRACE_RENDER_JSON_VALUE_H

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "data/capture.h"

struct report;

/*
 * jansson reports every failure in the end: a NULL value makes json_object_set_new() fail, which
 * returns −1 and is remembered here. Strings fail on invalid UTF-8, hence text().
 */
struct json_out {
	const struct report *r; /* NULL in documents that are no report */
	int failed;
};

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

/* A number that was measured, or null: whole ones as integers, others to three decimals. */
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
/* Seconds since the epoch as ISO 8601 in UTC, null when absent or out of range. */
json_t *time_json(double wall_s);
/* A call path, one string a frame, innermost first. */
json_t *path_json(struct json_out *o, const struct capture *c, uint32_t stack);

/* Write the document, which is freed. 0, −ENOMEM when a part of it failed, −EIO. */
int document_write(struct json_out *o, json_t *root, FILE *out);

#endif
