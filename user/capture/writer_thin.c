// SPDX-License-Identifier: GPL-2.0-only
/*
 * Retention: thins out a recording that has reached its size bound, older parts more than newer
 * ones (see capture_thin()). The reader requires dense ids, so what is kept is renumbered.
 * Everything happens in one transaction, which may spill to the journal because it can be too large
 * for memory.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "capture/writer_internal.h"

#define KEEP_NEWEST 4 /* the newest quarter is kept, and at least this many rows */

/* Make a temporary table that maps old ids to new ones; a dropped id maps to the next one kept. */
static int map_make(struct capture_writer *w, const char *name, uint32_t nr, uint32_t *kept)
{
	uint32_t newest = nr / 4 > KEEP_NEWEST ? nr / 4 : KEEP_NEWEST, count = 0;
	char sql[256];
	int err;

	snprintf(sql, sizeof(sql),
		 "CREATE TEMP TABLE %s (old INTEGER PRIMARY KEY, new INTEGER, keep INTEGER)", name);
	err = writer_exec(w, sql);
	for (uint32_t id = 1; id <= nr && !err; id++) {
		bool keep = id + newest > nr || id % 2;

		snprintf(sql, sizeof(sql), "INSERT INTO %s VALUES (%u, %u, %d)", name, id,
			 count + 1, keep);
		err = writer_exec(w, sql);
		count += keep;
	}
	*kept = count;
	return err;
}

/* Renumber the rows of `table`, through negative ids so that no two are ever equal. */
static int renumber(struct capture_writer *w, const char *table, const char *map)
{
	char sql[512];

	snprintf(sql, sizeof(sql),
		 "DELETE FROM %1$s WHERE id IN (SELECT old FROM temp.%2$s WHERE NOT keep);"
		 "UPDATE %1$s SET id = -(SELECT new FROM temp.%2$s WHERE old = %1$s.id);"
		 "UPDATE %1$s SET id = -id",
		 table, map);
	return writer_exec(w, sql);
}

static int thin_intervals(struct capture_writer *w, uint32_t *kept)
{
	static const char *const tables[] = {"held",      "held_missed", "churn",
					     "churn_var", "cache_churn", "loss"};
	char sql[512];
	int err = map_make(w, "thin_interval", w->nr_checkpoints, kept);

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && !err; i++) {
		snprintf(
			sql, sizeof(sql),
			"DELETE FROM %1$s WHERE interval IN (SELECT old FROM temp.thin_interval WHERE NOT keep);"
			"UPDATE %1$s SET interval = (SELECT new FROM temp.thin_interval WHERE old = interval)",
			tables[i]);
		err = writer_exec(w, sql);
	}
	return err ? err : renumber(w, "interval", "thin_interval");
}

/*
 * Thin out the levels of one part. Changes of a dropped snapshot move to the next one; that one's
 * own changes win.
 */
static int thin_levels(struct capture_writer *w, const char *part)
{
	char sql[768];

	snprintf(
		sql, sizeof(sql),
		"DELETE FROM %1$s_level WHERE id >> %2$d IN (SELECT old FROM temp.thin_snapshot WHERE NOT keep)"
		" AND EXISTS (SELECT 1 FROM %1$s_level n WHERE n.id = %1$s_level.id + %3$d);"
		"UPDATE %1$s_level SET id ="
		" -((SELECT new FROM temp.thin_snapshot WHERE old = %1$s_level.id >> %2$d) << %2$d | (id & %4$d));"
		"UPDATE %1$s_level SET id = -id",
		part, LEVEL_NAME_BITS, 1 << LEVEL_NAME_BITS, (1 << LEVEL_NAME_BITS) - 1);
	return writer_exec(w, sql);
}

static int thin_snapshots(struct capture_writer *w, uint32_t *kept)
{
	int err = map_make(w, "thin_snapshot", w->nr_snapshots, kept);

	for (int part = 0; part < LEVEL_PARTS && !err; part++)
		err = thin_levels(w, level_forms[part].name);
	/* a snapshot that took over changes of another also has its parts */
	if (!err)
		err = writer_exec(
			w, "UPDATE snapshot SET parts = parts | (SELECT d.parts FROM snapshot d"
			   " WHERE d.id = snapshot.id - 1) WHERE id - 1 IN"
			   " (SELECT old FROM temp.thin_snapshot WHERE NOT keep)");
	return err ? err : renumber(w, "snapshot", "thin_snapshot");
}

int64_t capture_size(struct capture_writer *w)
{
	static const char *const pragmas[] = {"PRAGMA page_count", "PRAGMA freelist_count",
					      "PRAGMA page_size"};
	int64_t values[3] = {0};

	if (w->failed)
		return w->failed;
	for (int i = 0; i < 3; i++) {
		sqlite3_stmt *stmt = NULL;

		if (sqlite3_prepare_v2(w->db, pragmas[i], -1, &stmt, NULL) != SQLITE_OK ||
		    sqlite3_step(stmt) != SQLITE_ROW) {
			sqlite3_finalize(stmt);
			return writer_fail(w);
		}
		values[i] = sqlite3_column_int64(stmt, 0);
		sqlite3_finalize(stmt);
	}
	return (values[0] - values[1]) * values[2];
}

/* Reset the remembered snapshot numbers, because snapshots were renumbered. */
static void forget_numbers(struct capture_writer *w)
{
	for (int part = 0; part < LEVEL_PARTS; part++)
		for (size_t i = 0; i < w->levels[part].last.nr; i++)
			w->levels[part].last.items[i].seen = 0;
}

int capture_thin(struct capture_writer *w)
{
	uint32_t intervals = w->nr_checkpoints, snapshots = w->nr_snapshots;
	int err = capture_commit(w);

	if (err || w->open) /* blocked by a reader: try again later */
		return err;
	if (w->nr_checkpoints <= KEEP_NEWEST && w->nr_snapshots <= KEEP_NEWEST)
		return 0;
	err = writer_exec(w, "PRAGMA cache_spill=ON; BEGIN");
	err = err ? err : thin_intervals(w, &intervals);
	err = err ? err : thin_snapshots(w, &snapshots);
	err = err ? err
		  : writer_exec(w, "DROP TABLE temp.thin_interval; DROP TABLE temp.thin_snapshot");
	if (err)
		return err;
	w->open = true;
	err = capture_commit(w);
	if (!err)
		err = writer_exec(w, "PRAGMA cache_spill=OFF");
	if (err)
		return err;
	snapshots = w->nr_snapshots - snapshots;
	intervals = w->nr_checkpoints - intervals;
	w->nr_snapshots -= snapshots;
	w->nr_checkpoints -= intervals;
	forget_numbers(w);
	return (int)(snapshots + intervals);
}
