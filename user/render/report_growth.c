// SPDX-License-Identifier: GPL-2.0-only
/* What was allocated while tracing and is still held, group by group: how much, whose, how old, by
 * which path. */
#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "findings/source_notes.h"
#include "model/container.h"
#include "model/confidence.h"
#include "model/sampling.h"
#include "render/path.h"
#include "render/refs_parts.h"
#include "render/report_internal.h"

#define WHO_SHOWN 3 /* processes and cgroups of a group */

/* The histogram moves to a line of its own if it does not fit beside the words. */
static void ages(struct page *p, const struct growth_group *g)
{
	char p50[UNITS_MAX], p90[UNITS_MAX], oldest[UNITS_MAX], end[UNITS_MAX], words[PAGE_WIDTH];
	size_t columns;

	if (isnan(g->age_p50_s))
		return;
	snprintf(words, sizeof(words), "    age: median %s, 90%% under %s, oldest %s",
		 units_duration(p50, g->age_p50_s), units_duration(p90, g->age_p90_s),
		 units_duration(oldest, g->oldest_s));
	fputs(words, p->out);
	if (g->age_buckets > 1) {
		units_duration(end, age_buckets_end_s(g->age_buckets));
		columns = strlen(words) + strlen("  0 || ") + g->age_buckets + strlen(end);
		fprintf(p->out, "%s0 |", columns <= PAGE_WIDTH ? "  " : "\n         ");
		page_bars(p, g->age_hist, g->age_buckets, true);
		fprintf(p->out, "| %s", end);
	}
	fputc('\n', p->out);
}

static void processes(struct page *p, const struct capture *c, const struct growth_shares *shares)
{
	char bytes[UNITS_MAX];
	struct page_words w;

	if (!page_words_begin(p, &w))
		return;
	for (size_t i = 0; i < shares->nr && i < WHO_SHOWN; i++) {
		const struct growth_share *s = &shares->items[i];
		const struct cap_process *process = &c->processes[s->id];

		fprintf(w.f, "%s%s",
			i ? ", " : "by: ", s->id ? page_fit(p, process->comm, 20) : "(unknown)");
		if (s->id && process->tgid)
			fprintf(w.f, "[%d]", process->tgid);
		if (shares->nr > 1)
			fprintf(w.f, " %s", units_bytes_short(bytes, s->bytes));
	}
	if (shares->nr > WHO_SHOWN)
		fprintf(w.f, " and %zu more", shares->nr - WHO_SHOWN);
	page_words_end(p, &w, 4);
}

/* If the path contains the container, name the container, because people know it. */
static void cgroups(struct page *p, const struct capture *c, const struct growth_shares *shares)
{
	for (size_t i = 0; i < shares->nr && i < WHO_SHOWN; i++) {
		const struct growth_share *s = &shares->items[i];
		char bytes[UNITS_MAX], label[128];
		struct container container;

		if (!s->id)
			continue;
		container_of_cgroup(c->cgroups[s->id], &container);
		container_label(&container, label, sizeof(label));
		fprintf(p->out, "    in: %s %s\n", page_fit(p, c->cgroups[s->id], 60),
			units_bytes_short(bytes, s->bytes));
		if (label[0])
			fprintf(p->out, "        %s\n", page_fit(p, label, 70));
	}
}

/* The process, cgroup or kernel entry that growth was added up by: no other figure of the group
 * shows it. */
static void key_words(struct page *p, FILE *f, const struct report *r, const struct growth_group *g)
{
	const struct capture *c = r->c;

	if (r->growth.by == GROWTH_BY_PROCESS && g->key) {
		const struct cap_process *process = &c->processes[g->key];

		fprintf(f, ", process %s[%d]", page_fit(p, process->comm, 20), process->tgid);
		if (process->cmdline[0])
			fprintf(f, " (%s)", page_fit(p, process->cmdline, 120));
	}
	if (r->growth.by == GROWTH_BY_CGROUP && g->key)
		fprintf(f, ", cgroup %s", page_fit(p, c->cgroups[g->key], 60));
	if (r->growth.by == GROWTH_BY_SYSCALL)
		fprintf(f, ", in %s", page_fit(p, r->growth.names.items[g->key], 60));
}

