// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the kernel's static variables are. What a user would lose: that pointers through them are
 * followed, and that a wrong place is not believed.
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

#include "scratch.h"
#include "trace/refs_image.h"

#define CODE UINT64_C(0xffffffff81000000)

static void file_write(const char *name, const char *text)
{
	char *path = path_of(name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0 && !fclose(f));
	free(path);
}

static const char iomem[] = "00100000-bfffffff : System RAM\n"
			    "  01000000-02209987 : Kernel code\n"
			    "  02400000-02e09fff : Kernel rodata\n"
			    "  03000000-0327c0ff : Kernel data\n"
			    "  03b34000-03c57fff : Kernel bss\n";

/* On this kernel, the code begins at `start`. */
static bool same_from(void *arg, uint64_t address, uint64_t place)
{
	const uint64_t *start = arg;

	return address - *start == place - 0x1000000 && place < 0x2209988;
}

static void the_image_is_found_by_either_symbol(void **state)
{
	struct refs_image image = {0};
	uint64_t start = CODE;

	(void)state;
	file_write("iomem", iomem);
	file_write("kallsyms", "0000000000000000 A fixed_percpu_data\n"
			       "ffffffff81000000 T _text\n"
			       "ffffffffc0000000 t _stext\t[other]\n"
			       "ffffffff81010000 T _stext\n"
			       "nonsense\n"
			       "ffffffff82000000 D _text\n");
	assert_int_equal(refs_image_learn(scratch, same_from, &start, &image), 0);
	assert_true(image.address == CODE && image.place == 0x1000000);
	assert_int_equal(image.bytes, 0x3c58000 - 0x1000000);
	assert_true(refs_image_has(&image, 0x1000000) && refs_image_has(&image, 0x3c57fff));
	assert_true(refs_image_has(&image, 0x3000008));
	assert_false(refs_image_has(&image, 0x3300000)); /* code of the boot, which was freed */
	assert_false(refs_image_has(&image, 0x3c58000));
	start = CODE + 0x10000;
	assert_int_equal(refs_image_learn(scratch, same_from, &start, &image), 0);
	assert_true(image.address == CODE + 0x10000);
}

static void a_place_that_differs_is_not_believed(void **state)
{
	struct refs_image image = {.address = 5};
	uint64_t start = CODE + 8;

	(void)state;
	assert_int_equal(refs_image_learn(scratch, same_from, &start, &image), -ENODATA);
	/* kptr_restrict hides the addresses */
	file_write("kallsyms", "0000000000000000 T _text\n0000000000000000 T _stext\n");
	start = CODE;
	assert_int_equal(refs_image_learn(scratch, same_from, &start, &image), -ENODATA);
	file_write("iomem", "00100000-bfffffff : System RAM\n");
	assert_int_equal(refs_image_learn(scratch, same_from, &start, &image), -ENODATA);
	file_write("iomem", "00000000-00000000 : Kernel code\n");
	assert_int_equal(refs_image_learn(scratch, same_from, &start, &image), -ENODATA);
	assert_true(image.address == 5 && !image.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_image_is_found_by_either_symbol),
		cmocka_unit_test(a_place_that_differs_is_not_believed),
	};

	return cmocka_run_group_tests(tests, scratch_new, scratch_remove);
}
