/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Captures that cost their reader as much as a file of a given size can: for each table, the rows
 * that take the fewest bytes in the file and the most in memory or time. They have the real schema,
 * and each value is in range, so nothing but a limit stops them. Made at test time, never stored.
 */
#ifndef TESTS_LIVE_HOSTILE_CAPTURES_H
#define TESTS_LIVE_HOSTILE_CAPTURES_H

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/format_internal.h"

/* 1 to ?1; SQL below names them i. ?2 is "a" in one of two captures and "b" in the other. */
#define EACH     "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) "
#define ZEROS_16 "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0"
/* A row of held that holds one object of one byte. */
#define HELD(interval, pool, cache, stack, process)                                       \
	"INSERT INTO held SELECT " interval ",'" pool "',''," cache "," stack "," process \
	",1,1,1,0,0,0,0,0," ZEROS_16 " FROM n;"
#define CHURN(interval, stack) \
	"INSERT INTO churn SELECT " interval ",'slab'," stack ",1,1,0,0,0,0 FROM n;"
/* The same level in both snapshots. */
#define LEVELS(part, values)                                                           \
	EACH "INSERT INTO " part "_level SELECT (1 << 20) + i," values " FROM n;" EACH \
	     "INSERT INTO " part "_level SELECT (2 << 20) + i," values " FROM n;"
/* One stack as deep as they may be, of one frame whose symbol is as long as it may be. */
#define DEEP_STACK(length)                                                                \
	"INSERT INTO frame VALUES (1, ?2 || printf('%." length "c', 'x'), 1, 'm', 'b');"  \
	"INSERT INTO stack VALUES (1, 0);"                                                \
	"WITH RECURSIVE d(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM d WHERE i < 1023) " \
	"INSERT INTO stack_frame SELECT 1, i, 1 FROM d;"

/* Two censuses; a cache and a cgroup of the first. */
#define CENSUS                                                                             \
	"INSERT INTO census VALUES (1, 'start', 1, 1, 1, 1000, 1000, 1, 4096, 0, 2, 0, 0," \
	" 0, 0, '', ''), (2, 'end', 1, 1, 1, 1000, 1000, 1, 4096, 0, 2, 0, 0, 0, 0, '', '');"
#define CENSUS_CACHE                                                                          \
	"INSERT INTO census_cache VALUES (1, 1, 'a', 8, 0, 0, 1,0,1, 0,0,0, 512,0,1, 9,0,1)," \
	" (2, 1, 'a', 8, 0, 0, 1,0,1, 0,0,0, 512,0,1, 9,0,1);"
#define CENSUS_CGROUP \
	"INSERT INTO census_cgroup VALUES (1, 1, '/a', 1, 0, 0, 1), (2, 1, '/a', 1, 0, 0, 1);"

