// SPDX-License-Identifier: GPL-2.0-only
/*
 * A report as an HTML page: see report.h. The facts are in plain text and tables, which the script
 * makes sortable and adds pictures to. Each section is a function, in the order of the page.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "findings/source_notes.h"
#include "model/confidence.h"
#include "render/html_census.h"
#include "render/html_data.h"
#include "render/html_rows.h"
#include "render/report.h"

#define COLUMNS(columns) columns, sizeof(columns) / sizeof((columns)[0])

#define PATHS_SHOWN     20
#define FRAMES_SHOWN    32
#define CACHES_SHOWN    50
#define PROCESSES_SHOWN 25
#define COUNTERS_SHOWN  64
#define HOOKS_SHOWN     64

static const char *html_meta(const struct report *r, const char *key)
{
	const char *value = capture_meta(r->c, key);

	return value[0] ? value : "unknown";
}

static void html_more(struct html *h, size_t shown, size_t all, const char *what)
{
	if (shown >= all)
		return;
	html_put(h, "<p class=\"cut static\">");
	html_words(h, "The table has the first %zu of %zu %s.", shown, all, what);
	html_put(h, "</p>\n");
}

/* ---- the first screen: the same words as in the text ---- */

static void html_holder(struct html *h, const struct first_screen *s,
			const struct screen_holder *holder)
{
	char bytes[UNITS_MAX];

	html_put(h, "<dt>WHO</dt><dd>");
	html_words(h, "%s: %s %s, %.0f%% of the new memory in %s", holder->who, holder->has,
		   units_bytes(bytes, holder->bytes), 100 * holder->share, s->held_of);
	html_who_end(h, holder->cgroup, holder->cmdline);
	html_item(h, "WHAT", holder->what);
	html_item(h, "HOW", holder->how);
}

static void html_first_screen(struct html *h, const struct report *r)
{
	const struct first_screen *s = &r->screen;

	html_put(h, "<section id=\"screen\" aria-labelledby=\"headline\"><h1 id=\"headline\">");
	html_put(h, s->state == SCREEN_LEAK ? "<span class=\"state alarm\">"
					    : "<span class=\"state\">");
	html_text(h, screen_state_name(s->state));
	html_put(h, "</span> ");
	html_text(h, s->headline);
	html_put(h, "</h1>\n<dl class=\"screen\">\n");
	for (size_t i = 0; i < s->nr_holders; i++)
		html_holder(h, s, &s->holders[i]);
	if (s->state >= SCREEN_GREW && !s->nr_holders)
		html_item(h, "WHO", "unknown: no process or call path stands out.");
	html_item(h, "URGENT", s->urgent);
	html_item(h, "TRUST", s->sure);
	html_item(h, s->state == SCREEN_CENSUS ? "HELD" : "OLDER", s->older);
	html_item(h, "UNSEEN", s->unseen);
	if (r->verdict.next) {
		html_put(h, "<dt>NEXT</dt><dd>");
		html_command(h, r->verdict.next);
		if (s->next_shows[0])
			html_words(h, " %s", s->next_shows);
		html_put(h, "</dd>\n");
	}
	html_put(h, "</dl>\n</section>\n");
}

/* ---- pools ---- */

