// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes the findings of a diff: see diff_findings.h. Names in the sentences are as captured: the
 * renderer must escape them.
 */
#include "findings/diff_findings.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/append.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "base/units.h"
#include "findings/screen_words.h"
#include "findings/diff_notes.h"
#include "findings/diff_trust.h"
#include "findings/verdict.h"
#include "model/confidence.h"

#define NAME_SHOWN  64
#define STACK_SHOWN 120

struct diff_writer {
	const struct diff *d;
	struct findings list;
};

/* "slab (kmalloc-1k) at a < b < call(), most of it by worker" */
static void describe_row(const struct diff_row *row, char *buf, size_t size)
{
	_cleanup_free_ char *label = diff_row_label(row);
	const struct profile_row *p = row->new_;
	char cache[NAME_SHOWN + 4] = "", who[64] = "";

	if (p && p->cache && p->cache[0])
		snprintf(cache, sizeof(cache), " (%.*s)", NAME_SHOWN, p->cache);
	if (p && p->who && p->who[0])
		snprintf(who, sizeof(who), ", most of it by %.32s", p->who);
	snprintf(buf, size, "%s%s at %.*s%s%s", pool_name(diff_row_pool(row)), cache, STACK_SHOWN,
		 label && label[0] ? label : "an unknown place",
		 label && strlen(label) > STACK_SHOWN ? " ..." : "", who);
}

/* ---- growth ---- */

/* What a row of growth is about, and its subject. */
static void name_subject(struct finding *f, const struct diff *d, const struct diff_row *row,
			 size_t rank)
{
	static const enum finding_about abouts[GROWTH_BYS] = {
		[GROWTH_BY_STACK] = ABOUT_PATH,    [GROWTH_BY_CACHE] = ABOUT_CACHE,
		[GROWTH_BY_SITE] = ABOUT_PATH,     [GROWTH_BY_PROCESS] = ABOUT_PROCESS,
		[GROWTH_BY_CGROUP] = ABOUT_CGROUP, [GROWTH_BY_MODULE] = ABOUT_PATH,
		[GROWTH_BY_POOL] = ABOUT_POOL,     [GROWTH_BY_SYSCALL] = ABOUT_PATH,
	};

	if (!f)
		return;
	f->about = abouts[d->in.new_->by];
	if (f->about == ABOUT_PATH)
		finding_subject(f, "%s %zu", pool_name(diff_row_pool(row)), rank);
	else
		finding_subject(f, "%s", diff_row_name(row));
	finding_evidence(f, "growth", "%zu", rank);
}

/* "Held memory grows 1.9 MiB/s faster (95% interval …): slab (kmalloc-1k) at a < b; before, it grew
 * by 0 B/s." */
static struct finding *say_growth_row(struct diff_writer *w, const struct diff_row *row,
				      size_t rank)
{
	const struct finding as = {.severity = FINDING_WARNING, .kind = "growth"};
	char what[512], more[UNITS_MAX], interval[INTERVAL_WORDS_MAX], had[UNITS_MAX];
	const struct diff_figure *f = &row->growth;
	struct finding *said;

	describe_row(row, what, sizeof(what));
	said = findings_add(
		&w->list, &as, "%s grows %s/s faster%s%s: %s; %s %s/s.",
		rank == 1 ? "Held memory" : "The second largest", units_bytes(more, f->delta),
		w->d->in.set ? " than usual" : "",
		interval_words(interval, " (95% interval ", f->delta, f->low, f->high, units_bytes),
		what, w->d->in.set ? "usual growth is" : "before, it grew by",
		units_bytes(had, f->base));
	name_subject(said, w->d, row, rank);
	finding_figure(said, "delta_bytes_per_s", f->delta, f->low, f->high);
	finding_figure(said, "base_bytes_per_s", f->base, w->d->in.set ? NAN : f->base_low,
		       w->d->in.set ? NAN : f->base_high); /* of a set, these are its range */
	finding_figure(said, "new_bytes_per_s", f->new_, f->new_low, f->new_high);
	return said;
}

static void diff_say_growth(struct diff_writer *w, const struct trust *trust)
{
	const struct finding as = {
		.severity = FINDING_NOTICE, .kind = "no-growth", .about = ABOUT_RECORDING};
	const struct finding all = {
		.severity = FINDING_WARNING, .kind = "growth-rows", .about = ABOUT_RECORDING};
	const struct diff_rows *rows = &w->d->sections[PROFILE_GROWTH];
	size_t grown = diff_rows_grown(rows);
	struct finding *f;

	if (!rows->comparable)
		return;
	if (!grown) {
		findings_add(&w->list, &as,
			     "No held memory grows faster than in the base, beyond noise.");
		return;
	}
	finding_trust(say_growth_row(w, &rows->items[0], 1), trust->level);
	if (grown > 1 && rows->items[1].growth.delta > rows->items[0].growth.delta / 2)
		say_growth_row(w, &rows->items[1], 2);
	if (grown > 2) {
		f = findings_add(&w->list, &all,
				 "In all, %zu rows of GROWTH grow faster than before.", grown);
		finding_figure(f, "rows", (double)grown, NAN, NAN);
	}
}

