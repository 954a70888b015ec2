// SPDX-License-Identifier: GPL-2.0-only
/* The census on HTML pages: see html_census.h. */
#include "render/html_census.h"
#include "render/census_lenses.h"

#include "findings/screen_words.h"

#define COLUMNS(columns) columns, sizeof(columns) / sizeof((columns)[0])

#define CENSUS_ROWS 40 /* of each table */
#define CHANGE_ROWS 20
#define LEAST_KB    16 /* smaller changes are left out */

static void cell_cgroup(struct html *h, const struct census_cgroup *g)
{
	html_put(h, "<td>");
	html_name(h, g->path);
	html_put(h, census_removal_words(g));
	html_put(h, "</td>");
}

static void census_cut(struct html *h, size_t shown, size_t all, const char *what)
{
	if (shown >= all)
		return;
	html_put(h, "<p class=\"cut static\">");
	html_words(h, "The table has the %zu largest of %zu %s; the JSON has all.", shown, all,
		   what);
	html_put(h, "</p>\n");
}

static void census_pages_table(struct html *h, const struct census_sheet *s)
{
	static const char *const columns[] = {"pages", "#counted", "95 % interval",
					      "/proc", "#it says", "#difference"};

	html_table(h, "table-census-pages", "What pages are used for", COLUMNS(columns));
	for (int class = 0; class < CENSUS_CLASSES; class ++) {
		const struct census_row *row = &s->rows[class];
		char low[UNITS_MAX], high[UNITS_MAX];

		if (row->figure.kb < 1 && !(row->line_kb > 0))
			continue;
		html_row(h);
		html_cell(h, "%s", census_class_words(class));
		html_cell_bytes(h, row->figure.kb * 1024, false);
		if (census_is_whole(s->census))
			html_cell(h, "%s", "");
		else
			html_cell(h, "%s to %s", units_bytes_short(low, row->figure.low_kb * 1024),
				  units_bytes_short(high, row->figure.high_kb * 1024));
		html_cell(h, "%s", row->line ?: "");
		html_cell_bytes(h, row->line_kb * 1024, false);
		html_cell_bytes(h, row->difference_kb * 1024, true);
	}
	html_table_end(h);
}

static void census_caches_table(struct html *h, const struct census_sheet *s)
{
	static const char *const columns[] = {"cache", "#memory",  "#objects in use",
					      "#free", "#charged", "charged most to"};
	size_t i = 0;

	html_table(h, "table-census-caches", "Slab caches, by memory", COLUMNS(columns));
	for (; i < s->nr_caches && i < CENSUS_ROWS && !html_full(h); i++) {
		const struct census_cache_row *row = &s->caches[i];

		html_row(h);
		html_cell_name(h, row->cache->name);
		html_cell_bytes(h, row->figure.kb * 1024, false);
		html_cell_count(h, row->objects.kb, false);
		html_cell_bytes(h, row->free_kb * 1024, false);
		html_cell_count(h, row->charged, false);
		if (row->nr_charges)
			cell_cgroup(h, row->charges[0].cgroup);
		else
			html_cell(h, "%s", "");
	}
	html_table_end(h);
	census_cut(h, i, s->nr_caches, "caches");
}

static const struct like_path *like_first(const struct likeness *l, const struct kind_top *top)
{
	const struct like_row *row =
		likeness_find(l, top->cache, top->row->kind) ?: likeness_find(l, top->cache, NULL);

	return row ? &l->paths.items[row->first] : NULL;
}

/* "98 to 100 %: do_msgsnd < msgsnd()" */
static void cell_like(struct html *h, const struct likeness *l, const struct like_path *path)
{
	char low[UNITS_MAX], high[UNITS_MAX], words[SCREEN_WORDS] = "";

	if (!path) {
		html_cell(h, "%s", "");
		return;
	}
	screen_path(l->taught, path->stack, words);
	html_put(h, "<td>");
	html_words(h, "%s to %s %%: ", units_share(low, path->share_low * 100),
		   units_share(high, path->share_high * 100));
	html_name(h, words);
	html_put(h, "</td>");
}

static void census_kinds_table(struct html *h, const struct census_sheet *s,
			       const struct likeness *l)
{
	static const char *const columns[] = {"cache",          "#memory",
					      "#objects",       "type",
					      "points most to", "similar traced objects came from"};
	size_t i = 0;

	if (!s->kinds.top.nr)
		return;
	html_table(h, "table-census-kinds", "Kinds of objects, from a sample", COLUMNS(columns));
	for (; i < s->kinds.top.nr && i < CENSUS_ROWS && !html_full(h); i++) {
		const struct kind_top *top = &s->kinds.top.items[i];
		const struct census_kind *k = top->row->kind;

		html_row(h);
		html_cell_name(h, s->caches[top->cache].cache->name);
		html_cell_bytes(h, top->row->kb * 1024, false);
		html_cell_count(h, top->row->objects, false);
		html_cell_name(h, k->sure == KIND_UNKNOWN ? "unknown" : k->types[0].name);
		html_cell_name(h, k->functions[0][0] ? k->functions[0] : k->points_to[0]);
		cell_like(h, l, like_first(l, top));
	}
	html_table_end(h);
	census_cut(h, i, s->kinds.top.nr, "kinds");
}

