// SPDX-License-Identifier: GPL-2.0-only
/* What the kernel says about its allocations: see alloc_records.h. */
#include "data/alloc_records.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct alloc_source *alloc_source_get(const struct alloc_records *r, const char *name)
{
	for (size_t i = 0; i < r->sources.nr; i++)
		if (!strcmp(r->sources.items[i].name, name))
			return &r->sources.items[i];
	return NULL;
}

void alloc_records_free(struct alloc_records *r)
{
	ARRAY_FREE(&r->sources);
	ARRAY_FREE(&r->sites);
	ARRAY_FREE(&r->paths);
}

void alloc_source_lacks(struct alloc_source *s, const char *fmt, ...)
{
	size_t len = strlen(s->lacks);
	char words[sizeof(s->lacks)] = " ";
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(words + 1, sizeof(words) - 1, fmt, args);
	va_end(args);
	if (n > 0 && len + 1 + (size_t)n < sizeof(s->lacks))
		strcpy(s->lacks + len, len ? words : words + 1);
}

const char *alloc_use_name(enum alloc_use use)
{
	static const char *const names[] = {"unknown", "absent", "off", "on"};

	return names[use];
}