static void html_pools(struct html *h, const struct report *r)
{
	static const char *const columns[] = {"pool",      "#start",    "#end",
					      "#change",   "#held",     "#old freed",
					      "#overhead", "#residual", "over time"};

	html_section(h, "pools", "Pools over time");
	html_chart(h, "chart-pools", "Size of each pool over time, stacked");
	html_table(h, "table-pools", "Pools", COLUMNS(columns));
	for (size_t i = 0; i < LEDGER_POOLS; i++) {
		const struct ledger_row *row = &r->ledger.rows[i];

		if (!row->shown)
			continue;
		html_row(h);
		html_cell_name(h, row->name);
		html_cell_bytes(h, row->start_kb * 1024, false);
		html_cell_bytes(h, row->end_kb * 1024, false);
		html_cell_bytes(h, row->delta_kb * 1024, true);
		html_cell_bytes(h, row->attributed_kb * 1024, true);
		html_cell_bytes(h, -row->preexisting_freed_kb * 1024, true);
		html_cell_bytes(h, row->allocator_overhead_kb * 1024, true);
		html_cell_bytes(h, row->residual_kb * 1024, true);
		html_cell(h, "%s", pattern_name(row->trend.pattern));
	}
	html_table_end(h);
	html_put(
		h,
		"<p class=\"note\">change = held (allocated while tracing, not freed) + old freed "
		"(older than the capture) + overhead (of the allocator) + residual (not "
		"explained). –: not measured; for SecPageTables and Unaccounted, old freed is part "
		"of the residual. VmallocUsed includes KernelStack if thread stacks are vmalloc "
		"areas; the picture then counts them once.</p>\n</section>\n");
}

/* ---- held memory by call path ---- */

/* What was inlined into a frame's function, before the frame; or where the function itself is. */
static void html_frame_lines(struct html *h, const struct frame_lines *lines, bool inlined)
{
	for (size_t i = 0; lines && i < lines->nr; i++) {
		_cleanup_free_ char *words = NULL;

		if (lines->items[i].inlined != inlined || (inlined && i + 1 >= HTML_LINES) ||
		    html_full(h))
			continue;
		words = html_source_line(&lines->items[i]);
		h->failed |= !words;
		html_put(h, "<div class=\"line\">");
		html_name(h, words ?: "");
		html_put(h, "</div>");
	}
}

static void html_frames(struct html *h, const struct capture *c, uint32_t stack)
{
	const struct cap_stack *s = &c->stacks[stack];
	uint32_t shown = s->nr_frames < FRAMES_SHOWN ? s->nr_frames : FRAMES_SHOWN;

	html_put(h, "<ol class=\"path\">");
	for (uint32_t i = 0; i < shown; i++) {
		const struct cap_frame *f = &c->frames[s->frames[i]];
		const struct frame_lines *lines = source_lines_of(c->lines, s->frames[i]);

		html_put(h, "<li>");
		html_frame_lines(h, lines, true);
		html_name(h, f->symbol);
		html_words(h, "+0x%llx", (unsigned long long)f->offset);
		if (f->module[0] && strcmp(f->module, "vmlinux")) {
			html_put(h, " [");
			html_name(h, f->module);
			html_put(h, "]");
		}
		html_frame_lines(h, lines, false);
		html_put(h, "</li>");
	}
	if (shown < s->nr_frames || s->truncated)
		html_put(h, "<li>… more callers</li>");
	html_put(h, "</ol>");
}

/* The largest process, cgroup or cache of a group. */
static void html_share_cell(struct html *h, const struct report *r, const struct growth_group *g,
			    bool cgroup)
{
	const struct growth_shares *s = cgroup ? &g->cgroups : &g->processes;

	html_put(h, "<td>");
	if (!s->nr || !s->items[0].id) {
		html_put(h, "unknown");
	} else if (cgroup) {
		html_name(h, r->c->cgroups[s->items[0].id]);
	} else {
		html_name(h, r->c->processes[s->items[0].id].comm);
		html_words(h, "[%d]", r->c->processes[s->items[0].id].tgid);
	}
	if (s->nr > 1)
		html_words(h, " and %zu more", s->nr - 1);
	html_put(h, "</td>");
}

