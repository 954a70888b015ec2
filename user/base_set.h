/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads the captures of a directory into one baseline, for `diff --base-set`. */
#ifndef KMEMTRACE_BASE_SET_H
#define KMEMTRACE_BASE_SET_H

#include "diff/baseline.h"

/*
 * Add all captures (*.kmt) in `dir` to `set`, one after the other, matched with `new_`, and finish
 * it. A capture that cannot be read is left out with a warning. Returns 0 or −errno; −ENOENT if
 * none could be read. Prints why on failure.
 */
int base_set_read(const char *dir, const struct capture *new_, enum growth_by by,
		  struct baseline *set);

#endif
