// SPDX-License-Identifier: GPL-2.0-only
/* Frees and finds lines: see source_lines.h. */
#include "data/source_lines.h"

void source_lines_free(struct source_lines *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->nr_frames; i++) {
		for (size_t k = 0; k < s->frames[i].nr; k++) {
			free(s->frames[i].items[k].function);
			free(s->frames[i].items[k].file);
		}
		ARRAY_FREE(&s->frames[i]);
	}
	free(s->frames);
	for (size_t i = 0; i < s->modules.nr; i++) {
		free(s->modules.items[i].name);
		free(s->modules.items[i].build_id);
		free(s->modules.items[i].path);
		free(s->modules.items[i].why);
	}
	ARRAY_FREE(&s->modules);
	free(s->looked_in);
	free(s->fetch_why);
	free(s);
}

const struct frame_lines *source_lines_of(const struct source_lines *s, uint32_t frame)
{
	return s && frame < s->nr_frames && s->frames[frame].nr ? &s->frames[frame] : NULL;
}
