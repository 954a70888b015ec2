// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which objects `kmemtrace refs --path` and `--kind` look at. What a user would lose: objects of
 * another kind that are shown as those of a call path, and a word about what was not known.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture_file.h"
#include "findings/refs_findings.h"
#include "refs_target.h"
#include "sample_capture.h"
#include "sample_census.h"
#include "write_capture.h"

/* Call path #1 has timers in kmalloc-64, and #2 pages. `learned`: its kinds are known. */
static void write_path(bool learned)
{
	struct capture *c = sample_new("exact");
	uint32_t stack = sample_call(c, "timerfd_alloc", 3, "vmlinux");
	uint32_t cache = sample_cache(c, "kmalloc-64", 64, 64, false);
	uint32_t process = sample_process(c, 4242, "plant", 0);
	struct cap_checkpoint *at;

	for (int i = 0; i < 2; i++) {
		struct snapshot *s = sample_snapshot(c, i * 10);

		sample_meminfo(s, "MemTotal", 8184832);
		sample_meminfo(s, "Slab", 3174400 + 2000 * i);
	}
	c->snapshots[1].kind = SNAPSHOT_END;
	at = sample_interval(c, 10);
	sample_held(at, cache, stack, process, 20000, 20000 * 64);
	sample_held(at, 0, sample_call(c, "__pte_alloc", 1, "vmlinux"), process, 10, 40960)->pool =
		POOL_PAGETABLE;
	c->census[CENSUS_AT_END] = calloc(1, sizeof(struct census));
	assert_non_null(c->census[CENSUS_AT_END]);
	sample_census(c->census[CENSUS_AT_END], 700000);
	sample_census_kinds(c->census[CENSUS_AT_END], learned ? stack : 0);
	write_capture(c, file);
	capture_free(c);
}

static int target_opens(struct refs_target *t, struct refs_options *options)
{
	int err;

	said_begin();
	err = refs_target_open(t, options);
	said_end();
	return err;
}

static bool fits(const struct refs_options *o, const struct census *c, uint32_t kind)
{
	return o->kind_fits(o->kind_arg, c, kind);
}

static void objects_of_a_path_are_those_of_its_kinds(void **state)
{
	_cleanup_(census_free) struct census now = {0};
	struct refs_target t = {.rank = 1, .file = file};
	struct refs_options options = {0};
	struct refs out = {0};

	(void)state;
	write_path(true);
	assert_int_equal(target_opens(&t, &options), 0);
	assert_string_equal(options.cache, "kmalloc-64");
	assert_int_equal(t.learned.nr, 2);
	sample_census(&now, 900000);
	sample_census_kinds(&now, 0);
	snprintf(now.kinds.items[0].signature, KIND_SIGN_MAX, "8:->dentry"); /* of another build */
	assert_true(fits(&options, &now, 0)); /* the type is the same, and surely */
	assert_true(fits(&options, &now, 1)); /* the signature is */
	assert_false(fits(&options, &now, 2));
	refs_target_tell(&t, &out);
	assert_string_equal(out.kind, "timerfd_ctx");
	assert_non_null(strstr(out.path, "#1 (timerfd_alloc) of c.kmt"));
	refs_target_close(&t);
}

/* Without kinds, all objects of the cache are looked at, and that is said. */
static void what_was_not_learned_is_said(void **state)
{
	_cleanup_(findings_free) struct findings findings = {0};
	struct refs_target t = {.rank = 1, .file = file};
	struct refs_options options = {0};
	struct refs out = {.cache = "kmalloc-64"};
	struct refs_sheet sheet;

	(void)state;
	write_path(false);
	assert_int_equal(target_opens(&t, &options), 0);
	assert_string_equal(options.cache, "kmalloc-64");
	assert_null(options.kind_fits);
	refs_target_tell(&t, &out);
	refs_target_close(&t);
	assert_string_equal(out.kind, "");
	refs_sheet_build(&out, &sheet);
	refs_findings(&sheet, &findings);
	assert_non_null(strstr(findings_of(&findings, "refs-likeness")->text,
			       "the recording did not learn what its objects look like"));
}

static void paths_that_cannot_be_looked_at_are_refused(void **state)
{
	struct refs_options options = {0};
	struct refs_target pages = {.rank = 2, .file = file}, none = {.rank = 3, .file = file};

	(void)state;
	write_path(true);
	assert_int_equal(target_opens(&pages, &options), -ENOTSUP);
	assert_said("call path #2 of");
	refs_target_close(&pages);
	assert_int_equal(target_opens(&none, &options), -ERANGE);
	assert_said("has only 2 call paths that hold memory: `kmemtrace report --show stacks");
	refs_target_close(&none);
	assert_null(options.cache);
}

static void a_kind_is_a_type_or_a_number(void **state)
{
	_cleanup_(census_free) struct census now = {0};
	static const struct {
		const char *kind;
		bool fits[3];
		const char *name;
	} cases[] = {
		{"timerfd_ctx", {true, false, false}, "timerfd_ctx"},
		{"1", {true, false, false}, "timerfd_ctx"},
		{"2", {false, true, false}, "number 2"},
		{"other", {false, false, false}, ""}, /* it is only the second best */
		{"4", {false, false, false}, ""},
		{"2x", {false, false, false}, ""},
	};

	(void)state;
	sample_census(&now, 900000);
	sample_census_kinds(&now, 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct refs_target t = {.kind = cases[i].kind};
		struct refs_options options = {.cache = "kmalloc-64"};

		assert_int_equal(refs_target_open(&t, &options), 0);
		for (uint32_t kind = 0; kind < 3; kind++)
			assert_int_equal(fits(&options, &now, kind), cases[i].fits[kind]);
		assert_string_equal(t.name, cases[i].name);
		refs_target_close(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_of_a_path_are_those_of_its_kinds),
		cmocka_unit_test(what_was_not_learned_is_said),
		cmocka_unit_test(paths_that_cannot_be_looked_at_are_refused),
		cmocka_unit_test(a_kind_is_a_type_or_a_number),
	};

	return cmocka_run_group_tests(tests, capture_file_new, capture_file_remove);
}
