// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads the variables that sudo sets. Only root trusts them, because sudo set them for root. See
 * invoker.h.
 */
#include "base/invoker.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

static bool id_read(const char *name, unsigned long *id)
{
	const char *text = getenv(name);
	char *end;

	if (!text || text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*id = strtoul(text, &end, 10);
	return !errno && !*end && *id < UINT32_MAX;
}

bool invoker_read(uid_t *uid, gid_t *gid)
{
	unsigned long u, g;

	if (geteuid() || !id_read("SUDO_UID", &u) || !id_read("SUDO_GID", &g) || !u)
		return false;
	*uid = u;
	*gid = g;
	return true;
}
