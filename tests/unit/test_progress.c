// SPDX-License-Identifier: GPL-2.0-only
/* The progress line of a recording: what it names, and that it fits. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "record/progress.h"

static void levels(struct progress *p, enum snapshot_kind kind, int64_t slab, int64_t tables)
{
	struct named_value values[] = {{"Slab", slab}, {"PageTables", tables}};
	struct snapshot s = {.kind = kind};

	s.meminfo.items = values;
	s.meminfo.nr = 2;
	progress_levels(p, &s);
}

static const struct progress_facts facts = {
	.now_s = 12, .duration_s = 30, .events = 1200, .outstanding = 34, .cpu_percent = 0.456};

static void the_pool_that_grew_most_is_named(void **state)
{
	struct progress p = {.shown_s = 10, .events = 1000};
	char line[256];

	(void)state;
	levels(&p, SNAPSHOT_START, 10000, 5000);
	levels(&p, SNAPSHOT_TICK, 11000, 8000);
	assert_string_equal(
		progress_line(&p, &facts, 200, line, sizeof(line)),
		"12 of 30 s  PageTables +2.9 MiB  100 events/s  34 objects held  CPU 0.46%");
	levels(&p, SNAPSHOT_TICK, 9000, 5100);
	assert_non_null(strstr(progress_line(&p, &facts, 200, line, sizeof(line)), "no pool grew"));
}

static void lost_events_are_said(void **state)
{
	struct progress_facts lost = facts;
	struct progress p = {0};
	char line[256];

	(void)state;
	lost.lost = 77;
	lost.duration_s = 0;
	lost.cpu_percent = NAN;
	assert_string_equal(progress_line(&p, &lost, 200, line, sizeof(line)),
			    "12 s  no pool grew  77 events lost  100 events/s  34 objects held");
}

/* Only whole pieces: part of a figure would be a wrong figure. */
static void it_fits_any_terminal(void **state)
{
	struct progress p = {0};
	char whole[256], line[256];

	(void)state;
	progress_line(&p, &facts, 200, whole, sizeof(whole));
	for (size_t columns = 0; columns < 100; columns++) {
		size_t n = strlen(progress_line(&p, &facts, columns, line, sizeof(line)));

		assert_true(n <= columns);
		assert_memory_equal(line, whole, n);
		assert_true(!n || !whole[n] || !strncmp(whole + n, "  ", 2));
	}
	assert_true(strlen(progress_line(&p, &facts, 200, line, 20)) < 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_pool_that_grew_most_is_named),
		cmocka_unit_test(lost_events_are_said),
		cmocka_unit_test(it_fits_any_terminal),
	};

	return cmocka_run_group_tests_name("progress", tests, NULL, NULL);
}
