/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fetches debug information by its build id, with elfutils' libdebuginfod. Only if the user has set
 * DEBUGINFOD_URLS: nothing else makes kmemtrace use a network.
 */
#ifndef KMEMTRACE_SYM_DEBUGINFOD_H
#define KMEMTRACE_SYM_DEBUGINFOD_H

#include <stdbool.h>

/* Did the user name servers? */
bool debuginfod_wanted(void);

/*
 * Fetch the file with this build id, or find it in the user's cache (~/.cache/debuginfod_client).
 * Gives up after `seconds`. Says on stderr what is fetched for `module`. Returns 0 and the path of
 * the file, malloc'ed; −ENOENT: the servers do not have it; −ETIMEDOUT; −ELIBACC: there is no
 * libdebuginfod; or −errno.
 */
int debuginfod_fetch(const char *module, const char *build_id, double seconds, char **path);

#endif
