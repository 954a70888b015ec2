// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who holds objects, without a kernel: memory, types and processes are made up. What a user would
 * lose: that the process named is the one that holds the objects, and that none is named otherwise.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <bpf/btf.h>

#include "trace/refs_holders.h"

#define OBJECT 0x10000 /* place of the object of the sample */

/* A word of memory. */
struct word {
	uint64_t place, points_to;
};

struct world {
	struct refs_types types;
	struct refs_belongs_table belongs;
	struct refs_roots roots;
	struct word words[16];
	size_t nr_words;
	struct refs_place level[4]; /* what the scan of the next level finds */
	size_t nr_level, scans, reads;
	const struct refs_closure *closure;
	struct refs out;
};

static const struct refs_cache kmalloc = {.name = "kmalloc-64", .size = 64, .object_size = 64},
			       large = {.name = "kmalloc-512", .size = 512, .object_size = 512},
			       epitem = {.name = "epitem", .size = 64, .object_size = 64},
			       epitem_merged = {.name = "epitem",
						.size = 96,
						.object_size = 96,
						.merged = true},
			       task = {.name = "task_struct", .size = 64, .object_size = 64},
			       dentry = {.name = "dentry", .size = 64, .object_size = 64},
			       node = {.name = "xa_node", .size = 64, .object_size = 64},
			       key = {.name = "key", .size = 64, .object_size = 64};

/* Structs of 64 bytes: a list at 0, a pointer `field` at 16, and a pointer `other` at 24. */
static void struct_add(struct btf *b, const char *name, const char *field, const char *other)
{
	int list = btf__find_by_name_kind(b, "list_head", BTF_KIND_STRUCT);
	int pointer = btf__add_ptr(b, 0);

	assert_true(list > 0 && btf__add_struct(b, name, 64) > 0);
	assert_int_equal(btf__add_field(b, "list", list, 0, 0), 0);
	assert_int_equal(btf__add_field(b, field, pointer, 128, 0), 0);
	assert_int_equal(btf__add_field(b, other, pointer, 192, 0), 0);
}

/* struct ipc_namespace: three struct ipc_ids of 64 bytes, each with an xarray at 24. */
static void ipc_structs_add(struct btf *b)
{
	int pointer = btf__add_ptr(b, 0), number, idr, ids, array;

	number = btf__add_int(b, "unsigned int", 4, 0);
	idr = btf__add_struct(b, "idr", 8);
	assert_int_equal(btf__add_field(b, "idr_rt", pointer, 0, 0), 0);
	ids = btf__add_struct(b, "ipc_ids", 64);
	assert_int_equal(btf__add_field(b, "ipcs_idr", idr, 192, 0), 0);
	array = btf__add_array(b, number, ids, 3);
	assert_true(btf__add_struct(b, "ipc_namespace", 512) > 0);
	assert_int_equal(btf__add_field(b, "ids", array, 0, 0), 0);
}

static int world_begin(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct btf *b = btf__new_empty();
	int pointer;

	assert_non_null(w);
	pointer = btf__add_ptr(b, 0);
	assert_true(btf__add_struct(b, "list_head", 16) > 0);
	assert_int_equal(btf__add_field(b, "next", pointer, 0, 0), 0);
	assert_int_equal(btf__add_field(b, "prev", pointer, 64, 0), 0);
	struct_add(b, "epitem", "ep", "ws");
	struct_add(b, "task_struct", "cred", "bio_list");
	struct_add(b, "dentry", "d_sb", "d_fsdata");
	struct_add(b, "eventpoll", "user", "file");
	struct_add(b, "super_block", "s_type", "s_root");
	struct_add(b, "xa_node", "array", "slots");
	struct_add(b, "key", "user", "security");
	ipc_structs_add(b);
	w->types.btf = b;
	refs_belongs_load(&w->types, &w->belongs);
	*state = w;
	return 0;
}

static int world_end(void **state)
{
	struct world *w = *state;

	refs_free(&w->out);
	refs_roots_free(&w->roots);
	refs_belongs_free(&w->belongs);
	refs_types_free(&w->types);
	free(w);
	return 0;
}

