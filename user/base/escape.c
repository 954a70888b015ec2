// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes hostile names safe to print. Uses no locale, so results are the same everywhere. See
 * escape.h.
 */
#include "base/escape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t utf8_decode(const char *s, uint32_t *code)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *u = (const unsigned char *)s;
	size_t len;
	uint32_t c;

	if (u[0] < 0x80) {
		*code = u[0];
		return 1;
	}
	if (u[0] >= 0xc2 && u[0] <= 0xdf)
		len = 2;
	else if (u[0] >= 0xe0 && u[0] <= 0xef)
		len = 3;
	else if (u[0] >= 0xf0 && u[0] <= 0xf4)
		len = 4;
	else
		return 0;
	c = u[0] & (0x7fU >> len);
	/* The terminating NUL is not a continuation byte, so this never reads past it. */
	for (size_t i = 1; i < len; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (u[i] & 0x3f);
	}
	if (c < smallest[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*code = c;
	return len;
}

struct code_range {
	uint32_t first, last;
};

static bool in_ranges(uint32_t c, const struct code_range *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (c >= r[i].first && c <= r[i].last)
			return true;
	return false;
}

#define IN_RANGES(c, r) in_ranges(c, r, sizeof(r) / sizeof((r)[0]))

/* Control characters and those that reorder, hide or join text (Unicode Bidi_Control, zero width,
 * tags). */
static bool is_unsafe(uint32_t c)
{
	static const struct code_range unsafe[] = {
		{0x00, 0x1f},     {0x7f, 0x9f},        {0xad, 0xad},     {0x61c, 0x61c},
		{0x180e, 0x180e}, {0x200b, 0x200f},    {0x2028, 0x202e}, {0x2060, 0x206f},
		{0xfe00, 0xfe0f}, {0xfeff, 0xfeff},    {0xfff9, 0xfffb}, {0xe0000, 0xe0fff},
		{0xe000, 0xf8ff}, {0xf0000, 0x10ffff},
	};

	return IN_RANGES(c, unsafe);
}

/* Good enough for aligning names: East Asian wide and emoji take two columns, combining marks
 * none. */
static size_t code_width(uint32_t c)
{
	static const struct code_range wide[] = {
		{0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},   {0xac00, 0xd7a3},
		{0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},
		{0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1faff}, {0x20000, 0x3fffd},
	};
	static const struct code_range combining[] = {
		{0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},
		{0x610, 0x61a},   {0x64b, 0x65f},   {0x1ab0, 0x1aff},
		{0x1dc0, 0x1dff}, {0x20d0, 0x20ff}, {0xfe20, 0xfe2f},
	};

	if (c < 0x300)
		return 1;
	if (IN_RANGES(c, combining))
		return 0;
	return IN_RANGES(c, wide) ? 2 : 1;
}

size_t utf8_width(const char *s)
{
	size_t columns = 0, len;
	uint32_t c;

	for (; *s; s += len) {
		len = utf8_decode(s, &c);
		columns += len ? code_width(c) : 1;
		if (!len)
			len = 1;
	}
	return columns;
}

size_t utf8_fit(const char *s, size_t columns)
{
	size_t used = 0, at = 0, len, w;
	uint32_t c;

	for (; s[at]; at += len) {
		len = utf8_decode(s + at, &c);
		w = len ? code_width(c) : 1;
		if (!len)
			len = 1;
		if (used + w > columns)
			break;
		used += w;
	}
	return at;
}

char *escape_terminal(const char *s, bool utf8)
{
	/* The worst case is one byte to four ("\x1b") or two to eight ("\u{200e}"): four each. */
	size_t size = strlen(s) * 4 + 12, len;
	char *out = malloc(size), *p = out;
	uint32_t c;

	if (!out)
		return NULL;
	for (; *s; s += len) {
		len = utf8_decode(s, &c);
		if (len && !is_unsafe(c) && (utf8 || c < 0x80)) {
			memcpy(p, s, len);
			p += len;
		} else if (len > 1) {
			p += snprintf(p, size - (size_t)(p - out), "\\u{%x}", c);
		} else {
			p += snprintf(p, size - (size_t)(p - out), "\\x%02x", (unsigned char)*s);
			len = 1;
		}
	}
	*p = '\0';
	return out;
}

char *escape_utf8(const char *s)
{
	size_t len;
	char *out = malloc(strlen(s) * 3 + 1), *p = out;
	uint32_t c;

	if (!out)
		return NULL;
	for (; *s; s += len) {
		len = utf8_decode(s, &c);
		memcpy(p, len ? s : "\xef\xbf\xbd", len ? len : 3);
		p += len ? len : 3;
		if (!len)
			len = 1;
	}
	*p = '\0';
	return out;
}

#define PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.:"

bool is_plain_word(const char *name)
{
	return name[0] && name[0] != '-' && !name[strspn(name, PLAIN)];
}

bool is_plain_path(const char *path)
{
	return path[0] && path[0] != '-' && !path[strspn(path, PLAIN "/")];
}
