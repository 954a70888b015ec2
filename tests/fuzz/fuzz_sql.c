// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer entry that knows the structure of a capture. The input is a list of edits, which are
 * made to an honest capture in SQL, as somebody with sqlite3 could. The result must be refused, or
 * shown by report, diff and balance. Unlike random bytes, the edits pass the first checks, so the
 * model sees odd values in valid tables. Run it with scripts/fuzz.sh sql.
 *
 * The input is a struct header, then any number of struct edit. To store NULL and values of a wrong
 * type where the schema forbids them, captures are edited under a looser schema (loosen[]). In the
 * end the text of the true schema is restored.
 */
#include <dirent.h>
#include <limits.h>
#include <math.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "capture/capture.h"
#include "fuzz.h"
#include "capture_input.h"

struct header {
	uint8_t seed, by, show, from, to, other, compare, stage;
};

struct edit {
	uint8_t op, table, column, nr;
	uint8_t row[2];
	uint8_t kind, more;
	uint8_t value[8];
};

#define EDITS_MAX   12
#define TABLES_MAX  96
#define COLUMNS_MAX 40
#define SEEDS_MAX   8
#define MANY        3000 /* rows one edit may add */
#define SEED_SMALL  65536

struct seed {
	char *name;
	void *image; /* loosened */
	size_t size;
	uint32_t rows[TABLES_MAX];
	struct capture_input honest;
};

struct table {
	char *name;
	char *columns[COLUMNS_MAX];
	char types[COLUMNS_MAX]; /* I, R, T; P: the primary key */
	size_t nr;
	bool has_id; /* the first column has consecutive ids from 1 */
};

static struct seed seeds[SEEDS_MAX];
static size_t nr_seeds;
static struct table tables[TABLES_MAX];
static size_t nr_tables;
static const char *path;

/* ---- SQL ---- */

static bool sql(sqlite3 *db, const char *text)
{
	return sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK;
}

static void must(sqlite3 *db, const char *text)
{
	if (!sql(db, text))
		fuzz_die("%s: %s", text, sqlite3_errmsg(db));
}

static const char *const loosen[] = {
	"UPDATE sqlite_master SET sql=replace(sql, ' INTEGER NOT NULL', ' BLOB_I DEFAULT NULL') WHERE type='table'",
	"UPDATE sqlite_master SET sql=replace(sql, ' REAL NOT NULL', ' BLOB_R DEFAULT NULL') WHERE type='table'",
	"UPDATE sqlite_master SET sql=replace(sql, ' TEXT NOT NULL', ' BLOB_T DEFAULT NULL') WHERE type='table'",
};
static const char *const tighten[] = {
	"UPDATE sqlite_master SET sql=replace(sql, ' BLOB_I DEFAULT NULL', ' INTEGER NOT NULL') WHERE type='table'",
	"UPDATE sqlite_master SET sql=replace(sql, ' BLOB_R DEFAULT NULL', ' REAL NOT NULL') WHERE type='table'",
	"UPDATE sqlite_master SET sql=replace(sql, ' BLOB_T DEFAULT NULL', ' TEXT NOT NULL') WHERE type='table'",
};

static int64_t one_integer(sqlite3 *db, const char *text)
{
	sqlite3_stmt *stmt = NULL;
	int64_t v = 0;

	if (sqlite3_prepare_v2(db, text, -1, &stmt, NULL) == SQLITE_OK &&
	    sqlite3_step(stmt) == SQLITE_ROW)
		v = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return v;
}

static void learn_columns(sqlite3 *db, struct table *t)
{
	sqlite3_stmt *stmt = NULL;
	char text[128];

	snprintf(text, sizeof(text), "PRAGMA table_info(%s)", t->name);
	if (sqlite3_prepare_v2(db, text, -1, &stmt, NULL) != SQLITE_OK)
		fuzz_die("%s", text);
	while (sqlite3_step(stmt) == SQLITE_ROW && t->nr < COLUMNS_MAX) {
		const char *type = (const char *)sqlite3_column_text(stmt, 2);

		t->columns[t->nr] = strdup((const char *)sqlite3_column_text(stmt, 1));
		t->types[t->nr] = sqlite3_column_int(stmt, 5) ? 'P'
				  : type[0] == 'B'            ? type[5]
							      : type[0];
		t->nr++;
	}
	t->has_id = !strcmp(t->columns[0], "id");
	sqlite3_finalize(stmt);
}