static uint64_t world_follow(void *arg, uint64_t place)
{
	struct world *w = arg;

	w->reads++;
	for (size_t i = 0; i < w->nr_words; i++)
		if (w->words[i].place == place)
			return w->words[i].points_to;
	return KMT_ROOT_NOWHERE;
}

/* There is one of each. */
static bool world_name(void *arg, enum refs_holder_kind kind, uint64_t place, char *name,
		       size_t size)
{
	static const struct {
		uint64_t place;
		const char *name;
	} named[REFS_HOLDER_KINDS] = {
		[REFS_HOLDER_SUPER_BLOCK] = {0x5000, "ext4 (sda1)"},
		[REFS_HOLDER_IPC_NAMESPACE] = {0x6000, "ipc:[4026531839]"},
		[REFS_HOLDER_USER] = {0x7000, "1000"},
	};

	(void)arg;
	if (!named[kind].name || place != named[kind].place)
		return false;
	snprintf(name, size, "%s", named[kind].name);
	return true;
}

static int world_scan(void *arg, const struct refs_objects *objects, struct refs_places *out)
{
	struct world *w = arg;

	assert_true(objects->nr > 0);
	w->scans++;
	for (size_t i = 0; i < w->nr_level; i++)
		*(struct refs_place *)ARRAY_PUSH(out) = w->level[i];
	return 0;
}

static void root_add(struct world *w, const char *comm, uint32_t tgid, bool file, uint64_t place)
{
	struct kmt_root record = {.tgid = tgid, .file = file, .self = 0x900000 + tgid * 0x1000};

	for (int i = 0; i < KMT_ROOT_PLACES; i++)
		record.places[i] = KMT_ROOT_NOWHERE;
	for (int i = 0; i < KMT_ROOT_STACK; i++)
		record.stack[i] = KMT_ROOT_NOWHERE;
	record.places[0] = place;
	snprintf(record.comm, sizeof(record.comm), "%s", comm);
	assert_int_equal(refs_roots_add(&w->roots, &record), 0);
}

/* Look for the holders of one object of this cache, which the places point to. */
static const struct refs *holders_of(struct world *w, const struct refs_cache *cache,
				     const struct refs_place *places, size_t nr, uint32_t levels)
{
	struct refs_object object = {.start = OBJECT, .cache = cache, .live = true, .sure = true};
	const struct refs_objects sample = {.items = &object, .nr = 1};
	const struct refs_places found = {.items = (struct refs_place *)(uintptr_t)places,
					  .nr = nr};
	const bool counts[] = {true};
	const struct refs_holding how = {.types = &w->types,
					 .belongs = &w->belongs,
					 .roots = &w->roots,
					 .closure = w->closure,
					 .follow = world_follow,
					 .name = world_name,
					 .arg = w,
					 .scan = world_scan,
					 .scan_arg = w,
					 .levels = levels};
	struct refs_claims claims = {0};

	refs_free(&w->out);
	memset(&w->out, 0, sizeof(w->out));
	refs_roots_sort(&w->roots);
	assert_int_equal(refs_holders_find(&how, &sample, &found, &claims, &w->out), 0);
	refs_holders_count(&claims, counts, &w->out);
	ARRAY_FREE(&claims);
	return &w->out;
}

static void file_tables_answer_without_a_pointer(void **state)
{
	struct world *w = *state;
	const struct refs *r;

	root_add(w, "frontend", 812, true, OBJECT + 8); /* somewhere in the object */
	root_add(w, "backend", 900, true, OBJECT);
	root_add(w, "other", 901, true, OBJECT + 64); /* the object behind it */
	root_add(w, "task", 902, false, OBJECT);      /* file tables say more than tasks */
	r = holders_of(w, &kmalloc, NULL, 0, 0);
	assert_int_equal(r->held, 1);
	assert_int_equal(r->holders.nr, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct refs_holder *h = &r->holders.items[i];

		assert_int_equal(h->kind, REFS_HOLDER_FILE_TABLE);
		assert_true(h->pid == 812 ? !strcmp(h->name, "frontend") : h->pid == 900);
		assert_string_equal(h->through, "file.private_data");
		assert_true(h->certain);
		assert_int_equal(h->objects, 1);
	}
}

