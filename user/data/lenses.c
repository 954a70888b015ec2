// SPDX-License-Identifier: GPL-2.0-only
/* Lenses: see lenses.h. */
#include "data/lenses.h"

const char *lens_word(enum lens lens)
{
	static const char *const names[LENSES] = {
		"dentries", "inodes", "sockets", "files", "net_namespaces", "mounts",
	};

	return names[lens];
}

void census_lenses_free(struct census_lenses *l)
{
	ARRAY_FREE(&l->rows);
	ARRAY_FREE(&l->spaces);
	ARRAY_FREE(&l->directories);
	*l = (struct census_lenses){0};
}
