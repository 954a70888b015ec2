// SPDX-License-Identifier: GPL-2.0-only
/* Parses /proc/iomem: see iomem.h. */
#include "proc/iomem.h"

#include <errno.h>
#include <stdbool.h>

#include "base/text.h"

struct iomem_line {
	struct iomem_range range;
	size_t depth;
	struct text name;
};

/* "  0249d000-02e09fff : Kernel rodata". False for any other line. */
static bool iomem_line_parse(struct text line, struct iomem_line *out)
{
	struct text word, from;
	const char *dash, *colon = text_find(line, " : ");

	if (!colon)
		return false;
	out->name = (struct text){colon + 3, line.len - (size_t)(colon + 3 - line.p)};
	line.len = (size_t)(colon - line.p);
	for (out->depth = 0; out->depth < line.len && line.p[out->depth] == ' ';)
		out->depth++;
	if (!text_word(&line, &word))
		return false;
	dash = memchr(word.p, '-', word.len);
	if (!dash)
		return false;
	from = (struct text){word.p, (size_t)(dash - word.p)};
	word = (struct text){dash + 1, word.len - from.len - 1};
	if (!text_hex(from, &out->range.first) || !text_hex(word, &out->range.end))
		return false;
	out->range.end++;
	return out->range.end > out->range.first;
}

/* What may be read inside RAM. arm64 lists what it reserved at boot as "reserved". */
static bool iomem_is_readable(struct text name)
{
	return text_is(name, "Kernel data") || text_is(name, "Kernel rodata") ||
	       text_is(name, "Kernel bss") || text_is(name, "reserved");
}

/* Take a range out of the last one, whose later part becomes the last. */
static int iomem_cut(struct iomem_ranges *r, struct iomem_range cut)
{
	struct iomem_range *last = r->nr ? &r->items[r->nr - 1] : NULL;
	struct iomem_range rest;

	if (!last || cut.end <= last->first || cut.first >= last->end)
		return 0;
	rest = (struct iomem_range){cut.end, last->end};
	last->end = cut.first > last->first ? cut.first : last->first;
	if (rest.end <= rest.first)
		return 0;
	if (last->end > last->first) {
		last = ARRAY_PUSH(r);
		if (!last)
			return -ENOMEM;
	}
	*last = rest;
	return 0;
}

int iomem_ram_parse(const char *buf, size_t len, struct iomem_ranges *out)
{
	struct text rest = {buf, len}, line;
	struct iomem_ranges r = {0};
	struct iomem_line l;
	bool inside = false, hidden = false;
	int err = 0;

	while (!err && text_line(&rest, &line)) {
		if (!iomem_line_parse(line, &l))
			continue;
		if (!l.depth) {
			inside = text_starts(l.name, "System RAM");
			if (inside && l.range.end == 1)
				hidden = true; /* 00000000-00000000 */
			if (inside) {
				struct iomem_range *range = ARRAY_PUSH(&r);

				err = range ? 0 : -ENOMEM;
				if (range)
					*range = l.range;
			}
		} else if (inside && !iomem_is_readable(l.name)) {
			err = iomem_cut(&r, l.range);
		}
	}
	if (!err && (hidden || !r.nr))
		err = hidden ? -EPERM : -ENODATA;
	if (err) {
		ARRAY_FREE(&r);
		return err;
	}
	*out = r;
	return 0;
}

int iomem_image_parse(const char *buf, size_t len, struct iomem_image *out)
{
	struct text rest = {buf, len}, line;
	struct iomem_image image = {0};
	struct iomem_line l;

	while (text_line(&rest, &line)) {
		if (!iomem_line_parse(line, &l) || !text_starts(l.name, "Kernel "))
			continue;
		if (text_is(l.name, "Kernel code"))
			image.code = image.all = l.range;
		if (!image.code.first || image.nr_parts == IOMEM_PARTS)
			continue;
		image.parts[image.nr_parts++] = l.range;
		if (l.range.end > image.all.end)
			image.all.end = l.range.end;
	}
	if (!image.code.first)
		return -ENODATA;
	*out = image;
	return 0;
}
