// SPDX-License-Identifier: GPL-2.0-only
/*
 * elfutils 0.192 (Debian 13) left two functions of its own out of the static libelf.a; 0.193 has
 * them again: https://sourceware.org/bugzilla/show_bug.cgi?id=32293. A static link takes this file
 * only where libelf lacks them, because our library is named again behind libelf. Nothing here is
 * called by kmemtrace itself.
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
