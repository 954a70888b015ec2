/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tables of a census in a capture, as data: writer_census.c and reader_census.c follow this
 * list and know no table by name. To store more of a census, add an array of plain rows to struct
 * census, the table to schema.sql, and its form to census_tables.c: nothing else. Shared by the
 * capture's writer and reader only.
 */
#ifndef KMEMTRACE_CAPTURE_CENSUS_TABLES_INTERNAL_H
#define KMEMTRACE_CAPTURE_CENSUS_TABLES_INTERNAL_H

#include "data/census.h"

enum column_type {
	COLUMN_TEXT,     /* char[max] */
	COLUMN_BOOL,     /* bool */
	COLUMN_INT,      /* an integer of `size` bytes, signed if `min` is below 0 */
	COLUMN_REAL,     /* double, not below `min` */
	COLUMN_NAMES,    /* char[KIND_NAMES][KIND_NAME_MAX], stored with blanks between them */
	COLUMN_SUM,      /* struct census_sum: three columns */
	COLUMN_ESTIMATE, /* struct lens_sum: two columns, the value and its variance */
	COLUMN_LENS,     /* enum lens, stored as its name */
	COLUMN_CLASS,    /* enum census_class, stored as its name */
	COLUMN_STACK,    /* uint32_t, id of a stack of the capture */
	COLUMN_ROW,      /* uint32_t, index of a row of an earlier table; stored from 1 */
};

struct census_column {
	enum column_type type;
	size_t offset, size;
	int64_t min, max;
	size_t target; /* COLUMN_ROW: offset in struct census of the number of rows referred to */
	bool optional; /* COLUMN_ROW: UINT32_MAX is "none", stored as 0 */
};

#define CENSUS_COLUMNS_MAX 24

struct census_form {
	const char *table;
	size_t items, nr, cap; /* offsets in struct census of the members of its array */
	size_t row_size;
	uint64_t rows_max; /* of one census */
	size_t cost;       /* bytes that a row takes in a report or a diff, at most */
	struct census_column columns[CENSUS_COLUMNS_MAX]; /* the last one has size 0 */
};

extern const struct census_form census_forms[];
extern const size_t nr_census_forms;

/* Columns of the table in SQL, with the two that each has: census, number. */
int census_form_columns(const struct census_form *form);
/* The form of a table; NULL: it is none of these. */
const struct census_form *census_form_of(const char *table);

/* The member nr or cap of an array. */
static inline size_t *census_nr_at(struct census *c, size_t offset)
{
	return (size_t *)((char *)c + offset);
}

static inline size_t census_nr(const struct census *c, size_t offset)
{
	return *(const size_t *)((const char *)c + offset);
}

#define CENSUS_LINES_MAX 1024 /* rows of census_line of one census */

/* A figure of /proc that a census keeps, in each of its two snapshots. */
#define CENSUS_LINE_PCP "pcp" /* of zoneinfo: free pages on all CPUs' lists */

#endif
