// SPDX-License-Identifier: GPL-2.0-only
/* Kinds of objects: see kinds.h. */
#include "data/kinds.h"

#include <stdlib.h>

const char *kind_sure_name(enum kind_sure sure)
{
	static const char *const names[] = {"unknown", "possible", "likely"};

	return names[sure];
}

void census_kinds_free(struct census_kinds *k)
{
	ARRAY_FREE(&k->samples);
	ARRAY_FREE(&k->paths);
	ARRAY_FREE(k);
}
