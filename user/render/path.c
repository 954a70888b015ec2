// SPDX-License-Identifier: GPL-2.0-only
/* Prints call paths as text, with source lines if there are any: see path.h. */
#include "render/path.h"

#include <string.h>

#include "base/escape.h"

/* "mm/slub.c:3405"; "" if unknown. A long path loses its middle. */
static const char *source_place(struct page *p, const struct source_line *l, char buf[PAGE_WIDTH])
{
	buf[0] = '\0';
	if (!l->file[0])
		return buf;
	snprintf(buf, PAGE_WIDTH, l->line ? "%s:%u" : "%s", page_fit_middle(p, l->file, 56),
		 l->line);
	return buf;
}

/* A frame, and where it is: on one line if both fit. */
static void frame_print(struct page *p, const char *frame, const char *place)
{
	size_t columns = 6 + utf8_width(frame) + 2 + utf8_width(place);

	if (!place[0])
		fprintf(p->out, "      %s\n", frame);
	else if (columns <= PAGE_WIDTH)
		fprintf(p->out, "      %s  %s\n", frame, place);
	else
		fprintf(p->out, "      %s\n          %s\n", frame, place);
}

static void path_frame(struct page *p, const struct capture *c, uint32_t id)
{
	const struct cap_frame *f = &c->frames[id];
	const struct frame_lines *lines = source_lines_of(c->lines, id);
	const char *module = f->module[0] && strcmp(f->module, "vmlinux") ? f->module : NULL;
	char frame[8 * PAGE_WIDTH], place[PAGE_WIDTH] = "";

	for (size_t i = 0; lines && i < lines->nr; i++) {
		const struct source_line *l = &lines->items[i];

		source_place(p, l, place);
		if (!l->inlined)
			break;
		snprintf(frame, sizeof(frame), "%s (inlined)", page_fit(p, l->function, 48));
		frame_print(p, frame, place);
		place[0] = '\0';
	}
	snprintf(frame, sizeof(frame), "%s+0x%llx%s%s%s", page_fit(p, f->symbol, module ? 32 : 56),
		 (unsigned long long)f->offset, module ? " [" : "",
		 module ? page_fit(p, module, 20) : "", module ? "]" : "");
	frame_print(p, frame, place);
}

void path_print(struct page *p, const struct capture *c, uint32_t stack)
{
	const struct cap_stack *s = &c->stacks[stack];

	if (!s->nr_frames)
		fprintf(p->out, "      (no call path recorded)\n");
	for (uint32_t i = 0; i < s->nr_frames; i++)
		path_frame(p, c, s->frames[i]);
	if (s->truncated)
		fprintf(p->out, "      (deeper than recorded)\n");
}
