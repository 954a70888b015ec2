/* SPDX-License-Identifier: GPL-2.0-only */
/* The report of a whole capture as a text: what `write` prints. The caller frees it. */
#ifndef TESTS_UNIT_REPORT_TEXT_H
#define TESTS_UNIT_REPORT_TEXT_H

#include "render/report.h"
#include "sample_capture.h"

static inline char *report_text_of(const struct capture *c, enum growth_by by,
				   int (*write)(const struct report *r, FILE *out))
{
	struct report r;
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	assert_int_equal(report_whole(c, by, &r), 0);
	assert_int_equal(write(&r, f), 0);
	assert_int_equal(fclose(f), 0);
	report_free(&r);
	return text;
}

static inline int report_all_json(const struct report *r, FILE *out)
{
	return report_json(r, 0, out);
}

#endif
