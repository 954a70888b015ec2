// SPDX-License-Identifier: GPL-2.0-only
/* Prints call paths as text: see path.h. */
#include "render/path.h"

#include <string.h>

void path_print(struct page *p, const struct capture *c, uint32_t stack)
{
	const struct cap_stack *s = &c->stacks[stack];

	if (!s->nr_frames)
		fprintf(p->out, "      (no call path recorded)\n");
	for (uint32_t i = 0; i < s->nr_frames; i++) {
		const struct cap_frame *f = &c->frames[s->frames[i]];
		const char *module =
			f->module[0] && strcmp(f->module, "vmlinux") ? f->module : NULL;

		fprintf(p->out, "      %s+0x%llx%s%s%s\n", page_fit(p, f->symbol, module ? 32 : 56),
			(unsigned long long)f->offset, module ? " [" : "",
			module ? page_fit(p, module, 20) : "", module ? "]" : "");
	}
	if (s->truncated)
		fprintf(p->out, "      (deeper than recorded)\n");
}
