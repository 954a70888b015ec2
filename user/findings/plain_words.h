/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a call path is for, in words that need no knowledge of the kernel: "pipes", "threads". One
 * table from known functions to words; to add one, add a row. verdict_where.c calls it. Pure.
 */
#ifndef KMEMTRACE_FINDINGS_PLAIN_WORDS_H
#define KMEMTRACE_FINDINGS_PLAIN_WORDS_H

#include "data/capture.h"

/* What of a function's allocations a row is about. */
enum plain_of {
	PLAIN_ANY,
	PLAIN_THREADS,     /* any; and each of the things has one kernel stack */
	PLAIN_PAGE_TABLES, /* page tables alone: the function allocates other things, too */
};

struct plain_words {
	const char *symbol;  /* of a frame; a trailing '*' matches any rest */
	const char *verb;    /* "for", "to start" */
	const char *noun;    /* "pipes" */
	const char *counted; /* the cache that has one object for each; NULL: none has */
	enum plain_of of;
};

/*
 * The row of the outermost known function inside the kernel entry: a dentry of a socket is for the
 * socket. NULL: none is known.
 */
const struct plain_words *plain_words_of(const struct capture *c, uint32_t stack, enum pool pool);

#endif
