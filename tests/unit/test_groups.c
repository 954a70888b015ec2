// SPDX-License-Identifier: GPL-2.0-only
/* The recorder's own memory has a limit, however many processes and call paths hold memory, and the
 * limit loses no bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "record/groups.h"

#define MOST   400
#define CACHES 3
#define PATHS  1000
#define OWNERS 1000

/* Do what collector.c does with each live object. */
static void add(struct live_groups *groups, const struct kmt_object *o)
{
	struct live_group *g = groups_get(groups, o);

	assert_non_null(g);
	assert_int_equal(g->key.cache, o->cache);
	groups->merged += !group_is_of(g, o);
	g->nr++;
}

static uint64_t objects_of(const struct live_groups *groups, uint32_t cache)
{
	struct live_group *g, *next;
	uint64_t n = 0;

	HASH_ITER (hh, groups->by_key, g, next) {
		n += cache == 0 || g->key.cache == cache ? g->nr : 0;
	}
	return n;
}

static void few_groups_are_kept_as_they_are(void **state)
{
	struct live_groups groups = {.most = MOST};

	(void)state;
	for (uint32_t n = 0; n < MOST; n++)
		add(&groups,
		    &(struct kmt_object){.stack = 1 + n % 10, .process = 1 + n % 20, .cache = 1});
	assert_int_equal(groups.nr, 20);
	assert_int_equal(groups.merged, 0);
	groups_free(&groups);
	assert_null(groups.by_key);
}

static void many_processes_and_paths_keep_to_the_limit_and_lose_no_object(void **state)
{
	struct live_groups groups = {.most = MOST};
	struct group_key key = {.stack = PATHS, .process = OWNERS, .cache = 1};
	uint64_t n = 0;

	(void)state;
	for (uint32_t path = 1; path <= PATHS; path++)
		for (uint32_t owner = 1; owner <= OWNERS; owner += 100)
			for (uint16_t cache = 1; cache <= CACHES; cache++, n++)
				add(&groups, &(struct kmt_object){.stack = path,
								  .process = owner,
								  .cache = cache});
	assert_true(groups.nr <= MOST + CACHES);
	assert_true(groups.nr > MOST / 2);
	assert_int_equal(objects_of(&groups, 0), n);
	assert_int_equal(objects_of(&groups, 1), n / CACHES);
	/* all groups after the limit are counted as merged */
	assert_true(groups.merged >= n - MOST && groups.merged < n);
	/* objects that the audit found free are subtracted where they were counted */
	assert_non_null(groups_find(&groups, &key));
	assert_int_equal(groups_find(&groups, &key)->key.stack, 0);
	groups_free(&groups);
}

/* Processes are merged before paths, because where memory was allocated says more than by whom. */
static void paths_outlive_processes(void **state)
{
	struct live_groups groups = {.most = MOST};
	struct live_group *g, *next;
	uint32_t paths = 0;

	(void)state;
	for (uint32_t owner = 1; owner <= MOST; owner++)
		for (uint32_t path = 1; path <= 50; path++)
			add(&groups,
			    &(struct kmt_object){.stack = path, .process = owner, .cache = 1});
	HASH_ITER (hh, groups.by_key, g, next) {
		paths += g->key.stack && !g->key.process;
		assert_true(g->key.stack);
	}
	assert_int_equal(paths, 50);
	groups_free(&groups);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_groups_are_kept_as_they_are),
		cmocka_unit_test(many_processes_and_paths_keep_to_the_limit_and_lose_no_object),
		cmocka_unit_test(paths_outlive_processes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