static void html_path_row(struct html *h, const struct report *r, const struct growth_group *g,
			  size_t rank)
{
	const struct cache_row *cache = growth_cache(g, &r->caches);
	char interval[INTERVAL_WORDS_MAX];

	html_row(h);
	html_cell_count(h, (double)rank, false);
	html_cell_bytes(h, g->bytes, false);
	html_put(h, "<td>");
	html_frames(h, r->c, g->stacks.items[0].id);
	html_put(h, "</td>");
	html_cell(h, "%s%s%s", pool_name(g->pool), g->class_[0] ? " " : "", g->class_);
	html_cell_name(h, cache ? cache->name : "");
	html_share_cell(h, r, g, false);
	html_cell_count(h, g->objects, false);
	html_cell(h, "%s",
		  interval_words(interval, "(", g->bytes, g->bytes_low, g->bytes_high,
				 units_bytes_short));
	html_cell_seconds(h, g->age_p50_s);
	html_share_cell(h, r, g, true);
}

static void html_source_notes(struct html *h, const struct capture *c)
{
	_cleanup_(source_notes_free) struct source_notes notes;

	source_notes_build(c, &notes);
	h->failed |= notes.failed;
	if (notes.nr)
		html_put(h, "<p class=\"lines\">");
	for (size_t i = 0; i < notes.nr; i++) {
		html_text(h, notes.items[i]);
		html_put(h, i + 1 < notes.nr ? " " : "</p>\n");
	}
}

static void html_paths(struct html *h, const struct report *r, const struct html_cut *cut)
{
	/* The path comes early: it must be in sight on a small screen. */
	static const char *const columns[] = {
		"#rank",    "#held",         "call path (innermost first)",
		"pool",     "cache",         "process",
		"#objects", "95 % interval", "#median age",
		"cgroup"};
	const struct growth *g = &r->growth;
	size_t shown = g->nr < PATHS_SHOWN ? g->nr : PATHS_SHOWN, i;
	char all[UNITS_MAX];

	html_section(h, "paths", "Held memory by call path");
	html_put(h, "<p>");
	if (!g->nr)
		html_text(h, r->view.at ? "Nothing allocated while tracing is still held."
					: "Nothing was traced.");
	else
		html_words(
			h,
			"Allocated while tracing and still held at the end: %s. The table is by %s.",
			units_bytes(all, g->bytes),
			g->by == GROWTH_BY_STACK ? "call path" : growth_by_name(g->by));
	html_put(h, "</p>\n");
	if (cut->paths < cut->all_paths) {
		html_put(h, "<p class=\"cut\">");
		html_words(
			h,
			"The picture has the %zu largest of %zu call paths. The others hold %s, and are "
			"added up by pool and cache as \"smaller ones\". `report --format json "
			"--top 0` has all.",
			cut->paths, cut->all_paths, units_bytes(all, cut->paths_bytes));
		html_put(h, "</p>\n");
	}
	html_source_notes(h, r->c);
	html_chart(h, "chart-paths", "Held memory by pool, cache and call path");
	if (g->nr) {
		html_table(h, "table-paths",
			   g->by == GROWTH_BY_STACK
				   ? "The largest call paths"
				   : "The largest groups, each with its largest call path",
			   COLUMNS(columns));
		for (i = 0; i < shown && !html_full(h); i++)
			html_path_row(h, r, &g->groups[i], i + 1);
		html_table_end(h);
		html_more(h, i, g->nr, "rows");
	}
	html_put(h, "</section>\n");
}

/* ---- caches ---- */

static void html_cache_row(struct html *h, const struct cache_row *row)
{
	html_row(h);
	html_cell_name(h, row->name);
	html_cell_count(h, row->size, false);
	html_cell_bytes(h, row->start_kb * 1024, false);
	html_cell_bytes(h, row->end_kb * 1024, false);
	html_cell_bytes(h, row->delta_kb * 1024, true);
	html_cell_count(h, row->end_objects, false);
	html_cell_bytes(h, row->traced ? row->held_bytes : NAN, false);
	html_cell(h, "%s", trust_name(row->trust.level));
	html_cell(h, "%s", !row->cap ? "unknown" : row->cap->reclaimable ? "yes" : "no");
	html_cell(h, "%s", pattern_name(row->trend.pattern));
}

