// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parts of the capture room that neither write nor read: names of pools, look-ups in what was
 * read, releasing it, and the judgement of a file's first bytes.
 */
#include "capture/capture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "capture/format.h"

const char capture_schema[] =
#include "schema.sql.h"
	;

const char *const snapshot_kind_names[SNAPSHOT_KINDS] = {
	[SNAPSHOT_START] = "start",
	[SNAPSHOT_TICK] = "tick",
	[SNAPSHOT_END] = "end",
};

static const char *const pool_names[POOLS] = {
	[POOL_SLAB] = "slab",	  [POOL_VMALLOC] = "vmalloc",	  [POOL_PERCPU] = "percpu",
	[POOL_KSTACK] = "kstack", [POOL_PAGETABLE] = "pagetable", [POOL_PAGE] = "page",
};

const char *pool_name(enum pool pool)
{
	return (unsigned int)pool < POOLS ? pool_names[pool] : "unknown";
}

int pool_parse(const char *name, enum pool *out)
{
	for (unsigned int i = 0; i < POOLS; i++) {
		if (strcmp(name, pool_names[i]))
			continue;
		*out = i;
		return 0;
	}
	return -EINVAL;
}

const char *capture_meta(const struct capture *c, const char *key)
{
	for (size_t i = 0; i < c->meta.nr; i++)
		if (!strcmp(c->meta.items[i].key, key))
			return c->meta.items[i].value;
	return "";
}

double capture_meta_number(const struct capture *c, const char *key, double missing)
{
	const char *text = capture_meta(c, key);
	char *end;
	double v = strtod(text, &end);

	return end == text || *end || v != v || v - v != 0 ? missing : v;
}

static void interval_free(struct cap_interval *i)
{
	for (size_t n = 0; n < i->losses.nr; n++)
		free(i->losses.items[n].name);
	ARRAY_FREE(&i->held);
	ARRAY_FREE(&i->churn);
	ARRAY_FREE(&i->cache_churn);
	ARRAY_FREE(&i->losses);
}

static void caches_free(struct cap_cache *caches, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		free(caches[i].name);
		for (size_t n = 0; n < caches[i].aliases.nr; n++)
			free(caches[i].aliases.items[n]);
		ARRAY_FREE(&caches[i].aliases);
	}
	free(caches);
}

static void who_and_where_free(struct capture *c)
{
	for (size_t i = 0; i < c->nr_frames; i++) {
		free(c->frames[i].symbol);
		free(c->frames[i].module);
		free(c->frames[i].build_id);
	}
	free(c->frames);
	for (size_t i = 0; i < c->nr_stacks; i++)
		free(c->stacks[i].frames);
	free(c->stacks);
	caches_free(c->caches, c->nr_caches);
	for (size_t i = 0; i < c->nr_processes; i++) {
		free(c->processes[i].comm);
		free(c->processes[i].cmdline);
	}
	free(c->processes);
	for (size_t i = 0; i < c->nr_cgroups; i++)
		free(c->cgroups[i]);
	free(c->cgroups);
}

void capture_free(struct capture *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->meta.nr; i++) {
		free(c->meta.items[i].key);
		free(c->meta.items[i].value);
	}
	ARRAY_FREE(&c->meta);
	for (size_t i = 0; i < c->nr_snapshots; i++)
		snapshot_free(&c->snapshots[i]);
	free(c->snapshots);
	who_and_where_free(c);
	for (size_t i = 0; i < c->nr_hooks; i++) {
		free(c->hooks[i].name);
		free(c->hooks[i].how);
		free(c->hooks[i].reason);
		free(c->hooks[i].cost);
	}
	free(c->hooks);
	for (size_t i = 0; i < c->nr_intervals; i++)
		interval_free(&c->intervals[i]);
	free(c->intervals);
	free(c);
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
	/* user_version; not WAL, which would make SQLite write beside the file; UTF-8. */
	if (header_u32(head, 60) != CAPTURE_SCHEMA_VERSION || head[18] != 1 || head[19] != 1 ||
	    header_u32(head, 56) != 1)
		return HEADER_DAMAGED;
	return HEADER_CAPTURE;
}

char *capture_sqlite_path(const char *path)
{
	char *out;

	return asprintf(&out, "%s%s", path[0] == '/' ? "" : "./", path) < 0 ? NULL : out;
}

char *capture_journal_path(const char *path)
{
	char *out;

	return asprintf(&out, "%s-journal", path) < 0 ? NULL : out;
}