/* ---- levels ---- */

/* "Slab higher by 38.1 MiB (82.1 MiB to 120.1 MiB, +46%)" */
static void diff_add_level(char *list, size_t size, const struct diff_row *row)
{
	char delta[UNITS_MAX], base[UNITS_MAX], new_[UNITS_MAX], share[DIFF_SHARE_MAX];
	const struct diff_figure *f = &row->level;

	append_words(list, size, "%s%.*s %s by %s (%s to %s, %s)", list[0] ? "; " : "", NAME_SHOWN,
		     diff_row_name(row), f->delta > 0 ? "higher" : "lower",
		     units_bytes(delta, fabs(f->delta)), units_bytes(base, f->base),
		     units_bytes(new_, f->new_), diff_share_words(share, f));
}

/* The up to three levels of a section that changed most. */
static struct finding *say_levels(struct diff_writer *w, enum profile_section section,
				  const char *head, enum finding_about about)
{
	const struct diff_rows *rows = &w->d->sections[section];
	struct finding as = {.kind = "level", .about = about};
	const struct diff_figure *first;
	char list[640] = "";
	struct finding *f;
	size_t nr = 0;

	for (; nr < rows->nr && nr < 3 && rows->items[nr].level.status != DIFF_SAME; nr++)
		diff_add_level(list, sizeof(list), &rows->items[nr]);
	if (!nr)
		return NULL;
	first = &rows->items[0].level;
	as.severity = first->delta > 0 ? FINDING_WARNING : FINDING_NOTICE;
	f = findings_add(&w->list, &as, "%s: %s.", head, list);
	finding_subject(f, "%s", diff_row_name(&rows->items[0]));
	finding_figure(f, "delta_kb", first->delta / 1024, first->low / 1024, first->high / 1024);
	finding_figure(f, "base_kb", first->base / 1024, NAN, NAN);
	finding_figure(f, "new_kb", first->new_ / 1024, NAN, NAN);
	for (size_t i = 0; i < nr; i++)
		finding_evidence(f, profile_section_name(section), "%s",
				 diff_row_name(&rows->items[i]));
	return f;
}

/* Levels that pools and caches do not show. */
static void say_levels_elsewhere(struct diff_writer *w)
{
	bool by_cgroup = w->d->in.new_->by == GROWTH_BY_CGROUP;
	enum finding_about holder = by_cgroup ? ABOUT_CGROUP : ABOUT_PROCESS;
	struct finding *f = say_levels(w, PROFILE_VMALLOC, "Callers of vmalloc", ABOUT_POOL);

	finding_subject(f, "VmallocUsed");
	say_levels(w, PROFILE_STACKS, "Kernel stacks", holder);
	say_levels(w, PROFILE_PAGE_TABLES, "Page tables", holder);
}

static void say_levels_all(struct diff_writer *w)
{
	const struct finding none = {
		.severity = FINDING_NOTICE, .kind = "no-level", .about = ABOUT_RECORDING};
	size_t changed =
		w->d->sections[PROFILE_POOLS].changed + w->d->sections[PROFILE_CACHES].changed;
	size_t said = w->list.nr;

	say_levels(w, PROFILE_POOLS, "Pools", ABOUT_POOL);
	say_levels(w, PROFILE_CACHES, "Slab caches", ABOUT_CACHE);
	if (changed)
		return;
	say_levels_elsewhere(w);
	findings_add(&w->list, &none,
		     said < w->list.nr ? "No pool and no slab cache changed beyond its own noise."
				       : "No level changed beyond its own noise.");
}

/* One level says little about a pool that rises and falls. */
static void diff_say_swings(struct diff_writer *w)
{
	const struct finding as = {
		.severity = FINDING_NOTICE, .kind = "swing", .about = ABOUT_POOL};
	const struct diff_rows *pools = &w->d->sections[PROFILE_POOLS];

	for (size_t i = 0; i < pools->nr; i++) {
		const struct profile_row *row = pools->items[i].new_;
		enum pattern p =
			row && row->range > DIFF_LEVEL_FLOOR ? row->pattern : PATTERN_UNKNOWN;
		struct finding *f;

		if (p != PATTERN_SPIKE && p != PATTERN_SAWTOOTH && p != PATTERN_DROP)
			continue;
		f = findings_add(&w->list, &as, "In the new capture, %s %s%s.",
				 diff_row_name(&pools->items[i]), pattern_words(p),
				 p == PATTERN_DROP ? "" : ", so its level at the end says little");
		finding_subject(f, "%s", diff_row_name(&pools->items[i]));
		finding_figure(f, "range_kb", row->range / 1024, NAN, NAN);
		finding_evidence(f, "pools", "%s", diff_row_name(&pools->items[i]));
	}
}

