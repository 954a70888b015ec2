// SPDX-License-Identifier: GPL-2.0-only
/*
 * The static libelf.a of elfutils 0.192 (Debian 13) lacks two of elfutils' own functions; 0.193 has
 * them again: https://sourceware.org/bugzilla/show_bug.cgi?id=32293. A static link uses this file
 * only if libelf lacks them, because our library comes once more after libelf. kmemtrace itself
 * must never call anything here.
 */
#include <search.h>
#include <stddef.h>

/* The start of elfutils' own struct. A lock follows it only when elfutils is built thread-safe:
 * Debian's is not. */
struct eu_search_tree {
	void *root;
};

void eu_search_tree_init(struct eu_search_tree *tree);
void eu_search_tree_fini(struct eu_search_tree *tree, void (*free_node)(void *));

void eu_search_tree_init(struct eu_search_tree *tree)
{
	tree->root = NULL;
}

void eu_search_tree_fini(struct eu_search_tree *tree, void (*free_node)(void *))
{
	tdestroy(tree->root, free_node);
}
