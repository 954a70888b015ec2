// SPDX-License-Identifier: GPL-2.0-only
/* See census_lines.h. */
#include "trace/census_lines.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file_read.h"
#include "proc/snapshot.h"

/* The line `name`, which is most often line number `i`; NULL if there is none. */
static struct named_value *line_at(struct named_values *v, size_t i, const char *name)
{
	if (i < v->nr && !strcmp(v->items[i].name, name))
		return &v->items[i];
	for (i = 0; i < v->nr; i++)
		if (!strcmp(v->items[i].name, name))
			return &v->items[i];
	return NULL;
}

void census_lines_widen(struct named_values *low, struct named_values *high,
			const struct named_values *now)
{
	for (size_t i = 0; i < now->nr; i++) {
		const struct named_value *line = &now->items[i];
		struct named_value *l = line_at(low, i, line->name);
		struct named_value *h = line_at(high, i, line->name);

		if (!l || !h)
			continue;
		l->value = line->value < l->value ? line->value : l->value;
		h->value = line->value > h->value ? line->value : h->value;
	}
}

void census_lines_watch(const char *proc_root, struct named_values *low, struct named_values *high)
{
	struct named_values now = {0};
	_cleanup_free_ char *buf = NULL;
	char path[256];
	size_t len;

	snprintf(path, sizeof(path), "%s/meminfo", proc_root);
	if (!file_read(path, &buf, &len) && !meminfo_parse(buf, len, &now))
		census_lines_widen(low, high, &now);
	ARRAY_FREE(&now);
}
