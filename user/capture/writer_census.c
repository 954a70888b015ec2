// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes a census into a capture. Which tables and columns there are is in census_tables.c. All of
 * it is checked first, by the limits of the reader, and so is either written whole or not at all.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/log.h"
#include "capture/census_tables_internal.h"
#include "capture/writer_internal.h"

/* ---- does the reader accept it? ---- */

static bool sum_fits(const struct census_sum *s)
{
	return real_fits(s->sum) && real_fits(s->squares) && s->hits <= CAPTURE_LEVEL_MAX;
}

static bool estimate_fits(const struct lens_sum *s)
{
	return real_fits(s->value) && real_fits(s->variance);
}

/* An integer member of `size` bytes. */
static int64_t member_int(const void *at, size_t size, bool is_signed)
{
	uint64_t u64;
	uint32_t u32;
	int32_t i32;
	uint8_t u8;

	switch (size) {
	case 1:
		memcpy(&u8, at, sizeof(u8));
		return u8;
	case 4:
		memcpy(&u32, at, sizeof(u32));
		memcpy(&i32, at, sizeof(i32));
		return is_signed ? i32 : (int64_t)u32;
	default:
		memcpy(&u64, at, sizeof(u64));
		return (int64_t)u64;
	}
}

static double member_real(const void *at)
{
	double v;

	memcpy(&v, at, sizeof(v));
	return v;
}

static bool names_fit_column(const char names[KIND_NAMES][KIND_NAME_MAX])
{
	for (int i = 0; i < KIND_NAMES; i++)
		if (!memchr(names[i], '\0', KIND_NAME_MAX))
			return false;
	return true;
}

static bool column_fits(const struct capture_writer *w, const struct census *c,
			const struct census_column *column, const char *row)
{
	const void *at = row + column->offset;
	struct lens_sum estimate;
	struct census_sum sum;
	int64_t v;

	switch (column->type) {
	case COLUMN_TEXT:
		return memchr(at, '\0', column->size);
	case COLUMN_BOOL:
		return member_int(at, sizeof(bool), false) <= 1;
	case COLUMN_INT:
		v = member_int(at, column->size, column->min < 0);
		return v >= column->min && v <= column->max;
	case COLUMN_REAL:
		return member_real(at) >= (double)column->min &&
		       member_real(at) <= CAPTURE_REAL_MAX;
	case COLUMN_NAMES:
		return names_fit_column(at);
	case COLUMN_SUM:
		memcpy(&sum, at, sizeof(sum));
		return sum_fits(&sum);
	case COLUMN_ESTIMATE:
		memcpy(&estimate, at, sizeof(estimate));
		return estimate_fits(&estimate);
	case COLUMN_LENS:
		return member_int(at, column->size, false) < LENSES;
	case COLUMN_CLASS:
		return member_int(at, column->size, false) < CENSUS_CLASSES;
	case COLUMN_STACK:
		v = member_int(at, column->size, false);
		return v >= 1 && v <= w->stacks.nr;
	case COLUMN_ROW:
		v = member_int(at, column->size, false);
		return (column->optional && v == UINT32_MAX) ||
		       (uint64_t)v < census_nr(c, column->target);
	}
	return false;
}

/* Row i of the array of a form. */
static const char *row_at(const struct census *c, const struct census_form *form, size_t i)
{
	const char *items;

	memcpy(&items, (const char *)c + form->items, sizeof(items));
	return items + i * form->row_size;
}

static bool rows_fit(const struct capture_writer *w, const struct census *c,
		     const struct census_form *form)
{
	size_t nr = census_nr(c, form->nr);

	if (nr > form->rows_max)
		return false;
	for (size_t i = 0; i < nr; i++)
		for (const struct census_column *column = form->columns; column->size; column++)
			if (!column_fits(w, c, column, row_at(c, form, i)))
				return false;
	return true;
}

/* Of a lens without objects, the share is NaN. */
static bool lenses_fit(const struct census_lenses *l)
{
	bool fits =
		real_fits(l->cpu_s) && real_fits(l->unrecognised) && l->lost <= CAPTURE_LEVEL_MAX;

	for (int lens = 0; lens < LENSES; lens++)
		fits = fits && (isnan(l->share[lens]) || real_fits(l->share[lens]));
	return fits;
}

static int census_check(const struct capture_writer *w, const struct census *c)
{
	bool fits = real_fits(c->wall_s) && real_fits(c->took_s) && real_fits(c->cpu_s) &&
		    c->units <= CAPTURE_LEVEL_MAX && c->counted && c->counted <= c->units &&
		    c->frames <= CAPTURE_LEVEL_MAX && c->page_bytes && c->page_bytes <= INT32_MAX &&
		    c->lost <= CAPTURE_LEVEL_MAX && real_fits(c->kinds.cpu_s);

	for (int class = 0; class < CENSUS_CLASSES; class ++)
		fits = fits && sum_fits(&c->pages[class]);
	fits = fits && lenses_fit(&c->lenses);
	if (!fits)
		return log_error(EINVAL, "a census is out of range (a bug in kmemtrace)");
	for (size_t i = 0; i < nr_census_forms; i++)
		if (!rows_fit(w, c, &census_forms[i]))
			return log_error(EINVAL, "a row of %s is out of range (a bug in kmemtrace)",
					 census_forms[i].table);
	return 0;
}

