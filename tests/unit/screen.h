/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The first screen of a balance sheet: prints sheets, and checks that the screen keeps its bounds.
 * Include after cmocka.h.
 */
#ifndef TESTS_UNIT_SCREEN_H
#define TESTS_UNIT_SCREEN_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "render/balance.h"

#define SCREEN_LINES 40

/* The text of a sheet, or its JSON if `o` is NULL. */
static char *print(const struct balance_sheet *sheet, const struct balance_text_options *o)
{
	char *document = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&document, &size);

	assert_int_equal(o ? balance_text(sheet, o, f) : balance_json(sheet, f), 0);
	assert_int_equal(fclose(f), 0);
	return document;
}

static size_t lines_that_fit(const char *text)
{
	size_t lines = 0;

	for (const char *p = text; *p; p += strcspn(p, "\n") + 1) {
		char line[1024] = "";

		assert_true(strcspn(p, "\n") < sizeof(line) && strchr(p, '\n'));
		memcpy(line, p, strcspn(p, "\n"));
		lines++;
		if (utf8_width(line) > 80)
			fail_msg("line %zu is too wide: %s", lines, line);
		for (const char *c = line; *c; c++)
			assert_true((unsigned char)*c >= 0x20 && *c != 0x7f);
	}
	return lines;
}

/* Where the line with this label is, from 1; 0: nowhere. */
static size_t label_at(const char *text, const char *label)
{
	size_t line = 1;

	for (const char *p = text; *p; p = strchr(p, '\n') + 1, line++)
		if (!strncmp(p, label, strlen(label)))
			return line;
	return 0;
}

static void assert_screen_fits(const struct balance_sheet *sheet)
{
	for (int way = 0; way < 4; way++) {
		const struct balance_text_options o = {
			.sections = way & 2 ? balance_section_parse("all", 3) : 0, .utf8 = way & 1};
		char *text = print(sheet, &o);
		size_t lines = lines_that_fit(text);

		if (!(way & 2) && lines > SCREEN_LINES)
			fail_msg("%zu lines:\n%s", lines, text);
		if (!o.sections) {
			assert_true(label_at(text, "LARGEST") && label_at(text, "ODD"));
			if (sheet->next)
				assert_in_range(label_at(text, "NEXT"), 1, 10);
			assert_true(label_at(text, "MORE"));
		}
		free(text);
	}
}

#endif
