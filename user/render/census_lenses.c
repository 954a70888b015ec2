// SPDX-License-Identifier: GPL-2.0-only
/* Prints the lenses of a census: see census_lenses.h. */
#include "render/census_lenses.h"

#include <stdio.h>
#include <string.h>

#include "render/bpf_use.h"
#include "render/table.h"

#define SCREEN_GROUPS  8
#define SECTION_ROWS   12
#define SCREEN_HOLDER  15 /* columns */
#define SECTION_HOLDER 26
#define PATH_COLUMNS   38
#define LARGE_BYTES    (64 * 1024.0) /* smaller groups are not on the first screen */

/* ---- text ---- */

static void cell_number(struct table *t, const struct lens_figure *f)
{
	char count[UNITS_MAX], low[UNITS_MAX];
	double error = f->value > 0 ? fmax(f->high - f->value, f->value - f->low) / f->value : 0;

	units_count(count, f->value);
	if (error < 0.005)
		table_words(t, "%s", count);
	else if (error > 0.995)
		table_words(t, "%s-%s", units_count(low, f->low), units_count(count, f->high));
	else
		table_words(t, "%s ±%.0f%%", count, error * 100);
}

/* The cgroup that most are charged to, in `width` columns; how many only if it is not nearly all.
 */
static void cell_charged(struct page *p, struct table *t, const struct lens_sheet *s,
			 const struct lens_group *g, size_t width)
{
	const struct census_cgroup *cgroup;
	const char *removed;
	char share[16] = "";

	if (g->cgroup == LENS_NO_CGROUP || g->cgroup >= s->census->cgroups.nr ||
	    g->cgroup_share < 0.05) {
		table_words(t, "%s", "");
		return;
	}
	cgroup = &s->census->cgroups.items[g->cgroup];
	removed = cgroup->removed ? "removed " : cgroup->below ? "removed in " : "";
	if (g->cgroup_share < 0.95)
		snprintf(share, sizeof(share), "%.0f%% ", g->cgroup_share * 100);
	width -= strlen(removed) + strlen(share);
	table_words(t, "%s%s%s", share, removed, page_fit_middle(p, cgroup->path, width));
}

static const struct {
	const char *short_word, *heading;
} lens_titles[LENSES] = {{"dentries", "DENTRIES"},
			 {"inodes", "INODES"},
			 {"sockets", "SOCKETS"},
			 {"files", "OPEN FILES"},
			 {"network ns", "NETWORK NAMESPACES"},
			 {"mounts", "MOUNTS"}};

const char *lens_short_word(enum lens lens)
{
	return lens_titles[lens].short_word;
}

static void census_lens_row(struct page *p, struct table *t, const struct lens_sheet *s,
			    const struct lens_group *g, size_t width)
{
	double held_kb = g->held_kb.value + g->queued_kb.value;

	table_words(t, "%s", g->words);
	cell_number(t, &g->objects);
	table_bytes(t, g->kb.value * 1024, false);
	if (held_kb > 0)
		table_bytes(t, held_kb * 1024, false);
	else
		table_words(t, "%s", "");
	cell_charged(p, t, s, g, width);
}

static int compare_by_bytes(const void *x, const void *y)
{
	const struct lens_group *a = *(const struct lens_group *const *)x,
				*b = *(const struct lens_group *const *)y;

	if (a->bytes != b->bytes)
		return a->bytes < b->bytes ? 1 : -1;
	return a < b ? -1 : a > b;
}

static void lenses_absent(struct page *p, const struct lens_sheet *s)
{
	page_heading(p, PAGE_BOLD, "OBJECTS");
	page_paragraph(p, 2, "What dentries, inodes, sockets and files are is not known: %s.",
		       s->census->lenses.absent);
}

static bool lenses_taken(const struct lens_sheet *s)
{
	return s->census && s->census->lenses.taken;
}

void census_lenses_screen(struct page *p, const struct lens_sheet *s)
{
	static const struct table_column columns[] = {
		{"objects", 10, false}, {"of", 25, false},  {"number", 0, true},
		{"memory", 0, true},    {"holds", 0, true}, {"charged most to", 0, false}};
	const struct lens_group **order = calloc(s->nr + 1, sizeof(*order));
	struct table table = TABLE_INIT(p, columns);
	size_t nr = 0;

	if (lenses_taken(s) && s->census->lenses.absent[0])
		lenses_absent(p, s);
	p->failed |= !order;
	if (!order)
		return;
	for (size_t i = 0; i < s->nr; i++)
		if (s->items[i].bytes >= LARGE_BYTES)
			order[nr++] = &s->items[i];
	qsort(order, nr, sizeof(*order), compare_by_bytes);
	if (nr)
		page_heading(p, PAGE_BOLD,
			     "OBJECTS  (holds: page cache of inodes, data that sockets queue)");
	for (size_t i = 0; i < nr && i < SCREEN_GROUPS; i++) {
		table_words(&table, "%s", lens_titles[order[i]->like->lens].short_word);
		census_lens_row(p, &table, s, order[i], SCREEN_HOLDER);
	}
	table_print(&table);
	free(order);
}

