/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a call path is for, in words that need no knowledge of the kernel: "pipes", "threads". One
 * table from known functions to words; to add one, add a row. verdict_where.c calls it. Pure.
 */
#ifndef KMEMTRACE_FINDINGS_PLAIN_WORDS_H
#define KMEMTRACE_FINDINGS_PLAIN_WORDS_H

#include "model/caches.h"
#include "model/growth.h"

/* Which allocations of a function a row covers. */
enum plain_of {
	PLAIN_ANY,
	PLAIN_THREADS, /* all; each of the things has one kernel stack */
	/* These say more than a function outside them, so they win: */
	PLAIN_INSIDE,
	PLAIN_PAGE_TABLES, /* only page tables: the function also allocates other things */
};

struct plain_words {
	const char *symbol;  /* of a frame; a trailing '*' matches any rest */
	const char *verb;    /* "for", "to start" */
	const char *noun;    /* "pipes" */
	const char *counted; /* the cache that has one object for each; NULL: none has */
	enum plain_of of;
};

/*
 * The row of the outermost function that the table knows, inside the kernel entry. Outermost,
 * because a dentry that socket() allocates is for the socket; but see enum plain_of. NULL: no
 * function is known.
 */
const struct plain_words *plain_words_of(const struct capture *c, uint32_t stack, enum pool pool);

/* How many of the things in `words` (sockets, threads) the group has: one object is one thing. NaN
 * if an object is only a part of a thing. */
double plain_words_count(const struct plain_words *words, const struct growth_group *g,
			 const struct caches *caches);

/* What the objects of a slab cache are: "open files". NULL: its name does not say. */
const char *plain_words_of_cache(const char *cache);

#endif
