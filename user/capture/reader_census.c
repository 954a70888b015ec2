// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads the censuses of a capture; as everything of the reader, it trusts nothing. Which tables and
 * columns there are is in census_tables.c. Captures of older versions have no such tables.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "capture/census_tables_internal.h"
#include "capture/reader_cost.h"
#include "capture/reader_internal.h"

/* The censuses of the file, in the order of their ids; they belong to the capture. */
struct census_pass {
	struct census *censuses[CENSUS_MOMENTS];
	size_t nr;
	const struct census_form *form;
};

static int read_census(struct reader *r, void *arg)
{
	struct census_pass *pass = arg;
	enum census_moment moment = CENSUS_MOMENTS;
	char name[16] = "";
	struct census *c;

	reader_next_id(r, 0, pass->nr + 1);
	reader_text_into(r, 1, name, sizeof(name));
	if (!r->bad && (census_moment_parse(name, &moment) || r->c->census[moment]))
		r->bad = "not one of two moments";
	if (r->bad)
		return 0;
	reader_spend(r, sizeof(*c));
	if (r->too_large)
		return reader_too_large(r);
	c = calloc(1, sizeof(*c));
	if (!c)
		return reader_no_memory(r);
	r->c->census[moment] = pass->censuses[pass->nr++] = c;
	c->wall_s = reader_real(r, 2, 0, CAPTURE_REAL_MAX);
	c->took_s = reader_real(r, 3, 0, CAPTURE_REAL_MAX);
	c->cpu_s = reader_real(r, 4, 0, CAPTURE_REAL_MAX);
	c->units = reader_int(r, 5, 1, CAPTURE_LEVEL_MAX);
	c->counted = reader_int(r, 6, 1, (int64_t)c->units);
	c->frames = reader_int(r, 7, 0, CAPTURE_LEVEL_MAX);
	c->page_bytes = reader_int(r, 8, 1, INT32_MAX);
	c->unknown = reader_int(r, 9, 0, UINT32_MAX);
	c->cpus = reader_int(r, 10, 0, UINT32_MAX);
	c->lost = reader_int(r, 11, 0, CAPTURE_LEVEL_MAX);
	c->origins_known = reader_bool(r, 12);
	c->kinds.cpu_s = reader_real(r, 13, 0, CAPTURE_REAL_MAX);
	c->kinds.skipped = reader_int(r, 14, 0, UINT32_MAX);
	reader_text_into(r, 15, c->kinds.why, sizeof(c->kinds.why));
	reader_text_into(r, 16, c->kinds.lacks, sizeof(c->kinds.lacks));
	return 0;
}

/* The census whose id is in column 0; NULL with r->bad set if there is none. */
static struct census *census_of_row(struct reader *r, const struct census_pass *pass)
{
	int64_t id;

	if (!pass->nr) {
		r->bad = "there is no census";
		return NULL;
	}
	id = reader_int(r, 0, 1, (int64_t)pass->nr);
	return r->bad ? NULL : pass->censuses[id - 1];
}

static void reader_sum(struct reader *r, int column, struct census_sum *sum)
{
	sum->sum = reader_real(r, column, 0, CAPTURE_REAL_MAX);
	sum->squares = reader_real(r, column + 1, 0, CAPTURE_REAL_MAX);
	sum->hits = reader_int(r, column + 2, 0, CAPTURE_LEVEL_MAX);
}

static void reader_estimate(struct reader *r, int column, struct lens_sum *sum)
{
	sum->value = reader_real(r, column, 0, CAPTURE_REAL_MAX);
	sum->variance = reader_real(r, column + 1, 0, CAPTURE_REAL_MAX);
}

static enum lens reader_lens(struct reader *r, int column)
{
	enum lens lens = LENS_DENTRIES;
	char name[32] = "";

