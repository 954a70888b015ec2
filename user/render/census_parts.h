/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of a census that several documents print: `census`, and reports of captures with one.
 */
#ifndef KMEMTRACE_RENDER_CENSUS_PARTS_H
#define KMEMTRACE_RENDER_CENSUS_PARTS_H

#include "model/census.h"
#include "render/json_value.h"
#include "render/page.h"

/* Write the census as an object; `key` is NULL within a list. */
void census_write(struct json_out *o, const char *key, const struct census_sheet *s);

/* How many rows of each table; SIZE_MAX: all. */
struct census_rows {
	size_t caches, cgroups;
	bool nodes; /* slab caches by NUMA node, too */
};

/* Print the tables: pages, caches, cgroups. */
void census_tables_text(struct page *p, const struct census_sheet *s,
			const struct census_rows *rows);

#endif