static void html_caches(struct html *h, const struct report *r, const struct html_cut *cut)
{
	static const char *const columns[] = {"cache",       "#object size", "#start",  "#end",
					      "#change",     "#objects",     "#traced", "trust",
					      "reclaimable", "over time"};
	size_t shown = r->caches.nr < CACHES_SHOWN ? r->caches.nr : CACHES_SHOWN, i;

	html_section(h, "caches", "Slab caches");
	html_put(h,
		 "<p>Pages of each cache by /proc/slabinfo, and what the trace attributes to it. "
		 "<span class=\"script\">Click a cache to see its size over time.</span></p>\n");
	if (cut->caches < cut->all_caches) {
		html_put(h, "<p class=\"cut\">");
		html_words(h,
			   "This page has the %zu caches of %zu that grew most; the JSON has all.",
			   cut->caches, cut->all_caches);
		html_put(h, "</p>\n");
	}
	html_chart(h, "chart-cache", "Size of a cache over time");
	html_table(h, "table-caches", "Slab caches, those that grew most first", COLUMNS(columns));
	for (i = 0; i < shown && !html_full(h); i++)
		html_cache_row(h, &r->caches.items[i]);
	html_table_end(h);
	html_more(h, i, r->caches.nr, "caches");
	html_put(h, "</section>\n");
}

/* ---- who holds memory ---- */

static void html_level_row(struct html *h, const struct process_level *p, bool process)
{
	html_row(h);
	if (process) {
		html_cell_name(h, p->comm);
		html_cell_number(h, p->tgid);
	}
	html_cell_name(h, p->cgroup[0] ? p->cgroup : "unknown");
	html_cell_count(h, p->threads.end, false);
	html_cell_bytes(h, p->stack_kb.end * 1024, false);
	html_cell_bytes(h, level_change_delta(&p->stack_kb) * 1024, true);
	html_cell_bytes(h, p->pgtables_kb.end * 1024, false);
	html_cell_bytes(h, level_change_delta(&p->pgtables_kb) * 1024, true);
}

/* Traced memory that processes hold, by pool. */
static void html_held(struct html *h, const struct report *r, const struct growth *by_process)
{
	static const char *const columns[] = {"process", "#pid",     "cgroup",       "pool",
					      "#held",   "#objects", "95 % interval"};
	size_t shown = by_process->nr < PROCESSES_SHOWN ? by_process->nr : PROCESSES_SHOWN, i;

	if (!shown)
		return;
	html_table(h, "table-held", "Held memory that was traced, by process", COLUMNS(columns));
	for (i = 0; i < shown && !html_full(h); i++) {
		const struct growth_group *g = &by_process->groups[i];
		const struct cap_process *p = &r->c->processes[g->key];
		char interval[INTERVAL_WORDS_MAX];

		html_row(h);
		html_cell_name(h, g->key ? p->comm : "unknown");
		html_cell_number(h, g->key ? p->tgid : 0);
		html_cell_name(h, p->cgroup ? r->c->cgroups[p->cgroup] : "unknown");
		html_cell(h, "%s", pool_name(g->pool));
		html_cell_bytes(h, g->bytes, false);
		html_cell_count(h, g->objects, false);
		html_cell(h, "%s",
			  interval_words(interval, "(", g->bytes, g->bytes_low, g->bytes_high,
					 units_bytes_short));
	}
	html_table_end(h);
	html_more(h, i, by_process->nr, "rows");
}