	reader_text_into(r, column, name, sizeof(name));
	if (!r->bad && lens_parse(name, &lens))
		reader_bad(r, column, "no such kind of objects");
	return lens;
}

static int push_line(struct reader *r, struct named_values *values, const char *name, int64_t value)
{
	struct named_value *v = READER_PUSH(r, values->items, values->nr, values->cap);

	if (!v)
		return 0;
	snprintf(v->name, sizeof(v->name), "%s", name);
	v->value = value;
	return 0;
}

static int push_pcp(struct reader *r, struct zone_levels *zones, int64_t pages)
{
	struct zone_level *z = READER_PUSH(r, zones->items, zones->nr, zones->cap);

	if (z)
		z->pcp = pages;
	return 0;
}

static int read_line(struct reader *r, void *arg)
{
	struct census *c = census_of_row(r, arg);
	char file[16] = "", name[LEVEL_NAME_MAX] = "";
	int64_t before, after;

	reader_text_into(r, 1, file, sizeof(file));
	reader_text_into(r, 2, name, sizeof(name));
	before = reader_int(r, 3, -CAPTURE_LEVEL_MAX, CAPTURE_LEVEL_MAX);
	after = reader_int(r, 4, -CAPTURE_LEVEL_MAX, CAPTURE_LEVEL_MAX);
	if (r->bad)
		return 0;
	if (!strcmp(file, "meminfo"))
		return push_line(r, &c->before.meminfo, name, before)
			       ?: push_line(r, &c->after.meminfo, name, after);
	if (!strcmp(file, "vmstat"))
		return push_line(r, &c->before.vmstat, name, before)
			       ?: push_line(r, &c->after.vmstat, name, after);
	if (strcmp(file, "zoneinfo") || strcmp(name, CENSUS_LINE_PCP))
		r->bad = "no such line";
	else if (!c->before.zones.nr)
		return push_pcp(r, &c->before.zones, before) ?: push_pcp(r, &c->after.zones, after);
	return 0;
}

static int read_page(struct reader *r, void *arg)
{
	struct census *c = census_of_row(r, arg);
	enum census_class class = reader_class(r, 1);

	if (!r->bad)
		reader_sum(r, 2, &c->pages[class]);
	return 0;
}

static int read_lenses(struct reader *r, void *arg)
{
	struct census *c = census_of_row(r, arg);
	struct census_lenses *l = c ? &c->lenses : NULL;

	if (!l)
		return 0;
	if (l->taken) {
		r->bad = "a second row for the same census";
		return 0;
	}
	l->taken = true;
	reader_text_into(r, 1, l->absent, sizeof(l->absent));
	l->cpu_s = reader_real(r, 2, 0, CAPTURE_REAL_MAX);
	l->unrecognised = reader_real(r, 3, 0, CAPTURE_REAL_MAX);
	l->lost = reader_int(r, 4, 0, CAPTURE_LEVEL_MAX);
	l->named = reader_bool(r, 5);
	l->spaces_whole = reader_bool(r, 6);
	l->holders_whole = reader_bool(r, 7);
	for (int lens = 0; lens < LENSES; lens++)
		l->share[lens] = NAN;
	return 0;
}

static int read_lens(struct reader *r, void *arg)
{
	struct census *c = census_of_row(r, arg);
	enum lens lens = reader_lens(r, 1);
	struct census_lenses *l = c ? &c->lenses : NULL;

	if (r->bad || !l)
		return 0;
	l->share[lens] = reader_real(r, 2, 0, 1);
	l->sampled[lens] = reader_bool(r, 3);
	return 0;
}

static void store_int(void *at, size_t size, int64_t value)
{
	uint64_t u64 = (uint64_t)value;
	uint32_t u32 = (uint32_t)value;

	memcpy(at, size == sizeof(u32) ? (void *)&u32 : (void *)&u64, size);
}