/* ---- writing ---- */

static void insert_sum(struct insert_row *row, const struct census_sum *sum)
{
	insert_real(row, sum->sum);
	insert_real(row, sum->squares);
	insert_int(row, (int64_t)sum->hits);
}

/* The names, with blanks between them, in `out`. A blank within a name becomes '_'. */
static const char *names_join(const char names[KIND_NAMES][KIND_NAME_MAX],
			      char out[KIND_NAMES * KIND_NAME_MAX])
{
	size_t at = 0;

	for (int i = 0; i < KIND_NAMES && names[i][0]; i++) {
		if (at)
			out[at++] = ' ';
		for (const char *c = names[i]; *c; c++)
			out[at++] = *c == ' ' ? '_' : *c;
	}
	out[at] = '\0';
	return out;
}

static void insert_column(struct insert_row *row, const struct census_column *column,
			  const char *from)
{
	const void *at = from + column->offset;
	struct lens_sum estimate;
	char names[KIND_NAMES * KIND_NAME_MAX];
	struct census_sum sum;
	int64_t v;

	switch (column->type) {
	case COLUMN_TEXT:
		insert_name(row, at);
		return;
	case COLUMN_BOOL:
		insert_int(row, member_int(at, sizeof(bool), false));
		return;
	case COLUMN_INT:
		insert_int(row, member_int(at, column->size, column->min < 0));
		return;
	case COLUMN_REAL:
		insert_real(row, member_real(at));
		return;
	case COLUMN_NAMES:
		insert_copy(row, names_join(at, names));
		return;
	case COLUMN_SUM:
		memcpy(&sum, at, sizeof(sum));
		insert_sum(row, &sum);
		return;
	case COLUMN_ESTIMATE:
		memcpy(&estimate, at, sizeof(estimate));
		insert_real(row, estimate.value);
		insert_real(row, estimate.variance);
		return;
	case COLUMN_LENS:
		insert_name(row, lens_word(member_int(at, column->size, false)));
		return;
	case COLUMN_CLASS:
		insert_name(row, census_class_name(member_int(at, column->size, false)));
		return;
	case COLUMN_STACK:
		insert_int(row, member_int(at, column->size, false));
		return;
	case COLUMN_ROW:
		v = member_int(at, column->size, false);
		insert_int(row, v == UINT32_MAX ? 0 : v + 1);
		return;
	}
}

/* All rows of one form. */
static int put_rows(struct capture_writer *w, const struct census *c, int64_t id,
		    const struct census_form *form)
{
	size_t nr = census_nr(c, form->nr);
	sqlite3_stmt *stmt = NULL;
	int err = writer_prepare(w, form->table, census_form_columns(form), &stmt);

	for (size_t i = 0; i < nr && !err; i++) {
		struct insert_row row = insert_begin_with(w, stmt);

		insert_int(&row, id);
		insert_int(&row, (int64_t)i + 1);
		for (const struct census_column *column = form->columns; column->size; column++)
			insert_column(&row, column, row_at(c, form, i));
		err = insert_end(&row);
	}
	sqlite3_finalize(stmt);
	return err;
}

static int put_pages(struct capture_writer *w, const struct census *c, int64_t id)
{
	sqlite3_stmt *stmt = NULL;
	int err = writer_prepare(w, "census_page", 5, &stmt);

	for (int class = 0; class < CENSUS_CLASSES && !err; class ++) {
		struct insert_row row = insert_begin_with(w, stmt);

		insert_int(&row, id);
		insert_name(&row, census_class_name(class));
		insert_sum(&row, &c->pages[class]);
		err = insert_end(&row);
	}
	sqlite3_finalize(stmt);
	return err;
}

/* What the lenses say as a whole; their rows are in a form. */
static int put_lenses(struct capture_writer *w, const struct census_lenses *l, int64_t id)
{
	sqlite3_stmt *stmt = NULL;
	struct insert_row row;
	int err;

	if (!l->taken)
		return 0;
	err = writer_prepare(w, "census_lenses", 8, &stmt);
	if (err)
		return err;
	row = insert_begin_with(w, stmt);
	insert_int(&row, id);
	insert_name(&row, l->absent);
	insert_real(&row, l->cpu_s);
	insert_real(&row, l->unrecognised);
	insert_int(&row, (int64_t)l->lost);
	insert_int(&row, l->named);
	insert_int(&row, l->spaces_whole);
	insert_int(&row, l->holders_whole);
	err = insert_end(&row);
	sqlite3_finalize(stmt);
	return err;
}

