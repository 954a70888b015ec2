// SPDX-License-Identifier: GPL-2.0-only
/* What a user would lose: the right name in a call path; or worse, get a wrong one. */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>
#include <cmocka.h>

#include "base/normalise.h"
#include "sym/build_id.h"
#include "sym/kallsyms.h"
#include "tree.h"

static struct kallsyms *parsed(const char *text)
{
	struct kallsyms *ks = NULL;

	assert_int_equal(kallsyms_parse(text, strlen(text), &ks), 0);
	return ks;
}

static void assert_found(const struct kallsyms *ks, uint64_t addr, const char *name,
			 uint64_t offset, const char *module)
{
	struct sym_ref ref = {0};

	if (!kallsyms_find(ks, addr, &ref))
		fail_msg("%#" PRIx64 " is unknown, not %s", addr, name);
	assert_string_equal(ref.name, name);
	assert_int_equal(ref.offset, offset);
	assert_string_equal(ref.module, module);
}

static void assert_unknown(const struct kallsyms *ks, uint64_t addr)
{
	struct sym_ref ref = {"untouched", 7, "untouched"};

	if (kallsyms_find(ks, addr, &ref))
		fail_msg("%#" PRIx64 " was given the name %s", addr, ref.name);
	assert_string_equal(ref.name, "untouched");
	assert_int_equal(ref.offset, 7);
}

/* ---- kallsyms ---- */

#define IS_TEXT(type) (strchr("tTwW", type) != NULL)

struct oracle {
	uint64_t addr;
	char type, name[512], module[64];
};

/* Read the file in a second way. */
static struct oracle *oracle_read(const char *buf, size_t *nr)
{
	struct oracle *all = NULL;

	*nr = 0;
	for (const char *p = buf; *p; p += strcspn(p, "\n") + 1) {
		char line[700], module[80] = "";
		struct oracle *o;

		snprintf(line, sizeof(line), "%.*s", (int)strcspn(p, "\n"), p);
		all = realloc(all, (*nr + 1) * sizeof(*all));
		assert_non_null(all);
		o = &all[(*nr)++];
		assert_true(sscanf(line, "%" SCNx64 " %c %511s [%79[^]]", &o->addr, &o->type,
				   o->name, module) >= 3);
		snprintf(o->module, sizeof(o->module), "%.63s", *module ? module : "vmlinux");
	}
	return all;
}

static void kallsyms_of_fixture(const char *root)
{
	size_t nr, modules = 0, bpf = 0, len;
	struct kallsyms *ks;
	struct oracle *all;
	char *buf;

	buf = tree_read(root, "kallsyms", &len);
	all = oracle_read(buf, &nr);
	assert_int_equal(kallsyms_parse(buf, len, &ks), 0);
	assert_int_equal(kallsyms_bad_lines(ks), 0);
	for (size_t i = 0; i < nr; i++) {
		const struct oracle *first = &all[i];
		struct sym_ref ref;

		if (!all[i].addr || !IS_TEXT(all[i].type) || !strcmp(all[i].name, "_etext") ||
		    !strcmp(all[i].name, "_einittext"))
			continue;
		for (size_t j = i; j-- > 0;)
			if (all[j].addr == all[i].addr && IS_TEXT(all[j].type))
				first = &all[j];
		assert_found(ks, all[i].addr, first->name, 0, first->module);
		bpf += !strcmp(all[i].module, "bpf");
		modules += strcmp(all[i].module, "bpf") && strcmp(all[i].module, "vmlinux");
		assert_true(sym_resolve_return(ks, all[i].addr + 1, &ref));
		assert_string_equal(ref.name, first->name);
		assert_int_equal(ref.offset, 1);
	}
	assert_true(bpf > 0);
	print_message("%s: %zu symbols, %zu of modules, %zu of BPF programs\n",
		      strrchr(root, '/') + 1, kallsyms_count(ks), modules, bpf);
	kallsyms_free(ks);
	free(all);
	free(buf);
}

