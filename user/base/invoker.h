/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The user who called sudo. Used to give that user the capture, and to decide whose symbolic links
 * to trust.
 */
#ifndef KMEMTRACE_BASE_INVOKER_H
#define KMEMTRACE_BASE_INVOKER_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Read the calling user and group from SUDO_UID and SUDO_GID. False, outputs untouched, if we are
 * not root, were not called through sudo, or were called by root.
 */
bool invoker_read(uid_t *uid, gid_t *gid);

#endif