static void learn_tables(sqlite3 *db)
{
	sqlite3_stmt *stmt = NULL;

	if (sqlite3_prepare_v2(db, "SELECT name FROM sqlite_master WHERE type='table'", -1, &stmt,
			       NULL) != SQLITE_OK)
		fuzz_die("no schema");
	while (sqlite3_step(stmt) == SQLITE_ROW && nr_tables < TABLES_MAX) {
		tables[nr_tables].name = strdup((const char *)sqlite3_column_text(stmt, 0));
		learn_columns(db, &tables[nr_tables++]);
	}
	sqlite3_finalize(stmt);
}

static void add_seed(const char *dir, const char *name)
{
	struct seed *s = &seeds[nr_seeds++];
	sqlite3_int64 size;
	char text[PATH_MAX];
	sqlite3 *db;

	snprintf(text, sizeof(text), "%s/%s", dir, name);
	s->name = strdup(name);
	if (capture_input_read(text, NAN, NAN, &s->honest) || sqlite3_open(text, &db) != SQLITE_OK)
		fuzz_die("%s cannot be read", text);
	must(db, "PRAGMA journal_mode=OFF; PRAGMA writable_schema=ON; BEGIN");
	for (size_t i = 0; i < sizeof(loosen) / sizeof(loosen[0]); i++)
		must(db, loosen[i]);
	s->image = sqlite3_serialize(db, "main", &size, 0);
	s->size = (size_t)size;
	must(db, "ROLLBACK");
	if (!nr_tables)
		learn_tables(db);
	for (size_t i = 0; i < nr_tables; i++) {
		snprintf(text, sizeof(text), "SELECT count(*) FROM %s", tables[i].name);
		s->rows[i] = (uint32_t)one_integer(db, text);
	}
	sqlite3_close(db);
}

