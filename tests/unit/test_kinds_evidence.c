// SPDX-License-Identifier: GPL-2.0-only
/*
 * What tells two types of one size apart, one kind of evidence each: how neighbours in a list point
 * back, bytes that are padding, locks, counts of references, arrays, data behind a short head, and
 * caches whose type was learned. What a user would lose: the right one of types that look alike.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>
#include <cmocka.h>

#include "trace/kinds.h"
#include "trace/kinds_btf.h"
#include "trace/kinds_group.h"
#include "trace/kinds_score.h"

#define OBJECTS 50

enum { CACHE_32, CACHE_512, CACHE_NAMED, CACHE_16 };

struct world {
	struct btf *btf;
	struct kinds_btf *types;
	struct kinds_names names;
	struct kinds_scorer *scorer;
	int u32, u64, list, pointer, page_pointer;
};

static void cache_add(struct world *w, const char *name, uint32_t bytes)
{
	struct kind_cache *c = ARRAY_PUSH(&w->names.caches);

	assert_non_null(c);
	snprintf(c->name, sizeof(c->name), "%s", name);
	c->bytes = c->object_bytes = bytes;
	kind_cache_classify(c);
}

static void field(struct world *w, int type, uint32_t offset)
{
	char name[16];

	snprintf(name, sizeof(name), "at%u", offset);
	assert_int_equal(btf__add_field(w->btf, name, type, offset * 8, 0), 0);
}

/* A struct of 32 bytes: `first` and, if it is not 0, `second` of 4 bytes, then `list`, `last`. */
static int struct_add(struct world *w, const char *name, int first, int second, int list, int last)
{
	int id = btf__add_struct(w->btf, name, 32);

	assert_true(id > 0);
	field(w, first, 0);
	if (second)
		field(w, second, 4);
	field(w, list, 8);
	if (list == w->pointer)
		field(w, list, 16);
	field(w, last, 24);
	return id;
}

/* A struct of 4 bytes, as the kernel's own. */
static int small_add(struct world *w, const char *name)
{
	int id = btf__add_struct(w->btf, name, 4);

	assert_true(id > 0);
	field(w, w->u32, 0);
	return id;
}

static void types_add(struct world *w)
{
	int refs = small_add(w, "refcount_struct"), lock = small_add(w, "raw_spinlock");
	int many = btf__add_array(w->btf, w->u64, w->u64, 4),
	    open = btf__add_array(w->btf, w->u64, w->page_pointer, 0), paged, full;

	struct_add(w, "counted", refs, w->u32, w->list, w->pointer);
	struct_add(w, "locked", lock, w->u32, w->list, w->pointer);
	paged = struct_add(w, "paged", w->u32, w->u32, w->list, w->page_pointer);
	full = struct_add(w, "full", w->u32, w->u32, w->list, w->pointer);
	paged = btf__add_ptr(w->btf, paged);
	full = btf__add_ptr(w->btf, full);
	struct_add(w, "to_full", w->u32, w->u32, w->list, full);
	struct_add(w, "to_paged", w->u32, w->u32, w->list, paged);
	assert_true(btf__add_struct(w->btf, "numbers", 32) > 0);
	field(w, many, 0);
	assert_true(btf__add_struct(w->btf, "buffer", 24) > 0);
	field(w, w->page_pointer, 0);
	field(w, w->u32, 8);
	field(w, full, 16);
	assert_true(btf__add_struct(w->btf, "two_pages", 16) > 0);
	field(w, w->page_pointer, 0);
	field(w, w->page_pointer, 8);
	assert_true(btf__add_struct(w->btf, "open_ended", 24) > 0);
	field(w, w->list, 0);
	field(w, w->u64, 16);
	field(w, open, 24);
}

static int world_build(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->btf = btf__new_empty();
	assert_non_null(w->btf);
	w->u32 = btf__add_int(w->btf, "unsigned int", 4, 0);
	w->u64 = btf__add_int(w->btf, "long unsigned int", 8, 0);
	w->pointer = btf__add_ptr(w->btf, 0);
	w->page_pointer = btf__add_ptr(w->btf, btf__add_struct(w->btf, "page", 64));
	w->list = btf__add_struct(w->btf, "list_head", 16);
	assert_true(btf__add_struct(w->btf, "hlist_node", 16) > 0);
	struct_add(w, "padded", w->u32, 0, w->list, w->pointer);
	struct_add(w, "sized", w->u64, 0, w->list, w->pointer);
	struct_add(w, "pointers", w->u32, w->u32, w->pointer, w->pointer);
	types_add(w);
	cache_add(w, "kmalloc-32", 32);
	cache_add(w, "kmalloc-512", 512);
	cache_add(w, "objects_of_one_kind", 32);
	cache_add(w, "kmalloc-16", 16);
	assert_int_equal(kinds_btf_new(w->btf, &w->types), 0);
	assert_int_equal(kinds_scorer_new(w->types, &w->names, &w->scorer), 0);
	*state = w;
	return 0;
}

