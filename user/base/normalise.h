/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Gives a function the same name in different builds of a kernel. Used by diff and to classify
 * stacks; reports must show the real names.
 */
#ifndef KMEMTRACE_BASE_NORMALISE_H
#define KMEMTRACE_BASE_NORMALISE_H

#include <stddef.h>

/*
 * Copy `name` into dst[size] (cut to fit) without what the compiler appended (.isra.N .constprop.N
 * .part.N .cold .llvm.N and the like, in any number) and without the "_noprof" that allocators
 * carry since 6.10 (commit b951aaff5035 "mm: enable page allocation tagging" and those after it).
 */
void sym_normalise(const char *name, char *dst, size_t size);

#endif
