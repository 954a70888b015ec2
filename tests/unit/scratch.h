/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A directory for this test program. scratch_new() creates it and scratch_remove() removes it: pass
 * both to cmocka_run_group_tests(). Include after cmocka.h.
 */
#ifndef TESTS_UNIT_SCRATCH_H
#define TESTS_UNIT_SCRATCH_H

#include <stdio.h>
#include <stdlib.h>

static char scratch[] = "/tmp/kmemtrace-test-XXXXXX";

static inline int scratch_new(void **state)
{
	(void)state;
	return mkdtemp(scratch) ? 0 : -1;
}

static inline int scratch_remove(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", scratch);
	return system(command);
}

/* The path of a file in it; the caller frees it. */
static inline char *path_of(const char *name)
{
	char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", scratch, name) > 0);
	return path;
}

#endif