static const struct hostile_kind {
	const char *name; /* of the table that is full, and how */
	const char *sql;
	size_t max;   /* units, where ids are limited; 0: as many as fit */
	size_t in_ci; /* units to test with; 0: none */
	int command;  /* of test_hostile_captures_stay_bounded.c, to test with */
} hostile_kinds[] = {
	{"held", EACH HELD("1", "slab", "0", "0", "0"), 0, 0, 0},
	{"held-mixed",
	 EACH "INSERT INTO stack SELECT i, 0 FROM n;" EACH
	      "INSERT INTO process SELECT i, i, '', '', 0 FROM n;" EACH
	      "INSERT INTO cache SELECT i, '', 1, 1, 0, 0, 0 FROM n;" EACH HELD("1", "slab", "i",
										"i", "i"),
	 0, 90000, 2},
	{"held-stacks",
	 EACH "INSERT INTO stack SELECT i, 0 FROM n;" EACH HELD("1", "slab", "0", "i", "0"), 0,
	 200000, 2},
	{"held-intervals",
	 "DELETE FROM interval;" EACH
	 "INSERT INTO interval SELECT i, 0, i FROM n;" EACH HELD("i", "slab", "0", "0", "0"),
	 0, 35000, 12},
	{"churn", EACH CHURN("1", "0"), 0, 0, 0},
	{"churn-stacks", EACH "INSERT INTO stack SELECT i, 0 FROM n;" EACH CHURN("1", "i"), 0,
	 50000, 13},
	{"cache-churn", EACH "INSERT INTO cache_churn SELECT 1, 0, 1, 0, 0 FROM n;", 0, 0, 0},
	{"caches",
	 EACH "INSERT INTO cache SELECT i, ?2 || i, 1, 1, 0, 0, 0 FROM n;" EACH
	      "INSERT INTO cache_alias SELECT i, '' FROM n;",
	 0, 150000, 2},
	{"aliases",
	 "INSERT INTO cache VALUES (1, 'c', 1, 1, 0, 0, 0);" EACH
	 "INSERT INTO cache_alias SELECT 1, ?2 || i FROM n;",
	 0, 250000, 2},
	{"stacks",
	 "INSERT INTO frame VALUES (1, 'f', 1, 'm', 'b');" EACH
	 "INSERT INTO stack SELECT i, 0 FROM n;" EACH
	 "INSERT INTO stack_frame SELECT i, 0, 1 FROM n;",
	 0, 0, 0},
	{"stacks-held",
	 "INSERT INTO frame VALUES (1, 'f' || ?2, 1, 'm', 'b');" EACH
	 "INSERT INTO stack SELECT i, 0 FROM n;" EACH
	 "INSERT INTO stack_frame SELECT i, 0, 1 FROM n;" EACH HELD("1", "slab", "0", "i", "0"),
	 0, 50000, 13},
	{"deep-stacks",
	 "INSERT INTO frame VALUES (1, 'f' || ?2, 1, 'm', 'b');" EACH
	 "INSERT INTO stack SELECT i, 0 FROM n WHERE i <= ?1 / 1024;" EACH
	 "INSERT INTO stack_frame SELECT (i - 1) / 1024 + 1, (i - 1) % 1024, 1 FROM n WHERE i <= ?1 / 1024 * 1024;" EACH
	 "INSERT INTO held SELECT 1,'slab','',0,i,0,1,1,1,0,0,0,0,0," ZEROS_16
	 " FROM n WHERE i <= ?1 / 1024;",
	 0, 375000, 13},
	{"deep-stack-held",
	 DEEP_STACK("1") EACH
	 "INSERT INTO process SELECT i, i, '', '', 0 FROM n;" EACH HELD("1", "slab", "0", "1", "i"),
	 0, 3500, 5},
	{"deep-stack-vmalloc",
	 DEEP_STACK("1") EACH
	 "INSERT INTO vmalloc_name SELECT i, 'c' || i, 0 FROM n WHERE i <= 1000;" EACH
	 "INSERT INTO vmalloc_level SELECT (1 << 20) + i, 1, 8192, 1 FROM n WHERE i <= 1000;" EACH
	 "INSERT INTO vmalloc_level SELECT (2 << 20) + i, 1, 8192, 1 FROM n WHERE i <= 1000;" EACH
		 HELD("1", "vmalloc", "0", "1", "0"),
	 0, 3000, 2},
	{"long-stack-held",
	 DEEP_STACK("4000") EACH
	 "INSERT INTO process SELECT i, i, '', '', 0 FROM n;" EACH HELD("1", "slab", "0", "1", "i"),
	 0, 20, 5},
	{"long-stacks-churn",
	 "INSERT INTO frame VALUES (1, ?2 || printf('%.4000c', 'x'), 1, 'm', 'b');" EACH
	 "INSERT INTO stack SELECT i, 0 FROM n;" EACH
	 "INSERT INTO stack_frame SELECT i, 0, 1 FROM n;" EACH CHURN("1", "i"),
	 0, 0, 0},
	{"frames", EACH "INSERT INTO frame SELECT i, '', i, '', ?2 || i FROM n;", 0, 175000, 14},
	{"long-frames",
	 EACH "INSERT INTO frame SELECT i, printf('%.4000c', 'x'), i, '', '' FROM n;", 0, 0, 0},
	{"processes", EACH "INSERT INTO process SELECT i, i, '', '', 0 FROM n;", 0, 0, 0},
	{"long-cmdline",
	 "INSERT INTO process VALUES (1, 1, 'p', printf('%.65000c', 'x'), 0);" EACH
	 "INSERT INTO stack SELECT i, 0 FROM n;" EACH HELD("1", "slab", "0", "i", "1"),
	 0, 1250, 2},
	{"long-comm",
	 "INSERT INTO process VALUES (1, 1, printf('%.4000c', 'x'), '', 0);" EACH
	 "INSERT INTO stack SELECT i, 0 FROM n;" EACH HELD("1", "slab", "0", "i", "1"),
	 0, 0, 0},
	{"long-cgroup",
	 "INSERT INTO cgroup VALUES (1, printf('%.4000c', '/'));" EACH
	 "INSERT INTO process SELECT i, i, '', '', 1 FROM n;" EACH HELD("1", "slab", "0", "0", "i"),
	 0, 10000, 6},
	{"long-cache",
	 "INSERT INTO cache VALUES (1, printf('%.4000c', 'x'), 1, 1, 0, 0, 0);" EACH
	 "INSERT INTO stack SELECT i, 0 FROM n;" EACH HELD("1", "slab", "1", "i", "0"),
	 0, 0, 0},
	{"cgroups", EACH "INSERT INTO cgroup SELECT i, '/' || ?2 || i FROM n;", 0, 0, 0},
	{"hooks", EACH "INSERT INTO hook SELECT '', 'slab', '', '', '' FROM n;", 0, 0, 0},
	{"intervals", "DELETE FROM interval;" EACH "INSERT INTO interval SELECT i, 0, 1 FROM n;", 0,
	 0, 0},
	{"interval-each",
	 "DELETE FROM interval;" EACH "INSERT INTO interval SELECT i, 0, 10 FROM n;" EACH
	 "INSERT INTO process SELECT i, i, '', '', 0 FROM n;" EACH HELD("i", "slab", "0", "0", "i")
		 EACH CHURN("i", "0") EACH
	 "INSERT INTO cache_churn SELECT i, 0, 1, 0, 0 FROM n;" EACH
	 "INSERT INTO loss SELECT i, '', 1 FROM n;",
	 0, 37500, 2},
	{"losses", EACH "INSERT INTO loss SELECT 1, ?2 || i, 1 FROM n;", 0, 0, 0},
	{"meta", EACH "INSERT INTO meta SELECT 'k' || i, '' FROM n;", 0, 0, 0},
	{"snapshots",
	 "DELETE FROM snapshot;" EACH
	 "INSERT INTO snapshot SELECT i, 'tick', 0, 0, 63, 0, 0, 0, 0, 0 FROM n;"
	 "INSERT INTO slab_name VALUES (1, 's', 1, 1, 1);" EACH
	 "INSERT INTO slab_level SELECT (i << 20) + 1, 1, 1, 1, 1, 0 FROM n;",
	 0, 0, 0},
	{"meminfo",
	 EACH "INSERT INTO meminfo_name SELECT i + 2, ?2 || i FROM n;" EACH
	      "INSERT INTO meminfo_level SELECT (1 << 20) + 2 + i, 1 FROM n;" EACH
	      "INSERT INTO meminfo_level SELECT (2 << 20) + 2 + i, 1 FROM n;",
	 1000000, 125000, 13},
	{"vmstat", EACH "INSERT INTO vmstat_name SELECT i, ?2 || i FROM n;" LEVELS("vmstat", "1"),
	 1000000, 0, 0},
	{"slabs",
	 EACH
	 "INSERT INTO slab_name SELECT i, ?2 || i, 1, 1, 1 FROM n;" LEVELS("slab", "1,1,1,1,0"),
	 1000000, 20000, 13},
	{"slab-ticks",
	 "DELETE FROM snapshot;" EACH
	 "INSERT INTO snapshot SELECT i, 'start', i, i, 63, 0, 0, 0, 0, 0 FROM n WHERE i <= 600;" EACH
	 "INSERT INTO slab_name SELECT i, ?2 || i, 1, 1, 1 FROM n WHERE i <= ?1 / 600 + 1;" EACH
	 "INSERT INTO slab_level SELECT ((i * 600 / ?1 + 1) << 20) + i % (?1 / 600) + 1, 1, 1, 1, i % 9, 0 FROM n "
	 "WHERE i < ?1 GROUP BY 1;",
	 0, 150000, 2},
	{"zones",
	 EACH "INSERT INTO zone_name SELECT i, ?2 || i, i FROM n;" LEVELS("zone", "1,1,1,1,1"),
	 1000000, 0, 0},
	{"vmallocs",
	 EACH "INSERT INTO vmalloc_name SELECT i, ?2 || i, 0 FROM n;" LEVELS("vmalloc", "1,8192,1"),
	 1000000, 55000, 13},
	{"tasks",
	 EACH
	 "INSERT INTO task_name SELECT i, ?2 || i, i, i FROM n;" LEVELS("task", "1,16384,4096"),
	 1000000, 55000, 13},
	{"tasks-cgroup",
	 "INSERT INTO cgroup VALUES (1, printf('%.4000c', '/'));INSERT INTO process VALUES (1, 7, 'p', '', 1);" EACH
	 "INSERT INTO task_name SELECT i, '', 7, 0 FROM n;" LEVELS("task", "1,16384,4096"),
	 1000000, 110000, 16},
	{"task-ticks",
	 "DELETE FROM snapshot;" EACH
	 "INSERT INTO snapshot SELECT i, 'start', i, i, 63, 0, 0, 0, 0, 0 FROM n WHERE i <= 600;" EACH
	 "INSERT INTO task_name SELECT i, ?2 || i, i, i FROM n WHERE i <= ?1 / 600 + 1;" EACH
	 "INSERT INTO task_level SELECT ((i * 600 / ?1 + 1) << 20) + i % (?1 / 600) + 1, 1, 1, 1 FROM n "
	 "WHERE i < ?1 GROUP BY 1;",
	 0, 0, 0},
	{"bpf",
	 "UPDATE snapshot SET parts = 1023;" EACH
	 "INSERT INTO bpf_name SELECT i, 'hash ' || ?2 || i, 0, i FROM n;" LEVELS("bpf",
										  "1,1,1,1,0") EACH
	 "INSERT INTO bpf_holder_name SELECT i, ?2 || i, 0, i, 0 FROM n;" LEVELS("bpf_holder", "1"),
	 1000000, 100000, 2},
	{"cgroup-counts",
	 "UPDATE snapshot SET parts = 1023;" EACH
	 "INSERT INTO cgroup_count_name SELECT i, ?2 || i, i FROM n;" LEVELS("cgroup_count", "1,1"),
	 1000000, 500000, 2},
	{"nodes",
	 "UPDATE snapshot SET parts = 1023;" EACH
	 "INSERT INTO node_name SELECT i, ?2 || i, i % 64 FROM n;" LEVELS("node", "1"),
	 1000000, 600000, 2},
	{"census-charges",
	 CENSUS CENSUS_CACHE CENSUS_CGROUP EACH
	 "INSERT INTO census_charge SELECT 1, i, 1, 'slab', 1, i, 0, 1 FROM n;" EACH
	 "INSERT INTO census_charge SELECT 2, i, 1, 'slab', 1, i, 0, 1 FROM n;",
	 2000000, 40000, 2},
	{"census-cgroups",
	 CENSUS EACH
	 "INSERT INTO census_cgroup SELECT 1, i, '/' || ?2 || i, i, 0, 0, 1 FROM n;" EACH
	 "INSERT INTO census_cgroup SELECT 2, i, '/' || ?2 || i, i, 0, 0, 1 FROM n;" EACH
	 "INSERT INTO census_charge SELECT 1, i, 0, 'file', i, i, 0, 1 FROM n;" EACH
	 "INSERT INTO census_charge SELECT 2, i, 0, 'file', i, i, 0, 1 FROM n;",
	 1000000, 20000, 2},
	{"census-nodes",
	 CENSUS EACH
	 "INSERT INTO census_cache SELECT 1, i, ?2 || i, 8, 0, 0, 1,0,1, 0,0,0, 512,0,1, "
	 "i,0,1 FROM n WHERE i <= 8192;" EACH
	 "INSERT INTO census_node SELECT 1, i, 1 + i * 8192 / (?1 + 1), i % 64, 1, 0, 1 FROM n;",
	 1000000, 60000, 2},
	{"census-paths",
	 CENSUS EACH
	 "INSERT INTO stack SELECT i, 0 FROM n;" EACH
	 "INSERT INTO census_cache SELECT 1, i, ?2 || i, 8, 0, 0, 1,0,1, 0,0,0, 512,0,1, "
	 "i,0,1 FROM n WHERE i <= 2048;" EACH
	 "INSERT INTO census_kind SELECT 1, i, i, 1, 1, 2, 1, ?2 || i, 1, '', 0, '', 0, '', '', '0:->' || ?2 || i, 0, 0 "
	 "FROM n WHERE i <= 2048;" EACH
	 "INSERT INTO census_kind_sample SELECT 1, i, i, 1, 1, 0 FROM n WHERE i <= 2048;" EACH
	 "INSERT INTO census_path SELECT 1, i, i % 2048 + 1, i % 2048 + 1, i, 1, 1, 1, 1 FROM n;",
	 65536, 65536, 2},
	{"everything",
	 EACH "INSERT INTO frame SELECT i, ?2 || i, i, 'm', ?2 || i FROM n;" EACH
	      "INSERT INTO stack SELECT i, 0 FROM n;" EACH
	      "INSERT INTO stack_frame SELECT i, 0, i FROM n;" EACH
	      "INSERT INTO cgroup SELECT i, ?2 || i FROM n;" EACH
	      "INSERT INTO process SELECT i, i, ?2 || i, ?2 || i, i FROM n;" EACH
	      "INSERT INTO cache SELECT i, ?2 || i, 1, 1, 0, 0, 0 FROM n;" EACH
	      "INSERT INTO cache_alias SELECT i, i FROM n;" EACH HELD("1", "slab", "i", "i", "i")
		      EACH CHURN("1", "i") EACH
	 "INSERT INTO cache_churn SELECT 1, i, 1, 0, 0 FROM n;" EACH
	 "INSERT INTO slab_name SELECT i, ?2 || i, 1, 1, 1 FROM n;" LEVELS("slab", "1,1,1,1,0") EACH
	 "INSERT INTO task_name SELECT i, ?2 || i, i, i FROM n;" LEVELS("task", "1,16384,4096") EACH
	 "INSERT INTO vmalloc_name SELECT i, ?2 || i, 0 FROM n;" LEVELS("vmalloc", "1,8192,1"),
	 1000000, 0, 0},
};