static void every_function_of_recorded_kernels_is_found(void **state)
{
	(void)state;
	assert_true(tree_each_fixture(kallsyms_of_fixture) >= 3);
}

static void functions_are_found_by_any_byte_in_them(void **state)
{
	struct kallsyms *ks = parsed("0000000000000000 A fixed_percpu_data\n"
				     "ffffffff81000000 T startup_64\n"
				     "ffffffff81000000 T _stext\n"
				     "ffffffff81000100 t do_one_thing\n"
				     "ffffffff81000180 D some_data\n"
				     "ffffffff81000200 W weak_thing\n"
				     "ffffffff81000300 T _etext\n"
				     "ffffffffc0100000 t mod_b\t[beta]\n"
				     "ffffffffc0000000 t $x\t[alpha]\n" /* arm64's mark of code */
				     "ffffffffc0000000 t mod_a\t[alpha]\n"
				     "ffffffffc0000020 t $d\t[alpha]\n"
				     "ffffffffc0000040 t mod_a_last\t[alpha]\n"
				     "ffffffffc0200000 t bpf_prog_6deef7357e7b4530_x\t[bpf]\n"
				     "ffffffff81000280 t bpf_prog_release\n");

	(void)state;
	assert_unknown(ks, 0);
	assert_unknown(ks, 0xffffffff80ffffff);
	assert_found(ks, 0xffffffff81000000, "startup_64", 0, "vmlinux"); /* the first of two */
	assert_found(ks, 0xffffffff810000ff, "startup_64", 0xff, "vmlinux");
	assert_found(ks, 0xffffffff810001ff, "do_one_thing", 0xff,
		     "vmlinux"); /* data does not end a function */
	assert_found(ks, 0xffffffff81000200, "weak_thing", 0, "vmlinux");
	assert_found(ks, 0xffffffffc0000010, "mod_a", 0x10, "alpha");
	assert_found(ks, 0xffffffffc0000030, "mod_a", 0x30, "alpha");
	assert_found(ks, 0xffffffffc0100010, "mod_b", 0x10, "beta");
	assert_found(ks, 0xffffffffc0200010, "bpf_prog_6deef7357e7b4530_x", 0x10, "bpf");
	/* a function of the kernel, whatever its name looks like */
	assert_found(ks, 0xffffffff81000290, "bpf_prog_release", 0x10, "vmlinux");
	kallsyms_free(ks);
}

static void code_without_a_symbol_is_unknown_not_its_neighbour(void **state)
{
	struct kallsyms *ks = parsed("ffffffff81000000 T first\n"
				     "ffffffff81000200 T _etext\n"
				     "ffffffff82000000 T big_gap_after\n"
				     "ffffffff83000000 t init_code\n"
				     "ffffffff83000100 T _einittext\n"
				     "ffffffffc0000000 t mod_last\t[alpha]\n"
				     "ffffffffc0080000 t mod_next\t[beta]\n"
				     "ffffffffc0200000 t bpf_prog_1\t[bpf]\n");

	(void)state;
	assert_found(ks, 0xffffffff810001ff, "first", 0x1ff, "vmlinux");
	assert_unknown(ks, 0xffffffff81000200); /* past the end of text */
	assert_unknown(ks, 0xffffffff81000210);
	assert_found(ks, 0xffffffff820fffff, "big_gap_after", 0xfffff, "vmlinux");
	assert_unknown(ks, 0xffffffff82100000); /* no function is 1 MiB long */
	assert_unknown(ks, 0xffffffff83000101);
	assert_found(ks, 0xffffffffc000ffff, "mod_last", 0xffff, "alpha");
	assert_unknown(ks, 0xffffffffc0010000); /* the module's end is not known: 64 KiB at most */
	assert_found(ks, 0xffffffffc02fffff, "bpf_prog_1", 0xfffff, "bpf");
	assert_unknown(ks, 0xffffffffc0300000);
	assert_unknown(ks, UINT64_MAX);
	kallsyms_free(ks);
}

