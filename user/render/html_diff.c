// SPDX-License-Identifier: GPL-2.0-only
/* A diff as an HTML page: see diff.h. Plain text and tables, which the script adds pictures to. */
#include <math.h>
#include <string.h>

#include "base/append.h"
#include "base/cleanup.h"
#include "model/confidence.h"
#include "model/losses.h"
#include "render/diff.h"
#include "render/html_census.h"
#include "render/html_data.h"

#define COLUMNS(columns) columns, sizeof(columns) / sizeof((columns)[0])

#define DIFF_ROWS_SHOWN   50
#define DIFF_PATHS_SHOWN  20
#define DIFF_FRAMES_SHOWN 32

/* ---- the first screen ---- */

static void html_diff_who(struct html *h, const struct diff_screen_row *row)
{
	fprintf(h->out, "<dt>%s</dt><dd>", row->label);
	html_text(h, row->words);
	html_who_end(h, row->cgroup, row->cmdline);
	html_item(h, "WHAT", row->what);
	html_item(h, "HOW", row->how);
}

static void html_diff_screen(struct html *h, const struct diff_screen *s)
{
	html_put(h, "<section id=\"screen\" aria-labelledby=\"headline\"><h1 id=\"headline\">"
		    "<span class=\"state\">");
	html_text(h, diff_state_name(s->state));
	html_put(h, "</span> ");
	html_text(h, s->headline);
	html_put(h, "</h1>\n<dl class=\"screen\">\n");
	for (size_t i = 0; i < s->nr_rows; i++)
		html_diff_who(h, &s->rows[i]);
	if (s->state >= DIFF_GREW && !s->nr_rows)
		html_item(h, "WHO", "unknown: no process or call path stands out.");
	html_item(h, "SINCE", s->since);
	html_item(h, "TRUST", s->sure);
	html_item(h, "CAUTION", s->caution ?: "");
	if (s->next) {
		html_put(h, "<dt>NEXT</dt><dd>");
		html_command(h, s->next);
		html_put(h, "</dd>\n");
	}
	html_put(h, "</dl>\n</section>\n");
}

/* ---- levels ---- */

static void html_level_rows(struct html *h, const struct diff *d, enum profile_section section,
			    const char *title)
{
	static const char *const columns[] = {"name",        "status",        "#base",    "#new",
					      "#difference", "95 % interval", "over time"};
	const struct diff_rows *rows = &d->sections[section];
	size_t shown = 0;
	char id[64];

	snprintf(id, sizeof(id), "table-%s", profile_section_name(section));
	if (!rows->comparable || !rows->nr) {
		html_put(h, "<p>");
		html_words(h, "%s: nothing to compare.", title);
		html_put(h, "</p>\n");
		return;
	}
	html_table(h, id, title, COLUMNS(columns));
	for (size_t i = 0; i < rows->nr && shown < DIFF_ROWS_SHOWN && !html_full(h); i++) {
		const struct diff_row *row = &rows->items[i];
		const struct diff_figure *f = &row->level;
		char interval[INTERVAL_WORDS_MAX];

		if (!diff_row_shown(row))
			continue;
		shown++;
		html_row(h);
		html_cell_name(h, diff_row_name(row));
		html_cell(h, "%s", diff_status_name(f->status));
		html_cell_bytes(h, f->base, false);
		html_cell_bytes(h, f->new_, false);
		html_cell_bytes(h, f->delta, true);
		html_cell(h, "%s",
			  interval_words(interval, "(", f->delta, f->low, f->high,
					 units_bytes_short));
		html_cell(h, "%s", row->new_ ? pattern_name(row->new_->pattern) : "");
	}
	html_table_end(h);
	if ((shown == DIFF_ROWS_SHOWN || html_full(h)) && rows->nr > shown) {
		html_put(h, "<p class=\"cut static\">");
		html_words(h, "The table has the first %zu of %zu rows.", shown, rows->nr);
		html_put(h, "</p>\n");
	}
}

