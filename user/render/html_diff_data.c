// SPDX-License-Identifier: GPL-2.0-only
/* The data of a diff's page: see html_data.h. Rows are in the order of the diff: grown ones first,
 * then shrunk, then unchanged ones. Those that do not fit are added up by pool. */

#include "model/holders.h"
#include "render/html_data.h"

/* Bytes of JSON, each including all before it. */
#define BUDGET_DIFF_CACHES (150 << 10)
#define BUDGET_DIFF_GROWTH (480 << 10)

/* What a level was in a recording over time; null without a recording. */
static json_t *diff_series(struct html_rows *d, const struct view *v, const struct profile *p,
			   const char *pool)
{
	struct profile_series series = {.nr = 0};
	json_t *j = json_object();

	if (v && p)
		profile_pool_series(v, p, pool, &series);
	put(&d->o, j, "times", html_times(d, series.t, series.nr));
	for (size_t i = 0; i < series.nr; i++)
		series.y[i] /= 1024;
	put(&d->o, j, "series", html_series(d, series.y, series.nr));
	return j;
}

static void diff_data_pools(struct html_rows *d, json_t *root, const struct diff *diff)
{
	const struct diff_rows *rows = &diff->sections[PROFILE_POOLS];
	json_t *list = json_array();

	for (size_t i = 0; i < rows->nr; i++) {
		const struct diff_row *row = &rows->items[i];
		json_t *j;

		if (!(row->level.base > 0 || row->level.new_ > 0))
			continue;
		j = json_object();
		put(&d->o, j, "name", json_string(diff_row_name(row)));
		put(&d->o, j, "status", json_string(diff_status_name(row->level.status)));
		put(&d->o, j, "base_kb", number(row->level.base / 1024));
		put(&d->o, j, "new_kb", number(row->level.new_ / 1024));
		put(&d->o, j, "delta_kb", number(row->level.delta / 1024));
		put(&d->o, j, "base",
		    diff_series(d, diff->in.base_view, diff->in.base, diff_row_name(row)));
		put(&d->o, j, "new",
		    diff_series(d, diff->in.new_view, diff->in.new_, diff_row_name(row)));
		append(&d->o, list, j);
	}
	put(&d->o, root, "pools", list);
}

static json_t *diff_data_level(struct html_rows *d, const struct diff_row *row)
{
	json_t *j = json_array();

	append(&d->o, j, html_string(d, diff_row_name(row)));
	append(&d->o, j, html_string(d, diff_status_name(row->level.status)));
	append(&d->o, j, number(row->level.base / 1024));
	append(&d->o, j, number(row->level.new_ / 1024));
	append(&d->o, j, number(row->level.delta / 1024));
	append(&d->o, j, number(row->level.low / 1024));
	append(&d->o, j, number(row->level.high / 1024));
	append(&d->o, j,
	       row->new_ ? html_string(d, pattern_name(row->new_->pattern)) : json_null());
	return j;
}

static void diff_data_caches(struct html_rows *d, json_t *root, const struct diff *diff,
			     struct html_cut *cut)
{
	static const char *const columns[] = {"name",          "status",   "base_kb",
					      "new_kb",        "delta_kb", "delta_low_kb",
					      "delta_high_kb", "pattern"};
	const struct diff_rows *level = &diff->sections[PROFILE_CACHES];
	json_t *j = json_object(), *rows = json_array();

	cut->all_caches = level->nr;
	while (cut->caches < level->nr &&
	       html_row_fits(d, rows, diff_data_level(d, &level->items[cut->caches]),
			     BUDGET_DIFF_CACHES))
		cut->caches++;
	put(&d->o, j, "columns", html_columns(d, columns, sizeof(columns) / sizeof(columns[0])));
	put(&d->o, j, "rows", rows);
	put(&d->o, root, "caches", j);
}

static json_t *diff_data_path(struct html_rows *d, const struct diff *diff,
			      const struct diff_row *row)
{
	const struct profile_row *side = diff_row_side(row);
	const struct view *v = diff_row_view(diff, row);
	const struct diff_figure *f = &row->growth;
	_cleanup_free_ char *label = diff_row_label(row);
	json_t *j = json_array();

	append(&d->o, j, html_string(d, pool_name(diff_row_pool(row))));
	append(&d->o, j, html_string(d, side ? side->class_ : ""));
	append(&d->o, j, html_string(d, side ? side->cache : ""));
	append(&d->o, j, html_string(d, side ? side->who : ""));
	append(&d->o, j, html_string(d, diff_status_name(f->status)));
	append(&d->o, j, html_string(d, label ?: ""));
	append(&d->o, j, diff->in.set ? json_null() : whole(row->base ? row->base->held : 0));
	append(&d->o, j, whole(row->new_ ? row->new_->held : 0));
	append(&d->o, j, whole(diff_new_bytes(diff, f->delta)));
	append(&d->o, j, whole(diff_new_bytes(diff, f->low)));
	append(&d->o, j, whole(diff_new_bytes(diff, f->high)));
	append(&d->o, j, number(f->base));
	append(&d->o, j, number(f->new_));
	append(&d->o, j, side && v ? html_path(d, v->c, side->stack) : json_array());
	return j;
}

