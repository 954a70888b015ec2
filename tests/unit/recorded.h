/* SPDX-License-Identifier: GPL-2.0-only */
/* Unpacks recorded captures: tests/fixtures/FOLDER/NAME.kmt.gz. Include after cmocka.h. */
#ifndef TESTS_UNIT_RECORDED_H
#define TESTS_UNIT_RECORDED_H

#include <stdio.h>
#include <zlib.h>

static inline void recorded_unpack_from(const char *folder, const char *name, const char *to)
{
	static char buf[65536];
	char from[512];
	gzFile in;
	FILE *out;
	int n;

	snprintf(from, sizeof(from), "%s/fixtures/%s/%s.kmt.gz", TESTS_DIR, folder, name);
	in = gzopen(from, "r");
	out = fopen(to, "w");
	assert_non_null(in);
	assert_non_null(out);
	while ((n = gzread(in, buf, sizeof(buf))) > 0)
		assert_int_equal(fwrite(buf, 1, (size_t)n, out), n);
	gzclose(in);
	assert_int_equal(fclose(out), 0);
}

static inline void recorded_unpack(const char *name, const char *to)
{
	recorded_unpack_from("captures", name, to);
}

#endif
