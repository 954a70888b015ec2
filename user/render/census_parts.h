/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of a census that several documents print: `census`, and reports of captures with one.
 */
#ifndef KMEMTRACE_RENDER_CENSUS_PARTS_H
#define KMEMTRACE_RENDER_CENSUS_PARTS_H

#include "data/alloc_records.h"
#include "findings/bpf_use.h"
#include "model/census_delta.h"
#include "model/likeness.h"
#include "render/json_value.h"
#include "render/page.h"

/* Write the census as an object; `key` is NULL within a list. `bpf` and `l`, what its objects look
 * like, are NULL if not known. */
void census_write(struct json_out *o, const char *key, const struct census_sheet *s,
		  const struct bpf_use *bpf, const struct likeness *l);

/* How many rows of each table; SIZE_MAX: all. */
struct census_rows {
	size_t caches, cgroups, kinds, unlisted;
	bool nodes;                  /* slab caches by NUMA node, too */
	const struct likeness *like; /* what objects look like: as many rows as kinds; or NULL */
};

/* Pages in no line of /proc/meminfo: at most `most` rows, and nothing without any. */
void census_text_unlisted(struct page *p, const struct census_sheet *s, size_t most);
void census_unlisted_write(struct json_out *o, const struct census_sheet *s);

/* What the kernel itself says about its allocations; nothing without that. In JSON it is then null.
 */
void census_records_text(struct page *p, const struct alloc_records *r, size_t most);
void census_records_write(struct json_out *o, const struct alloc_records *r);

/* Print the tables: pages, caches, cgroups, pages in no line of meminfo. */
void census_tables_text(struct page *p, const struct census_sheet *s,
			const struct census_rows *rows);

/* What changed between two censuses: `most` rows of each table. */
void census_changes_text(struct page *p, const struct census_delta *d, size_t most);
void census_changes_write(struct json_out *o, const char *key, const struct census_delta *d);
/* "8.0 GiB of memory, all page frames counted in 50 ms of one CPU." */
void census_counted_text(struct page *p, const struct census_sheet *s);

#endif