static int is_file(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t size_a, const uint8_t *b, size_t size_b,
				 uint8_t *out, size_t max_size, unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char dir[] = FUZZ_SEEDS "/capture";
	struct dirent **entries = NULL;
	int nr = scandir(dir, &entries, is_file, alphasort);

	(void)argc;
	(void)argv;
	if (nr < 1 || nr > SEEDS_MAX)
		fuzz_die("%s must hold 1 to %d captures: make fuzz", dir, SEEDS_MAX);
	for (int i = 0; i < nr; i++) {
		add_seed(dir, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	fuzz_quiet();
	path = fuzz_file("sql");
	return 0;
}

/* ---- values ---- */

static uint64_t value_bits(const struct edit *e)
{
	uint64_t v;

	memcpy(&v, e->value, sizeof(v));
	return v;
}

static int64_t some_integer(const struct edit *e)
{
	static const int64_t known[] = {0,
					1,
					-1,
					2,
					4095,
					4096,
					INT32_MAX,
					-INT64_C(2147483648),
					UINT32_MAX,
					INT64_C(1) << 32,
					INT64_C(1) << 40,
					(INT64_C(1) << 53) - 1,
					INT64_C(1) << 53,
					(INT64_C(1) << 53) + 1,
					INT64_MAX,
					INT64_MIN};

	if (e->more & 0x80)
		return known[e->more % 16];
	if (e->more & 0x40)
		return (int64_t)value_bits(e);
	return (int64_t)(value_bits(e) & 0xffff) << (e->more & 0x1f);
}

static double some_real(const struct edit *e)
{
	static const double known[] = {0,       -0.0, 1,
				       0.5,     -1,   5e-324,
				       1e-30,   1e-9, 1e9,
				       1e12,    1e15, 9.007199254740993e15,
				       1e20,    1e30, 1.0000001e30,
				       HUGE_VAL};
	double v;

	if (e->more & 0x80)
		return known[e->more % 16];
	if (e->more & 0x40) {
		memcpy(&v, e->value, sizeof(v)); /* also NaN, which SQLite turns into NULL */
		return v;
	}
	return ldexp((double)(value_bits(e) & 0xffff), (e->more & 0x3f) - 16);
}

static const char *const known_texts[] = {
	"",
	"slab",
	"vmalloc",
	"percpu",
	"kstack",
	"pagetable",
	"page",
	"start",
	"tick",
	"end",
	"exact",
	"sampled",
	"focused",
	"ok",
	"1",
	"0",
	"vmlinux",
	"[unknown]",
	"raw_tp",
	"thread",
	"pte",
	"vmap",
	"\x1b]0;owned\x07\x1b[2J\xff\xfe\xe2\x80\xae<script>&\"'\r\n",
	"\xc3(",
	"\xed\xa0\x80",
	"\xf4\x90\x80\x80",
	("\xc2\x9b"
	 "31m"),
	"\xe2\x80\xa8\xe2\x81\xa6",
	"%s%n%1$s",
	"a\tb\nc\rd",
	"../../etc/passwd",
	"$(reboot) `x` 'y'",
	"MemTotal",
	"MemFree",
	"MemAvailable",
	"Slab",
	"SReclaimable",
	"SUnreclaim",
	"KernelStack",
	"PageTables",
	"SecPageTables",
	"VmallocUsed",
	"Percpu",
	"Balloon",
	"HardwareCorrupted",
	"Cached",
	"Buffers",
	"AnonPages",
	"AnonHugePages",
	"Shmem",
	"Mapped",
	"SwapCached",
	"Active",
	"Inactive",
	"Unevictable",
	"Hugetlb",
	"HugePages_Total",
	"Hugepagesize",
	"Zswap",
	"Zswapped",
	"Dirty",
	"Writeback",
	"KReclaimable",
	"CmaFree",
	"Unaccepted",
	"nr_memmap_pages",
	"pgfault",
	"drop_pagecache",
	"kmalloc-1k",
	"kmalloc-rnd-07-1k",
	"kmalloc-large",
	"dentry",
	"kworker/0:1",
	"[interrupt]",
	"/system.slice/docker-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope",
	"/kubepods.slice/kubepods-pod01234567_89ab_cdef_0123_456789abcdef.slice/x",
	"__x64_sys_read",
	"entry_SYSCALL_64",
	"asm_exc_page_fault",
	"process_one_work",
	"kthread",
	"handle_softirqs",
	"alloc_pipe_info",
	"recursion_misses",
	"live_table_full",
	"audit_judged",
	"audit_live",
	"unknown_frees",
	"reused_addresses",
	"stack_map_full",
	"events_paused",
	"not_watched_ms",
	"dup_task_struct+0x1f/0x30",
	"kernel_clone+0x97/0x3c0"};
#define KNOWN_TEXTS (sizeof(known_texts) / sizeof(known_texts[0]))

/* A figure as text. fuzz_check_text() would mistake it for an invalid figure, so it is used only
 * for columns that are not names. */
static const char *const number_texts[] = {"nan",
					   "inf",
					   "-inf",
					   "-1",
					   "0",
					   "1e999",
					   "1e308",
					   "-0",
					   "0x10",
					   " 7",
					   "7 ",
					   "1e-320",
					   "9007199254740993",
					   "4096",
					   "1",
					   "2.5",
					   "1e30",
					   "65536"};

static void bind_text(sqlite3_stmt *stmt, const struct edit *e)
{
	char raw[9] = "";

	if (e->more & 0x80 || !e->value[0]) {
		sqlite3_bind_text(stmt, 1, known_texts[(e->value[1] + e->more) % KNOWN_TEXTS], -1,
				  SQLITE_STATIC);
		return;
	}
	memcpy(raw, e->value, 8);
	for (size_t i = 0; i < 8; i++)
		if (strchr("nNiI", raw[i])) /* never write the word "nan" or "inf" */
			raw[i] = '_';
	sqlite3_bind_text(stmt, 1, raw, raw[7] || e->more & 0x40 ? 8 : -1, SQLITE_TRANSIENT);
}

enum kind {
	KIND_TYPED,
	KIND_SCALE,
	KIND_ADD,
	KIND_OTHER_ROW,
	KIND_NULL,
	KIND_INTEGER,
	KIND_REAL,
	KIND_TEXT,
	KIND_BLOB,
	KIND_LONG,
	KIND_AS_TEXT,
	KIND_OTHER_COLUMN
};

static enum kind kind_of(const struct edit *e)
{
	static const enum kind kinds[] = {
		KIND_TYPED,     KIND_TYPED,     KIND_TYPED, KIND_TYPED,   KIND_TYPED,
		KIND_TYPED,     KIND_SCALE,     KIND_SCALE, KIND_ADD,     KIND_ADD,
		KIND_OTHER_ROW, KIND_OTHER_ROW, KIND_NULL,  KIND_INTEGER, KIND_REAL,
		KIND_TEXT,      KIND_BLOB,      KIND_LONG,  KIND_AS_TEXT, KIND_OTHER_COLUMN};

	return kinds[e->kind % (sizeof(kinds) / sizeof(kinds[0]))];
}

/* The new value of a column as an SQL expression; bind_value() binds ?1. */
static void value_expression(const struct edit *e, const struct table *t, size_t column, char *out,
			     size_t size)
{
	const char *name = t->columns[column];

	switch (kind_of(e)) {
	case KIND_SCALE:
		snprintf(out, size,
			 t->types[column] == 'R' ? "%s * ?1" : "CAST(%s * ?1 AS INTEGER)", name);
		break;
	case KIND_ADD:
		snprintf(out, size, "%s + ?1", name);
		break;
	case KIND_OTHER_ROW:
		snprintf(out, size, "(SELECT o.%s FROM %s o LIMIT 1 OFFSET ?1)", name, t->name);
		break;
	case KIND_OTHER_COLUMN:
		snprintf(out, size, "CASE WHEN ?1 THEN %s END", t->columns[e->more % t->nr]);
		break;
	case KIND_LONG:
		snprintf(out, size,
			 "replace(printf('%%.*c', abs(?1) %% %d, 'x'), 'xxx', 'n\xc3\xa9\x1b')",
			 e->more & 0x80 && e->nr < 200 ? 70000 : 300);
		break;
	case KIND_AS_TEXT:
		snprintf(out, size, "CAST(coalesce(%s, ?1) AS TEXT)", name);
		break;
	default:
		snprintf(out, size, "?1");
	}
}

static void bind_value(sqlite3_stmt *stmt, const struct edit *e, char type)
{
	static const double factors[] = {0,   -1,   0.5,  2,     10,    1e3,
					 1e6, 1e12, 1e-6, 0.999, 1.001, 1e30};
	enum kind kind = kind_of(e);

	if (kind == KIND_SCALE)
		sqlite3_bind_double(stmt, 1,
				    factors[e->more % (sizeof(factors) / sizeof(factors[0]))]);
	else if (kind == KIND_OTHER_ROW || kind == KIND_OTHER_COLUMN || kind == KIND_LONG)
		sqlite3_bind_int64(stmt, 1, (int64_t)(value_bits(e) & 0x1ffff));
	else if (kind == KIND_BLOB)
		sqlite3_bind_blob(stmt, 1, e->value, e->more % 9, SQLITE_TRANSIENT);
	else if (kind == KIND_REAL || (type == 'R' && (kind == KIND_TYPED || kind == KIND_ADD)))
		sqlite3_bind_double(stmt, 1, some_real(e));
	else if (kind == KIND_TEXT || (type == 'T' && kind == KIND_TYPED))
		bind_text(stmt, e);
	else if (kind != KIND_NULL)
		sqlite3_bind_int64(stmt, 1, some_integer(e));
}

/* Run one statement; ignore it if SQLite refuses. */
static void run(sqlite3 *db, const char *text, const struct edit *e, char type)
{
	sqlite3_stmt *stmt = NULL;
	int rc;

	if (sqlite3_prepare_v2(db, text, -1, &stmt, NULL) != SQLITE_OK)
		return;
	bind_value(stmt, e, type);
	do
		rc = sqlite3_step(stmt);
	while (rc == SQLITE_ROW);
	sqlite3_finalize(stmt);
}

/* ---- edits ---- */

struct edits {
	sqlite3 *db;
	const struct seed *seed;
	const struct edit *raw[EDITS_MAX]; /* edits of bytes, made to the finished file */
	size_t nr_raw;
};

#define KEY(t)  (!strcmp((t)->name, "stack_frame") ? "(stack, depth)" : "rowid")
#define KEYS(t) (!strcmp((t)->name, "stack_frame") ? "stack, depth" : "rowid")

static unsigned int row_of(const struct edit *e, const struct edits *all, size_t table)
{
	unsigned int rows = all->seed->rows[table];

	return rows ? (e->row[0] | e->row[1] << 8) % rows : 0;
}

static int how_many(const struct edit *e)
{
	return e->nr < 128 ? 1 : e->nr < 192 ? e->nr % 8 : e->nr < 224 ? 50 : -1;
}

static void update(struct edits *all, const struct edit *e, size_t table)
{
	const struct table *t = &tables[table];
	size_t column = e->column % t->nr;
	char value[256], text[512];

	value_expression(e, t, column, value, sizeof(value));
	snprintf(
		text, sizeof(text),
		"UPDATE OR IGNORE %s SET %s = %s WHERE %s IN (SELECT %s FROM %s LIMIT %d OFFSET %u)",
		t->name, t->columns[column], value, KEY(t), KEYS(t), t->name, how_many(e),
		row_of(e, all, table));
	run(all->db, text, e, t->types[column]);
}

static void delete (struct edits *all, const struct edit *e, size_t table)
{
	const struct table *t = &tables[table];
	char text[256];

	snprintf(text, sizeof(text),
		 "DELETE FROM %s WHERE %s IN (SELECT %s FROM %s LIMIT %d OFFSET %u)", t->name,
		 KEY(t), KEYS(t), t->name, how_many(e), row_of(e, all, table));
	run(all->db, text, e, 'I');
}

/* Copy a row under the next ids, and change one column in each copy. */
static void multiply(struct edits *all, const struct edit *e, size_t table)
{
	const struct table *t = &tables[table];
	size_t column = e->column % t->nr, at;
	int copies = e->nr < 200 ? 1 + e->nr % 16 : e->nr < 254 ? 150 : MANY;
	char text[2048], value[256];

	value_expression(e, t, column, value, sizeof(value));
	at = (size_t)snprintf(
		text, sizeof(text),
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
		"INSERT OR IGNORE INTO %s SELECT ",
		copies, t->name);
	for (size_t i = 0; i < t->nr && at < sizeof(text); i++) {
		const char *separator = i ? ", " : "";

		if (!i && t->has_id)
			at += (size_t)snprintf(text + at, sizeof(text) - at,
					       "(SELECT max(id) FROM %s) + n.i", t->name);
		else if (i == column && t->types[i] == 'T')
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s || (n.i / %d)",
					       separator, value, 1 + e->more % 4);
		else if (i == column)
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", separator,
					       value);
		else
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", separator,
					       t->columns[i]);
	}
	if (at >= sizeof(text))
		return;
	snprintf(text + at, sizeof(text) - at, " FROM n, (SELECT * FROM %s LIMIT 1 OFFSET %u)",
		 t->name, row_of(e, all, table));
	run(all->db, text, e, t->types[column]);
}

