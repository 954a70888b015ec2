// SPDX-License-Identifier: GPL-2.0-only
/* The forms of the tables of a census: see census_tables_internal.h. The columns here follow
 * `census` and `number`, which each of these tables begins with, in the order of schema.sql. */
#include "capture/census_tables_internal.h"

#include <stddef.h>
#include <string.h>

#include "capture/format_internal.h"
#include "capture/reader_cost.h"

/* NOLINTBEGIN(bugprone-macro-parentheses): members of a struct cannot stand in parentheses */

/* The array `member` of struct census. */
#define ARRAY_AT(member)                                                                          \
	.items = offsetof(struct census, member.items), .nr = offsetof(struct census, member.nr), \
	.cap = offsetof(struct census, member.cap),                                               \
	.row_size = sizeof(*((struct census *)0)->member.items)

#define AT(of, member) \
	.offset = offsetof(struct of, member), .size = sizeof(((struct of *)0)->member)

#define TEXT(of, member)                            \
	{                                           \
		.type = COLUMN_TEXT, AT(of, member) \
	}
#define BOOL(of, member)                            \
	{                                           \
		.type = COLUMN_BOOL, AT(of, member) \
	}
#define INT(of, member, min_, max_)                                              \
	{                                                                        \
		.type = COLUMN_INT, AT(of, member), .min = (min_), .max = (max_) \
	}
#define REAL(of, member, min_)                                     \
	{                                                          \
		.type = COLUMN_REAL, AT(of, member), .min = (min_) \
	}
#define STACK(of, member)                            \
	{                                            \
		.type = COLUMN_STACK, AT(of, member) \
	}
/* Names without blanks, in an array of arrays. */
#define NAMES(of, member)                            \
	{                                            \
		.type = COLUMN_NAMES, AT(of, member) \
	}
#define SUM(of, member)                            \
	{                                          \
		.type = COLUMN_SUM, AT(of, member) \
	}
#define ESTIMATE(of, member)                            \
	{                                               \
		.type = COLUMN_ESTIMATE, AT(of, member) \
	}
#define LENS(of, member)                            \
	{                                           \
		.type = COLUMN_LENS, AT(of, member) \
	}
#define CLASS(of, member)                            \
	{                                            \
		.type = COLUMN_CLASS, AT(of, member) \
	}
/* Index of a row of the array `to`; OR_NONE: or UINT32_MAX. */
#define ROW(of, member, to)                                                                  \
	{                                                                                    \
		.type = COLUMN_ROW, AT(of, member), .target = offsetof(struct census, to.nr) \
	}
#define ROW_OR_NONE(of, member, to)                                                           \
	{                                                                                     \
		.type = COLUMN_ROW, AT(of, member), .target = offsetof(struct census, to.nr), \
		.optional = true                                                              \
	}

/* NOLINTEND(bugprone-macro-parentheses) */

#define SCORE_LEAST (-1000000)
/* A type that fits, and how well. */
#define TYPE(i) TEXT(census_kind, types[i].name), REAL(census_kind, types[i].score, SCORE_LEAST)