/* Kinds of objects of which there was a cache. */
static int put_lens_shares(struct capture_writer *w, const struct census_lenses *l, int64_t id)
{
	sqlite3_stmt *stmt = NULL;
	int err = writer_prepare(w, "census_lens", 4, &stmt);

	for (int lens = 0; lens < LENSES && l->taken && !err; lens++) {
		struct insert_row row;

		if (isnan(l->share[lens]))
			continue;
		row = insert_begin_with(w, stmt);
		insert_int(&row, id);
		insert_name(&row, lens_word(lens));
		insert_real(&row, l->share[lens]);
		insert_int(&row, l->sampled[lens]);
		err = insert_end(&row);
	}
	sqlite3_finalize(stmt);
	return err;
}

/* The lines of /proc that a census keeps; those of vmstat that count events are of no use. */
struct census_lines {
	struct capture_writer *w;
	sqlite3_stmt *stmt;
	int64_t id;
	size_t nr;
};

static int put_line(struct census_lines *lines, const char *file, const char *name, int64_t before,
		    int64_t after)
{
	struct insert_row row;

	if (lines->nr++ >= CENSUS_LINES_MAX)
		return 0;
	row = insert_begin_with(lines->w, lines->stmt);
	insert_int(&row, lines->id);
	insert_name(&row, file);
	insert_name(&row, name);
	insert_int(&row, before);
	insert_int(&row, after);
	return insert_end(&row);
}

static int64_t line_value(int64_t value)
{
	if (value < -CAPTURE_LEVEL_MAX)
		return -CAPTURE_LEVEL_MAX;
	return value > CAPTURE_LEVEL_MAX ? CAPTURE_LEVEL_MAX : value;
}

static int put_values(struct census_lines *lines, const char *file,
		      const struct named_values *before, const struct named_values *after)
{
	int err = 0;

	for (size_t i = 0; i < before->nr && !err; i++) {
		const struct named_value *v = &before->items[i];

		if (!strcmp(file, "vmstat") && strncmp(v->name, "nr_", 3))
			continue;
		err = put_line(lines, file, v->name, line_value(v->value),
			       line_value(named_value_get(after, v->name, v->value)));
	}
	return err;
}

static int put_lines(struct capture_writer *w, const struct census *c, int64_t id)
{
	struct census_lines lines = {.w = w, .id = id};
	int64_t pcp[2] = {0, 0};
	int err = writer_prepare(w, "census_line", 5, &lines.stmt);

	for (size_t i = 0; i < c->before.zones.nr; i++)
		pcp[0] += c->before.zones.items[i].pcp;
	for (size_t i = 0; i < c->after.zones.nr; i++)
		pcp[1] += c->after.zones.items[i].pcp;
	err = err
		      ?: put_line(&lines, "zoneinfo", CENSUS_LINE_PCP, line_value(pcp[0]),
				  line_value(pcp[1]));
	err = err ?: put_values(&lines, "meminfo", &c->before.meminfo, &c->after.meminfo);
	err = err ?: put_values(&lines, "vmstat", &c->before.vmstat, &c->after.vmstat);
	sqlite3_finalize(lines.stmt);
	return err;
}

static int put_census(struct capture_writer *w, enum census_moment moment, const struct census *c,
		      int64_t id)
{
	struct insert_row row = insert_begin(w, INSERT_CENSUS);

	insert_int(&row, id);
	insert_name(&row, census_moment_name(moment));
	insert_real(&row, c->wall_s);
	insert_real(&row, c->took_s);
	insert_real(&row, c->cpu_s);
	insert_int(&row, (int64_t)c->units);
	insert_int(&row, (int64_t)c->counted);
	insert_int(&row, (int64_t)c->frames);
	insert_int(&row, c->page_bytes);
	insert_int(&row, c->unknown);
	insert_int(&row, c->cpus);
	insert_int(&row, (int64_t)c->lost);
	insert_int(&row, c->origins_known);
	insert_real(&row, c->kinds.cpu_s);
	insert_int(&row, c->kinds.skipped);
	insert_name(&row, c->kinds.why);
	insert_name(&row, c->kinds.lacks);
	return insert_end(&row);
}

int capture_put_census(struct capture_writer *w, enum census_moment moment, const struct census *c)
{
	int64_t id = w->nr_censuses + 1;
	int err = w->failed ? w->failed : census_check(w, c);

	if (err)
		return err;
	err = put_census(w, moment, c, id);
	err = err ?: put_lines(w, c, id);
	err = err ?: put_pages(w, c, id);
	err = err ?: put_lenses(w, &c->lenses, id);
	err = err ?: put_lens_shares(w, &c->lenses, id);
	for (size_t i = 0; i < nr_census_forms && !err; i++)
		err = put_rows(w, c, id, &census_forms[i]);
	if (!err)
		w->nr_censuses++;
	return err;
}