/* The rows of one kind. */
static void lens_section(struct page *p, const struct lens_sheet *s, enum lens lens)
{
	static const struct table_column columns[] = {{"", 30, false},
						      {"number", 0, true},
						      {"memory", 0, true},
						      {"holds", 0, true},
						      {"charged most to", 0, false}};
	const struct lens_figure *all = &s->objects[lens];
	char count[UNITS_MAX], bytes[UNITS_MAX], share[64] = "";
	struct table table = TABLE_INIT(p, columns);
	size_t rows = 0, shown = 0;

	if (!(all->value > 0))
		return;
	if (s->census->lenses.sampled[lens])
		snprintf(share, sizeof(share), ", estimated from %.0f%% of their slabs",
			 s->census->lenses.share[lens] * 100);
	page_heading(p, PAGE_BOLD, "%s  (%s objects, %s%s)", lens_titles[lens].heading,
		     units_count(count, all->value), units_bytes(bytes, s->kb[lens].value * 1024),
		     share);
	for (size_t i = 0; i < s->nr; i++) {
		if (s->items[i].like->lens != lens)
			continue;
		rows++;
		if (shown < SECTION_ROWS) {
			shown++;
			census_lens_row(p, &table, s, &s->items[i], SECTION_HOLDER);
		}
	}
	table_print(&table);
	if (rows > shown)
		page_paragraph(p, 2, "%zu more rows are in --format json.", rows - shown);
}

static void lens_directories_text(struct page *p, const struct lens_directories *list)
{
	static const struct table_column columns[] = {{"directory", 40, false},
						      {"dentries", 0, true},
						      {"negative", 0, true},
						      {"memory", 0, true},
						      {"file system", 18, false}};
	struct table table = TABLE_INIT(p, columns);

	if (!list->nr)
		return;
	page_heading(p, PAGE_BOLD,
		     "DIRECTORIES  (paths start at the root of their file system, not at /)");
	for (size_t i = 0; i < list->nr; i++) {
		const struct lens_directory *d = &list->items[i];
		struct lens_figure f = lens_estimate(&d->objects);

		table_words(&table, "%s", page_fit_middle(p, d->path, 40));
		cell_number(&table, &f);
		table_count(&table, d->negative.value, false);
		table_bytes(&table, d->kb * 1024, false);
		table_words(&table, "%s", d->what);
	}
	table_print(&table);
}

/* Paths that several open files, sockets or mounts have. */
static void lens_paths_text(struct page *p, const struct lens_paths *list)
{
	static const struct table_column columns[] = {{"path", PATH_COLUMNS, false},
						      {"number", 0, true},
						      {"of", 0, false},
						      {"most has", 0, false},
						      {"of them", 0, true}};
	struct table table = TABLE_INIT(p, columns);

	if (!list->nr)
		return;
	page_heading(p, PAGE_BOLD,
		     "PATHS  (of open files, Unix sockets and mounts, if several have one)");
	for (size_t i = 0; i < list->nr; i++) {
		const struct lens_path *l = &list->items[i];
		const char *deleted = l->deleted ? " (deleted)" : "";
		struct lens_figure f = lens_estimate(&l->objects);

		table_words(&table, "%s%s",
			    page_fit_middle(p, l->path, PATH_COLUMNS - strlen(deleted)), deleted);
		cell_number(&table, &f);
		table_words(&table, "%s", lens_titles[l->lens].short_word);
		table_words(&table, "%s", l->comm);
		if (l->processes)
			table_count(&table, (double)l->most, false);
		else
			table_words(&table, "%s", "");
	}
	table_print(&table);
}

/* What processes have open. */
static void lens_holders_text(struct page *p, const struct census_lenses *l, size_t most)
{
	static const struct table_column columns[] = {{"command", 0, false},
						      {"processes", 0, true},
						      {"have open", 30, false},
						      {"number", 0, true},
						      {"holds", 0, true}};
	struct table table = TABLE_INIT(p, columns);
	char words[LENS_WORDS];

	if (!l->holders.nr)
		return;
	page_heading(p, PAGE_BOLD,
		     "OPEN FILES AND SOCKETS BY COMMAND  (shared ones count for each process)");
	for (size_t i = 0; i < l->holders.nr && i < most; i++) {
		const struct lens_holder *h = &l->holders.items[i];

		table_words(&table, "%s", h->comm);
		table_words(&table, "%u", h->processes);
		lens_holder_words(h, words);
		table_words(&table, "%s", words);
		table_count(&table, (double)h->objects, false);
		if (h->held_kb + h->queued_kb > 0)
			table_bytes(&table, (h->held_kb + h->queued_kb) * 1024, false);
		else
			table_words(&table, "%s", "");
	}
	table_print(&table);
	if (!l->holders_whole)
		page_paragraph(
			p, 2, "Not all open files could be visited, so these numbers are too low.");
}

