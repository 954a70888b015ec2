// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/meminfo and /proc/vmstat: each line has a name and a number. Called every second by
 * snapshot_read(). Any other line, and a number that does not fit as bytes, is counted and skipped.
 */
#include "proc/snapshot.h"

#include <errno.h>

#include "base/text.h"

/* kB that still fit an int64_t as bytes. Kernels with a broken counter print 2^64 − something. */
#define KB_MAX (INT64_MAX >> 10)

/* Split "Name:   value[ kB]" (meminfo) or "name value" (vmstat). */
static bool named_line(struct text line, bool meminfo, struct text *name, int64_t *value)
{
	struct text number, unit;

	if (!text_word(&line, name))
		return false;
	if (meminfo) {
		if (name->len < 2 || name->p[name->len - 1] != ':')
			return false;
		name->len--;
	}
	if (!text_word(&line, &number) || !text_count(number, meminfo ? KB_MAX : INT64_MAX, value))
		return false;
	if (!text_word(&line, &unit))
		return true;
	/* Copies that people edited can have "KB". */
	return meminfo && (text_is(unit, "kB") || text_is(unit, "KB")) && !text_word(&line, &unit);
}

static int named_parse(const char *buf, size_t len, bool meminfo, struct named_values *out)
{
	struct named_values values = {0};
	struct text rest = {buf, len}, line;

	while (text_line(&rest, &line)) {
		struct named_value *v;
		struct text name;
		int64_t value;

		if (!named_line(line, meminfo, &name, &value)) {
			values.bad_lines++;
			continue;
		}
		v = ARRAY_PUSH(&values);
		if (!v) {
			ARRAY_FREE(&values);
			return -ENOMEM;
		}
		text_copy(name, v->name, sizeof(v->name));
		v->value = value;
	}
	*out = values;
	return 0;
}

int meminfo_parse(const char *buf, size_t len, struct named_values *out)
{
	return named_parse(buf, len, true, out);
}

int vmstat_parse(const char *buf, size_t len, struct named_values *out)
{
	return named_parse(buf, len, false, out);
}