static void a_part_is_held_by_who_holds_the_whole(void **state)
{
	struct world *w = *state;
	const struct refs *r;

	w->words[w->nr_words++] = (struct word){OBJECT + 16, 0x3000};
	r = holders_of(w, &epitem, NULL, 0, 0);
	assert_int_equal(r->held, 0); /* nobody has the event poll */
	root_add(w, "poller", 7, true, 0x3000);
	r = holders_of(w, &epitem, NULL, 0, 0);
	assert_int_equal(r->held, 1);
	assert_string_equal(r->holders.items[0].through, "epitem.ep, file.private_data");
	assert_true(r->holders.items[0].certain);
	/* other objects may be in the cache: then it is a guess that this is one of them */
	r = holders_of(w, &epitem_merged, NULL, 0, 0);
	assert_int_equal(r->held, 1);
	assert_false(r->holders.items[0].certain);
}

static void a_super_block_holds_only_if_it_is_one(void **state)
{
	struct world *w = *state;
	const struct refs *r;

	w->words[w->nr_words++] = (struct word){OBJECT + 16, 0x5000};
	r = holders_of(w, &dentry, NULL, 0, 0);
	assert_int_equal(r->held, 1);
	assert_int_equal(r->holders.items[0].kind, REFS_HOLDER_SUPER_BLOCK);
	assert_string_equal(r->holders.items[0].name, "ext4 (sda1)");
	assert_int_equal(r->holders.items[0].pid, 0);
	w->words[0].points_to = 0x5008;
	assert_int_equal(holders_of(w, &dentry, NULL, 0, 0)->held, 0);
}

/* Each of these is pointed to in some way; `held` says whether the pointer holds. */
static void only_pointers_that_hold_lead_to_a_holder(void **state)
{
	static const struct {
		const struct refs_cache *from;
		uint32_t offset;
		uint64_t points_to;
		bool held, certain;
	} cases[] = {
		{&task, 16, OBJECT, true, true},        /* task_struct.cred */
		{&task, 24, OBJECT, true, false},       /* … and one that need not hold */
		{&task, 0, OBJECT, false, false},       /* a list, … */
		{&task, 8, OBJECT, false, false},       /* … either way */
		{&epitem, 16, OBJECT, false, false},    /* from a part to the whole */
		{&large, 40, OBJECT, true, false},      /* no struct is known */
		{&large, 40, OBJECT + 8, false, false}, /* that is likely a list */
		{&large, 40, 0x77000, false, false},    /* it no longer points to it */
		{&kmalloc, 40, OBJECT, true, false},    /* a kmalloc cache has many kinds */
		{&large, REFS_NO_OFFSET, 0, false, false},
	};
	struct world *w = *state;

	root_add(w, "frontend", 812, false, 0x2000);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct refs_place place = {.class = CENSUS_SLAB,
					   .cache = cases[i].from,
					   .offset = cases[i].offset,
					   .at = 0x2000 + cases[i].offset};
		const struct refs *r;

		w->words[0] = (struct word){0x2000 + cases[i].offset, cases[i].points_to};
		w->nr_words = 1;
		r = holders_of(w, &kmalloc, &place, 1, 0);
		if (r->held != cases[i].held)
			fail_msg("case %zu: held by %zu", i, r->holders.nr);
		if (r->held)
			assert_int_equal(r->holders.items[0].certain, cases[i].certain);
	}
	/* objects of one kind are in lists and trees, which is no answer */
	w->words[0] = (struct word){0x2018, OBJECT};
	assert_int_equal(
		holders_of(w, &task,
			   &(struct refs_place){.cache = &task, .offset = 24, .at = 0x2018}, 1, 0)
			->held,
		0);
}