static void a_return_address_names_the_caller(void **state)
{
	struct kallsyms *ks = parsed("ffffffff81000000 T caller_that_never_returns\n"
				     "ffffffff81000100 T innocent_next_function\n");
	struct sym_ref ref;

	(void)state;
	assert_true(sym_resolve_return(ks, 0xffffffff81000100, &ref));
	assert_string_equal(ref.name, "caller_that_never_returns");
	assert_int_equal(ref.offset, 0x100);
	assert_false(sym_resolve_return(ks, 0xffffffff81000000, &ref));
	assert_false(sym_resolve_return(ks, 0, &ref));
	kallsyms_free(ks);
}

static void hidden_addresses_are_told_from_no_symbols(void **state)
{
	static const char hidden[] = "0000000000000000 T _stext\n0000000000000000 t f\t[m]\n";
	static const char data[] = "ffffffff81000000 D only_data\n";
	struct kallsyms *ks = (void *)0x1;

	(void)state;
	assert_int_equal(kallsyms_parse(hidden, strlen(hidden), &ks), -EPERM);
	assert_int_equal(kallsyms_parse(data, strlen(data), &ks), -ENODATA);
	assert_int_equal(kallsyms_parse("", 0, &ks), -ENODATA);
	assert_int_equal(kallsyms_load("/nonexistent", &ks), -ENOENT);
	assert_ptr_equal(ks, (void *)0x1);
}

static void hostile_kallsyms_lines_are_counted_and_skipped(void **state)
{
	char text[4096];
	struct kallsyms *ks;
	int n = snprintf(text, sizeof(text),
			 "\n"
			 "ffffffff81000000\n"
			 "ffffffff81000000 T\n"
			 "0xffffff81000000 T prefixed\n"
			 "1ffffffff81000000 T too_long\n"
			 "-1 T negative\n"
			 "ffffffff81000000 TT two_letters\n"
			 "ffffffff81000000 T name module\n"
			 "ffffffff81000000 T name []\n"
			 "ffffffff81000000 T %01100d\n"
			 "ffffffff81000040 T good\n"
			 "ffffffff81000080 t last\t[m]",
			 0);

	(void)state;
	assert_int_equal(kallsyms_parse(text, (size_t)n, &ks), 0);
	assert_int_equal(kallsyms_count(ks), 2);
	assert_int_equal(kallsyms_bad_lines(ks), 10);
	assert_found(ks, 0xffffffff81000041, "good", 1, "vmlinux");
	assert_found(ks, 0xffffffff81000081, "last", 1, "m");
	kallsyms_free(ks);
}

static void parse_damaged(const char *buf, size_t len)
{
	struct kallsyms *ks;
	struct sym_ref ref;

	if (kallsyms_parse(buf, len, &ks))
		return;
	for (uint64_t i = 0; i < 100; i++)
		if (kallsyms_find(ks, 0xffffffff80000000 + i * 0x1234567, &ref))
			assert_true(strlen(ref.name) && strlen(ref.module));
	kallsyms_free(ks);
}

static void damage_fixture(const char *root)
{
	size_t len;
	char *buf = tree_read(root, "kallsyms", &len);

	tree_damage(buf, len < 20000 ? len : 20000, parse_damaged);
	free(buf);
}

static void damaged_kallsyms_never_crash(void **state)
{
	(void)state;
	parse_damaged(" \n \n", 4);
	parse_damaged("1 t a [b]\n1 t a [c]",
		      19); /* each byte of it kept: the arena must suffice */
	tree_each_fixture(damage_fixture);
}