void census_lenses_text(struct page *p, const struct lens_sheet *s, const struct bpf_use *bpf)
{
	if (lenses_taken(s)) {
		if (s->census->lenses.absent[0])
			lenses_absent(p, s);
		for (int lens = 0; lens < LENSES; lens++)
			lens_section(p, s, lens);
		lens_holders_text(p, &s->census->lenses, SECTION_ROWS);
		lens_directories_text(p, &s->census->lenses.directories);
		lens_paths_text(p, &s->census->lenses.paths);
	}
	if (bpf)
		bpf_use_text(p, bpf, SECTION_ROWS);
}

/* ---- JSON ---- */

static json_t *text_or_null(const char *s)
{
	return s[0] ? text(s) : json_null();
}

static void lens_cgroup_put(struct json_out *o, json_t *j, const struct lens_sheet *s,
			    uint32_t index)
{
	const struct census_cgroup *g =
		index < s->census->cgroups.nr ? &s->census->cgroups.items[index] : NULL;

	put(o, j, "cgroup", g ? text(g->path) : json_null());
	put(o, j, "removed", g ? json_boolean(g->removed) : json_null());
	put(o, j, "removed_below", g ? json_boolean(g->below) : json_null());
}

static void lens_space_put(struct json_out *o, json_t *j, const struct lens_sheet *s,
			   const struct lens_row *row)
{
	bool net = row->lens != LENS_MOUNTS;
	const struct lens_space *space = lens_space_find(&s->census->lenses, net, row->space);

	put(o, j, "namespace", row->space ? json_integer(row->space) : json_null());
	put(o, j, "processes",
	    space || s->census->lenses.spaces_whole ? json_integer(space ? space->processes : 0)
						    : json_null());
	put(o, j, "pid", space ? json_integer(space->pid) : json_null());
	put(o, j, "process", space ? text(space->comm) : json_null());
}

static json_t *lens_row_json(struct json_out *o, const struct lens_sheet *s,
			     const struct lens_row *row)
{
	struct lens_figure objects = lens_estimate(&row->objects);
	json_t *j = json_object();

	if (row->lens == LENS_SOCKETS) {
		put(o, j, "protocol", text(row->what));
		put(o, j, "family", text(row->family));
	} else if (row->lens != LENS_NET_NAMESPACES) {
		put(o, j, "file_system", text(row->what));
		put(o, j, "device", text_or_null(row->device));
	}
	if (row->lens == LENS_INODES || row->lens == LENS_FILES)
		put(o, j, "type", text_or_null(row->kind));
	if (row->lens == LENS_DENTRIES || row->lens == LENS_INODES || row->lens == LENS_SOCKETS)
		put(o, j, "state", row->state[0] ? text(row->state) : json_string("used"));
	if (row->lens == LENS_SOCKETS || row->lens == LENS_NET_NAMESPACES ||
	    row->lens == LENS_MOUNTS)
		lens_space_put(o, j, s, row);
	lens_cgroup_put(o, j, s, row->cgroup);
	put(o, j, "objects", whole(objects.value));
	put(o, j, "objects_low", whole(objects.low));
	put(o, j, "objects_high", whole(objects.high));
	put(o, j, "kb", number(row->kb.value));
	if (row->lens == LENS_INODES)
		put(o, j, "page_cache_kb", number(row->held_kb.value));
	if (row->lens == LENS_SOCKETS) {
		put(o, j, "received_kb", number(row->held_kb.value));
		put(o, j, "queued_kb", number(row->queued_kb.value));
	}
	return j;
}

static void lens_json(struct json_out *o, const struct lens_sheet *s, enum lens lens)
{
	const struct census_lenses *l = &s->census->lenses;

	json_begin(o, lens_word(lens), '{');
	json_member(o, "looked_fraction", fraction(l->share[lens]));
	json_member(o, "objects", whole(s->objects[lens].value));
	json_member(o, "objects_low", whole(s->objects[lens].low));
	json_member(o, "objects_high", whole(s->objects[lens].high));
	json_member(o, "kb", number(s->kb[lens].value));
	json_begin(o, "rows", '[');
	for (size_t i = 0; i < l->rows.nr && json_wanted(o); i++)
		if (l->rows.items[i].lens == lens)
			json_member(o, NULL, lens_row_json(o, s, &l->rows.items[i]));
	json_end(o, ']');
	json_end(o, '}');
}

