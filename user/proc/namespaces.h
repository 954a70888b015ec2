/* SPDX-License-Identifier: GPL-2.0-only */
/* Which network and mount namespaces processes are in, from /proc/PID/ns. */
#ifndef KMEMTRACE_PROC_NAMESPACES_H
#define KMEMTRACE_PROC_NAMESPACES_H

#include "data/lenses.h"

/* Returns 0 or −errno; on failure, `out` is unchanged. Processes that cannot be read are skipped.
 */
int namespaces_read(const char *proc_root, struct lens_spaces *out);

#endif
