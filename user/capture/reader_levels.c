// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads snapshots from a capture. One pass over each part's rows applies the changes that ticks
 * store and builds whole snapshots. For a long recording only some snapshots are built (see
 * capture.h), but all rows are read and checked.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "capture/reader_internal.h"
#include "capture/reader_cost.h"

/* for all snapshots built: the larger they are, the fewer */
#define SNAPSHOTS_BYTES (128 << 20)

static const size_t name_costs[LEVEL_PARTS] = {
	[LEVEL_SLAB] = COST_SLAB_NAME,      [LEVEL_VMALLOC] = COST_VMALLOC_NAME,
	[LEVEL_TASK] = COST_TASK_NAME,      [LEVEL_BPF] = COST_BPF_NAME,
	[LEVEL_BPF_HOLDER] = COST_BPF_NAME,
};

struct stored_snapshot {
	enum snapshot_kind kind;
	double t_s, wall_s;
	uint32_t parts;
	int64_t bad_lines[LEVEL_TASK];
	struct snapshot *built; /* NULL: this snapshot is skipped */
};

/* A name of the part that is being read, with its values at the current snapshot. */
struct stored_level {
	struct level level;
	uint64_t epoch; /* present while equal to pass.epoch */
};

struct pass {
	ARRAY_OF(struct stored_snapshot) snapshots;
	ARRAY_OF(struct stored_level) names[LEVEL_PARTS];
	enum level_part part;
	size_t now; /* index of the snapshot whose rows are being read; SIZE_MAX before the first */
	uint64_t epoch; /* number of whole snapshots so far: each one discards earlier values */
};

static void pass_free(struct pass *p)
{
	ARRAY_FREE(&p->snapshots);
	for (int part = 0; part < LEVEL_PARTS; part++)
		ARRAY_FREE(&p->names[part]);
}

static int read_snapshot(struct reader *r, void *arg)
{
	struct pass *p = arg;
	struct stored_snapshot *s =
		READER_PUSH(r, p->snapshots.items, p->snapshots.nr, p->snapshots.cap);
	char kind[8] = "";
	int k = 0;

	if (!s)
		return 0;
	reader_next_id(r, 0, p->snapshots.nr);
	reader_text_into(r, 1, kind, sizeof(kind));
	while (k < SNAPSHOT_KINDS && strcmp(kind, snapshot_kind_names[k]))
		k++;
	if (!r->bad && k == SNAPSHOT_KINDS)
		r->bad = "no such kind of snapshot";
	s->kind = k;
	s->t_s = reader_real(r, 2, -1e12, 1e12);
	s->wall_s = reader_real(r, 3, -1e12, 1e12);
	s->parts = reader_int(r, 4, 0, (1 << LEVEL_PARTS) - 1);
	for (int part = 0; part < LEVEL_TASK; part++)
		s->bad_lines[part] = reader_int(r, 5 + part, 0, CAPTURE_LEVEL_MAX);
	if (!r->bad && p->snapshots.nr > 1 && s->t_s < s[-1].t_s)
		r->bad = "not in time order";
	return 0;
}

static int read_name(struct reader *r, void *arg)
{
	struct pass *p = arg;
	const struct level_form *form = &level_forms[p->part];
	struct stored_level *n = READER_PUSH(r, p->names[p->part].items, p->names[p->part].nr,
					     p->names[p->part].cap);

	if (!n)
		return 0;
	if (p->names[p->part].nr >> LEVEL_NAME_BITS)
		r->bad = "too many names";
	reader_spend(r, name_costs[p->part]);
	reader_next_id(r, 0, p->names[p->part].nr);
	reader_text_into(r, 1, n->level.text, form->text_size);
	for (int d = 0; d < form->nr_dims; d++)
		n->level.dims[d] = reader_int(r, 2 + d, form->dim_min[d], form->dim_max[d]);
	return 0;
}

/* The current snapshot has all its rows. Build its part if the snapshot is wanted. */
static int close_snapshot(struct reader *r, struct pass *p)
{
	struct stored_snapshot *s = &p->snapshots.items[p->now];

	if (!s->built || !(s->parts & 1u << p->part))
		return 0;
	for (size_t i = 0; i < p->names[p->part].nr; i++) {
		struct stored_level *n = &p->names[p->part].items[i];

		if (n->epoch != p->epoch)
			continue;
		reader_spend(r, level_forms[p->part].row_size);
		if (r->too_large)
			return reader_too_large(r);
		if (level_push(s->built, p->part, &n->level))
			return reader_no_memory(r);
	}
	return 0;
}