static void html_diff_levels(struct html *h, const struct diff *d)
{
	html_section(h, "pools", "Pools");
	html_chart(h, "chart-pools", "Size of each pool over time, stacked, of both recordings");
	html_level_rows(h, d, PROFILE_POOLS, "Pools");
	html_put(h, "</section>\n");
}

static void html_diff_others(struct html *h, const struct diff *d)
{
	html_section(h, "caches", "Slab caches");
	html_level_rows(h, d, PROFILE_CACHES, "Slab caches");
	html_put(h, "</section>\n");
	html_section(h, "levels", "Other levels");
	html_level_rows(h, d, PROFILE_VMALLOC, "Callers of vmalloc");
	html_level_rows(h, d, PROFILE_STACKS, "Kernel stacks");
	html_level_rows(h, d, PROFILE_PAGE_TABLES, "Page tables");
	html_put(h, "</section>\n");
}

/* ---- held memory ---- */

static void html_diff_frames(struct html *h, const struct diff *d, const struct diff_row *row)
{
	const struct profile_row *side = diff_row_side(row);
	const struct view *v = diff_row_view(d, row);
	const struct cap_stack *s = side && v ? &v->c->stacks[side->stack] : NULL;

	html_put(h, "<ol class=\"path\">");
	for (uint32_t i = 0; s && i < s->nr_frames && i < DIFF_FRAMES_SHOWN; i++) {
		html_put(h, "<li>");
		html_name(h, v->c->frames[s->frames[i]].symbol);
		html_put(h, "</li>");
	}
	html_put(h, "</ol>");
}

static void html_diff_path(struct html *h, const struct diff *d, const struct diff_row *row)
{
	const struct profile_row *side = diff_row_side(row);
	const struct diff_figure *f = &row->growth;
	char interval[INTERVAL_WORDS_MAX];

	html_row(h);
	html_cell(h, "%s", diff_status_name(f->status));
	html_cell_bytes(h, diff_new_bytes(d, f->delta), true);
	html_cell(h, "%s",
		  interval_words(interval, "(", diff_new_bytes(d, f->delta),
				 diff_new_bytes(d, f->low), diff_new_bytes(d, f->high),
				 units_bytes_short));
	html_cell(h, "%s", pool_name(diff_row_pool(row)));
	html_cell_name(h, side ? side->cache : "");
	html_put(h, "<td>");
	html_diff_frames(h, d, row);
	html_put(h, "</td>");
	html_cell_name(h, side ? side->who : "");
	html_cell_bytes(h, d->in.set ? NAN : row->base ? row->base->held : 0, false);
	html_cell_bytes(h, row->new_ ? row->new_->held : 0, false);
}

static void html_diff_growth(struct html *h, const struct diff *d, const struct html_cut *cut)
{
	static const char *const columns[] = {
		"status",  "#change",       "95 % interval",
		"pool",    "cache",         "call path (innermost first)",
		"process", "#held in base", "#held in new"};
	const struct diff_rows *rows = &d->sections[PROFILE_GROWTH];
	char bytes[UNITS_MAX];

	html_section(h, "paths", "Held memory by call path");
	if (!rows->comparable) {
		html_put(h, "<p>Held memory cannot be compared: at least one side has no traced "
			    "allocations.</p>\n</section>\n");
		return;
	}
	html_put(h,
		 "<p>Rates of growth are compared. The difference of the rates, times the length "
		 "of the new recording, is how much more it holds than with the growth of the "
		 "base. Rows whose interval holds 0 are grey: they may differ by chance.</p>\n");
	if (cut->paths < cut->all_paths) {
		html_put(h, "<p class=\"cut\">");
		html_words(
			h,
			"The picture has %zu of %zu rows. The others hold %s in the new capture, "
			"and are added up by pool. `diff --format json --all --top 0` has all.",
			cut->paths, cut->all_paths, units_bytes(bytes, cut->paths_bytes));
		html_put(h, "</p>\n");
	}
	html_chart(h, "chart-paths", "Held memory by pool, cache and call path, by change");
	html_table(h, "table-growth", "What changed most", COLUMNS(columns));
	for (size_t i = 0; i < rows->nr && i < DIFF_PATHS_SHOWN && !html_full(h); i++)
		html_diff_path(h, d, &rows->items[i]);
	html_table_end(h);
	html_put(h, "</section>\n");
}