static void say_traffic(struct diff_writer *w)
{
	const struct finding as = {.severity = FINDING_NOTICE, .kind = "traffic"};
	char what[512], base[UNITS_MAX], new_[UNITS_MAX];
	const struct diff_row *row;
	struct finding *f;

	if (!w->d->nr_churn)
		return;
	row = &w->d->sections[PROFILE_GROWTH].items[w->d->churn_order[0]];
	describe_row(row, what, sizeof(what));
	f = findings_add(&w->list, &as, "Traffic changed most in %s: %s/s allocated, %s %s/s.",
			 what, units_bytes(new_, row->churn.new_),
			 w->d->in.set ? "usually" : "before", units_bytes(base, row->churn.base));
	if (f)
		f->about = ABOUT_RECORDING;
	finding_figure(f, "delta_bytes_per_s", row->churn.delta, row->churn.low, row->churn.high);
	finding_evidence(f, "traffic", "1");
}

/* ---- the next command ---- */

/* Can the name be part of a command? */
static bool is_cache_word(const char *name)
{
	return strlen(name) <= NAME_SHOWN && is_plain_word(name) && strcmp(name, "kmalloc-large");
}

/* `about` ABOUT_HOST: about anything. */
static struct finding *find_kind(struct diff_writer *w, const char *kind, enum finding_about about)
{
	for (size_t i = 0; i < w->list.nr; i++)
		if (!strcmp(w->list.items[i].kind, kind) &&
		    (about == ABOUT_HOST || w->list.items[i].about == about))
			return &w->list.items[i];
	return NULL;
}

/* One command, at the finding that it follows from. */
static void diff_say_next(struct diff_writer *w)
{
	const struct diff_rows *growth = &w->d->sections[PROFILE_GROWTH],
			       *caches = &w->d->sections[PROFILE_CACHES];
	const struct diff_row *top =
		growth->comparable && diff_rows_grown(growth) ? &growth->items[0] : NULL;
	const struct diff_row *level = diff_rows_grown(caches) ? &caches->items[0] : NULL;
	struct finding *f;
	char command[256];

	if (top && top->new_ && top->new_->cache[0] && is_cache_word(top->new_->cache))
		snprintf(command, sizeof(command),
			 "sudo kmemtrace record --exact --cache %s -d 180", top->new_->cache);
	else if (top)
		snprintf(command, sizeof(command), "sudo kmemtrace record --exact --pool %s -d 180",
			 pool_name(diff_row_pool(top)));
	else if (level && level->new_ && level->new_->reclaimable)
		snprintf(command, sizeof(command), "%s", VERDICT_DROP_CACHES);
	else if (level && is_cache_word(diff_row_name(level)))
		snprintf(command, sizeof(command),
			 "sudo kmemtrace record --exact --cache %s -d 600", diff_row_name(level));
	else
		snprintf(command, sizeof(command), "sudo kmemtrace record -d 600");
	if (top)
		f = find_kind(w, "growth", ABOUT_HOST);
	else if (level)
		f = find_kind(w, "level", ABOUT_CACHE);
	else
		f = find_kind(w, "level", ABOUT_HOST) ?: find_kind(w, "no-level", ABOUT_HOST);
	finding_next(&w->list, f, command);
}

/* ---- the list ---- */

static int sentence_add(struct diff_findings *out, bool note, const struct finding *f)
{
	char **slot = note ? ARRAY_PUSH(&out->notes) : ARRAY_PUSH(&out->verdict);

	if (!slot)
		return -ENOMEM;
	*slot = f->text;
	return 0;
}

/* Put the cautions after the other findings, and collect the sentences. */
static int list_finish(struct diff_writer *w, struct findings notes[NOTE_WEIGHTS],
		       struct diff_findings *out)
{
	size_t said, grave = notes[NOTE_GRAVE].nr;
	bool failed = w->list.failed;

	findings_sort(&w->list);
	said = w->list.nr;
	for (int i = 0; i < NOTE_WEIGHTS; i++) {
		failed |= notes[i].failed;
		findings_move(&w->list, &notes[i]);
	}
	failed |= w->list.failed;
	for (size_t i = 0; i < w->list.nr && !failed; i++) {
		const struct finding *f = &w->list.items[i];

		if (i < said + grave)
			failed |= sentence_add(out, false, f) != 0;
		if (i >= said)
			failed |= sentence_add(out, true, f) != 0;
		out->next = out->next ?: f->next;
	}
	out->list = w->list;
	return failed ? -ENOMEM : 0;
}

