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
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "trace/refs_closure.h"
#include "trace/refs_count.h"

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

	free(w->closure.held);
	free(w->closure.group);
	assert_int_equal(refs_closure_build(&w->closure, &w->places, w->reached), 0);
	for (uint32_t i = 0; i < OBJECTS; i++)
		nr += !w->closure.held[i];
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
		assert_false(w->closure.held[i]);
		assert_true(w->closure.held[i + 4]);
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
	assert_false(w->closure.held[0]);
	assert_false(w->closure.held[2]);
	assert_true(w->closure.held[7]);
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

/* A scan keeps 64 words that point to an object. Any of the others may hold its list. */
static void more_words_than_are_kept_may_hold_a_list(void **state)
{
	static const struct {
		uint32_t kept, seen, seen_by_another; /* kept: those that were checked, and count */
		bool more;
	} wanted[] = {{63, 100, 0, true}, {0, 65, 0, true},   {3, 1, 100, true},
		      {64, 64, 0, false}, {70, 64, 6, false}, {0, 0, 0, false}};
	struct world *w = *state;

	ring(w, 0, 7);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		struct refs_outcome o = {.strong = wanted[i].kept, .own = wanted[i].kept};

		refs_outcome_seen(&o, wanted[i].seen, 0);
		refs_outcome_seen(&o, wanted[i].seen_by_another, 0);
		assert_int_equal(o.more, wanted[i].more);
		assert_int_equal(o.strong, wanted[i].more && !wanted[i].kept ? 1 : wanted[i].kept);
		w->reached[5] = o.more;
		assert_int_equal(dropped(w), wanted[i].more ? 0 : OBJECTS);
	}
}

/* What spares an object to which nothing points spares one in a dropped ring, too. */
static void an_object_is_dropped_only_if_nothing_else_speaks_for_it(void **state)
{
	const struct refs_outcome ring = {.strong = 2, .own = 2},
				  paged = {.strong = 2, .own = 2, .weak = 1},
				  mixed = {.strong = 2, .own = 1},
				  many = {.strong = 64, .own = 64, .more = true};
	const struct refs_object live = {.live = true, .sure = true},
				 changed = {.live = true, .sure = true, .changed = true},
				 freed = {.sure = true};
	const struct {
		struct refs_known known;
		uint64_t own_kind, dropped;
	} wanted[] = {
		{{&live, &ring, &ring, true}, 1, 1},    {{&live, NULL, &ring, true}, 1, 1},
		{{&live, &ring, &ring, false}, 1, 0},   {{&live, &ring, &paged, true}, 1, 0},
		{{&changed, &ring, &ring, true}, 1, 0}, {{&live, &ring, &mixed, true}, 0, 0},
		{{&live, &many, &ring, true}, 0, 0},    {{&live, &ring, &many, true}, 0, 0},
		{{&freed, &ring, &ring, true}, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		struct refs_counts c = {0};
		bool held = refs_count_object(&wanted[i].known, &c);

		assert_int_equal(c.own_kind, wanted[i].own_kind);
		assert_int_equal(c.dropped, wanted[i].dropped);
		assert_int_equal(c.checked + c.freed, 1);
		assert_int_equal(held, c.checked && !c.dropped);
	}
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
		cmocka_unit_test_setup_teardown(more_words_than_are_kept_may_hold_a_list,
						world_begin, world_end),
		cmocka_unit_test(an_object_is_dropped_only_if_nothing_else_speaks_for_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
