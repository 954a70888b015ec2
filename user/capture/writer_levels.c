// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes snapshots into a capture. Start and end snapshots are stored whole. A tick stores only
 * what changed since the last snapshot with that part, so that a day of one tick per second stays
 * readable (encoding: format_internal.h).
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/log.h"
#include "capture/writer_internal.h"

static int put_level_name(struct capture_writer *w, enum level_part part, const struct level *l,
			  uint32_t name)
{
	struct insert_row row = insert_begin(w, INSERT_LEVEL_NAME + part);

	insert_int(&row, name);
	insert_name(&row, l->text);
	for (int d = 0; d < level_forms[part].nr_dims; d++)
		insert_int(&row, l->dims[d]);
	return insert_end(&row);
}

/* The values of a name in this snapshot; NULL: it is gone. */
static int put_level_row(struct capture_writer *w, enum level_part part, const int64_t *values,
			 uint32_t name)
{
	struct insert_row row = insert_begin(w, INSERT_LEVEL_ROW + part);

	insert_int(&row, (int64_t)(w->nr_snapshots + 1) << LEVEL_NAME_BITS | name);
	for (int v = 0; v < level_forms[part].nr_values; v++)
		if (values)
			insert_int(&row, values[v]);
		else
			insert_null(&row);
	return insert_end(&row);
}

/*
 * Ids have room for a million names per part; levels beyond that are left out (only processes could
 * reach it).
 */
static bool name_is_beyond(uint32_t id)
{
	return id >> LEVEL_NAME_BITS;
}

/*
 * The name id of a row. Two rows of a snapshot can have the same name (two slab caches may). The
 * nth of them always gets the same id, because `twin` is part of the key.
 */
static int level_name_id(struct capture_writer *w, enum level_part part, const struct level *l,
			 uint32_t *id)
{
	struct level_state *state = &w->levels[part];
	struct intern_key key = {0};
	int found = 0;

	for (int64_t twin = 0;; twin++) {
		key.nr = 0;
		intern_key_text(&key, l->text);
		for (int d = 0; d < LEVEL_DIMS; d++)
			intern_key_number(&key, l->dims[d]);
		intern_key_number(&key, twin);
		found = intern_id(&state->names, &key, id);
		if (found || name_is_beyond(*id) ||
		    state->last.items[*id].seen != w->nr_snapshots + 1)
			break;
	}
	ARRAY_FREE(&key);
	if (found > 0 && !name_is_beyond(*id)) {
		while (state->last.nr <= *id)
			if (!ARRAY_PUSH(&state->last))
				return writer_no_memory(w);
		state->last.items[*id].gone = true;
		return put_level_name(w, part, l, *id);
	}
	return found < 0 ? writer_no_memory(w) : 0;
}

static int put_part(struct capture_writer *w, enum level_part part, const struct snapshot *s)
{
	struct level_state *state = &w->levels[part];
	size_t nr = level_count(s, part);
	uint32_t id, now = w->nr_snapshots + 1;
	struct level level;
	int err = 0;

	for (size_t i = 0; i < nr; i++) {
		struct level_last *last;
		bool changed;

		level_get(s, part, i, &level);
		err = level_name_id(w, part, &level, &id);
		if (err)
			return err;
		if (name_is_beyond(id))
			continue;
		last = &state->last.items[id];
		changed = last->gone || memcmp(last->values, level.values, sizeof(level.values));
		memcpy(last->values, level.values, sizeof(level.values));
		last->seen = now;
		last->gone = false;
		if (changed || s->kind != SNAPSHOT_TICK)
			err = put_level_row(w, part, level.values, id);
		if (err)
			return err;
	}
	for (id = 1; nr && id < state->last.nr && !err; id++) {
		if (state->last.items[id].gone || state->last.items[id].seen == now)
			continue;
		state->last.items[id].gone = true;
		if (s->kind == SNAPSHOT_TICK)
			err = put_level_row(w, part, NULL, id);
	}
	return err;
}

static int put_snapshot_row(struct capture_writer *w, const struct snapshot *s, int64_t parts)
{
	struct insert_row row = insert_begin(w, INSERT_SNAPSHOT);

	insert_int(&row, (int64_t)w->nr_snapshots + 1);
	insert_name(&row, snapshot_kind_names[s->kind]);
	insert_real(&row, s->t_s);
	insert_real(&row, s->wall_s);
	insert_int(&row, parts);
	insert_int(&row, (int64_t)s->meminfo.bad_lines);
	insert_int(&row, (int64_t)s->vmstat.bad_lines);
	insert_int(&row, (int64_t)s->slabs.bad_lines);
	insert_int(&row, (int64_t)s->zones.bad_lines);
	insert_int(&row, (int64_t)s->vmallocs.bad_lines);
	return insert_end(&row);
}

int capture_put_snapshot(struct capture_writer *w, const struct snapshot *s)
{
	int64_t parts = 0;
	int err;

	if (w->failed)
		return w->failed;
	if (!isfinite(s->t_s) || !isfinite(s->wall_s) || s->t_s < w->last_t_s)
		return log_error(EINVAL,
				 "a snapshot at %g s after one at %g s (a bug in kmemtrace)",
				 s->t_s, w->last_t_s);
	for (int part = 0; part < LEVEL_PARTS; part++)
		parts |= level_count(s, part) ? 1 << part : 0;
	err = put_snapshot_row(w, s, parts);
	for (int part = 0; part < LEVEL_PARTS && !err; part++)
		if (parts & 1 << part)
			err = put_part(w, part, s);
	if (!err) {
		w->nr_snapshots++;
		w->last_t_s = s->t_s;
	}
	return err;
}
