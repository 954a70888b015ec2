/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the capture's writer and reader only: the schema's text, limits, the generic form of
 * levels, and the check of a file's first bytes. No other module may include it.
 */
#ifndef KMEMTRACE_CAPTURE_FORMAT_INTERNAL_H
#define KMEMTRACE_CAPTURE_FORMAT_INTERNAL_H

#include "capture/capture.h"

/* schema.sql, embedded at build. */
extern const char capture_schema[];
/* The schema version that brought a table. A capture of an older version is read without it. */
int capture_table_since(const char *table);
/* May a capture of any version lack it? The tables of a census, and of proofs, came within version
 * 3. */
bool capture_table_optional(const char *table);

/* Limits that the writer keeps. The reader refuses a file beyond them. */
#define CAPTURE_TEXT_MAX   (64 << 10) /* bytes of one string */
#define CAPTURE_NAME_MAX   4096 /* bytes of one name: all strings except command lines and facts */
#define CAPTURE_FRAMES_MAX 1024 /* frames of one stack */
#define CAPTURE_FACTS_MAX  1024 /* rows of meta; of hook; losses of one interval */
#define CAPTURE_ROWS_MAX   (4 << 20)          /* rows of one table */
#define CAPTURE_LEVEL_MAX  (INT64_C(1) << 53) /* largest level: a double holds it exactly */
#define CAPTURE_REAL_MAX   1e30

/*
 * Levels. The parts of a snapshot are stored alike: PART_name rows (a text and up to 3 numbers say
 * what the row is about) and PART_level rows (up to 5 values at one snapshot). Start and end
 * snapshots hold every row; a tick holds the rows that changed since the last snapshot that has the
 * part. A row that is gone has NULLs.
 */
enum level_part {
	LEVEL_MEMINFO,
	LEVEL_VMSTAT,
	LEVEL_SLAB,
	LEVEL_ZONE,
	LEVEL_VMALLOC,
	LEVEL_TASK,
	LEVEL_CGROUP, /* from schema version 2, as those below */
	LEVEL_BPF,
	LEVEL_BPF_HOLDER,
	LEVEL_NODE,
	LEVEL_PARTS
};

#define LEVEL_DIMS      3
#define LEVEL_VALUES    5
#define LEVEL_TEXT      128
#define LEVEL_NAME_BITS 20 /* PART_level.id = snapshot << LEVEL_NAME_BITS | PART_name.id */

struct level {
	char text[LEVEL_TEXT];
	int64_t dims[LEVEL_DIMS];
	int64_t values[LEVEL_VALUES];
};

struct level_form {
	const char *name;
	size_t text_size; /* size of the text field in struct snapshot */
	size_t row_size;  /* size of one row in struct snapshot */
	int nr_dims;
	int64_t dim_min[LEVEL_DIMS], dim_max[LEVEL_DIMS];
	int nr_values;
	int64_t value_min[LEVEL_VALUES];
};

extern const struct level_form level_forms[LEVEL_PARTS];

size_t level_count(const struct snapshot *s, enum level_part part);
/* Row i of a part in its generic form. Values out of range become value_min or
 * CAPTURE_LEVEL_MAX. */
void level_get(const struct snapshot *s, enum level_part part, size_t i, struct level *out);
/* Append a row; its text must fit the form. 0 or −ENOMEM. */
int level_push(struct snapshot *s, enum level_part part, const struct level *level);
/* The part's count of lines that could not be parsed; NULL for parts from LEVEL_TASK on. */
size_t *level_bad_lines(struct snapshot *s, enum level_part part);

/* "start", "tick", "end", by enum snapshot_kind. */
#define SNAPSHOT_KINDS 3
extern const char *const snapshot_kind_names[SNAPSHOT_KINDS];

/* The kind of file, by its first 100 bytes. */
enum capture_header {
	HEADER_CAPTURE,
	HEADER_EMPTY, /* empty: the recording was killed while creating it */
	HEADER_NOT_SQLITE,
	HEADER_NO_CAPTURE, /* another program's database */
	HEADER_NEWER,      /* user_version above ours */
	HEADER_DAMAGED     /* a capture's mark, but an impossible header */
};
enum capture_header capture_header_check(const uint8_t *head, size_t len);

#endif
