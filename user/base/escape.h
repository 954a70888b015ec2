/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Makes untrusted names safe to print. Names from the kernel and from captures can hold any bytes,
 * so everything that prints one calls this first. A process name must never move the cursor,
 * recolour or retitle a terminal, reverse the reading direction, or break a JSON document.
 */
#ifndef KMEMTRACE_BASE_ESCAPE_H
#define KMEMTRACE_BASE_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One code point of the NUL-terminated string s. Returns its length in bytes, or 0 when s does not
 * begin with valid UTF-8 (overlong forms, surrogates and values above U+10FFFF are not valid, RFC
 * 3629).
 */
size_t utf8_decode(const char *s, uint32_t *code);
/* The columns that a terminal uses for an escaped string; an invalid byte counts as one. */
size_t utf8_width(const char *s);
/* Bytes of the longest prefix of s that fits in `columns`, never splitting a character. */
size_t utf8_fit(const char *s, size_t columns);

/*
 * A malloc'ed copy of s safe to print on a terminal: control characters (C0, DEL, C1), invalid
 * UTF-8 and the invisible characters that reorder or hide text become \xNN or \u{NNNN}. With utf8
 * false, so does everything outside ASCII. NULL when memory is short.
 */
char *escape_terminal(const char *s, bool utf8);
/* A malloc'ed copy of s that is valid UTF-8: each invalid byte becomes U+FFFD. NULL when memory is
 * short. */
char *escape_utf8(const char *s);

/*
 * Can the name be a command line argument without quoting? Advice leaves out other names instead of
 * quoting them.
 */
bool is_plain_word(const char *name);
/* The same for the path of a file. */
bool is_plain_path(const char *path);

#endif
