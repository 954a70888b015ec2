// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kinds of objects, without a kernel: what is drawn, what is grouped, which type fits, and how sure
 * that is. What a user would lose: the right name for the memory that is gone, and an honest
 * "unknown" where nothing fits.
 */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>
#include <cmocka.h>

#include "base/random.h"
#include "model/census.h"
#include "model/kinds.h"
#include "sample_census.h"
#include "trace/kinds.h"
#include "trace/kinds_btf.h"
#include "trace/kinds_group.h"
#include "trace/kinds_sample.h"
#include "trace/kinds_score.h"

/* ---- a kernel's types ---- */

struct world {
	struct btf *btf;
	struct kinds_btf *types;
	struct kinds_names names;
	struct kinds_scorer *scorer;
	int u32, u64, list, file, void_pointer, ops;
};

enum { CACHE_64, CACHE_FILP, CACHE_128, CACHE_BUCKET };
enum { FUNCTION_TIMER, FUNCTION_OPEN, FUNCTION_WORK };

static void cache_add(struct world *w, const char *name, uint32_t bytes)
{
	struct kind_cache *c = ARRAY_PUSH(&w->names.caches);

	assert_non_null(c);
	snprintf(c->name, sizeof(c->name), "%s", name);
	c->bytes = c->object_bytes = bytes;
	kind_cache_classify(c);
}

static void function_add(struct world *w, const char *name)
{
	struct kind_function *f = ARRAY_PUSH(&w->names.functions);

	assert_non_null(f);
	snprintf(f->name, sizeof(f->name), "%s", name);
	snprintf(f->module, sizeof(f->module), "vmlinux");
}

/* A struct with a 4-byte number, a list and a pointer to `target`, of `bytes`. */
static int holder_add(struct world *w, const char *name, int target, uint32_t bytes)
{
	int id = btf__add_struct(w->btf, name, bytes);

	assert_true(id > 0);
	assert_int_equal(btf__add_field(w->btf, "refs", w->u32, 0, 0), 0);
	assert_int_equal(btf__add_field(w->btf, "list", w->list, 8 * 8, 0), 0);
	assert_int_equal(btf__add_field(w->btf, "to", target, 24 * 8, 0), 0);
	return id;
}

/* Members and parameters go to the type that was added last, so what they need is added before. */
static void types_build(struct world *w)
{
	int proto, timer, file_pointer, proto_pointer, timer_pointer, ops_pointer;

	w->u32 = btf__add_int(w->btf, "unsigned int", 4, 0);
	w->u64 = btf__add_int(w->btf, "long unsigned int", 8, 0);
	w->void_pointer = btf__add_ptr(w->btf, 0);
	w->list = btf__add_struct(w->btf, "list_head", 16);
	w->file = btf__add_struct(w->btf, "file", 192);
	btf__add_field(w->btf, "flags", w->u64, 0, 0);
	file_pointer = btf__add_ptr(w->btf, w->file);
	proto = btf__add_func_proto(w->btf, w->u32);
	assert_int_equal(btf__add_func_param(w->btf, "file", file_pointer), 0);
	timer = btf__add_func_proto(w->btf, 0);
	assert_int_equal(btf__add_func_param(w->btf, "arg", w->u64), 0);
	btf__add_func(w->btf, "alarm_expires", BTF_FUNC_STATIC, timer);
	btf__add_func(w->btf, "watch_open", BTF_FUNC_STATIC, proto);
	proto_pointer = btf__add_ptr(w->btf, proto);
	timer_pointer = btf__add_ptr(w->btf, timer);
	w->ops = btf__add_struct(w->btf, "watch_operations", 16);
	btf__add_field(w->btf, "flags", w->u64, 0, 0);
	assert_int_equal(btf__add_field(w->btf, "open", proto_pointer, 64, 0), 0);
	ops_pointer = btf__add_ptr(w->btf, w->ops);
	holder_add(w, "watch", file_pointer, 40);
	holder_add(w, "other_number", w->u64, 40);
	holder_add(w, "alarm", timer_pointer, 48);
	holder_add(w, "watched_table", ops_pointer, 56);
	holder_add(w, "twin_a", w->void_pointer, 56);
	holder_add(w, "twin_b", w->void_pointer, 56);
	holder_add(w, "message", w->void_pointer, 32);
}

