/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Short words for first screens: who allocated, where, and what for. The first screens of report
 * and diff call these, so that both say the same. Names are as captured: renderers must escape
 * them. Pure.
 */
#ifndef KMEMTRACE_FINDINGS_SCREEN_WORDS_H
#define KMEMTRACE_FINDINGS_SCREEN_WORDS_H

#include "base/append.h"
#include "findings/plain_words.h"

#define SCREEN_NAME  48  /* bytes of a name; the sections print all of it */
#define SCREEN_WORDS 400 /* bytes of a text on a first screen */
#define SCREEN_LINE  71  /* columns after a label */

/* Append to a text of SCREEN_WORDS bytes. */
#define screen_add(words, ...) append_words(words, SCREEN_WORDS, __VA_ARGS__)

/* A name of at most SCREEN_NAME bytes; a longer one is cut in the middle, so that both ends can be
 * recognised. Returns buf. */
const char *screen_name(const char *name, char buf[SCREEN_NAME + 1]);

/* "plant[16281]"; "by unknown processes" for id 0. Appends. */
void screen_add_who(const struct capture *c, uint32_t process, char words[SCREEN_WORDS]);
/* The command line of a process, and the path of a cgroup; "" if unknown, or if it is the root
 * cgroup. */
const char *screen_cmdline(const struct capture *c, uint32_t process);
const char *screen_cgroup(const struct capture *c, uint32_t cgroup);

/* What the allocations of a pool are: "kernel stacks of threads". */
const char *screen_objects(enum pool pool);
/* The length of the noun without the explanation in brackets. */
int screen_noun_length(const struct plain_words *plain);
/* Append " for pipes" to words that end in what the pool's allocations are; without the explanation
 * in brackets. Nothing if `plain` is NULL. */
void screen_add_purpose(const struct plain_words *plain, enum pool pool, char words[SCREEN_WORDS]);

/*
 * A call path in one line: up to three functions, innermost first, then how it entered the kernel:
 * "load_msg < do_msgsnd < msgsnd()". Fewer functions if the line would be longer than SCREEN_LINE.
 */
void screen_path(const struct capture *c, uint32_t stack, char words[SCREEN_WORDS]);

#endif