/* "#1  45.2 MiB (44.9M to 45.5M) in 11,571 objects, slab kmalloc-4k [module]" */
static void group_head(struct page *p, const struct report *r, const struct growth_group *g,
		       size_t rank)
{
	const struct cache_row *cache = growth_cache(g, &r->caches);
	char bytes[UNITS_MAX], interval[INTERVAL_WORDS_MAX], objects[UNITS_MAX];
	struct page_words w;

	if (!page_words_begin(p, &w))
		return;
	fprintf(w.f, "#%zu  %s%s", rank, units_bytes(bytes, g->bytes),
		interval_words(interval, " (", g->bytes, g->bytes_low, g->bytes_high,
			       units_bytes_short));
	fprintf(w.f, " in %s object%s, %s", units_count(objects, g->objects),
		g->objects == 1 ? "" : "s", pool_name(g->pool));
	if (g->class_[0] && strcmp(g->class_, pool_name(g->pool)))
		fprintf(w.f, " %s", page_fit(p, g->class_, 16));
	if (cache)
		fprintf(w.f, " %s", page_fit(p, cache->name, 32));
	if (g->pool == POOL_SLAB && g->caches.nr > 1)
		fprintf(w.f, " and %zu more", g->caches.nr - 1);
	key_words(p, w.f, r, g);
	if (strcmp(g->module, "vmlinux"))
		fprintf(w.f, " [%s]", page_fit(p, g->module, 20));
	fprintf(p->out, "\n%s", page_on(p, PAGE_BOLD));
	page_words_end(p, &w, 2);
	fputs(page_off(p), p->out);
}

/* The pattern of the group from checkpoint to checkpoint. */
static void group_trend(struct page *p, const struct trend *trend)
{
	char rate[UNITS_MAX];

	if (trend->pattern == PATTERN_UNKNOWN)
		return;
	if (trend_has_rate(trend))
		page_paragraph(p, 4, "over time: growing, %s/s",
			       units_bytes(rate, trend->slope * 1024));
	else
		page_paragraph(p, 4, "over time: %s", pattern_name(trend->pattern));
}

static void group_proofs(struct page *p, const struct report *r, size_t rank)
{
	for (size_t i = 0; i < r->proofs.nr; i++)
		if (r->proofs.items[i].group == rank - 1)
			proof_text(p, &r->proofs.items[i].sheet, 4);
}

static void group(struct page *p, const struct report *r, const struct growth_group *g, size_t rank)
{
	char allocs[UNITS_MAX], frees[UNITS_MAX], unseen_frees[UNITS_MAX];
	char period[SAMPLING_WORDS_MAX];

	group_head(p, r, g, rank);
	if (growth_period(g) > 0)
		page_paragraph(p, 4, "sampled: %s objects, %s allocated",
			       units_count(allocs, g->tracked),
			       sampling_words(period, growth_period(g)));
	if (g->verified > 0)
		page_paragraph(p, 4, "checked in the allocator: %s objects, %.1f%% live",
			       units_count(allocs, g->verified), 100 * g->verified_share);
	if (g->allocs > 0)
		page_paragraph(p, 4, "traffic: %s allocated, %s freed, %s freed unseen",
			       units_count(allocs, g->allocs), units_count(frees, g->frees),
			       units_count(unseen_frees, g->unseen_frees));
	group_proofs(p, r, rank);
	group_trend(p, history_trend(&r->history, rank - 1));
	ages(p, g);
	processes(p, r->c, &g->processes);
	cgroups(p, r->c, &g->cgroups);
	if (g->stacks.nr > 1)
		page_paragraph(p, 4, "the largest of %zu call paths (%.0f%%):", g->stacks.nr,
			       100 * g->stack_share);
	path_print(p, r->c, g->stacks.items[0].id);
}

static void growth_source_notes(struct page *p, const struct capture *c)
{
	_cleanup_(source_notes_free) struct source_notes notes;

	source_notes_build(c, &notes);
	p->failed |= notes.failed;
	if (notes.nr)
		fputc('\n', p->out);
	for (size_t i = 0; i < notes.nr; i++)
		page_paragraph(p, 2, "%s", notes.items[i]);
}

void report_growth(struct page *p, const struct report *r, size_t top)
{
	const struct growth *g = &r->growth;
	size_t shown = rows_shown(top, g->nr);
	char all[UNITS_MAX];

	page_heading(p, PAGE_BOLD, "GROWTH  (allocated while tracing, still held, by %s: %s)",
		     growth_by_name(g->by), units_bytes(all, g->bytes));
	if (!g->nr)
		page_paragraph(p, 2, "%s",
			       r->view.at ? "Nothing allocated while tracing is still held."
					  : "Nothing was traced.");
	for (size_t i = 0; i < shown; i++)
		group(p, r, &g->groups[i], i + 1);
	if (g->nr > shown)
		fprintf(p->out, "\n  %zu smaller ones are not shown: --top %zu shows them\n",
			g->nr - shown, g->nr);
	growth_source_notes(p, r->c);
}