static json_t *lens_directory_json(struct json_out *o, const struct lens_directory *d)
{
	struct lens_figure objects = lens_estimate(&d->objects);
	json_t *j = json_object();

	put(o, j, "file_system", text(d->what));
	put(o, j, "device", text_or_null(d->device));
	put(o, j, "path", text(d->path));
	put(o, j, "objects", whole(objects.value));
	put(o, j, "objects_low", whole(objects.low));
	put(o, j, "objects_high", whole(objects.high));
	put(o, j, "negative", whole(d->negative.value));
	put(o, j, "kb", number(d->kb));
	return j;
}

static json_t *lens_holder_json(struct json_out *o, const struct lens_holder *h)
{
	json_t *j = json_object();

	put(o, j, "lens", json_string(lens_word(h->lens)));
	put(o, j, "process", text(h->comm));
	put(o, j, "processes", json_integer(h->processes));
	put(o, j, "pid", json_integer(h->pid));
	put(o, j, "protocol", h->lens == LENS_SOCKETS ? text(h->what) : json_null());
	put(o, j, "family", h->lens == LENS_SOCKETS ? text(h->family) : json_null());
	put(o, j, "state", h->lens == LENS_SOCKETS ? text(h->state) : json_null());
	put(o, j, "file_system", h->lens == LENS_FILES ? text(h->what) : json_null());
	put(o, j, "device", text_or_null(h->lens == LENS_FILES ? h->device : ""));
	put(o, j, "type", text_or_null(h->kind));
	put(o, j, "objects", json_integer((json_int_t)h->objects));
	put(o, j, "received_kb", number(h->held_kb));
	put(o, j, "queued_kb", number(h->queued_kb));
	return j;
}

static void lens_holders_json(struct json_out *o, const struct census_lenses *l)
{
	json_member(o, "holders_complete", json_boolean(l->holders_whole));
	json_begin(o, "holders", '[');
	for (size_t i = 0; i < l->holders.nr && json_wanted(o); i++)
		json_member(o, NULL, lens_holder_json(o, &l->holders.items[i]));
	json_end(o, ']');
}

static json_t *lens_path_json(struct json_out *o, const struct lens_path *p)
{
	struct lens_figure objects = lens_estimate(&p->objects);
	json_t *j = json_object();
	bool held = p->processes;

	put(o, j, "lens", json_string(lens_word(p->lens)));
	put(o, j, "path", text(p->path));
	put(o, j, "deleted", json_boolean(p->deleted));
	put(o, j, "file_system", text_or_null(p->what));
	put(o, j, "device", text_or_null(p->device));
	put(o, j, "objects", whole(objects.value));
	put(o, j, "objects_low", whole(objects.low));
	put(o, j, "objects_high", whole(objects.high));
	put(o, j, "processes", held ? json_integer(p->processes) : json_null());
	put(o, j, "process", held ? text(p->comm) : json_null());
	put(o, j, "pid", held ? json_integer(p->pid) : json_null());
	put(o, j, "process_objects", held ? json_integer((json_int_t)p->most) : json_null());
	return j;
}

/* Null without --names. */
static void lens_paths_json(struct json_out *o, const struct census_lenses *l)
{
	if (!l->named) {
		json_member(o, "paths", json_null());
		return;
	}
	json_begin(o, "paths", '[');
	for (size_t i = 0; i < l->paths.nr; i++)
		json_member(o, NULL, lens_path_json(o, &l->paths.items[i]));
	json_end(o, ']');
}

/* Null without --names. */
static void lens_directories_json(struct json_out *o, const struct census_lenses *l)
{
	if (!l->named) {
		json_member(o, "directories", json_null());
		return;
	}
	json_begin(o, "directories", '[');
	for (size_t i = 0; i < l->directories.nr; i++)
		json_member(o, NULL, lens_directory_json(o, &l->directories.items[i]));
	json_end(o, ']');
}

void census_lenses_json(struct json_out *o, const struct lens_sheet *s, const struct bpf_use *bpf)
{
	const struct census_lenses *l;

	if (!lenses_taken(s)) {
		json_member(o, "lenses", json_null());
		return;
	}
	l = &s->census->lenses;
	json_begin(o, "lenses", '{');
	json_member(o, "absent", text_or_null(l->absent));
	json_member(o, "cpu_s", number(l->cpu_s));
	json_member(o, "unrecognised_objects", whole(l->unrecognised));
	json_member(o, "lost", json_integer((json_int_t)l->lost));
	for (int lens = 0; lens < LENSES; lens++)
		lens_json(o, s, lens);
	lens_holders_json(o, l);
	lens_directories_json(o, l);
	lens_paths_json(o, l);
	if (bpf)
		bpf_use_json(o, bpf);
	else
		json_member(o, "bpf", json_null());
	json_end(o, '}');
}
