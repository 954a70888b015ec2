/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names for kernel code addresses, from /proc/kallsyms: text symbols of the kernel, its modules and
 * the BPF programs loaded when it was read (so read it after loading ours). Used by `record` alone:
 * a capture holds the names, never the addresses.
 */
#ifndef KMEMTRACE_SYM_KALLSYMS_H
#define KMEMTRACE_SYM_KALLSYMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kallsyms;

/* The strings belong to the struct kallsyms they came from. They are hostile: escape them. */
struct sym_ref {
	const char *name;
	uint64_t offset;    /* bytes from the symbol to the address asked for */
	const char *module; /* "vmlinux", a module's name, or "bpf" */
};

/*
 * Parse the text of a kallsyms file. Lines that are none are counted, see kallsyms_bad_lines().
 * Returns
 *   0         *out is the caller's, to be freed with kallsyms_free()
 *   −EPERM    every address reads as zero: kptr_restrict hides them. Run as root with CAP_SYSLOG,
 * or set sysctl kernel.kptr_restrict to 1 (or 0), and say so to the user −ENODATA  no text symbol
 * at all −ENOMEM
 */
int kallsyms_parse(const char *buf, size_t len, struct kallsyms **out);

/* kallsyms_parse() of the file at `path`; also −errno of reading it. */
int kallsyms_load(const char *path, struct kallsyms **out);
void kallsyms_free(struct kallsyms *ks);

size_t kallsyms_count(const struct kallsyms *ks);
size_t kallsyms_bad_lines(const struct kallsyms *ks);

/*
 * The function that holds `addr`. Of several names at one address the first in the file, as the
 * kernel prints it. False, *out untouched, when no symbol plausibly covers it: below the first,
 * past the end of a text section, or farther from the nearest symbol than code is long.
 */
bool kallsyms_find(const struct kallsyms *ks, uint64_t addr, struct sym_ref *out);

/*
 * The function a return address returns into. A call may be the last instruction of its function,
 * the return address is then the next function's first byte: so look a byte before, count from
 * `addr`.
 */
bool sym_resolve_return(const struct kallsyms *ks, uint64_t addr, struct sym_ref *out);

#endif
