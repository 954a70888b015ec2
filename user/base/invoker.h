/* SPDX-License-Identifier: GPL-2.0-only */
/* Whom we work for: the user who called sudo. */
#ifndef KMEMTRACE_BASE_INVOKER_H
#define KMEMTRACE_BASE_INVOKER_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * The user and group that sudo was called by, from SUDO_UID and SUDO_GID. False, outputs untouched,
 * when we are not root, were not called through sudo, or by root itself.
 */
bool invoker_read(uid_t *uid, gid_t *gid);

#endif