/* Add a snapshot with the levels of the last one, and change one part. */
static void append_snapshot(struct edits *all, const struct edit *e)
{
	static const char *const parts[] = {"meminfo", "vmstat", "slab", "zone", "vmalloc", "task"};
	double step = some_real(e),
	       factor = ldexp(1 + e->value[2] / 256.0, (int)(e->value[3] % 5) - 2);
	int64_t last = one_integer(all->db, "SELECT max(id) FROM snapshot");
	char text[512];

	snprintf(
		text, sizeof(text),
		"INSERT INTO snapshot SELECT %lld, '%s', t_s + %.17g, wall_s + %.17g, parts & %d, 0, 0, 0, 0, 0 "
		"FROM snapshot WHERE id = %lld",
		(long long)last + 1, e->nr & 1 ? "end" : "tick", step, step,
		e->nr & 2 ? e->nr >> 2 : 63, (long long)last);
	sql(all->db, text);
	for (size_t i = 0; i < 6; i++) {
		const struct table *t = NULL;
		size_t at;

		for (size_t n = 0; n < nr_tables; n++)
			if (!strncmp(tables[n].name, parts[i], strlen(parts[i])) &&
			    strstr(tables[n].name, "_level"))
				t = &tables[n];
		if (!t)
			continue;
		at = (size_t)snprintf(
			text, sizeof(text),
			"INSERT OR IGNORE INTO %s SELECT (%lld << 20) | (id & 1048575)", t->name,
			(long long)last + 1);
		for (size_t c = 1; c < t->nr; c++)
			at += (size_t)snprintf(text + at, sizeof(text) - at,
					       i == e->table % 7 ? ", CAST(%s * %g AS INTEGER)"
								 : ", %s",
					       t->columns[c], factor);
		snprintf(text + at, sizeof(text) - at, " FROM %s WHERE id >> 20 = %lld", t->name,
			 (long long)last);
		sql(all->db, text);
	}
}