static int world_build(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->btf = btf__new_empty();
	assert_non_null(w->btf);
	types_build(w);
	cache_add(w, "kmalloc-64", 64);
	cache_add(w, "filp", 192);
	cache_add(w, "kmalloc-cg-128", 128);
	cache_add(w, "message-64", 64);
	function_add(w, "alarm_expires");
	function_add(w, "watch_open");
	function_add(w, "not_in_btf");
	assert_int_equal(kinds_btf_new(w->btf, &w->types), 0);
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

static struct kind_word word_of(enum kind_class class, uint16_t id, uint32_t at)
{
	return (struct kind_word){.class = class, .id = id, .at = at};
}

/* An object of 64 bytes: a number, an empty list, and `to`. */
static void object_make(struct kind_word o[8], struct kind_word to)
{
	memset(o, 0, 8 * sizeof(*o));
	o[0] = word_of(KIND_SMALL, 0, 0);
	o[1] = word_of(KIND_SELF, 0, 8);
	o[2] = word_of(KIND_SELF, 0, 8);
	o[3] = to;
}

/* The kind of `nr` such objects of a cache. */
static struct census_kind kind_in(struct world *w, uint32_t cache, struct kind_word to, size_t nr)
{
	struct kind_word *objects = calloc(nr * 8, sizeof(*objects));
	struct census_kind kind = {0};
	struct kind_groups groups = {0};

	assert_non_null(objects);
	for (size_t i = 0; i < nr; i++)
		object_make(objects + i * 8, to);
	assert_int_equal(kinds_group(objects, nr, 8, &groups), 0);
	assert_int_equal(groups.nr, 1);
	if (!w->scorer)
		assert_int_equal(kinds_scorer_new(w->types, &w->names, &w->scorer), 0);
	assert_int_equal(kinds_score(w->scorer, cache, &groups.items[0], &kind), 0);
	kind_groups_free(&groups);
	free(objects);
	return kind;
}

static struct census_kind kind_of(struct world *w, struct kind_word to, size_t nr)
{
	return kind_in(w, CACHE_64, to, nr);
}

/* ---- which type ---- */

static void a_pointer_to_a_named_cache_tells_the_type(void **state)
{
	struct census_kind kind = kind_of(*state, word_of(KIND_SLAB, CACHE_FILP, 0), 100);

	assert_string_equal(kind.types[0].name, "watch");
	assert_int_equal(kind.sure, KIND_LIKELY);
	assert_string_equal(kind.points_to[0], "filp");
	assert_true(kind.types[0].score > kind.types[1].score + 2);
}

/* Messages: a short head of a known type, and data of any length behind it. */
static void a_cache_of_one_user_names_the_type(void **state)
{
	struct census_kind kind =
		kind_in(*state, CACHE_BUCKET, word_of(KIND_SLAB, CACHE_64, 0), 100);

	assert_string_equal(kind.types[0].name, "message");
	kind = kind_of(*state, word_of(KIND_SLAB, CACHE_64, 0), 100);
	for (uint32_t i = 0; i < kind.nr_types; i++)
		assert_string_not_equal(kind.types[i].name, "message");
}

static void a_function_with_other_arguments_does_not_fit(void **state)
{
	struct census_kind kind = kind_of(*state, word_of(KIND_FUNCTION, FUNCTION_TIMER, 0), 100);

	assert_string_equal(kind.types[0].name, "alarm");
	assert_int_equal(kind.sure, KIND_LIKELY);
	assert_string_equal(kind.functions[0], "alarm_expires");
	/* the same place, but a function that takes a file */
	kind = kind_of(*state, word_of(KIND_FUNCTION, FUNCTION_OPEN, 0), 100);
	assert_true(kind.sure != KIND_LIKELY);
	assert_true(!kind.nr_types || strcmp(kind.types[0].name, "alarm") != 0);
}

static void a_table_of_functions_tells_the_type(void **state)
{
	struct world *w = *state;
	struct kind_table *table = ARRAY_PUSH(&w->names.tables);
	struct census_kind kind;

	assert_non_null(table);
	table->functions[1] = FUNCTION_OPEN + 1;
	kind = kind_of(w, word_of(KIND_TABLE, 0, 0), 100);
	assert_string_equal(kind.types[0].name, "watched_table");
	assert_int_equal(kind.sure, KIND_LIKELY);
	assert_string_equal(kind.functions[0], "watch_open");
}

static void types_that_fit_alike_are_not_told_apart(void **state)
{
	/* vmalloc memory behind a void pointer: both twins fit, and no other type better */
	struct census_kind kind = kind_of(*state, word_of(KIND_PERCPU, 0, 0), 100);

	assert_true(kind.sure != KIND_LIKELY);
}

static void objects_that_point_nowhere_stay_unknown(void **state)
{
	struct world *w = *state;
	struct kind_word objects[16 * 8] = {0};
	struct kind_groups groups = {0};
	struct census_kind kind = {0};

	assert_int_equal(kinds_group(objects, 16, 8, &groups), 0);
	assert_int_equal(groups.nr, 1);
	assert_int_equal(kinds_scorer_new(w->types, &w->names, &w->scorer), 0);
	assert_int_equal(kinds_score(w->scorer, CACHE_64, &groups.items[0], &kind), 0);
	assert_int_equal(kind.sure, KIND_UNKNOWN);
	kind_groups_free(&groups);
}

static void vectors_of_owners_are_named_as_such(void **state)
{
	struct world *w = *state;
	struct kind_word objects[50 * 8] = {0};
	struct kind_groups groups = {0};
	struct census_kind kind = {0};

	for (size_t i = 0; i < 50 * 8; i++)
		if (i % 3)
			objects[i] = word_of(KIND_OWNER, CACHE_64, 0);
	assert_int_equal(kinds_group(objects, 50, 8, &groups), 0);
	assert_int_equal(kinds_scorer_new(w->types, &w->names, &w->scorer), 0);
	assert_int_equal(kinds_score(w->scorer, CACHE_64, &groups.items[0], &kind), 0);
	assert_string_equal(kind.types[0].name, "obj_cgroup *[]");
	assert_int_equal(kind.sure, KIND_LIKELY);
	kind_groups_free(&groups);
}

/* ---- groups ---- */

static void objects_with_other_functions_are_of_other_kinds(void **state)
{
	struct kind_word objects[90][8];
	struct kind_groups groups = {0};
	char sign[KIND_SIGN_MAX];
	struct world *w = *state;

	for (size_t i = 0; i < 90; i++) {
		object_make(objects[i],
			    word_of(KIND_FUNCTION, i < 60 ? FUNCTION_TIMER : FUNCTION_OPEN, 0));
		if (i % 2) /* the list has entries */
			objects[i][1] = objects[i][2] = word_of(KIND_SLAB, CACHE_FILP, 24);
		if (i % 3)
			objects[i][5] = word_of(KIND_OTHER, 0, 0);
	}
	assert_int_equal(kinds_group(objects[0], 90, 8, &groups), 0);
	assert_int_equal(groups.nr, 2);
	assert_int_equal(groups.items[0].objects, 60);
	assert_int_equal(groups.items[1].objects, 30);
	assert_int_equal(groups.items[0].members.nr, 60);
	for (size_t i = 0; i < 30; i++)
		assert_in_range(groups.items[1].members.items[i], 60, 89);
	assert_true(kind_groups_differ(&groups.items[0], &groups.items[1]));
	kind_group_sign(&groups.items[0], &w->names, "kmalloc-64", sign);
	assert_non_null(strstr(sign, "24:alarm_expires()"));
	kind_groups_free(&groups);
}

/* Words that no kernel would have: nothing overflows, and the number of groups is bounded. */
static void random_words_do_no_harm(void **state)
{
	struct world *w = *state;
	struct kind_word *objects = calloc(400 * KIND_WORDS, sizeof(*objects));
	struct kind_groups groups = {0};
	uint64_t random = 7;
	uint32_t all = 0;

	assert_non_null(objects);
	for (size_t i = 0; i < 400 * KIND_WORDS; i++)
		objects[i] =
			word_of(random_below(&random, KIND_CLASSES), (uint16_t)random_next(&random),
				(uint32_t)random_next(&random));
	assert_int_equal(kinds_group(objects, 400, KIND_WORDS, &groups), 0);
	assert_true(groups.nr <= 24);
	assert_int_equal(kinds_scorer_new(w->types, &w->names, &w->scorer), 0);
	for (size_t i = 0; i < groups.nr; i++) {
		struct census_kind kind = {0};
		char sign[KIND_SIGN_MAX];

		all += groups.items[i].objects;
		assert_int_equal(kinds_score(w->scorer, CACHE_64, &groups.items[i], &kind), 0);
		assert_true(kind.sure != KIND_LIKELY);
		kind_group_sign(&groups.items[i], &w->names, "kmalloc-64", sign);
		assert_true(strlen(sign) < KIND_SIGN_MAX);
	}
	assert_int_equal(all + groups.others, 400);
	kind_groups_free(&groups);
	free(objects);
}

/* ---- hostile types ---- */

/* A struct that contains itself, an array without end, a typedef of itself. */
static void broken_types_do_no_harm(void **state)
{
	struct btf *btf = btf__new_empty();
	struct kinds_btf *types = NULL;
	struct struct_type *t;
	int u32, self, typedef_id, array, wide;
	size_t at = 0;

	(void)state;
	assert_non_null(btf);
	u32 = btf__add_int(btf, "unsigned int", 4, 0);
	self = btf__add_struct(btf, "self", 40);
	btf__add_field(btf, "inside", self, 0, 0);
	btf__add_field(btf, "again", self, 64, 0);
	typedef_id = btf__add_typedef(btf, "loop", self + 1);
	array = btf__add_array(btf, u32, u32, UINT32_MAX);
	wide = btf__add_struct(btf, "wide", 48);
	btf__add_field(btf, "loop", typedef_id, 0, 0);
	btf__add_field(btf, "array", array, 64, 0);
	btf__add_field(btf, "beyond", u32, (1 << 23), 0);
	assert_true(wide > 0);
	assert_int_equal(kinds_btf_new(btf, &types), 0);
	while ((t = kinds_btf_next(types, 0, 4096, &at)))
		assert_int_equal(kinds_btf_fields(types, t), 0);
	t = kinds_btf_find(types, "wide", 0);
	assert_non_null(t);
	assert_true(t->nr_fields <= 2048);
	assert_false(kinds_btf_has_at(types, t, 4000000000u, "self"));
	kinds_btf_free(types);
	btf__free(btf);
}

/* ---- caches ---- */

static void generic_caches_are_known_by_their_name(void **state)
{
	static const struct {
		const char *name;
		uint32_t bytes;
		bool generic;
	} caches[] = {
		{"kmalloc-64", 64, true},
		{"kmalloc-cg-8k", 8192, true},
		{"kmalloc-rnd-07-192", 192, true},
		{"msg_msg-4k", 4096, true},
		{"dentry", 192, false},
		{"kmalloc-64", 72, false},
		{"ip6-frags", 184, false},
		{"biovec-max", 4096, false},
		{"bio-200", 256, false},
		{"kmalloc-64x", 64, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(caches) / sizeof(caches[0]); i++) {
		struct kind_cache c = {.bytes = caches[i].bytes, .object_bytes = caches[i].bytes};

		snprintf(c.name, sizeof(c.name), "%s", caches[i].name);
		kind_cache_classify(&c);
		if (c.generic != caches[i].generic)
			fail_msg("%s", caches[i].name);
	}
}

/* ---- the sample ---- */

static void each_object_is_drawn_as_often_as_any_other(void **state)
{
	enum { SLABS = 2000, OBJECTS = 4, ROUNDS = 200 };
	uint32_t *drawn = calloc(SLABS * OBJECTS, sizeof(*drawn));
	double halves[2] = {0}, all = 0;

	(void)state;
	assert_non_null(drawn);
	for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
		struct kinds_sample *s = kinds_sample_new(seed * 0x9E3779B97F4A7C15ull);
		struct kind_places places = {0};

		assert_non_null(s);
		for (uint32_t i = 0; i < SLABS; i++)
			assert_int_equal(kinds_sample_add(s, 77,
							  &(struct kind_slab){.pfn = i,
									      .objects = OBJECTS,
									      .used = OBJECTS}),
					 0);
		assert_int_equal(kinds_sample_draw(s, 77, 100, 1000, &places), 0);
		assert_in_range(places.nr, 100, 140);
		for (size_t i = 0; i < places.nr; i++) {
			assert_true(places.items[i].place < OBJECTS);
			drawn[places.items[i].slab->pfn * OBJECTS + places.items[i].place]++;
			halves[places.items[i].slab->pfn >= SLABS / 2]++;
			if (i && places.items[i].slab == places.items[i - 1].slab)
				assert_true(places.items[i].place > places.items[i - 1].place);
		}
		all += (double)places.nr;
		ARRAY_FREE(&places);
		kinds_sample_free(s);
	}
	/* standard deviation of a half: sqrt(all / 4) */
	assert_true(fabs(halves[0] - all / 2) < 4 * sqrt(all / 4));
	for (size_t i = 0; i < SLABS * OBJECTS; i++)
		assert_true(drawn[i] < 20); /* 3 on average */
	free(drawn);
}

static void a_cache_that_is_not_known_has_no_objects(void **state)
{
	struct kinds_sample *s = kinds_sample_new(3);
	struct kind_places places = {0};

	(void)state;
	assert_int_equal(kinds_sample_draw(s, 5, 100, 1000, &places), 0);
	assert_int_equal(places.nr, 0);
	assert_int_equal(kinds_sample_add(s, 5, &(struct kind_slab){.objects = 8, .used = 0}), 0);
	assert_int_equal(kinds_sample_draw(s, 5, 100, 1000, &places), 0);
	assert_int_equal(places.nr, 0);
	kinds_sample_free(s);
}

/* ---- shares ---- */

static void intervals_of_shares_hold(void **state)
{
	static const double shares[] = {0.01, 0.05, 0.3, 0.5, 0.95};
	uint64_t random = 11;

	(void)state;
	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		int holds = 0, rounds = 4000;

		for (int r = 0; r < rounds; r++) {
			double low, high, seen = 0;

			for (int k = 0; k < 385; k++)
				seen += (double)(random_next(&random) >> 11) * 0x1p-53 < shares[i];
			share_interval(seen / 385, 385, 1e6, &low, &high);
			holds += low <= shares[i] && shares[i] <= high;
		}
		/* Wilson's interval is a little below 95 % for some shares: Brown et al. 2001 */
		assert_in_range(holds, rounds * 93 / 100, rounds);
	}
}