static int world_free(void **state)
{
	struct world *w = *state;

	kinds_scorer_free(w->scorer);
	kinds_btf_free(w->types);
	kinds_names_free(&w->names);
	btf__free(w->btf);
	free(w);
	return 0;
}

static struct kind_word word_of(enum kind_class class, uint32_t at, uint8_t shape)
{
	return (struct kind_word){.class = (uint8_t) class, .at = at, .shape = shape};
}

/* Group objects that all have these words. */
static void group_of(const struct kind_word *object, uint32_t words, struct kind_groups *out)
{
	struct kind_word *objects = calloc((size_t)OBJECTS * words, sizeof(*objects));

	assert_non_null(objects);
	for (size_t i = 0; i < OBJECTS; i++)
		memcpy(objects + i * words, object, words * sizeof(*object));
	assert_int_equal(kinds_group(objects, OBJECTS, words, out), 0);
	assert_int_equal(out->nr, 1);
	free(objects);
}

static struct census_kind kind_in(struct world *w, uint32_t cache, const struct kind_word *object,
				  uint32_t words)
{
	struct kind_groups groups = {0};
	struct census_kind kind = {0};

	group_of(object, words, &groups);
	assert_int_equal(kinds_score(w->scorer, cache, &groups.items[0], &kind), 0);
	kind_groups_free(&groups);
	return kind;
}

/* Which of two types fits better? */
static const char *better(const struct census_kind *k, const char *a, const char *b)
{
	for (uint32_t i = 0; i < k->nr_types; i++)
		if (!strcmp(k->types[i].name, a) || !strcmp(k->types[i].name, b))
			return k->types[i].name;
	return "";
}

/* A number, an empty list, and nothing. */
static void object_make(struct kind_word o[4], uint8_t bytes)
{
	o[0] = word_of(KIND_OTHER, 0, bytes);
	o[1] = word_of(KIND_SELF, 8, KMT_LINK_NEXT);
	o[2] = word_of(KIND_SELF, 8, KMT_LINK_PREV);
	o[3] = word_of(KIND_ZERO, 0, 0);
}

static void neighbours_in_a_list_point_back(void **state)
{
	struct kind_word o[4];
	struct census_kind kind;

	object_make(o, 0x11);
	o[1] = word_of(KIND_SLAB, 64, KMT_LINK_NEXT);
	o[2] = word_of(KIND_SLAB, 64, KMT_LINK_PREV);
	o[1].id = o[2].id = CACHE_512;
	kind = kind_in(*state, CACHE_32, o, 4);
	assert_string_equal(better(&kind, "full", "pointers"), "full");
	o[1].shape = o[2].shape = 0;
	kind = kind_in(*state, CACHE_32, o, 4);
	assert_string_equal(better(&kind, "full", "pointers"), "pointers");
}

static void padding_is_zero(void **state)
{
	struct kind_word o[4];
	struct census_kind kind;

	object_make(o, 0x11);
	kind = kind_in(*state, CACHE_32, o, 4);
	assert_string_equal(better(&kind, "full", "padded"), "full");
}

/* Two small numbers in one word are no long number. */
static void a_long_number_has_no_gap(void **state)
{
	struct kind_word o[4];
	struct census_kind kind;

	object_make(o, 0x81);
	kind = kind_in(*state, CACHE_32, o, 4);
	assert_string_equal(better(&kind, "full", "sized"), "full");
}

static void references_are_counted_and_locks_are_free(void **state)
{
	struct kind_word o[4];
	struct census_kind kind;

	object_make(o, 0x01);
	kind = kind_in(*state, CACHE_32, o, 4);
	assert_string_equal(better(&kind, "counted", "locked"), "counted");
	object_make(o, 0x10);
	kind = kind_in(*state, CACHE_32, o, 4);
	assert_string_equal(better(&kind, "counted", "locked"), "locked");
}