/* ---- the two sides ---- */

static void html_diff_side(struct html *h, const char *word, const struct view *v)
{
	char when[UNITS_MAX], lasted[UNITS_MAX], lost[UNITS_MAX], all[UNITS_MAX];
	struct losses losses;
	const char *host, *release;

	if (!v)
		return;
	host = capture_meta(v->c, META_HOST);
	release = capture_meta(v->c, META_RELEASE);
	fprintf(h->out, "<dt>%s</dt><dd>", word);
	losses_sum(v, &losses);
	html_words(h, "host %s, Linux %s, %s, %s, mode %s, %s, %s of %s events lost",
		   host[0] ? host : "unknown", release[0] ? release : "unknown",
		   units_time(when, "%Y-%m-%d %H:%M:%S UTC", view_wall_s(v))
			   ?: "at an unknown time",
		   units_duration(lasted, v->duration_s), capture_meta(v->c, META_MODE),
		   v->complete ? "complete" : "incomplete", units_count(lost, losses.events),
		   units_count(all, losses.traffic + losses.events));
	html_put(h, "</dd>\n");
}

/* "events lost: base 0, new 6 (under 0.001%)" */
static void html_diff_losses(const struct diff *d, char *words, size_t size)
{
	const struct view *const views[] = {d->in.base_view, d->in.new_view};
	bool any = false;

	snprintf(words, size, "events lost:");
	for (int i = 0; i < 2; i++) {
		char nr[UNITS_MAX], share[UNITS_MAX];
		struct losses l;

		if (!views[i])
			continue;
		losses_sum(views[i], &l);
		any |= l.events > 0;
		append_words(words, size, "%s %s %s (%s%%)", i && views[0] ? "," : "",
			     i ? "new" : "base", units_count(nr, l.events),
			     units_share(share, 100 * losses_ratio(&l)));
	}
	if (!any)
		snprintf(words, size, "no events lost");
}

static void html_diff_sides(struct html *h, const struct diff *d)
{
	html_section(h, "sides", "What is compared");
	html_put(h, "<dl class=\"screen\">\n");
	html_diff_side(h, "BASE", d->in.base_view);
	if (d->in.set) {
		html_put(h, "<dt>BASE</dt><dd>");
		html_words(h, "a set of %zu captures", baseline_captures(d->in.set));
		html_put(h, "</dd>\n");
	}
	html_diff_side(h, "NEW", d->in.new_view);
	html_put(h, "</dl>\n</section>\n");
}

int diff_html(const struct diff *d, const struct diff_findings *f, FILE *out)
{
	_cleanup_free_ char *title = NULL;
	char losses[160], source[256];
	struct html_head head = {.state = diff_state_name(f->screen.state),
				 .trust = f->screen.judged ? trust_name(f->screen.trust) : NULL,
				 .losses = losses,
				 .about_losses = "sides",
				 .source = source};
	struct html h = {.out = out};
	struct html_cut cut = {0};
	_cleanup_free_ char *data = html_diff_data(&h, d, &cut);

	if (asprintf(&title, "kmemtrace diff: %s %s", head.state, f->screen.headline) < 0) {
		title = NULL;
		h.failed = true;
	}
	head.title = title ?: "";
	html_diff_losses(d, losses, sizeof(losses));
	snprintf(source, sizeof(source), "%.200s, against %s",
		 capture_meta(d->in.new_view->c, META_HOST), d->in.set ? "a set" : "one capture");
	html_begin(&h, &head);
	html_diff_screen(&h, &f->screen);
	html_findings(&h, &f->list);
	html_diff_levels(&h, d);
	html_diff_growth(&h, d, &cut);
	html_diff_others(&h, d);
	html_census_diff(&h, &d->census_delta);
	html_diff_sides(&h, d);
	return html_end(&h, data);
}