#define HOSTILE_KINDS (sizeof(hostile_kinds) / sizeof(hostile_kinds[0]))

/* What every capture has: two snapshots between which Slab grows, and one interval. */
static const char hostile_base[] =
	"INSERT INTO meta VALUES ('mode', 'exact'), ('page_size', '4096'), ('cpus_online', '2'), ('complete', '1'),"
	" ('kernel_build_id', ?2);"
	"INSERT INTO snapshot VALUES (1, 'start', 0, 0, 63, 0, 0, 0, 0, 0), (2, 'end', 10, 10, 63, 0, 0, 0, 0, 0);"
	"INSERT INTO meminfo_name VALUES (1, 'MemTotal'), (2, 'Slab');"
	"INSERT INTO meminfo_level VALUES ((1 << 20) + 1, 4000000), ((1 << 20) + 2, 100000),"
	" ((2 << 20) + 1, 4000000), ((2 << 20) + 2, 200000);"
	"INSERT INTO hook VALUES ('kmem:kmalloc', 'slab', 'raw_tp', '', '');"
	"INSERT INTO interval VALUES (1, 0, 10);";

static void hostile_exec(sqlite3 *db, const char *sql, size_t n, const char *which)
{
	while (*sql) {
		sqlite3_stmt *stmt = NULL;

		if (sqlite3_prepare_v2(db, sql, -1, &stmt, &sql) != SQLITE_OK) {
			fprintf(stderr, "%s: %.80s\n", sqlite3_errmsg(db), sql);
			abort();
		}
		sqlite3_bind_int64(stmt, 1, (sqlite3_int64)n);
		sqlite3_bind_text(stmt, 2, which, -1, SQLITE_STATIC);
		if (stmt && sqlite3_step(stmt) != SQLITE_DONE) {
			fprintf(stderr, "%s: %.80s\n", sqlite3_errmsg(db), sqlite3_sql(stmt));
			abort();
		}
		sqlite3_finalize(stmt);
	}
}

