// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rings, lists and trees of one cache, without a kernel. What a user would lose: that a ring that
 * was dropped as a whole is told from a list that something holds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "trace/refs_closure.h"

#define OBJECTS  8
#define PLACE(i) (0x10000 + (uint64_t)(i)*64)

static const struct refs_cache own = {.name = "order_item", .size = 64, .object_size = 64},
			       other = {.name = "kmalloc-512", .size = 512, .object_size = 512};

struct world {
	struct refs_closure closure;
	struct refs_places places;
	bool reached[OBJECTS];
};

static int world_begin(void **state)
{
	static struct world w;

	memset(&w, 0, sizeof(w));
	for (int i = 0; i < OBJECTS; i++)
		*(struct refs_object *)ARRAY_PUSH(&w.closure.all) =
			(struct refs_object){.start = PLACE(i), .cache = &own};
	*state = &w;
	return 0;
}

static int world_end(void **state)
{
	struct world *w = *state;

	refs_closure_free(&w->closure);
	ARRAY_FREE(&w->places);
	return 0;
}

/* A word at offset 16 of the object at `from` points to object `to`. */
static void point(struct world *w, const struct refs_cache *cache, uint64_t from, uint32_t to)
{
	*(struct refs_place *)ARRAY_PUSH(&w->places) =
		(struct refs_place){.object = to, .cache = cache, .offset = 16, .at = from + 16};
}

/* A ring of objects `first` to `last`, which point to each other both ways. */
static void ring(struct world *w, uint32_t first, uint32_t last)
{
	for (uint32_t i = first; i <= last; i++) {
		uint32_t next = i == last ? first : i + 1;

		point(w, &own, PLACE(i), next);
		point(w, &own, PLACE(next), i);
	}
}

static uint32_t dropped(struct world *w)
{
	uint32_t nr = 0;

	assert_int_equal(refs_closure_build(&w->closure, &w->places, w->reached), 0);
	for (uint32_t i = 0; i < OBJECTS; i++)
		nr += w->closure.root[i] == REFS_NO_ROOT;
	return nr;
}

static void a_dropped_ring_is_told_from_a_list_that_is_held(void **state)
{
	struct world *w = *state;

	ring(w, 0, 3);
	ring(w, 4, 7);
	point(w, &other, 0x90000, 6);
	assert_int_equal(dropped(w), 4);
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(w->closure.root[i], REFS_NO_ROOT);
		assert_int_equal(w->closure.root[i + 4], 6);
		assert_int_equal(w->closure.group[i], w->closure.group[0]);
		assert_int_not_equal(w->closure.group[i + 4], w->closure.group[0]);
	}
	assert_int_equal(w->closure.outside.nr, 1);
	assert_int_equal(refs_closure_number(&w->closure, PLACE(5)), 5);
	assert_int_equal(refs_closure_number(&w->closure, PLACE(5) + 8), -1);
}

/* Pointers hold what they point to, not the other way round. */
static void what_points_into_a_tree_is_not_held_by_it(void **state)
{
	struct world *w = *state;

	for (uint32_t i = 1; i < OBJECTS; i++)
		point(w, &own, PLACE((i - 1) / 2), i); /* a tree with its root at 0 */
	point(w, NULL, 0x5000, 1);                     /* static data holds the left half */
	assert_int_equal(dropped(w), 4);
	assert_int_equal(w->closure.root[0], REFS_NO_ROOT);
	assert_int_equal(w->closure.root[2], REFS_NO_ROOT);
	assert_int_equal(w->closure.root[7], 1);
	assert_int_equal(w->closure.group[7], w->closure.group[2]);
}

/* Any doubt counts for the objects. */
static void what_may_be_held_is_not_called_dropped(void **state)
{
	struct world *w = *state;

	ring(w, 0, 7);
	w->reached[3] = true; /* it changed, or was freed, or has more pointers than were kept */
	assert_int_equal(dropped(w), 0);
}

static void an_object_that_is_not_in_the_list_is_something_else(void **state)
{
	struct world *w = *state;

	ring(w, 0, 7);
	point(w, &own, PLACE(100), 2); /* allocated after the list was made */
	assert_int_equal(dropped(w), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_dropped_ring_is_told_from_a_list_that_is_held,
						world_begin, world_end),
		cmocka_unit_test_setup_teardown(what_points_into_a_tree_is_not_held_by_it,
						world_begin, world_end),
		cmocka_unit_test_setup_teardown(what_may_be_held_is_not_called_dropped, world_begin,
						world_end),
		cmocka_unit_test_setup_teardown(an_object_that_is_not_in_the_list_is_something_else,
						world_begin, world_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