static void two_hundred_thousand_symbols_load_in_time(void **state)
{
	enum { SYMBOLS = 200000 };
	char *text = malloc(SYMBOLS * 64);
	struct timespec from, to;
	struct kallsyms *ks;
	size_t len = 0;

	(void)state;
	assert_non_null(text);
	for (int i = 0; i < SYMBOLS;
	     i++) /* the second half lies below the first: it must be sorted */
		len += (size_t)sprintf(
			text + len, "%016" PRIx64 " t some_function_name_%d\t[module_%d]\n",
			0xffffffffc0000000 + 32 * (uint64_t)((i + SYMBOLS / 2) % SYMBOLS), i,
			i / 1000);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	assert_int_equal(kallsyms_parse(text, len, &ks), 0);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	print_message("200000 symbols: %.3f s with sanitizers\n",
		      (double)(to.tv_sec - from.tv_sec) +
			      (double)(to.tv_nsec - from.tv_nsec) / 1e9);
	assert_true((to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000 < 500);
	assert_int_equal(kallsyms_count(ks), SYMBOLS);
	assert_found(ks, 0xffffffffc0000000 + 32 * (SYMBOLS / 2) + 5, "some_function_name_0", 5,
		     "module_0");
	assert_found(ks, 0xffffffffc0000000 + 5, "some_function_name_100000", 5, "module_100");
	kallsyms_free(ks);
	free(text);
}

/* ---- build ids ---- */

#define NOTE(name_size, desc_size, type) name_size, 0, 0, 0, desc_size, 0, 0, 0, type, 0, 0, 0
#define GNU                              'G', 'N', 'U', 0

static void the_gnu_build_id_is_found_among_other_notes(void **state)
{
	/* other owners, other types, sizes that need padding: as in /sys/kernel/notes */
	static const unsigned char notes[] = {
		NOTE(6, 1, 3),
		'L',
		'i',
		'n',
		'u',
		'x',
		0,
		0,
		0,
		9,
		0,
		0,
		0,
		NOTE(4, 4, 1),
		GNU,
		1,
		2,
		3,
		4,
		NOTE(4, 5, 3),
		GNU,
		0xde,
		0xad,
		0xbe,
		0xef,
		0x01,
		0,
		0,
		0,
		NOTE(4, 4, 3),
		GNU,
		9,
		9,
		9,
		9,
	};
	char hex[BUILD_ID_HEX_SIZE];

	(void)state;
	assert_int_equal(build_id_parse(notes, sizeof(notes), hex), 0);
	assert_string_equal(hex, "deadbeef01");
}

static void assert_no_build_id(const unsigned char *notes, size_t len, int err)
{
	unsigned char *exact = malloc(len ? len : 1); /* so that ASan sees a read past the end */
	char hex[BUILD_ID_HEX_SIZE] = "untouched";

	memcpy(exact, notes, len);
	assert_int_equal(build_id_parse(exact, len, hex), err);
	assert_string_equal(hex, "untouched");
	free(exact);
}

static void hostile_notes_are_refused(void **state)
{
	static const unsigned char longer[] = {NOTE(4, 21, 3), GNU, 1, 2, 3, 4};
	static const unsigned char huge_name[] = {0xff, 0xff, 0xff, 0xff, 4, 0,  0,
						  0,    3,    0,    0,    0, GNU};
	static const unsigned char huge_desc[] = {4,    0, 0, 0, 0xff, 0xff, 0xff,
						  0xff, 3, 0, 0, 0,    GNU};
	static const unsigned char empty[] = {NOTE(4, 0, 3), GNU};
	unsigned char too_long[16 + 68] = {NOTE(4, 68, 3), GNU};
	unsigned char zeros[64] = {0};

	(void)state;
	assert_no_build_id(longer, 0, -ENOENT);
	for (size_t n = 1; n < 12; n++)
		assert_no_build_id(longer, n, -ENOENT);
	for (size_t n = 12; n <= sizeof(longer); n++)
		assert_no_build_id(longer, n, -EBADMSG);
	assert_no_build_id(huge_name, sizeof(huge_name), -EBADMSG);
	assert_no_build_id(huge_desc, sizeof(huge_desc), -EBADMSG);
	assert_no_build_id(empty, sizeof(empty), -ENOENT);
	assert_no_build_id(too_long, sizeof(too_long), -ENOENT);
	assert_no_build_id(zeros, sizeof(zeros), -ENOENT);
}

static void build_ids_are_read_from_sysfs(void **state)
{
	static const unsigned char notes[] = {NOTE(4, 4, 3), GNU, 0xca, 0xfe, 0xba, 0xbe};
	char hex[BUILD_ID_HEX_SIZE];
	char *sys = tree_new();

	(void)state;
	assert_int_equal(build_id_kernel(sys, hex), -ENOENT);
	tree_put_bytes(sys, "kernel/notes", notes, sizeof(notes));
	tree_put_bytes(sys, "module/nf_tables/notes/.note.gnu.build-id", notes, sizeof(notes));
	assert_int_equal(build_id_kernel(sys, hex), 0);
	assert_string_equal(hex, "cafebabe");
	assert_int_equal(build_id_module(sys, "nf_tables", hex), 0);
	assert_int_equal(build_id_module(sys, "absent", hex), -ENOENT);
	assert_int_equal(build_id_module(sys, "../module/nf_tables", hex), -EINVAL);
	assert_int_equal(build_id_module(sys, "..", hex), -EINVAL);
	assert_int_equal(build_id_module(sys, "", hex), -EINVAL);
	tree_remove(sys);
}

/* ---- names ---- */

static void compiler_suffixes_do_not_make_two_functions_of_one(void **state)
{
	static const char *const pairs[][2] = {
		{"kmalloc_order", "kmalloc_order"},
		{"foo.isra.0", "foo"},
		{"foo.constprop.12", "foo"},
		{"foo.part.0.isra.3", "foo"},
		{"foo.constprop.0.cold", "foo"},
		{"foo.cold", "foo"},
		{"foo.llvm.1234567890123456789", "foo"},
		{"foo.lto_priv.0", "foo"},
		{"kmem_cache_alloc_noprof", "kmem_cache_alloc"},
		{"__kmalloc_node_noprof.constprop.0", "__kmalloc_node"},
		{"_noprof", "_noprof"},
		{"foo_noprofile", "foo_noprofile"},
		{"foo.partner", "foo.partner"},
		{"foo.coldplay.cold", "foo.coldplay"},
		{"foo.1", "foo.1"},
		{".isra.0", ".isra.0"},
		{"", ""},
	};
	char buf[64], tiny[4];

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		sym_normalise(pairs[i][0], buf, sizeof(buf));
		assert_string_equal(buf, pairs[i][1]);
	}
	sym_normalise("abcdefgh.isra.0", tiny, sizeof(tiny));
	assert_string_equal(tiny, "abc");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_function_of_recorded_kernels_is_found),
		cmocka_unit_test(functions_are_found_by_any_byte_in_them),
		cmocka_unit_test(code_without_a_symbol_is_unknown_not_its_neighbour),
		cmocka_unit_test(a_return_address_names_the_caller),
		cmocka_unit_test(hidden_addresses_are_told_from_no_symbols),
		cmocka_unit_test(hostile_kallsyms_lines_are_counted_and_skipped),
		cmocka_unit_test(damaged_kallsyms_never_crash),
		cmocka_unit_test(two_hundred_thousand_symbols_load_in_time),
		cmocka_unit_test(the_gnu_build_id_is_found_among_other_notes),
		cmocka_unit_test(hostile_notes_are_refused),
		cmocka_unit_test(build_ids_are_read_from_sysfs),
		cmocka_unit_test(compiler_suffixes_do_not_make_two_functions_of_one),
	};

	return cmocka_run_group_tests_name("sym", tests, NULL, NULL);
}
