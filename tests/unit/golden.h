/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Golden files: compares output with tests/golden/NAME. UPDATE_GOLDEN=1 rewrites them; read the
 * difference before you commit it. Include after cmocka.h.
 */
#ifndef TESTS_UNIT_GOLDEN_H
#define TESTS_UNIT_GOLDEN_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The contents of a file, or "" if there is none. */
static inline char *read_file(const char *path)
{
	char *data = NULL;
	size_t size = 0, got;
	FILE *in = fopen(path, "r"), *out = open_memstream(&data, &size);
	char buf[4096];

	while (in && (got = fread(buf, 1, sizeof(buf), in)) > 0)
		fwrite(buf, 1, got, out);
	if (in)
		fclose(in);
	fclose(out);
	return data;
}

static inline void compare_golden(const char *name, const char *got)
{
	char path[512];
	char *want;

	snprintf(path, sizeof(path), "%s/golden/%s", TESTS_DIR, name);
	if (getenv("UPDATE_GOLDEN")) {
		FILE *f = fopen(path, "w");

		assert_non_null(f);
		fputs(got, f);
		assert_int_equal(fclose(f), 0);
	}
	want = read_file(path);
	if (strcmp(want, got)) {
		snprintf(path, sizeof(path), "/tmp/%s.got", name);
		FILE *f = fopen(path, "w");

		if (f) {
			fputs(got, f);
			fclose(f);
		}
		fail_msg("differs from tests/golden/%s: compare it with %s", name, path);
	}
	free(want);
}

#endif