/* Add a checkpoint with more or less of what the last one held. */
static void append_interval(struct edits *all, const struct edit *e)
{
	double step = some_real(e),
	       factor = ldexp(1 + e->value[2] / 256.0, (int)(e->value[3] % 5) - 2);
	long long last = (long long)one_integer(all->db, "SELECT max(id) FROM interval");
	char text[1024];

	if (last == LLONG_MAX) /* an edit before this one may have set any number */
		return;
	snprintf(
		text, sizeof(text),
		"INSERT INTO interval SELECT %lld, end_s, end_s + %.17g FROM interval WHERE id = %lld",
		last + 1, step, last);
	sql(all->db, text);
	snprintf(
		text, sizeof(text),
		"INSERT INTO held SELECT %lld, pool, class, cache, stack, process, CAST(tracked * %g AS INTEGER), objects * %g, "
		"bytes * %g, bytes_var, oldest_s, 0, 0, 0, age_0, age_1, age_2, age_3, age_4, age_5, age_6, age_7, age_8, "
		"age_9, age_10, age_11, age_12, age_13, age_14, age_15 FROM held WHERE interval = %lld AND rowid %% %d",
		last + 1, factor, factor, factor, last, 1 + e->nr % 5);
	sql(all->db, text);
	snprintf(
		text, sizeof(text),
		"INSERT INTO churn SELECT %lld, pool, stack, allocs * %g, alloc_bytes * %g, frees, free_bytes, ghosts, "
		"ghost_bytes FROM churn WHERE interval = %lld",
		last + 1, factor, factor, last);
	sql(all->db, text);
	snprintf(
		text, sizeof(text),
		"INSERT INTO cache_churn SELECT %lld, cache, allocs * %g, frees, ghosts FROM cache_churn WHERE interval = %lld",
		last + 1, factor, last);
	sql(all->db, text);
}