#define CENSUS_SHARE 0.01        /* of MemTotal, */
#define CENSUS_KB    (16 * 1024) /* and at least this much */

static bool census_worth_saying(const struct diff_writer *w, const struct census_change *c)
{
	double least_kb = fmax(CENSUS_KB, CENSUS_SHARE * w->d->in.new_->mem_total_kb);

	return c && fabs(c->kb.kb) >= least_kb;
}

/* "grew by 512 MiB, from 1 GiB to 1.5 GiB" */
static const char *census_change_words(char out[4 * UNITS_MAX], const struct census_change *c)
{
	char change[UNITS_MAX], before[UNITS_MAX], after[UNITS_MAX];

	snprintf(out, 4 * UNITS_MAX, "%s by %s, from %s to %s", c->kb.kb > 0 ? "grew" : "shrank",
		 units_bytes(change, fabs(c->kb.kb) * 1024),
		 units_bytes(before, c->before.kb * 1024), units_bytes(after, c->after.kb * 1024));
	return out;
}

static void census_change_evidence(struct finding *f, const struct census_change *c,
				   const char *table)
{
	finding_subject(f, "%s", c->name);
	finding_figure(f, "delta_kb", c->kb.kb, c->kb.low_kb, c->kb.high_kb);
	finding_evidence(f, table, "%s", c->name);
}

/* Who has more or less, by what was counted page by page: /proc does not say that. */
static void say_census(struct diff_writer *w)
{
	const struct census_changes *list = &w->d->census_delta.cgroups;
	const struct census_change *c = list->nr ? list->items : NULL;
	char name[SCREEN_NAME + 1], words[4 * UNITS_MAX];
	struct finding *f;

	if (!census_worth_saying(w, c) || !c->surely)
		return;
	f = findings_add(&w->list, FINDING(FINDING_NOTICE, "census-change", ABOUT_CGROUP),
			 "By the censuses, memory charged to %s%s %s.",
			 c->cgroup->removed ? "the removed cgroup "
			 : c->cgroup->below ? "cgroups removed below "
					    : "",
			 screen_name(c->name, name), census_change_words(words, c));
	census_change_evidence(f, c, "census.cgroups");
}

/* The function that allocates most more, or most less, if the kernel says so. What allocates slabs
 * is left out: the objects in these have functions of their own. */
static void say_site(struct diff_writer *w)
{
	const struct census_changes *list = &w->d->census_delta.sites;
	char name[SCREEN_NAME + 1], words[4 * UNITS_MAX];
	const struct census_change *c = NULL;
	struct finding *f;

	for (size_t i = 0; i < list->nr && !c; i++)
		if (!strstr(list->items[i].name, "(mm/slub.c)"))
			c = &list->items[i];
	if (!census_worth_saying(w, c))
		return;
	f = findings_add(&w->list, FINDING(FINDING_NOTICE, "census-site", ABOUT_COUNTER),
			 "/proc/allocinfo: allocations of %s %s.", screen_name(c->name, name),
			 census_change_words(words, c));
	census_change_evidence(f, c, "census.sites");
}

static int findings_fill(const struct diff *d, struct findings notes[NOTE_WEIGHTS],
			 struct diff_findings *out)
{
	const struct diff_rows *growth = &d->sections[PROFILE_GROWTH];
	bool changed = growth->comparable && growth->changed;
	struct diff_writer w = {.d = d};
	size_t grave, plain;
	struct trust trust = {.level = TRUST_HIGH};

	if (changed && diff_trust(d, &growth->items[0], &trust))
		return -ENOMEM;
	diff_notes(d, notes);
	grave = notes[NOTE_GRAVE].nr;
	plain = notes[NOTE_PLAIN].nr;
	diff_say_growth(&w, &trust);
	say_levels_all(&w);
	diff_say_swings(&w);
	say_traffic(&w);
	say_census(&w);
	say_site(&w);
	diff_say_next(&w);
	if (list_finish(&w, notes, out) ||
	    diff_screen_build(d, changed ? &trust : NULL, &out->screen))
		return -ENOMEM;
	out->screen.next = out->next;
	if (grave + plain) {
		out->screen.caution = out->notes.items[0];
		out->screen.more = out->notes.nr - 1;
	}
	return 0;
}

int diff_findings_build(const struct diff *d, struct diff_findings *out)
{
	struct findings notes[NOTE_WEIGHTS] = {0};
	struct diff_findings f = {0};
	int err = findings_fill(d, notes, &f);

	for (int i = 0; i < NOTE_WEIGHTS; i++)
		findings_free(&notes[i]);
	if (err)
		diff_findings_free(&f);
	else
		*out = f;
	return err;
}

void diff_findings_free(struct diff_findings *f)
{
	findings_free(&f->list);
	ARRAY_FREE(&f->verdict);
	ARRAY_FREE(&f->notes);
}
