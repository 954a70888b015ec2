// SPDX-License-Identifier: GPL-2.0-only
/* Checks the first bytes of a capture file; shared by writer and reader. See format_internal.h. */
#include "capture/format_internal.h"

#include <stdio.h>
#include <string.h>

const char capture_schema[] =
#include "schema.sql.h"
	;

const char *const snapshot_kind_names[SNAPSHOT_KINDS] = {
	[SNAPSHOT_START] = "start",
	[SNAPSHOT_TICK] = "tick",
	[SNAPSHOT_END] = "end",
};

int capture_table_since(const char *table)
{
	static const struct {
		const char *table;
		int since;
	} later[] = {
		{"bpf_name", 2},          {"bpf_level", 2},          {"bpf_holder_name", 2},
		{"bpf_holder_level", 2},  {"node_name", 2},          {"node_level", 2},
		{"cgroup_count_name", 2}, {"cgroup_count_level", 2}, {"held_missed", 3},
		{"churn_var", 3},
	};

	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++)
		if (!strcmp(table, later[i].table))
			return later[i].since;
	return 1;
}

bool capture_table_optional(const char *table)
{
	return !strncmp(table, "census", strlen("census")) ||
	       !strncmp(table, "proof", strlen("proof"));
}

/* Offsets are those of https://sqlite.org/fileformat.html, section 1.3. */
static uint32_t header_u32(const uint8_t *head, size_t offset)
{
	return (uint32_t)head[offset] << 24 | head[offset + 1] << 16 | head[offset + 2] << 8 |
	       head[offset + 3];
}

enum capture_header capture_header_check(const uint8_t *head, size_t len)
{
	if (!len)
		return HEADER_EMPTY;
	if (len < 100 || memcmp(head, "SQLite format 3", 16))
		return HEADER_NOT_SQLITE;
	if (header_u32(head, 68) != CAPTURE_APPLICATION_ID)
		return HEADER_NO_CAPTURE;
	if (header_u32(head, 60) > CAPTURE_SCHEMA_VERSION)
		return HEADER_NEWER;
	/* user_version; no WAL, because SQLite would then write files beside it; UTF-8 */
	if (!header_u32(head, 60) || head[18] != 1 || head[19] != 1 || header_u32(head, 56) != 1)
		return HEADER_DAMAGED;
	return HEADER_CAPTURE;
}