static void set_meta(struct edits *all, const struct edit *e)
{
	static const char
		*const keys[] = {META_CPUS,        META_POSSIBLE,   META_UPTIME,   META_PAGE_SIZE,
				 META_START,       META_PERIOD,     META_OVERHEAD, META_OWN_BYTES,
				 META_EXACT_UNTIL, /* the first nine are numbers */
				 META_MODE,        META_FILTER,     META_COMMAND,  META_HOST,
				 META_RELEASE,     META_ARCH,       META_LOCKDOWN, META_VIRT,
				 META_BOOT_ID,     META_MACHINE_ID, META_BUILD_ID, META_STACKS,
				 META_NOT_WATCHED, META_AUDIT,      META_COMPLETE};
	const char *key = keys[e->column % (sizeof(keys) / sizeof(keys[0]))];
	sqlite3_stmt *stmt = NULL;

	if (sqlite3_prepare_v2(all->db, "INSERT OR REPLACE INTO meta VALUES(?2, ?1)", -1, &stmt,
			       NULL) != SQLITE_OK)
		return;
	sqlite3_bind_text(stmt, 2, key, -1, SQLITE_STATIC);
	if (e->column % (sizeof(keys) / sizeof(keys[0])) < 9)
		sqlite3_bind_text(stmt, 1,
				  number_texts[e->value[0] %
					       (sizeof(number_texts) / sizeof(number_texts[0]))],
				  -1, SQLITE_STATIC);
	else
		bind_text(stmt, e);
	sqlite3_step(stmt);
	sqlite3_finalize(stmt);
}

static void change_schema(struct edits *all, const struct edit *e, size_t table)
{
	const char *t = tables[table].name, *other = tables[e->column % nr_tables].name,
		   *column = tables[table].columns[0];
	char text[1024];

#define MASTER "UPDATE sqlite_master SET "
	switch (e->kind % 20) {
	case 0:
		snprintf(
			text, sizeof(text),
			MASTER
			"type='view', rootpage=0, sql='CREATE VIEW %s AS SELECT * FROM %s' WHERE name='%s'",
			t, other, t);
		break;
	case 1:
		snprintf(text, sizeof(text), MASTER "type='view', rootpage=0 WHERE name='%s'", t);
		break;
	case 2:
		snprintf(
			text, sizeof(text),
			MASTER
			"rootpage=(SELECT rootpage FROM sqlite_master WHERE name='%s') WHERE name='%s'",
			other, t);
		break;
	case 3:
		snprintf(text, sizeof(text), MASTER "rootpage=%d WHERE name='%s'",
			 e->value[0] | e->value[1] << 8, t);
		break;
	case 4:
		snprintf(text, sizeof(text), "DROP TABLE %s", t);
		break;
	case 5:
		snprintf(text, sizeof(text),
			 "CREATE TRIGGER x AFTER INSERT ON %s BEGIN DELETE FROM %s; END", t, other);
		break;
	case 6:
		snprintf(text, sizeof(text), "CREATE INDEX x ON %s(%s)", t, column);
		break;
	case 7:
		snprintf(text, sizeof(text), "CREATE INDEX x ON %s(abs(%s)) WHERE %s > 0", t,
			 column, column);
		break;
	case 8:
		snprintf(text, sizeof(text), "CREATE VIRTUAL TABLE x USING fts5(a)");
		break;
	case 9:
		snprintf(text, sizeof(text),
			 MASTER
			 "sql='CREATE VIRTUAL TABLE %s USING fts5(a)', rootpage=0 WHERE name='%s'",
			 t, t);
		break;
	case 10:
		snprintf(
			text, sizeof(text),
			MASTER
			"sql=replace(sql, 'BLOB_I DEFAULT NULL', 'INTEGER AS (1)') WHERE name='%s'",
			t);
		break;
	case 11:
		snprintf(text, sizeof(text), MASTER "sql=NULL WHERE name='%s'", t);
		break;
	case 12:
		snprintf(text, sizeof(text), MASTER "name='%s', tbl_name='%s' WHERE name='%s'",
			 other, other, t);
		break;
	case 13:
		snprintf(text, sizeof(text), "DELETE FROM sqlite_master WHERE name='%s'", t);
		break;
	case 14:
		snprintf(text, sizeof(text),
			 "INSERT INTO sqlite_master SELECT * FROM sqlite_master WHERE name='%s'",
			 t);
		break;
	case 15:
		snprintf(text, sizeof(text), MASTER "sql=sql || ' WITHOUT ROWID' WHERE name='%s'",
			 t);
		break;
	case 16:
		snprintf(text, sizeof(text), "PRAGMA user_version=%d", (int8_t)e->value[0]);
		break;
	case 17:
		snprintf(text, sizeof(text), "PRAGMA application_id=%d", e->value[0]);
		break;
	case 18:
		snprintf(text, sizeof(text), "CREATE VIEW x AS SELECT * FROM x");
		break;
	default:
		snprintf(text, sizeof(text), MASTER "sql=replace(sql, '%s', 'x') WHERE name='%s'",
			 tables[table].columns[e->value[0] % tables[table].nr], t);
	}
#undef MASTER
	sql(all->db, text);
}