static void reader_names(struct reader *r, int column, char names[KIND_NAMES][KIND_NAME_MAX])
{
	char text[KIND_NAMES * KIND_NAME_MAX] = "";
	size_t nr = 0;
	char *rest = NULL;

	reader_text_into(r, column, text, sizeof(text));
	reader_spend_text(r, strlen(text));
	for (char *name = strtok_r(text, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
		if (nr == KIND_NAMES || strlen(name) >= KIND_NAME_MAX) {
			reader_bad(r, column, "not a list of names");
			return;
		}
		snprintf(names[nr++], KIND_NAME_MAX, "%s", name);
	}
}

static int column_read(struct reader *r, struct census *c, const struct census_column *column,
		       int at, char *row)
{
	char *to = row + column->offset;
	int64_t index;
	double real;

	switch (column->type) {
	case COLUMN_TEXT:
		reader_text_into(r, at, to, column->size);
		reader_spend_text(r, strlen(to));
		return 1;
	case COLUMN_BOOL:
		*(bool *)to = reader_bool(r, at);
		return 1;
	case COLUMN_INT:
		store_int(to, column->size, reader_int(r, at, column->min, column->max));
		return 1;
	case COLUMN_REAL:
		real = reader_real(r, at, (double)column->min, CAPTURE_REAL_MAX);
		memcpy(to, &real, sizeof(real));
		return 1;
	case COLUMN_NAMES:
		reader_names(r, at, (char(*)[KIND_NAME_MAX])to);
		return 1;
	case COLUMN_SUM:
		reader_sum(r, at, (struct census_sum *)to);
		return 3;
	case COLUMN_ESTIMATE:
		reader_estimate(r, at, (struct lens_sum *)to);
		return 2;
	case COLUMN_LENS:
		store_int(to, column->size, reader_lens(r, at));
		return 1;
	case COLUMN_CLASS:
		store_int(to, column->size, reader_class(r, at));
		return 1;
	case COLUMN_STACK:
		index = reader_int(r, at, 1, (int64_t)r->c->nr_stacks - 1);
		store_int(to, column->size, index);
		reader_refer_stack(r, index);
		return 1;
	case COLUMN_ROW:
		index = reader_int(r, at, !column->optional,
				   (int64_t)*census_nr_at(c, column->target));
		store_int(to, column->size, index ? index - 1 : UINT32_MAX);
		return 1;
	}
	return 1;
}

static int read_row(struct reader *r, void *arg)
{
	const struct census_pass *pass = arg;
	const struct census_form *form = pass->form;
	struct census *c = census_of_row(r, pass);
	char *row;
	int at = 2;

	if (!c)
		return 0;
	row = reader_push(r, (void **)((char *)c + form->items), census_nr_at(c, form->nr),
			  census_nr_at(c, form->cap), form->row_size);
	if (!row)
		return 0;
	reader_next_id(r, 1, *census_nr_at(c, form->nr));
	reader_spend(r, form->cost);
	for (const struct census_column *column = form->columns; column->size; column++)
		at += column_read(r, c, column, at, row);
	return 0;
}

int reader_censuses(struct reader *r)
{
	struct census_pass pass = {0};
	int err = 0;

	if (reader_has(r, "census"))
		err = reader_each(r, "census", read_census, &pass);
	if (!err && reader_has(r, "census_line"))
		err = reader_each(r, "census_line", read_line, &pass);
	if (!err && reader_has(r, "census_page"))
		err = reader_each(r, "census_page", read_page, &pass);
	if (!err && reader_has(r, "census_lenses"))
		err = reader_each(r, "census_lenses", read_lenses, &pass);
	if (!err && reader_has(r, "census_lens"))
		err = reader_each(r, "census_lens", read_lens, &pass);
	for (size_t i = 0; i < nr_census_forms && !err; i++) {
		pass.form = &census_forms[i];
		if (reader_has(r, pass.form->table))
			err = reader_each(r, pass.form->table, read_row, &pass);
	}
	return err;
}
