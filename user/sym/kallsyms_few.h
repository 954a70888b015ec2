/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names a few addresses by /proc/kallsyms, in one pass that keeps no other symbol: of code, and of
 * data if the kernel lists it (CONFIG_KALLSYMS_ALL).
 */
#ifndef KMEMTRACE_SYM_KALLSYMS_FEW_H
#define KMEMTRACE_SYM_KALLSYMS_FEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SYM_NAME 64

/* An address, and what it is called: the last symbol that begins at or before it. */
struct sym_few {
	uint64_t addr;
	uint64_t start;        /* of the symbol; 0: there is none */
	char type;             /* as nm(1) has it */
	char name[SYM_NAME];   /* cut if it is longer */
	char module[SYM_NAME]; /* "": the kernel itself */
};

/* Is it data? */
bool sym_few_is_data(const struct sym_few *s);

/*
 * Name `nr` addresses, which are sorted. *all: the kernel lists data, too. Returns 0 or −errno of
 * reading.
 */
int kallsyms_few(const char *path, struct sym_few *few, size_t nr, bool *all);

#endif
