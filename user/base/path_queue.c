// SPDX-License-Identifier: GPL-2.0-only
/* A growing array of paths: see path_queue.h. */
#include "base/path_queue.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int path_queue_add(struct path_queue *q, const char *dir, const char *name)
{
	char **slot, *path;

	if (q->nr >= q->most)
		return 0;
	if (asprintf(&path, "%s%s%s", dir, *name ? "/" : "", name) < 0)
		return -ENOMEM;
	slot = ARRAY_PUSH(q);
	if (!slot) {
		free(path);
		return -ENOMEM;
	}
	*slot = path;
	return 0;
}

void path_queue_free(struct path_queue *q)
{
	for (size_t i = 0; i < q->nr; i++)
		free(q->items[i]);
	ARRAY_FREE(q);
}
