/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds names for addresses of kernel code in /proc/kallsyms, which lists text symbols of the
 * kernel, its modules and loaded BPF programs (so read it after loading ours). Captures contain the
 * names, never the addresses.
 */
#ifndef KMEMTRACE_SYM_KALLSYMS_H
#define KMEMTRACE_SYM_KALLSYMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

struct kallsyms;

/* The strings belong to the struct kallsyms. They are hostile: escape them. */
struct sym_ref {
	const char *name;
	uint64_t offset;    /* bytes from the symbol to the address */
	const char *module; /* "vmlinux", a module's name, or "bpf" */
};

/*
 * Parse the text of a kallsyms file. kallsyms_bad_lines() counts the lines that cannot be parsed.
 * Returns 0, and the caller must free *out with kallsyms_free(); or
 * −EPERM if all addresses are zero, because kptr_restrict hides them: tell the user to run as root
 * with CAP_SYSLOG, or to set sysctl kernel.kptr_restrict to 1 or 0;
 * −ENODATA if there is no text symbol; −ENOMEM.
 */
int kallsyms_parse(const char *buf, size_t len, struct kallsyms **out);

/* Read the file at `path` and parse it. Also returns −errno of reading. */
int kallsyms_load(const char *path, struct kallsyms **out);
void kallsyms_free(struct kallsyms *ks);

size_t kallsyms_count(const struct kallsyms *ks);
size_t kallsyms_bad_lines(const struct kallsyms *ks);

/*
 * The lowest and the highest address of a symbol of the kernel itself, or of its modules. Returns
 * false if there is none, with both untouched.
 */
bool kallsyms_span(const struct kallsyms *ks, bool modules, uint64_t *first, uint64_t *last);

/*
 * Find the function that contains `addr`. If an address has several names, use the first one in the
 * file, as the kernel does. Returns false, with *out untouched, if no symbol is likely to contain
 * it: it is below the first symbol, beyond the end of a text section, or too far from the nearest
 * symbol.
 */
bool kallsyms_find(const struct kallsyms *ks, uint64_t addr, struct sym_ref *out);

/*
 * Find the function that a return address returns to. A call may be the last instruction of a
 * function, and the return address is then the first byte of the next function. So this looks up
 * the byte before `addr`, but counts the offset from the symbol to `addr`.
 */
bool sym_resolve_return(const struct kallsyms *ks, uint64_t addr, struct sym_ref *out);

/* A line of the file: any symbol, data, too. */
struct kallsyms_line {
	uint64_t addr;
	char type;
	struct text name;
	struct text module; /* empty for the kernel itself */
};

/*
 * Give the lines of the file at `path` to `visit`, one after the other, until it returns other than
 * 0. Keeps none, so that a few symbols can be looked up in little memory. Returns 0 or −errno of
 * reading.
 */
typedef int (*kallsyms_visit_t)(void *arg, const struct kallsyms_line *line);
int kallsyms_visit(const char *path, kallsyms_visit_t visit, void *arg);

#endif
