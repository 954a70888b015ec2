// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names of words outside of slab caches, without a kernel. What a user would lose: that a variable
 * is named only where it is, and that no function passes for a variable.
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

#include "scratch.h"
#include "sym/kallsyms_few.h"
#include "trace/refs_percpu.h"

/* ---- symbols ---- */

static const char kallsyms[] = "0000000000000000 A __per_cpu_start\n"
			       "ffffffff81000000 T _text\n"
			       "ffffffff81000000 T _stext\n"
			       "ffffffff81000100 t schedule\n"
			       "ffffffff82000000 D init_task\n"
			       "ffffffff82002000 d evil\n"
			       "ffffffffc0003000 b kept_rings\t[orphans]\n" /* not in order */
			       "ffffffffc0001000 t keep\t[orphans]\n";

/* Beside these, the kernel lists so many symbols of data. */
static void kallsyms_write(int data)
{
	char *path = path_of("kallsyms");
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(kallsyms, f) >= 0);
	for (int i = 0; i < data; i++)
		fprintf(f, "ffffffff83%06x d filler%d\n", i * 16, i);
	assert_int_equal(fclose(f), 0);
	free(path);
}

static void addresses_are_named_by_the_symbol_before_them(void **state)
{
	struct sym_few few[] = {{.addr = 0x1000},
				{.addr = 0xffffffff81000000},
				{.addr = 0xffffffff81000104},
				{.addr = 0xffffffff82000010},
				{.addr = 0xffffffff82000010},
				{.addr = 0xffffffff82001fff},
				{.addr = 0xffffffffc0001004},
				{.addr = 0xffffffffc0003008}};
	static const char *const names[] = {"",          "_text",     "schedule", "init_task",
					    "init_task", "init_task", "keep",     "kept_rings"};
	static const char data[] = {0, 0, 0, 1, 1, 1, 0, 1};
	char *path = path_of("kallsyms");
	bool all = false;

	(void)state;
	kallsyms_write(2000);
	assert_int_equal(kallsyms_few(path, few, 8, &all), 0);
	assert_true(all);
	for (int i = 0; i < 8; i++) {
		assert_string_equal(few[i].name, names[i]);
		assert_int_equal(sym_few_is_data(&few[i]), data[i]);
		assert_string_equal(few[i].module, i < 6 ? "" : "orphans");
	}
	/* few symbols of data: those that are listed would name all that follows */
	kallsyms_write(30);
	assert_int_equal(kallsyms_few(path, few, 8, &all), 0);
	assert_false(all);
	remove(path);
	assert_int_equal(kallsyms_few(path, few, 8, &all), -ENOENT);
	free(path);
}

/* ---- per-CPU variables ---- */

#define IMAGE UINT64_C(0xffffffff81000000)

struct world {
	struct refs_types types;
	uint64_t start; /* of the section on this kernel */
};

static const uint64_t offsets[] = {UINT64_C(0x7000000000), 0, UINT64_C(0x7000040000)};

/* A variable of 8 bytes, and one of 256 behind it. */
static void types_make(struct world *w)
{
	struct btf *b = btf__new_empty();
	int number = btf__add_int(b, "unsigned long", 8, 0), array, small, large;

	array = btf__add_array(b, number, number, 32);
	small = btf__add_var(b, "this_cpu_off", BTF_VAR_GLOBAL_ALLOCATED, number);
	large = btf__add_var(b, "runqueues", BTF_VAR_GLOBAL_ALLOCATED, array);
	assert_true(btf__add_datasec(b, ".data..percpu", 4096) > 0);
	assert_int_equal(btf__add_datasec_var_info(b, small, 64, 8), 0);
	assert_int_equal(btf__add_datasec_var_info(b, large, 128, 256), 0);
	w->types.btf = b;
}

static bool world_has(void *arg, uint64_t address, uint64_t word)
{
	const struct world *w = arg;

	for (int cpu = 0; cpu < 3; cpu++)
		if (offsets[cpu] && word == offsets[cpu])
			return address == w->start + offsets[cpu] + 64;
	return false;
}

static void per_cpu_variables_are_named_where_each_cpu_has_them(void **state)
{
	static const uint64_t starts[] = {0, IMAGE + 0x5000};
	const struct refs_image image = {.address = IMAGE, .bytes = 0x10000};
	struct refs_percpu percpu;
	struct world w = {0};
	const struct refs_percpu_input in = {.types = &w.types,
					     .image = &image,
					     .offsets = offsets,
					     .cpus = 3,
					     .has = world_has,
					     .arg = &w};

	(void)state;
	types_make(&w);
	for (int i = 0; i < 2; i++) {
		uint64_t own;

		w.start = starts[i];
		own = w.start + offsets[2];
		refs_percpu_learn(&in, &percpu);
		assert_string_equal(refs_percpu_at(&percpu, own + 128), "runqueues");
		assert_string_equal(refs_percpu_at(&percpu, own + 383), "runqueues");
		assert_null(refs_percpu_at(&percpu, own + 384));
		assert_null(refs_percpu_at(&percpu, own + 72));
		assert_string_equal(refs_percpu_at(&percpu, own + 4096), "");
		assert_string_equal(refs_percpu_at(&percpu, own + 4096 + 20479), "");
		assert_null(refs_percpu_at(&percpu, own + 4096 + 20480));
		assert_null(refs_percpu_at(&percpu, w.start + 128)); /* of no CPU */
	}
	w.start = IMAGE + 0x5008; /* nowhere it could be */
	refs_percpu_learn(&in, &percpu);
	assert_null(percpu.section);
	assert_null(refs_percpu_at(&percpu, w.start + offsets[2] + 128));
	refs_types_free(&w.types);
	refs_percpu_learn(&in, &percpu); /* a kernel without BTF */
	assert_null(refs_percpu_at(&percpu, offsets[2] + 128));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_named_by_the_symbol_before_them),
		cmocka_unit_test(per_cpu_variables_are_named_where_each_cpu_has_them),
	};

	return cmocka_run_group_tests(tests, scratch_new, scratch_remove);
}