static void html_holders(struct html *h, const struct report *r, const struct growth *by_process)
{
	static const char *const processes[] = {"process", "#pid",    "cgroup",       "#threads",
						"#stacks", "#change", "#page tables", "#change"};
	static const char *const cgroups[] = {"cgroup",  "#threads",     "#stacks",
					      "#change", "#page tables", "#change"};
	const struct holders *l = &r->holders;
	size_t shown = l->processes.nr < PROCESSES_SHOWN ? l->processes.nr : PROCESSES_SHOWN,
	       groups = l->nr_cgroups < PROCESSES_SHOWN ? l->nr_cgroups : PROCESSES_SHOWN, i;

	html_section(h, "holders", "Who holds it");
	html_chart(h, "chart-holders", "Held memory by cgroup and process");
	html_held(h, r, by_process);
	if (!l->tasks_known) {
		html_put(h, "<p>The recording has no list of kernel stacks and page tables by "
			    "process.</p>\n</section>\n");
		return;
	}
	html_put(h, "<p>Kernel stacks and page tables at the end, those from before the recording "
		    "included:</p>\n");
	html_table(h, "table-cgroups", "Stacks and page tables by cgroup", COLUMNS(cgroups));
	for (i = 0; i < groups && !html_full(h); i++)
		html_level_row(h, &l->cgroups[i], false);
	html_table_end(h);
	html_more(h, i, l->nr_cgroups, "cgroups");
	html_table(h, "table-processes", "Stacks and page tables by process", COLUMNS(processes));
	for (i = 0; i < shown && !html_full(h); i++)
		html_level_row(h, &l->processes.items[i], true);
	html_table_end(h);
	html_more(h, i, l->processes.nr, "processes");
	html_put(h, "</section>\n");
}

/* ---- losses and trust ---- */

static void html_part(struct html *h, const struct findings *list, enum finding_part part)
{
	for (size_t i = 0; i < list->nr && !html_full(h); i++) {
		if (list->items[i].part != part)
			continue;
		html_put(h, "<li>");
		html_text(h, list->items[i].text);
		html_put(h, "</li>\n");
	}
}

static void html_counters(struct html *h, const struct losses *l)
{
	static const char *const columns[] = {"counter", "#count", "what it means"};
	size_t i = 0;

	html_table(h, "table-losses", "Counters of the recording", COLUMNS(columns));
	for (; i < l->nr_counters && i < COUNTERS_SHOWN && !html_full(h); i++) {
		html_row(h);
		html_cell_name(h, l->counters[i].name);
		html_cell_count(h, (double)l->counters[i].value, false);
		html_cell(h, "%s", loss_meaning(l->counters[i].name));
	}
	html_table_end(h);
	html_more(h, i, l->nr_counters, "counters");
}

static void html_hooks(struct html *h, const struct report *r)
{
	static const char *const columns[] = {"hook", "attached", "why not", "what that costs"};
	size_t shown = r->c->nr_hooks < HOOKS_SHOWN ? r->c->nr_hooks : HOOKS_SHOWN, i;

	if (!r->c->nr_hooks)
		return;
	html_table(h, "table-hooks", "Hooks", COLUMNS(columns));
	for (i = 0; i < shown && !html_full(h); i++) {
		const struct cap_hook *hook = &r->c->hooks[i];

		html_row(h);
		html_cell_name(h, hook->name);
		html_cell(h, "%s", hook->how[0] ? hook->how : "no");
		html_cell(h, "%s", hook->reason);
		html_cell(h, "%s", hook->cost);
	}
	html_table_end(h);
	html_more(h, i, r->c->nr_hooks, "hooks");
}

static void html_losses(struct html *h, const struct report *r)
{
	html_section(h, "losses", "Losses and trust");
	h->begun = h->bytes;
	html_put(h, "<ul>\n");
	for (size_t i = 0; i < r->trust.nr_reasons; i++) {
		html_put(h, "<li>");
		html_words(h, "Trust in the whole report is not higher: %s", r->trust.reasons[i]);
		html_put(h, "</li>\n");
	}
	html_part(h, &r->findings, PART_LOSSES);
	html_part(h, &r->findings, PART_AUDIT);
	html_part(h, &r->findings, PART_HOOKS);
	html_put(h, "</ul>\n");
	if (r->losses.nr_counters)
		html_counters(h, &r->losses);
	html_hooks(h, r);
	html_put(h, "</section>\n");
}

/* ---- host and recording ---- */