/* The rows from `first` on, added up by pool: [pool, rows, base bytes, new bytes, bytes]. */
static json_t *diff_data_rest(struct html_rows *d, const struct diff *diff, size_t first)
{
	const struct diff_rows *rows = &diff->sections[PROFILE_GROWTH];
	json_t *list = json_array();

	for (int pool = 0; pool < POOLS; pool++) {
		double base = 0, new_ = 0, bytes = 0;
		json_int_t nr = 0;

		for (size_t i = first; i < rows->nr; i++) {
			const struct diff_row *row = &rows->items[i];

			if (diff_row_pool(row) != (enum pool)pool)
				continue;
			nr++;
			base += row->base ? rint(row->base->held) : 0;
			new_ += row->new_ ? rint(row->new_->held) : 0;
			bytes += or_zero(rint(diff_new_bytes(diff, row->growth.delta)));
		}
		if (nr)
			append(&d->o, list,
			       json_pack("[o,I,o,o,o]", html_string(d, pool_name((enum pool)pool)),
					 nr, whole(base), whole(new_), whole(bytes)));
	}
	return list;
}

static void diff_data_growth(struct html_rows *d, json_t *root, const struct diff *diff,
			     struct html_cut *cut)
{
	static const char *const columns[] = {"pool",
					      "class",
					      "cache",
					      "process",
					      "status",
					      "name",
					      "base_bytes",
					      "new_bytes",
					      "bytes",
					      "bytes_low",
					      "bytes_high",
					      "base_bytes_per_s",
					      "new_bytes_per_s",
					      "stack"};
	const struct diff_rows *growth = &diff->sections[PROFILE_GROWTH];
	json_t *j = json_object(), *rows = json_array();

	cut->all_paths = growth->nr;
	while (cut->paths < growth->nr &&
	       html_row_fits(d, rows, diff_data_path(d, diff, &growth->items[cut->paths]),
			     BUDGET_DIFF_GROWTH))
		cut->paths++;
	for (size_t i = cut->paths; i < growth->nr; i++)
		cut->paths_bytes += growth->items[i].new_ ? growth->items[i].new_->held : 0;
	put(&d->o, j, "columns", html_columns(d, columns, sizeof(columns) / sizeof(columns[0])));
	put(&d->o, j, "by", json_string(growth_by_name(diff->in.new_->by)));
	put(&d->o, j, "comparable", json_boolean(growth->comparable));
	put(&d->o, j, "set", json_boolean(diff->in.set));
	put(&d->o, j, "rows", rows);
	put(&d->o, j, "rest", diff_data_rest(d, diff, cut->paths));
	put(&d->o, root, "growth", j);
}

/* Are thread stacks vmalloc areas, so that a sum of pools must not count them twice? */
static json_t *diff_stacks_in_vmalloc(const struct view *v)
{
	_cleanup_(holders_free) struct holders holders = {0};
	const struct outstanding none = {.nr = 0};

	if (holders_build(v, &none, &holders))
		return NULL;
	return json_boolean(holders.vmalloc_end.stacks_kb > 0);
}

static json_t *diff_data(struct html *h, const void *arg, double scale, struct html_cut *cut)
{
	const struct diff *diff = arg;
	struct html_rows d;
	json_t *root = html_rows_begin(&d, h, "diff", scale);

	put(&d.o, root, "duration_s", number(diff->in.new_view->duration_s));
	put(&d.o, root, "stacks_in_vmalloc", diff_stacks_in_vmalloc(diff->in.new_view));
	diff_data_pools(&d, root, diff);
	diff_data_caches(&d, root, diff, cut);
	diff_data_growth(&d, root, diff, cut);
	html_rows_end(&d, root);
	return root;
}

char *html_diff_data(struct html *h, const struct diff *diff, struct html_cut *cut)
{
	return html_data_fit(h, diff_data, diff, cut);
}
