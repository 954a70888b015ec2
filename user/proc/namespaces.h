/* SPDX-License-Identifier: GPL-2.0-only */
/* Which network and mount namespaces processes are in, from /proc/PID/ns. */
#ifndef KMEMTRACE_PROC_NAMESPACES_H
#define KMEMTRACE_PROC_NAMESPACES_H

#include "data/lenses.h"

/*
 * *whole: the processes of the whole host were visited; those that cannot be read are skipped.
 * Returns 0 or −errno; on failure, `out` and *whole are unchanged.
 */
int namespaces_read(const char *proc_root, struct lens_spaces *out, bool *whole);

/*
 * Are we in the first PID namespace, in which all processes are seen? Also true if that cannot be
 * told.
 */
bool namespaces_all_seen(const char *proc_root);

#endif