/* Else any object full of numbers would be a struct that has an array of them. */
static void an_array_is_evidence_only_once(void **state)
{
	struct kind_word o[4];
	struct census_kind kind;

	for (size_t i = 0; i < 4; i++)
		o[i] = word_of(KIND_OTHER, 0, 0xff);
	kind = kind_in(*state, CACHE_32, o, 4);
	assert_string_equal(kind.types[0].name, "numbers");
	assert_true(kind.types[0].score < 0.5);
}

static void arrays_of_structs_are_named_by_their_element(void **state)
{
	struct kind_word o[64] = {0};
	struct census_kind kind;

	for (size_t i = 0; i < 16 * 3; i += 3) {
		o[i] = word_of(KIND_PAGE, 0, 0);
		o[i + 1] = word_of(KIND_SMALL, 0, 1);
		o[i + 2] = word_of(KIND_SLAB, 0, 0);
		o[i + 2].id = CACHE_NAMED;
	}
	kind = kind_in(*state, CACHE_512, o, 64);
	assert_string_equal(kind.types[0].name, "buffer[]");
	assert_int_equal(kind.sure, KIND_LIKELY);
}

static void a_short_head_with_much_data_is_found(void **state)
{
	struct kind_word o[64] = {0};
	struct census_kind kind;

	o[0] = word_of(KIND_SELF, 0, KMT_LINK_NEXT);
	o[1] = word_of(KIND_SELF, 0, KMT_LINK_PREV);
	o[2] = word_of(KIND_OTHER, 0, 0xff);
	for (size_t i = 3; i < 64; i++)
		o[i] = word_of(i % 2 ? KIND_PAGE : KIND_ZERO, 0, 0);
	kind = kind_in(*state, CACHE_512, o, 64);
	assert_string_equal(kind.types[0].name, "open_ended");
}

/* An array of two pages is none, nor is whatever else has two pointers to pages. */
static void what_points_only_to_one_sort_is_not_likely(void **state)
{
	const struct kind_word o[2] = {word_of(KIND_PAGE, 0, 0), word_of(KIND_PAGE, 0, 0)};
	struct census_kind kind = kind_in(*state, CACHE_16, o, 2);

	assert_string_equal(kind.types[0].name, "two_pages");
	assert_true(kind.types[0].score > 5.5);
	assert_int_equal(kind.sure, KIND_POSSIBLE);
}

/* A list that ends with NULL never leads back to itself. */
static void an_empty_list_head_is_no_hash_entry(void **state)
{
	const struct kind_word o[2] = {word_of(KIND_SELF, 0, KMT_LINK_NEXT),
				       word_of(KIND_SELF, 0, KMT_LINK_PREV)};
	struct census_kind kind = kind_in(*state, CACHE_16, o, 2);

	assert_string_equal(kind.types[0].name, "list_head");
	for (uint32_t i = 1; i < kind.nr_types; i++)
		assert_true(kind.types[i].score < 0);
}

/* A cache whose name is no type, but whose objects are of one: what points there has that type. */
static void types_of_caches_are_learned(void **state)
{
	struct kind_groups groups = {0};
	struct world *w = *state;
	struct kind_word o[4];
	struct census_kind kind;

	object_make(o, 0x11);
	o[3] = word_of(KIND_PAGE, 0, 0);
	group_of(o, 4, &groups);
	o[3] = word_of(KIND_SLAB, 0, 0);
	o[3].id = CACHE_NAMED;
	kind = kind_in(w, CACHE_32, o, 4);
	assert_string_not_equal(kind.types[0].name, "to_paged");
	assert_int_equal(kinds_scorer_learn(w->scorer, CACHE_NAMED, &groups.items[0]), 0);
	kind = kind_in(w, CACHE_32, o, 4);
	assert_string_equal(kind.types[0].name, "to_paged");
	kind_groups_free(&groups);
}

int main(void)
{
#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, world_build, world_free)
	const struct CMUnitTest tests[] = {
		IN_WORLD(neighbours_in_a_list_point_back),
		IN_WORLD(padding_is_zero),
		IN_WORLD(a_long_number_has_no_gap),
		IN_WORLD(references_are_counted_and_locks_are_free),
		IN_WORLD(an_array_is_evidence_only_once),
		IN_WORLD(arrays_of_structs_are_named_by_their_element),
		IN_WORLD(a_short_head_with_much_data_is_found),
		IN_WORLD(what_points_only_to_one_sort_is_not_likely),
		IN_WORLD(an_empty_list_head_is_no_hash_entry),
		IN_WORLD(types_of_caches_are_learned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