/* Bytes of the file made of n units. */
static size_t hostile_write(const struct hostile_kind *kind, size_t n, const char *which,
			    const char *path)
{
	sqlite3 *db;
	sqlite3_stmt *stmt = NULL;
	size_t bytes;
	char sql[160];

	unlink(path);
	if (sqlite3_open(path, &db) != SQLITE_OK)
		abort();
	snprintf(sql, sizeof(sql), "PRAGMA application_id = %d; PRAGMA user_version = %d",
		 CAPTURE_APPLICATION_ID, CAPTURE_SCHEMA_VERSION);
	if (sqlite3_exec(db, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN", NULL,
			 NULL, NULL) ||
	    sqlite3_exec(db, sql, NULL, NULL, NULL) ||
	    sqlite3_exec(db, capture_schema, NULL, NULL, NULL))
		abort();
	hostile_exec(db, hostile_base, n, which);
	hostile_exec(db, kind->sql, n, which);
	if (sqlite3_prepare_v2(db, "SELECT * FROM pragma_page_count", -1, &stmt, NULL) !=
		    SQLITE_OK ||
	    sqlite3_step(stmt) != SQLITE_ROW)
		abort();
	bytes = (size_t)sqlite3_column_int64(stmt, 0) * 4096;
	sqlite3_finalize(stmt);
	if (sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) || sqlite3_close(db))
		abort();
	return bytes;
}

/* A capture of this kind, as near to `bytes` as its ids allow. How many units it has, and its size.
 */
static size_t hostile_make(const struct hostile_kind *kind, size_t bytes, const char *which,
			   const char *path, size_t *size)
{
	size_t few = 3000, n = 60000, max = kind->max ? kind->max : CAPTURE_ROWS_MAX - 100;
	size_t base = hostile_write(kind, few, which, path),
	       unit = hostile_write(kind, n, which, path) - base;

	if (unit)
		n = (size_t)((double)(bytes - base) / (double)unit * (double)(n - few));
	n = n < max ? n : max;
	*size = hostile_write(kind, n, which, path);
	return n;
}

static inline const struct hostile_kind *hostile_find(const char *name)
{
	for (size_t k = 0; k < HOSTILE_KINDS; k++)
		if (!strcmp(hostile_kinds[k].name, name))
			return &hostile_kinds[k];
	abort();
}

#endif
