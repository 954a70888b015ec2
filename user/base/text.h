/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Parsing of untrusted text without a terminating NUL: lines of a buffer, words of a line, numbers
 * of a word. A `struct text` is a view; nothing is copied. All parsers of /proc and kallsyms use
 * these functions. They are inline because slabinfo, vmstat and zoneinfo are parsed every second.
 * They must never read past the end of a view.
 */
#ifndef KMEMTRACE_BASE_TEXT_H
#define KMEMTRACE_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text {
	const char *p;
	size_t len;
};

static inline struct text text_of(const char *s)
{
	return (struct text){s, strlen(s)};
}

/* Take the next line, without its newline, off `rest`. False when nothing is left. */
static inline bool text_line(struct text *rest, struct text *line)
{
	const char *nl;

	if (!rest->len)
		return false;
	nl = memchr(rest->p, '\n', rest->len);
	line->p = rest->p;
	line->len = nl ? (size_t)(nl - rest->p) : rest->len;
	rest->p += line->len + !!nl;
	rest->len -= line->len + !!nl;
	return true;
}

static inline bool text_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Take the next blank-separated word off `rest`. False, with an empty word, if there is none. */
static inline bool text_word(struct text *rest, struct text *word)
{
	while (rest->len && text_is_blank(*rest->p)) {
		rest->p++;
		rest->len--;
	}
	word->p = rest->p;
	while (rest->len && !text_is_blank(*rest->p)) {
		rest->p++;
		rest->len--;
	}
	word->len = (size_t)(rest->p - word->p);
	return word->len > 0;
}

/* As text_word(), from the end of `rest`. */
static inline bool text_last_word(struct text *rest, struct text *word)
{
	size_t end;

	while (rest->len && text_is_blank(rest->p[rest->len - 1]))
		rest->len--;
	end = rest->len;
	while (rest->len && !text_is_blank(rest->p[rest->len - 1]))
		rest->len--;
	word->p = rest->p + rest->len;
	word->len = end - rest->len;
	return word->len > 0;
}

static inline bool text_starts(struct text t, const char *prefix)
{
	size_t n = strlen(prefix);

	return t.len >= n && !memcmp(t.p, prefix, n);
}

static inline bool text_is(struct text t, const char *s)
{
	return t.len == strlen(s) && text_starts(t, s);
}

/* Where `s` begins in `t`, or NULL. */
static inline const char *text_find(struct text t, const char *s)
{
	return t.len ? memmem(t.p, t.len, s, strlen(s)) : NULL;
}

static inline bool text_contains(struct text t, const char *s)
{
	return text_find(t, s) != NULL;
}

/* All of `t` as a decimal number. False, *out untouched, for anything else or beyond 64 bits. */
static inline bool text_u64(struct text t, uint64_t *out)
{
	uint64_t v = 0;

	if (!t.len)
		return false;
	for (size_t i = 0; i < t.len; i++) {
		unsigned int digit = (unsigned char)t.p[i] - '0';

		if (digit > 9 || __builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, digit, &v))
			return false;
	}
	*out = v;
	return true;
}

/* As text_u64(), at most `max`. */
static inline bool text_count(struct text t, int64_t max, int64_t *out)
{
	uint64_t v;

	if (!text_u64(t, &v) || v > (uint64_t)max)
		return false;
	*out = (int64_t)v;
	return true;
}

/* The whole of `t` as up to 16 hexadecimal digits, no 0x. */
static inline bool text_hex(struct text t, uint64_t *out)
{
	uint64_t v = 0;

	if (!t.len || t.len > 16)
		return false;
	for (size_t i = 0; i < t.len; i++) {
		unsigned int digit = (unsigned char)t.p[i] - '0';

		if (digit > 9) {
			digit = ((unsigned char)t.p[i] | 0x20) - 'a';
			if (digit > 5)
				return false;
			digit += 10;
		}
		v = v << 4 | digit;
	}
	*out = v;
	return true;
}

/* Copy into dst[size], cut to fit, always NUL-terminated. */
static inline void text_copy(struct text t, char *dst, size_t size)
{
	size_t n = t.len < size ? t.len : size - 1;

	memcpy(dst, t.p, n);
	dst[n] = '\0';
}

#endif
