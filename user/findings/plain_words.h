/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a call path is for, in words that need no knowledge of the kernel: "pipes", "threads". One
 * table from known functions to words; to add one, add a row. verdict_where.c calls it. Pure.
 */
#ifndef KMEMTRACE_FINDINGS_PLAIN_WORDS_H
#define KMEMTRACE_FINDINGS_PLAIN_WORDS_H

#include "data/capture.h"

struct plain_words {
	const char *symbol;  /* of a frame; a trailing '*' matches any rest */
	const char *verb;    /* "for", "to start" */
	const char *noun;    /* "pipes" */
	const char *counted; /* the cache that has one object for each; NULL: none has */
	bool stacks;         /* one kernel stack for each, too */
};

/*
 * The row of the outermost known function inside the kernel entry: a dentry of a socket is for the
 * socket. NULL: none is known.
 */
const struct plain_words *plain_words_of(const struct capture *c, uint32_t stack);

#endif
