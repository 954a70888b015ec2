// SPDX-License-Identifier: GPL-2.0-only
/* Connects the frames that a document shows with sym/lines.h. See with_lines.h. */
#include "with_lines.h"

#include <errno.h>
#include <stdlib.h>

#include "base/bounds.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "findings/source_notes.h"
#include "sym/lines.h"

void with_lines_set(struct argp_state *state, const char *dir, struct with_lines *o)
{
	if (!lines_library())
		argp_error(state,
			   "%s needs libdw, and this kmemtrace was built without it: install "
			   "libdw-dev (Debian) or elfutils-devel (Fedora), and build it again",
			   dir ? "--debug-dir" : "--lines");
	o->wanted = true;
	if (dir)
		o->debug_dir = dir;
}

/* Mark the frames of the `top` largest groups' call paths; 0: of all. */
static void frames_mark(const struct capture *c, const struct growth *g, size_t top, bool *wanted)
{
	for (size_t i = 0; i < g->nr && (!top || i < top); i++) {
		const struct growth_shares *stacks = &g->groups[i].stacks;

		for (size_t k = 0; k < stacks->nr && (!top || !k); k++) {
			const struct cap_stack *s = &c->stacks[stacks->items[k].id];

			for (uint32_t f = 0; f < s->nr_frames; f++)
				wanted[s->frames[f]] = true;
		}
	}
}

int with_lines_find(const struct with_lines *o, struct capture *c, const struct growth *g,
		    size_t top)
{
	const struct lines_options options = {.debug_dir = o->debug_dir, .root = ""};
	_cleanup_free_ bool *wanted = NULL;
	int err;

	if (!o->wanted)
		return 0;
	wanted = calloc(c->nr_frames + 1, sizeof(*wanted));
	if (wanted && g)
		frames_mark(c, g, top, wanted);
	for (size_t i = 1; wanted && !g && i < c->nr_frames; i++)
		wanted[i] = true;
	err = wanted ? lines_find(c, wanted, &options) : -ENOMEM;
	return err ? log_error(-err, "not enough memory to find source lines%s",
			       bounds_memory_hint())
		   : 0;
}

void with_lines_tell(const struct capture *c)
{
	_cleanup_(source_notes_free) struct source_notes notes;

	source_notes_build(c, &notes);
	for (size_t i = 0; i < notes.nr; i++)
		log_info("%s", notes.items[i]);
}
