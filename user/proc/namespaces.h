/* SPDX-License-Identifier: GPL-2.0-only */
/* Which network and mount namespaces processes are in, from /proc/PID/ns. */
#ifndef KMEMTRACE_PROC_NAMESPACES_H
#define KMEMTRACE_PROC_NAMESPACES_H

#include "data/lenses.h"

/*
 * *whole: no process was hidden or left out. Returns 0 or −errno; on failure, `out` and
 * *whole are unchanged. Processes that cannot be read are skipped.
 */
int namespaces_read(const char *proc_root, struct lens_spaces *out, bool *whole);

/*
 * Are we in the first PID namespace, in which all processes are seen? Also true if that cannot be
 * told.
 */
bool namespaces_all_seen(const char *proc_root);

#endif