/* Advance to snapshot `to`, past those without changes. */
static int advance(struct reader *r, struct pass *p, size_t to)
{
	int err = 0;

	while (p->now != to && !err) {
		const struct stored_snapshot *s;

		if (p->now != SIZE_MAX)
			err = close_snapshot(r, p);
		p->now++;
		if (p->now >= p->snapshots.nr)
			break;
		s = &p->snapshots.items[p->now];
		if (s->kind != SNAPSHOT_TICK && s->parts & 1u << p->part)
			p->epoch++;
	}
	return err;
}

static int read_level(struct reader *r, void *arg)
{
	struct pass *p = arg;
	const struct level_form *form = &level_forms[p->part];
	int64_t id = reader_int(r, 0, 0, INT64_MAX);
	size_t snapshot = (id >> LEVEL_NAME_BITS) - 1,
	       name = (id & ((1 << LEVEL_NAME_BITS) - 1)) - 1;
	struct stored_level *n;
	int err;

	if (r->bad)
		return 0;
	if (snapshot >= p->snapshots.nr || name >= p->names[p->part].nr ||
	    (p->now != SIZE_MAX && snapshot < p->now) ||
	    !(p->snapshots.items[snapshot].parts & 1u << p->part)) {
		r->bad = "no such snapshot or name";
		return 0;
	}
	err = advance(r, p, snapshot);
	if (err)
		return err;
	n = &p->names[p->part].items[name];
	n->epoch = p->epoch;
	if (reader_null(r, 1)) {
		n->epoch = p->epoch - 1;
		return 0;
	}
	for (int v = 0; v < form->nr_values; v++)
		n->level.values[v] = reader_int(r, 1 + v, form->value_min[v], CAPTURE_LEVEL_MAX);
	return 0;
}

/* Average bytes of a snapshot, estimated from its parts. */
static size_t snapshot_bytes(const struct pass *p)
{
	double sum = 0;

	for (size_t i = 0; i < p->snapshots.nr; i++)
		for (int part = 0; part < LEVEL_PARTS; part++)
			if (p->snapshots.items[i].parts & 1u << part)
				sum += (double)(p->names[part].nr * level_forms[part].row_size);
	return sizeof(struct snapshot) + (size_t)(sum / (double)p->snapshots.nr);
}

/* How many snapshots to build: all, if they are few and small enough. */
static size_t count_wanted(const struct pass *p)
{
	size_t each = snapshot_bytes(p), wanted = CAPTURE_SNAPSHOTS_MAX;

	if (SNAPSHOTS_BYTES / each < wanted)
		wanted = SNAPSHOTS_BYTES / each;
	if (wanted < 2)
		wanted = 2;
	return wanted < p->snapshots.nr ? wanted : p->snapshots.nr;
}

/* Make room for the snapshots to build, and note in each stored one where it goes. */
static int choose_snapshots(struct reader *r, struct pass *p)
{
	struct capture *c = r->c;
	size_t stored = p->snapshots.nr, wanted = count_wanted(p);

	c->snapshots = calloc(wanted, sizeof(*c->snapshots));
	if (!c->snapshots)
		return reader_no_memory(r);
	c->nr_snapshots = wanted;
	c->nr_snapshots_stored = stored;
	for (size_t i = 0; i < wanted; i++) {
		/* the first, the last, and evenly spaced ones between */
		struct stored_snapshot *s =
			&p->snapshots.items[wanted > 1 ? i * (stored - 1) / (wanted - 1) : 0];

		s->built = &c->snapshots[i];
		s->built->kind = s->kind;
		s->built->t_s = s->t_s;
		s->built->wall_s = s->wall_s;
		for (int part = 0; part < LEVEL_TASK; part++)
			*level_bad_lines(s->built, part) = s->bad_lines[part];
	}
	return 0;
}

static int each_of_part(struct reader *r, struct pass *p, const char *suffix,
			int (*row)(struct reader *, void *))
{
	char table[32];
	int err;

	snprintf(table, sizeof(table), "%s_%s", level_forms[p->part].name, suffix);
	if (capture_table_since(table) > r->version)
		return 0;
	err = reader_each(r, table, row, p);
	r->table = NULL;
	return err;
}

int reader_levels(struct reader *r)
{
	_cleanup_(pass_free) struct pass p = {0};
	int err = reader_each(r, "snapshot", read_snapshot, &p);

	if (!err && !p.snapshots.nr)
		err = log_error(ENODATA,
				"%s holds no snapshot: its recording was killed before it began; "
				"record anew",
				r->path);
	for (p.part = 0; p.part < LEVEL_PARTS && !err; p.part++)
		err = each_of_part(r, &p, "name", read_name);
	if (!err)
		err = choose_snapshots(r, &p);
	for (p.part = 0; p.part < LEVEL_PARTS && !err; p.part++) {
		p.now = SIZE_MAX;
		p.epoch = 1;
		err = each_of_part(r, &p, "level", read_level);
		if (!err)
			err = advance(r, &p, p.snapshots.nr);
	}
	return err;
}
