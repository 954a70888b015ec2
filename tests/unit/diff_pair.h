/* SPDX-License-Identifier: GPL-2.0-only */
/* Two captures in memory, compared, and what is printed of them. Include after cmocka.h. */
#ifndef TESTS_UNIT_DIFF_PAIR_H
#define TESTS_UNIT_DIFF_PAIR_H

#include "base/escape.h"
#include "diff/diff.h"
#include "findings/diff_findings.h"
#include "render/diff.h"
#include "workload.h"

/* Two captures and all that compares them. */
struct pair {
	struct capture *base, *new_;
	struct view base_view, new_view;
	struct match *match;
	struct profile base_profile, new_profile;
	struct diff d;
	struct diff_findings said;
};

SAMPLE_UNUSED static void compare_by(struct pair *p, struct capture *base, struct capture *new_,
				     enum growth_by by)
{
	struct diff_input in = {.base_view = &p->base_view,
				.base = &p->base_profile,
				.new_view = &p->new_view,
				.new_ = &p->new_profile};

	memset(p, 0, sizeof(*p));
	p->base = base;
	p->new_ = new_;
	view_whole(base, &p->base_view);
	view_whole(new_, &p->new_view);
	assert_int_equal(match_new(new_, base, true, &p->match), 0);
	assert_int_equal(profile_build(&p->base_view, p->match, by, false, &p->base_profile), 0);
	assert_int_equal(profile_build(&p->new_view, p->match, by, false, &p->new_profile), 0);
	in.match = p->match;
	assert_int_equal(diff_build(&in, &p->d), 0);
	assert_int_equal(diff_findings_build(&p->d, &p->said), 0);
}

SAMPLE_UNUSED static void compare(struct pair *p, struct capture *base, struct capture *new_)
{
	compare_by(p, base, new_, GROWTH_BY_STACK);
}

SAMPLE_UNUSED static void pair_free(struct pair *p)
{
	diff_findings_free(&p->said);
	diff_free(&p->d);
	profile_free(&p->base_profile);
	profile_free(&p->new_profile);
	match_free(p->match);
	capture_free(p->base);
	capture_free(p->new_);
}

SAMPLE_UNUSED static char *render(const struct pair *p, bool json, const struct diff_options *o)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_int_equal(json ? diff_json(&p->d, &p->said, o, f) : diff_text(&p->d, &p->said, o, f),
			 0);
	assert_int_equal(fclose(f), 0);
	return text;
}

/* At most 80 columns, and nothing that could control a terminal. */
SAMPLE_UNUSED static void assert_terminal_safe(const char *text, bool utf8)
{
	size_t len, column = 0;
	uint32_t code;

	for (const char *p = text; *p; p += len) {
		len = utf8_decode(p, &code);
		assert_true(len > 0);
		if (code == '\n') {
			if (column > 80)
				fail_msg("a line of %zu columns: %.*s", column, 100, p - column);
			column = 0;
			continue;
		}
		assert_true(code >= 0x20 && !(code >= 0x7f && code < 0xa0) && code != 0x202e);
		assert_true(utf8 || code < 0x7f);
		column++;
	}
}

#endif