static void census_cgroups_table(struct html *h, const struct census_sheet *s)
{
	static const char *const columns[] = {"cgroup",     "#all",        "#slab",
					      "#anonymous", "#page cache", "#page tables"};
	size_t i = 0;

	html_table(h, "table-census-cgroups",
		   "Cgroups, by the memory charged to them, without those below them",
		   COLUMNS(columns));
	for (; i < s->nr_cgroups && i < CENSUS_ROWS && !html_full(h); i++) {
		const struct census_cgroup_row *row = &s->cgroups[i];

		html_row(h);
		cell_cgroup(h, row->cgroup);
		html_cell_bytes(h, row->figure.kb * 1024, false);
		html_cell_bytes(h, row->slab.kb * 1024, false);
		html_cell_bytes(h, row->classes_kb[CENSUS_ANON] * 1024, false);
		html_cell_bytes(h, row->classes_kb[CENSUS_FILE] * 1024, false);
		html_cell_bytes(h, row->classes_kb[CENSUS_TABLE] * 1024, false);
	}
	html_table_end(h);
	census_cut(h, i, s->nr_cgroups, "cgroups");
}

/* What lenses say: each kind of objects, the largest rows first. */
static void census_objects_table(struct html *h, const struct lens_sheet *s)
{
	static const char *const columns[] = {"objects", "of",     "#number",
					      "#memory", "#holds", "charged most to"};
	const struct census_cgroups *cgroups = &s->census->cgroups;
	size_t shown = 0, all = 0;

	html_table(h, "table-census-objects",
		   "What objects of slab caches are (holds: page cache of inodes, data that "
		   "sockets queue)",
		   COLUMNS(columns));
	for (size_t i = 0; i < s->nr; i++) {
		const struct lens_group *g = &s->items[i];

		all += g->bytes >= LEAST_KB * 1024.0;
		if (g->bytes < LEAST_KB * 1024.0 || shown >= CENSUS_ROWS || html_full(h))
			continue;
		shown++;
		html_row(h);
		html_cell(h, "%s", lens_short_word(g->like->lens));
		html_cell_name(h, g->words);
		html_cell_count(h, g->objects.value, false);
		html_cell_bytes(h, g->kb.value * 1024, false);
		html_cell_bytes(h, (g->held_kb.value + g->queued_kb.value) * 1024, false);
		if (g->cgroup < cgroups->nr)
			cell_cgroup(h, &cgroups->items[g->cgroup]);
		else
			html_cell(h, "%s", "");
	}
	html_table_end(h);
	census_cut(h, shown, all, "kinds of objects");
}

/* ---- changes ---- */

static void census_change_row(struct html *h, const char *what, const struct census_change *c)
{
	char low[UNITS_MAX], high[UNITS_MAX];

	html_row(h);
	html_cell(h, "%s", what);
	if (c->cgroup)
		cell_cgroup(h, c->cgroup);
	else
		html_cell_name(h, c->name);
	html_cell_bytes(h, c->before.kb * 1024, false);
	html_cell_bytes(h, c->after.kb * 1024, false);
	html_cell_bytes(h, c->kb.kb * 1024, true);
	if (c->kb.low_kb < c->kb.high_kb)
		html_cell(h, "%s to %s", units_bytes_short(low, c->kb.low_kb * 1024),
			  units_bytes_short(high, c->kb.high_kb * 1024));
	else
		html_cell(h, "%s", "");
	html_cell_count(h, c->objects, true);
}

static void census_changes_table(struct html *h, const struct census_delta *d)
{
	static const char *const columns[] = {"of",      "name",          "#before", "#after",
					      "#change", "95 % interval", "#objects"};
	static const char *const words[] = {"pages", "slab cache", "cgroup", "objects",
					    "function (allocinfo)"};
	const struct census_changes *lists[] = {&d->pages, &d->caches, &d->cgroups, &d->objects,
						&d->sites};

	html_table(h, "table-census-changes", "What changed from one census to the other",
		   COLUMNS(columns));
	for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++) {
		size_t shown = 0;

		for (size_t i = 0; i < lists[k]->nr && shown < CHANGE_ROWS && !html_full(h); i++) {
			const struct census_change *c = &lists[k]->items[i];

			if (!c->surely || fabs(c->kb.kb) < LEAST_KB)
				continue;
			census_change_row(
				h, c->lens != LENSES ? lens_short_word(c->lens) : words[k], c);
			shown++;
		}
	}
	html_table_end(h);
}

void html_census(struct html *h, const struct report *r)
{
	const struct census_sheet *start = &r->census[CENSUS_AT_START],
				  *shown = start->census ? start : &r->census[CENSUS_AT_END];
	char memory[UNITS_MAX], share[UNITS_MAX];

	if (!shown->census)
		return;
	html_section(h, "census", "Census: what each page was used for");
	html_put(h, "<p>");
	html_words(h, "%s of memory, %s%% of the page frames counted, %s.",
		   units_bytes(memory, shown->total.kb * 1024),
		   units_share(share, shown->counted_share * 100),
		   shown == start ? "before tracing began" : "after tracing had ended");
	html_put(h, " Nothing of this memory was traced. The tables do not follow the time range "
		    "above.</p>\n");
	census_pages_table(h, shown);
	census_caches_table(h, shown);
	census_cgroups_table(h, shown);
	census_kinds_table(h, shown, &r->like);
	if (lens_sheet_is_known(&shown->lenses))
		census_objects_table(h, &shown->lenses);
	if (r->census_delta.pages.nr)
		census_changes_table(h, &r->census_delta);
	html_put(h, "</section>\n");
}

void html_census_diff(struct html *h, const struct census_delta *d)
{
	if (!d->pages.nr)
		return;
	html_section(h, "census", "Census: what changed page by page");
	html_put(h, "<p>From the last census of the base to that of the new capture. What may be "
		    "chance is left out.</p>\n");
	census_changes_table(h, d);
	html_put(h, "</section>\n");
}