static void what_is_further_away_needs_a_level(void **state)
{
	const struct refs_place place = {.cache = &large, .offset = 40, .at = 0x2028};
	struct world *w = *state;
	const struct refs *r;

	/* a task points to 0x2000, and that to the object */
	w->words[w->nr_words++] = (struct word){0x2028, OBJECT};
	w->words[w->nr_words++] = (struct word){0x4010, 0x2000};
	w->level[w->nr_level++] = (struct refs_place){.cache = &task, .offset = 16, .at = 0x4010};
	root_add(w, "frontend", 812, false, 0x4000);
	r = holders_of(w, &kmalloc, &place, 1, 0);
	assert_int_equal(r->held, 0);
	assert_int_equal(w->scans, 0);
	r = holders_of(w, &kmalloc, &place, 1, 1);
	assert_int_equal(w->scans, 1);
	assert_int_equal(r->levels, 1);
	assert_int_equal(r->held, 1);
	assert_int_equal(r->holders.nr, 1);
	assert_int_equal(r->holders.items[0].pid, 812);
	assert_false(r->holders.items[0].certain);
	assert_string_equal(r->holders.items[0].through,
			    "kmalloc-512+40, task_struct.cred, task_struct.mm");
}

/* System V queues, semaphores and shared memory are in an xarray of their namespace. */
static void an_ipc_namespace_holds_what_is_in_its_xarrays(void **state)
{
	const struct refs_place place = {.cache = &node, .offset = 24, .at = 0x3018};
	struct world *w = *state;
	const struct refs *r;

	w->words[w->nr_words++] = (struct word){0x3018, OBJECT};
	for (int i = 0; i < 3; i++) {
		w->words[1] = (struct word){0x3010, 0x6000 + i * 64 + 24};
		w->nr_words = 2;
		r = holders_of(w, &kmalloc, &place, 1, 0);
		assert_int_equal(r->held, 1);
		assert_int_equal(r->holders.items[0].kind, REFS_HOLDER_IPC_NAMESPACE);
		assert_string_equal(r->holders.items[0].name, "ipc:[4026531839]");
		assert_string_equal(r->holders.items[0].through, "xa_node.slots, xa_node.array");
	}
	w->words[1].points_to = 0x6000 + 24 + 8; /* another xarray */
	assert_int_equal(holders_of(w, &kmalloc, &place, 1, 0)->held, 0);
}

static void a_key_is_held_by_its_user(void **state)
{
	struct world *w = *state;
	const struct refs *r;

	w->words[w->nr_words++] = (struct word){OBJECT + 16, 0x7000};
	r = holders_of(w, &key, NULL, 0, 0);
	assert_int_equal(r->held, 1);
	assert_int_equal(r->holders.items[0].kind, REFS_HOLDER_USER);
	assert_string_equal(r->holders.items[0].name, "1000");
}

/*
 * The object is in a list with another, at 0x20000, to which an object of a process points. That
 * one points back to the process's object, or else it is a stale pointer.
 */
static void what_holds_a_list_holds_its_members(void **state)
{
	const struct refs_place words[] = {
		{.object = 0, .cache = &dentry, .offset = 0, .at = 0x20000},
		{.object = 1, .cache = &dentry, .offset = 8, .at = OBJECT + 8},
		{.object = 1, .cache = &large, .offset = 40, .at = 0x2028},
	};
	const struct refs_places places = {.items = (struct refs_place *)(uintptr_t)words, .nr = 3};
	const bool reached[2] = {false};
	struct refs_closure closure = {0};
	struct world *w = *state;
	const struct refs *r;

	*(struct refs_object *)ARRAY_PUSH(&closure.all) =
		(struct refs_object){.start = OBJECT, .cache = &dentry};
	*(struct refs_object *)ARRAY_PUSH(&closure.all) =
		(struct refs_object){.start = 0x20000, .cache = &dentry};
	assert_int_equal(refs_closure_build(&closure, &places, reached), 0);
	w->closure = &closure;
	root_add(w, "frontend", 812, false, 0x2000);
	w->words[w->nr_words++] = (struct word){0x2028, 0x20000};
	r = holders_of(w, &dentry, words, 1, 0);
	assert_int_equal(r->held, 0); /* nothing points back */
	w->words[w->nr_words++] = (struct word){0x20008, 0x2028};
	r = holders_of(w, &dentry, words, 1, 0);
	assert_int_equal(r->held, 1);
	assert_int_equal(r->holders.items[0].pid, 812);
	assert_false(r->holders.items[0].certain);
	assert_string_equal(r->holders.items[0].through,
			    "others of dentry, kmalloc-512+40, task_struct.mm");
	refs_closure_free(&closure);
}