/* In the order in which they are read: each after those that its rows refer to. */
const struct census_form census_forms[] = {
	{.table = "census_cache",
	 ARRAY_AT(caches),
	 .rows_max = 8192,
	 .cost = COST_CENSUS_CACHE,
	 .columns = {TEXT(census_cache, name), INT(census_cache, object_bytes, 1, INT32_MAX),
		     BOOL(census_cache, reclaimable),
		     INT(census_cache, cpu_free, -1, CAPTURE_LEVEL_MAX), SUM(census_cache, pages),
		     SUM(census_cache, empty), SUM(census_cache, objects),
		     SUM(census_cache, used)}},
	{.table = "census_cgroup",
	 ARRAY_AT(cgroups),
	 .rows_max = 1 << 20,
	 .cost = COST_CENSUS_CGROUP,
	 .columns = {TEXT(census_cgroup, path), INT(census_cgroup, id, INT64_MIN, INT64_MAX),
		     BOOL(census_cgroup, removed), BOOL(census_cgroup, below),
		     INT(census_cgroup, owners, 0, UINT32_MAX)}},
	{.table = "census_charge",
	 ARRAY_AT(charges),
	 .rows_max = CAPTURE_ROWS_MAX,
	 .cost = COST_CENSUS_CHARGE,
	 .columns = {ROW_OR_NONE(census_charge, cache, caches), CLASS(census_charge, class),
		     ROW(census_charge, cgroup, cgroups), SUM(census_charge, nr)}},
	{.table = "census_node",
	 ARRAY_AT(nodes),
	 .rows_max = 8192 * NODES_MAX,
	 .cost = COST_CENSUS_CHARGE,
	 .columns = {ROW(census_node, cache, caches), INT(census_node, node, -1, INT32_MAX),
		     SUM(census_node, pages)}},
	{.table = "census_origin",
	 ARRAY_AT(origins),
	 .rows_max = 65536,
	 .cost = COST_CENSUS_CHARGE,
	 .columns = {TEXT(census_origin, kind), TEXT(census_origin, name),
		     BOOL(census_origin, counted), INT(census_origin, nr, 0, CAPTURE_LEVEL_MAX),
		     SUM(census_origin, pages)}},
	{.table = "census_object",
	 ARRAY_AT(lenses.rows),
	 .rows_max = 65536,
	 .cost = COST_CENSUS_OBJECT,
	 .columns = {LENS(lens_row, lens), TEXT(lens_row, what), TEXT(lens_row, device),
		     TEXT(lens_row, kind), TEXT(lens_row, state), TEXT(lens_row, family),
		     INT(lens_row, space, 0, UINT32_MAX), ROW_OR_NONE(lens_row, cgroup, cgroups),
		     ESTIMATE(lens_row, objects), ESTIMATE(lens_row, kb),
		     ESTIMATE(lens_row, held_kb), ESTIMATE(lens_row, queued_kb)}},
	{.table = "census_space",
	 ARRAY_AT(lenses.spaces),
	 .rows_max = 131072,
	 .cost = COST_CENSUS_CHARGE,
	 .columns = {INT(lens_space, number, 0, UINT32_MAX), BOOL(lens_space, net),
		     INT(lens_space, processes, 0, UINT32_MAX), INT(lens_space, pid, 0, INT32_MAX),
		     TEXT(lens_space, comm)}},
	{.table = "census_directory",
	 ARRAY_AT(lenses.directories),
	 .rows_max = LENS_DIRECTORIES,
	 .cost = COST_CENSUS_OBJECT,
	 .columns = {TEXT(lens_directory, what), TEXT(lens_directory, device),
		     TEXT(lens_directory, path), ESTIMATE(lens_directory, objects),
		     ESTIMATE(lens_directory, negative), REAL(lens_directory, kb, 0)}},
	{.table = "census_place",
	 ARRAY_AT(lenses.paths),
	 .rows_max = (uint64_t)LENS_PATHS * LENSES,
	 .cost = COST_CENSUS_OBJECT,
	 .columns = {LENS(lens_path, lens), TEXT(lens_path, what), TEXT(lens_path, device),
		     TEXT(lens_path, path), BOOL(lens_path, deleted), ESTIMATE(lens_path, objects),
		     INT(lens_path, processes, 0, UINT32_MAX), INT(lens_path, pid, 0, INT32_MAX),
		     TEXT(lens_path, comm), INT(lens_path, most, 0, CAPTURE_LEVEL_MAX)}},
	{.table = "census_kind",
	 ARRAY_AT(kinds),
	 .rows_max = 2048,
	 .cost = COST_CENSUS_KIND,
	 .columns = {ROW(census_kind, cache, caches), INT(census_kind, objects, 0, INT32_MAX),
		     REAL(census_kind, effective, 0), INT(census_kind, sure, 0, KIND_LIKELY),
		     INT(census_kind, nr_types, 0, KIND_TYPES), TYPE(0), TYPE(1), TYPE(2),
		     NAMES(census_kind, functions), NAMES(census_kind, points_to),
		     TEXT(census_kind, signature), ROW_OR_NONE(census_kind, cgroup, cgroups),
		     INT(census_kind, charged, 0, INT32_MAX)}},
	{.table = "census_kind_sample",
	 ARRAY_AT(kinds.samples),
	 .rows_max = 2048,
	 .cost = COST_CENSUS_KIND,
	 .columns = {ROW(kind_sample, cache, caches), INT(kind_sample, drawn, 0, INT32_MAX),
		     INT(kind_sample, live, 0, INT32_MAX), INT(kind_sample, unsure, 0, INT32_MAX)}},
	{.table = "census_path",
	 ARRAY_AT(kinds.paths),
	 .rows_max = 65536,
	 .cost = COST_CENSUS_PATH,
	 .columns = {ROW(census_path, cache, caches), ROW_OR_NONE(census_path, kind, kinds),
		     STACK(census_path, stack), INT(census_path, tracked, 0, INT32_MAX),
		     INT(census_path, looked, 0, INT32_MAX), INT(census_path, alike, 0, INT32_MAX),
		     REAL(census_path, objects, 0)}},
	{.table = "census_source",
	 ARRAY_AT(records.sources),
	 .rows_max = 16,
	 .cost = COST_CENSUS_CHARGE,
	 .columns = {TEXT(alloc_source, name), INT(alloc_source, bytes, 0, CAPTURE_LEVEL_MAX),
		     INT(alloc_source, bad_lines, 0, CAPTURE_LEVEL_MAX),
		     TEXT(alloc_source, lacks)}},
	{.table = "census_site",
	 ARRAY_AT(records.sites),
	 .rows_max = 65536,
	 .cost = COST_CENSUS_OBJECT,
	 .columns = {TEXT(alloc_site, file), INT(alloc_site, line, 0, UINT32_MAX),
		     TEXT(alloc_site, module), TEXT(alloc_site, function),
		     INT(alloc_site, bytes, 0, CAPTURE_LEVEL_MAX),
		     INT(alloc_site, calls, 0, CAPTURE_LEVEL_MAX), BOOL(alloc_site, inaccurate)}},
	{.table = "census_alloc_path",
	 ARRAY_AT(records.paths),
	 .rows_max = 4096,
	 .cost = COST_CENSUS_KIND,
	 .columns = {TEXT(alloc_path, source), TEXT(alloc_path, cache), TEXT(alloc_path, frames),
		     INT(alloc_path, bytes, 0, CAPTURE_LEVEL_MAX),
		     INT(alloc_path, nr, 0, CAPTURE_LEVEL_MAX)}},
	{.table = "census_holder",
	 ARRAY_AT(lenses.holders),
	 .rows_max = LENS_HOLDERS,
	 .cost = COST_CENSUS_OBJECT,
	 .columns = {LENS(lens_holder, lens), TEXT(lens_holder, what), TEXT(lens_holder, device),
		     TEXT(lens_holder, kind), TEXT(lens_holder, state), TEXT(lens_holder, family),
		     TEXT(lens_holder, comm), INT(lens_holder, processes, 0, UINT32_MAX),
		     INT(lens_holder, pid, 0, INT32_MAX),
		     INT(lens_holder, objects, 0, CAPTURE_LEVEL_MAX), REAL(lens_holder, held_kb, 0),
		     REAL(lens_holder, queued_kb, 0)}},
};

const size_t nr_census_forms = sizeof(census_forms) / sizeof(census_forms[0]);

int census_form_columns(const struct census_form *form)
{
	int nr = 2;

	for (const struct census_column *c = form->columns; c->size; c++)
		nr += c->type == COLUMN_SUM ? 3 : c->type == COLUMN_ESTIMATE ? 2 : 1;
	return nr;
}

const struct census_form *census_form_of(const char *table)
{
	for (size_t i = 0; i < nr_census_forms; i++)
		if (!strcmp(table, census_forms[i].table))
			return &census_forms[i];
	return NULL;
}