static void make_edit(struct edits *all, const struct edit *e)
{
	size_t table = e->table % nr_tables;

	switch (e->op % 16) {
	case 8:
		delete (all, e, table);
		break;
	case 9:
	case 10:
		multiply(all, e, table);
		break;
	case 11:
		append_snapshot(all, e);
		break;
	case 12:
		append_interval(all, e);
		break;
	case 13:
		set_meta(all, e);
		break;
	case 14:
		change_schema(all, e, table);
		break;
	case 15:
		all->raw[all->nr_raw++] = e;
		break;
	default:
		update(all, e, table);
	}
}

/* Change bytes of the finished file, and its length. */
static size_t edit_bytes(const struct edits *all, unsigned char *data, size_t size)
{
	for (size_t i = 0; i < all->nr_raw && size; i++) {
		const struct edit *e = all->raw[i];
		size_t at = (e->row[0] | e->row[1] << 8 | (size_t)e->column << 16) % size;

		if (e->nr < 16)
			size = at;
		else
			for (size_t n = 0; n < 1 + e->nr % 8u && at + n < size; n++)
				data[at + n] = e->value[n];
	}
	return size;
}

/* Is there a file to read? */
static bool make_capture(const struct seed *seed, const struct edit *edits, size_t nr)
{
	struct edits all = {.seed = seed};
	unsigned char *image = sqlite3_malloc64(seed->size);
	sqlite3_int64 size = 0;
	bool made = false;

	if (!image || sqlite3_open(":memory:", &all.db) != SQLITE_OK)
		fuzz_die("no memory for a capture");
	memcpy(image, seed->image, seed->size);
	if (sqlite3_deserialize(
		    all.db, "main", image, (sqlite3_int64)seed->size, (sqlite3_int64)seed->size,
		    SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE) != SQLITE_OK)
		fuzz_die("no memory for a capture");
	sqlite3_db_config(all.db, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
	must(all.db, "PRAGMA writable_schema=ON; PRAGMA synchronous=OFF; BEGIN");
	for (size_t i = 0; i < nr; i++)
		make_edit(&all, &edits[i]);
	for (size_t i = 0; i < sizeof(tighten) / sizeof(tighten[0]); i++)
		sql(all.db, tighten[i]);
	if (sql(all.db, "COMMIT")) {
		image = sqlite3_serialize(all.db, "main", &size, SQLITE_SERIALIZE_NOCOPY);
		if (image) {
			fuzz_write(path, image, edit_bytes(&all, image, (size_t)size));
			made = true;
		}
	}
	sqlite3_close(all.db);
	return made;
}

/* ---- the commands ---- */

static double some_time(uint8_t byte)
{
	return byte < 128 ? NAN : byte < 192 ? (byte - 128) / 2.0 : ldexp(1, byte - 192);
}

/* Mostly small changes: many small steps find more than a few large ones. */
static const struct seed *some_seed(uint8_t byte)
{
	const struct seed *s = &seeds[byte % nr_seeds];

	for (size_t i = 0; byte >= 32 && s->size > SEED_SMALL && i < nr_seeds; i++)
		s = &seeds[(byte + i) % nr_seeds];
	return s;
}

static void report_part(const struct header *h, const struct capture_input *side,
			const struct fuzz_show *show)
{
	struct time_range part = {0};

	if (time_range_build(side->c, some_time(h->from), some_time(h->to), &part))
		return;
	fuzz_report(&part.view, show);
	if (h->compare & 4)
		fuzz_diff(&side->range.view, &part.view, show, false);
	time_range_free(&part);
}

static void read_and_report(const struct header *h)
{
	struct fuzz_show show = fuzz_show_of(h->by, h->show);
	const struct view *other = &some_seed(h->other)->honest.range.view;
	struct capture_input side = {0};
	struct view whole;

	if (capture_input_read(path, NAN, NAN, &side)) {
		capture_input_free(&side);
		return;
	}
	switch (h->stage % 4) {
	case 0:
		fuzz_report(&side.range.view, &show);
		break;
	case 1:
		view_whole(side.c, &whole);
		fuzz_balance(&whole, &show);
		report_part(h, &side, &show);
		break;
	case 2:
		fuzz_diff(other, &side.range.view, &show, h->compare & 2);
		break;
	default:
		fuzz_diff(&side.range.view, other, &show, h->compare & 2);
	}
	capture_input_free(&side);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct edit edits[EDITS_MAX];
	struct header h = {0};
	size_t nr;

	if (size < sizeof(h))
		return 0;
	memcpy(&h, data, sizeof(h));
	nr = (size - sizeof(h)) / sizeof(edits[0]);
	nr = nr < EDITS_MAX ? nr : EDITS_MAX;
	if (nr)
		memcpy(edits, data + sizeof(h), nr * sizeof(edits[0]));
	fuzz_clock_start();
	if (make_capture(some_seed(h.seed), edits, nr)) {
		fuzz_clock_start();
		read_and_report(&h);
		fuzz_clock_check();
	}
	return 0;
}

/* ---- mutation of edits ---- */

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	const size_t head = sizeof(struct header), each = sizeof(struct edit);
	uint32_t random = seed;
	size_t nr, at;

	if (max_size < head + each)
		return LLVMFuzzerMutate(data, size, max_size);
	if (size < head) {
		memset(data + size, 0, head - size);
		size = head;
	}
	nr = (size - head) / each;
	at = head + (nr ? next_random(&random) % nr : 0) * each;
	size = head + nr * each;
	switch (next_random(&random) % 8) {
	case 0:
		LLVMFuzzerMutate(data, head, head);
		return size;
	case 1: /* a new edit */
	case 2: /* a changed copy of one */
		if (nr < EDITS_MAX && size + each <= max_size) {
			struct edit e = {0};

			for (size_t i = 0; i < each; i++)
				((uint8_t *)&e)[i] = (uint8_t)next_random(&random);
			memmove(data + at + each, data + at, size - at);
			if (!nr || random & 0x100)
				memcpy(data + at, &e, each);
			else
				data[at + next_random(&random) % each] = e.op;
			return size + each;
		}
		break;
	case 3:
		if (nr > 1) {
			memmove(data + at, data + at + each, size - at - each);
			return size - each;
		}
		break;
	case 4: /* any value in one byte */
		if (nr) {
			data[at + next_random(&random) % each] = (uint8_t)next_random(&random);
			return size;
		}
		break;
	default:
		break;
	}
	if (nr)
		LLVMFuzzerMutate(data + at, each, each);
	else
		LLVMFuzzerMutate(data, head, head);
	return size;
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t size_a, const uint8_t *b, size_t size_b,
				 uint8_t *out, size_t max_size, unsigned int seed)
{
	const size_t head = sizeof(struct header), each = sizeof(struct edit);
	uint32_t random = seed;
	size_t size = head;

	if (size_a < head || size_b < head || max_size < head)
		return 0;
	memcpy(out, next_random(&random) & 1 ? a : b, head);
	for (size_t at = head; at + each <= size_a || at + each <= size_b; at += each) {
		if (at + each <= size_a && next_random(&random) % 3 && size + each <= max_size) {
			memcpy(out + size, a + at, each);
			size += each;
		}
		if (at + each <= size_b && next_random(&random) % 3 && size + each <= max_size) {
			memcpy(out + size, b + at, each);
			size += each;
		}
	}
	return size;
}