static void html_host(struct html *h, const struct report *r)
{
	double overhead = capture_meta_number(r->c, META_OVERHEAD, NAN);
	char when[UNITS_MAX], a[UNITS_MAX];

	html_section(h, "host", "Host and recording");
	html_put(h, "<p>");
	html_words(h, "Host %s, Linux %s %s, virtualization %s, lockdown %s, %.0f CPUs, %s.",
		   html_meta(r, META_HOST), html_meta(r, META_RELEASE), html_meta(r, META_ARCH),
		   html_meta(r, META_VIRT), html_meta(r, META_LOCKDOWN), r->view.cpus,
		   units_bytes(a, view_mem_total_kb(&r->view) * 1024));
	html_words(h, " Recorded %s for %s, mode %s, %s.",
		   units_time(when, "%Y-%m-%d %H:%M:%S UTC", view_wall_s(&r->view))
			   ?: "at an unknown time",
		   units_duration(a, r->view.duration_s), html_meta(r, META_MODE),
		   r->view.complete ? "complete" : "incomplete");
	if (!isnan(overhead))
		html_words(h, " Recording took %.2f%% of the machine's CPU time.", overhead);
	html_put(h, "</p>\n</section>\n");
}

static void html_losses_words(const struct losses *l, char *words, size_t size)
{
	char nr[UNITS_MAX], share[UNITS_MAX];

	if (!l->traced)
		snprintf(words, size, "nothing was traced");
	else if (!(l->events > 0))
		snprintf(words, size, "no events lost");
	else
		snprintf(words, size, "%s event%s lost (%s%%)", units_count(nr, l->events),
			 l->events == 1 ? "" : "s", units_share(share, 100 * losses_ratio(l)));
}

int report_html(const struct report *r, FILE *out)
{
	_cleanup_free_ char *title = NULL, *source = NULL;
	char losses[96], when[UNITS_MAX], lasted[UNITS_MAX];
	struct html_head head = {.state = screen_state_name(r->screen.state),
				 .alarm = r->screen.state == SCREEN_LEAK,
				 .trust = trust_name(r->screen.trust),
				 .losses = losses,
				 .about_losses = "losses"};
	struct html h = {.out = out};
	struct html_cut cut = {0};
	_cleanup_(growth_free) struct growth by_process = {0}, by_path = {0};
	struct html_held held = {.by_path = &r->growth, .by_process = &by_process};
	_cleanup_free_ char *data = NULL;

	if (growth_build(&r->view, &r->outstanding, GROWTH_BY_PROCESS, &by_process))
		return -ENOMEM;
	if (r->growth.by != GROWTH_BY_STACK) {
		if (growth_build(&r->view, &r->outstanding, GROWTH_BY_STACK, &by_path))
			return -ENOMEM;
		held.by_path = &by_path;
	}
	data = html_report_data(&h, r, &held, &cut);
	html_losses_words(&r->losses, losses, sizeof(losses));
	if (asprintf(&source, "%s, Linux %s, %s, %s, %s", html_meta(r, META_HOST),
		     html_meta(r, META_RELEASE),
		     units_time(when, "%Y-%m-%d %H:%M UTC", view_wall_s(&r->view))
			     ?: "time unknown",
		     units_duration(lasted, r->view.duration_s), html_meta(r, META_MODE)) < 0)
		source = NULL;
	if (asprintf(&title, "kmemtrace: %s %s", head.state, r->screen.headline) < 0)
		title = NULL;
	h.failed |= !source || !title;
	head.title = title ?: "";
	head.source = source ?: "";
	html_begin(&h, &head);
	html_first_screen(&h, r);
	html_findings(&h, &r->findings);
	html_pools(&h, r);
	html_paths(&h, r, &cut);
	html_caches(&h, r, &cut);
	html_holders(&h, r, &by_process);
	html_census(&h, r);
	html_losses(&h, r);
	html_host(&h, r);
	return html_end(&h, data);
}
