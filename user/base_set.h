/* SPDX-License-Identifier: GPL-2.0-only */
/* The captures of a directory as one baseline: what `diff --base-set` compares with. */
#ifndef KMEMTRACE_BASE_SET_H
#define KMEMTRACE_BASE_SET_H

#include "diff/baseline.h"

/*
 * Add all captures (*.kmt) in `dir` to `set`, one after the other, as they are comparable with
 * `new_`, and finish it. A capture that cannot be read is left out, after a warning. Returns 0, or
 * −errno after printing why; −ENOENT when none could be read.
 */
int base_set_read(const char *dir, const struct capture *new_, enum growth_by by,
		  struct baseline *set);

#endif