static void a_share_of_all_objects_is_exact(void **state)
{
	double low, high;

	(void)state;
	share_interval(0.25, 100, 100, &low, &high);
	assert_true(low == 0.25 && high == 0.25);
	share_interval(0, 0, 100, &low, &high);
	assert_true(low == 0 && high == 1);
}

static void objects_of_one_place_count_less(void **state)
{
	uint64_t units[400];
	uint8_t of[400];
	double mixed, apart;

	(void)state;
	for (size_t i = 0; i < 400; i++) {
		units[i] = i / 20;
		of[i] = i % 2;
	}
	mixed = kinds_effective(units, of, 400);
	for (size_t i = 0; i < 400; i++)
		of[i] = i / 20 % 2; /* all of a unit are alike */
	apart = kinds_effective(units, of, 400);
	assert_true(mixed == 400);
	assert_in_range((uint64_t)apart, 15, 25);
}

static void shares_and_memory_add_up(void **state)
{
	struct census_sheet sheet = {0};
	struct census c;
	struct kind_sample *sample;
	struct census_kind *kind;
	const struct kind_cache_row *row;
	double share = 0, kb = 0;

	(void)state;
	sample_census(&c, 1000);
	sample = ARRAY_PUSH(&c.kinds.samples);
	*sample = (struct kind_sample){.cache = 1, .drawn = 120, .live = 100};
	for (int i = 0; i < 2; i++) {
		kind = ARRAY_PUSH(&c.kinds);
		*kind = (struct census_kind){.cache = 1, .objects = i ? 20 : 70, .effective = 100};
	}
	assert_int_equal(census_sheet_build(&c, &sheet), 0);
	row = kinds_sheet_find(&sheet.kinds, 1);
	assert_non_null(row);
	assert_null(kinds_sheet_find(&sheet.kinds, 0));
	assert_int_equal(row->nr, 3);
	assert_null(row->rows[2].kind);
	for (size_t i = 0; i < row->nr; i++) {
		share += row->rows[i].share;
		kb += row->rows[i].kb;
		assert_true(row->rows[i].share_low <= row->rows[i].share);
		assert_true(row->rows[i].share_high >= row->rows[i].share);
	}
	assert_true(fabs(share - 1) < 1e-9);
	assert_true(fabs(kb - (2000 - 12) * 64 / 1024.0) < 1e-6);
	assert_int_equal(sheet.kinds.top.nr, 2);
	assert_true(sheet.kinds.top.items[0].row->share > 0.69);
	census_sheet_free(&sheet);
	census_free(&c);
}

int main(void)
{
#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, world_build, world_free)
	const struct CMUnitTest tests[] = {
		IN_WORLD(a_pointer_to_a_named_cache_tells_the_type),
		IN_WORLD(a_cache_of_one_user_names_the_type),
		IN_WORLD(a_function_with_other_arguments_does_not_fit),
		IN_WORLD(a_table_of_functions_tells_the_type),
		IN_WORLD(types_that_fit_alike_are_not_told_apart),
		IN_WORLD(objects_that_point_nowhere_stay_unknown),
		IN_WORLD(vectors_of_owners_are_named_as_such),
		IN_WORLD(objects_with_other_functions_are_of_other_kinds),
		IN_WORLD(random_words_do_no_harm),
		cmocka_unit_test(broken_types_do_no_harm),
		cmocka_unit_test(generic_caches_are_known_by_their_name),
		cmocka_unit_test(each_object_is_drawn_as_often_as_any_other),
		cmocka_unit_test(a_cache_that_is_not_known_has_no_objects),
		cmocka_unit_test(intervals_of_shares_hold),
		cmocka_unit_test(a_share_of_all_objects_is_exact),
		cmocka_unit_test(objects_of_one_place_count_less),
		cmocka_unit_test(shares_and_memory_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
