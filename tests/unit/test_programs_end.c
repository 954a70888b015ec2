// SPDX-License-Identifier: GPL-2.0-only
/*
 * The BPF programs as this compiler built them. A function that can run past its end is refused by
 * every verifier; 5.10 refuses one already if its last instruction is a conditional jump. If that
 * function is the audit's, a user there would see every unseen free as a leak.
 */
#include <gelf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <bpf/libbpf.h>
#include <cmocka.h>

#include "kmemtrace.h"
#include "tracer.skel.h"
#include "tracer_legacy.skel.h"

static bool ends(const struct bpf_insn *last)
{
	return last->code == (BPF_JMP | BPF_EXIT) || last->code == (BPF_JMP | BPF_JA);
}

/* The code of a function: `sym` is its symbol. NULL if it is something else. */
static const struct bpf_insn *function_end(Elf *elf, const GElf_Sym *sym)
{
	Elf_Scn *section = elf_getscn(elf, sym->st_shndx);
	Elf_Data *data = section ? elf_getdata(section, NULL) : NULL;

	if (GELF_ST_TYPE(sym->st_info) != STT_FUNC || !data || !sym->st_size)
		return NULL;
	assert_true(sym->st_value + sym->st_size <= data->d_size);
	return (const struct bpf_insn *)((const char *)data->d_buf + sym->st_value + sym->st_size) -
	       1;
}

static void check_object(const void *bytes, size_t size)
{
	Elf *elf = elf_memory((char *)bytes, size);
	Elf_Scn *section = NULL;
	int functions = 0;

	assert_non_null(elf);
	while ((section = elf_nextscn(elf, section))) {
		Elf_Data *symbols;
		GElf_Shdr header;
		GElf_Sym sym;

		gelf_getshdr(section, &header);
		if (header.sh_type != SHT_SYMTAB)
			continue;
		symbols = elf_getdata(section, NULL);
		for (int i = 0; gelf_getsym(symbols, i, &sym); i++) {
			const struct bpf_insn *last = function_end(elf, &sym);

			if (!last)
				continue;
			functions++;
			if (!ends(last))
				fail_msg("%s() ends with instruction 0x%x",
					 elf_strptr(elf, header.sh_link, sym.st_name), last->code);
		}
	}
	elf_end(elf);
	assert_true(functions > 50);
}

static void every_function_ends(void **state)
{
	const void *bytes;
	size_t size;

	(void)state;
	assert_int_not_equal(elf_version(EV_CURRENT), EV_NONE);
	bytes = tracer_bpf__elf_bytes(&size);
	check_object(bytes, size);
	bytes = tracer_legacy_bpf__elf_bytes(&size);
	check_object(bytes, size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_function_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
