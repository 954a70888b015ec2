// SPDX-License-Identifier: GPL-2.0-only
/* Lenses: see lenses.h. */
#include "data/lenses.h"

#include <errno.h>
#include <string.h>

const char *lens_word(enum lens lens)
{
	static const char *const names[LENSES] = {
		"dentries", "inodes", "sockets", "files", "net_namespaces", "mounts",
	};

	return names[lens];
}

int lens_parse(const char *name, enum lens *out)
{
	for (int lens = 0; lens < LENSES; lens++)
		if (!strcmp(name, lens_word(lens))) {
			*out = lens;
			return 0;
		}
	return -EINVAL;
}

void census_lenses_free(struct census_lenses *l)
{
	ARRAY_FREE(&l->rows);
	ARRAY_FREE(&l->spaces);
	ARRAY_FREE(&l->directories);
	ARRAY_FREE(&l->paths);
	ARRAY_FREE(&l->holders);
	*l = (struct census_lenses){0};
}
