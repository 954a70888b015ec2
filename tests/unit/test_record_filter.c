// SPDX-License-Identifier: GPL-2.0-only
/*
 * The filter of the user stays as given: --cache derives limits of its own, separate from
 * --min-size (record/filter.c), and the capture describes the user's limit (record/metadata.c).
 */
#include "record/filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "record/metadata.h"
#include "tree.h"

static void filter_by(const char **names, size_t nr, uint64_t min_size, struct tracer_options *o)
{
	bool kmalloc;

	*o = (struct tracer_options){.nr_caches = nr, .min_size = min_size};
	assert_int_equal(filter_caches(FIXTURES "/5.10", FIXTURES "/5.10", names, o, &kmalloc), 0);
}

static void a_cache_leaves_the_given_min_size_alone(void **state)
{
	const char *names[] = {"dentry", "mm_struct"};
	struct tracer_options o;
	char *text;

	(void)state;
	filter_by(names, 2, 100, &o);
	assert_int_equal(o.min_size, 100);
	assert_int_equal(o.cache_min_size, 192);
	assert_int_equal(o.cache_max_size, 1088);
	/* it excludes nothing, because all objects of these caches are larger */
	assert_int_equal(metadata_filter(&o, &text), 0);
	assert_string_equal(text, "");
	free(text);
	free((void *)names[0]);
	free((void *)names[1]);
}

static void a_min_size_that_excludes_objects_is_described(void **state)
{
	const char *names[] = {"kmalloc-large"};
	struct tracer_options o;
	char *text;

	(void)state;
	filter_by(names, 1, 64 << 10, &o);
	assert_int_equal(o.min_size, 64 << 10);
	assert_int_equal(metadata_filter(&o, &text), 0);
	assert_string_equal(text, " of at least 64.0 KiB");
	free(text);
	filter_by(names, 1, 0, &o);
	assert_int_equal(metadata_filter(&o, &text), 0);
	assert_string_equal(text, "");
	free(text);
}

/* "cgroup 462" tells the reader of the report nothing. */
static void a_cgroup_is_described_by_its_path(void **state)
{
	struct tracer_options o = {.cgroup = 462, .cgroup_path = "/system.slice/a.service"};
	char *text;

	(void)state;
	assert_int_equal(metadata_filter(&o, &text), 0);
	assert_string_equal(text, " in cgroup /system.slice/a.service");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cache_leaves_the_given_min_size_alone),
		cmocka_unit_test(a_min_size_that_excludes_objects_is_described),
		cmocka_unit_test(a_cgroup_is_described_by_its_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