/* Each word takes up to 64 reads of a struct, and a hash table may point to very many objects. */
static void the_search_for_heads_of_lists_is_bounded(void **state)
{
	enum { OBJECTS = 50000 };
	bool *reached = calloc(OBJECTS, sizeof(*reached));
	struct refs_closure closure = {0};
	struct refs_places places = {0};
	struct world *w = *state;

	assert_non_null(reached);
	for (uint32_t i = 0; i < OBJECTS; i++) {
		*(struct refs_object *)ARRAY_PUSH(&closure.all) =
			(struct refs_object){.start = OBJECT + i * 64, .cache = &dentry};
		*(struct refs_place *)ARRAY_PUSH(&places) =
			(struct refs_place){.object = i,
					    .cache = &large,
					    .offset = 40,
					    .at = UINT64_C(0x90000028) + i * 512};
	}
	assert_int_equal(refs_closure_build(&closure, &places, reached), 0);
	w->closure = &closure;
	holders_of(w, &dentry, NULL, 0, 0);
	assert_in_range(w->reads, 64, 2 * 2048 * 64);
	free(reached);
	ARRAY_FREE(&places);
	refs_closure_free(&closure);
}

/* Words on a stack may be stale. */
static void a_stack_holds_nothing(void **state)
{
	struct world *w = *state;
	struct kmt_root record = {.self = KMT_ROOT_NOWHERE, .tgid = 5};

	for (int i = 0; i < KMT_ROOT_PLACES; i++)
		record.places[i] = KMT_ROOT_NOWHERE;
	for (int i = 0; i < KMT_ROOT_STACK; i++)
		record.stack[i] = OBJECT;
	assert_int_equal(refs_roots_add(&w->roots, &record), 0);
	assert_int_equal(holders_of(w, &kmalloc, NULL, 0, 0)->held, 0);
}

/* A host with very many open files must not lose much memory to this list. */
static void the_list_of_what_processes_have_is_bounded(void **state)
{
	struct world *w = *state;

	for (uint32_t i = 0; i < 2000000 && !w->roots.partial; i++)
		root_add(w, "hoarder", 1, true, i * 64);
	assert_true(w->roots.partial);
	assert_in_range(w->roots.all.nr, 1 << 20, (1 << 20) + KMT_ROOT_PLACES);
	assert_int_equal(w->roots.processes.nr, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(file_tables_answer_without_a_pointer, world_begin,
						world_end),
		cmocka_unit_test_setup_teardown(a_part_is_held_by_who_holds_the_whole, world_begin,
						world_end),
		cmocka_unit_test_setup_teardown(a_super_block_holds_only_if_it_is_one, world_begin,
						world_end),
		cmocka_unit_test_setup_teardown(only_pointers_that_hold_lead_to_a_holder,
						world_begin, world_end),
		cmocka_unit_test_setup_teardown(what_is_further_away_needs_a_level, world_begin,
						world_end),
		cmocka_unit_test_setup_teardown(an_ipc_namespace_holds_what_is_in_its_xarrays,
						world_begin, world_end),
		cmocka_unit_test_setup_teardown(a_key_is_held_by_its_user, world_begin, world_end),
		cmocka_unit_test_setup_teardown(what_holds_a_list_holds_its_members, world_begin,
						world_end),
		cmocka_unit_test_setup_teardown(the_search_for_heads_of_lists_is_bounded,
						world_begin, world_end),
		cmocka_unit_test_setup_teardown(a_stack_holds_nothing, world_begin, world_end),
		cmocka_unit_test_setup_teardown(the_list_of_what_processes_have_is_bounded,
						world_begin, world_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
