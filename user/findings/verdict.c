// SPDX-License-Identifier: GPL-2.0-only
/*
 * Builds the verdict: see verdict.h. One function per topic; each adds nothing when its facts are
 * missing. verdict_where.c says who allocated what grew, verdict_leak.c whether it is a leak, and
 * verdict_caveats.c how far all of it can be trusted.
 */
#include "findings/verdict.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/units.h"
#include "data/counter.h"
#include "findings/verdict_internal.h"
#include "model/confidence.h"
#include "model/sampling.h"

static int compare_pool_growth(const void *a, const void *b)
{
	double x = (*(const struct ledger_row *const *)a)->delta_kb;
	double y = (*(const struct ledger_row *const *)b)->delta_kb;

	x = isnan(x) ? -INFINITY : x;
	y = isnan(y) ? -INFINITY : y;
	return x < y ? 1 : x > y ? -1 : 0;
}

/* Fill in what a finding about this pool rests on. */
static void finding_row(struct finding *f, const struct ledger_row *row)
{
	finding_subject(f, "%s", row->name);
	finding_figure(f, "delta_kb", row->delta_kb, NAN, NAN);
	finding_evidence(f, "pools", "%s", row->name);
}

/* The same of a cache. */
static void finding_cache(struct finding *f, const struct cache_row *cache)
{
	finding_subject(f, "%s", cache->name);
	finding_figure(f, "delta_kb", cache->delta_kb, NAN, NAN);
	finding_evidence(f, "caches", "%s", cache->name);
	finding_trust(f, cache->trust.level);
}

/* "118.0 MiB (512.3 MiB to 630.3 MiB)" */
static const char *describe_delta(const struct ledger_row *row, char *buf, size_t size)
{
	char delta[UNITS_MAX], start[UNITS_MAX], end[UNITS_MAX];

	snprintf(buf, size, "%s (%s to %s)", units_bytes(delta, fabs(row->delta_kb) * 1024),
		 units_bytes(start, row->start_kb * 1024), units_bytes(end, row->end_kb * 1024));
	return buf;
}

/* A merged cache has several names. */
static bool cache_is_called(const struct cache_row *cache, const char *name)
{
	bool is = cache && !strcmp(cache->name, name);

	for (size_t i = 0; cache && cache->cap && i < cache->cap->aliases.nr && !is; i++)
		is = !strcmp(cache->cap->aliases.items[i], name);
	return is;
}

/* The pool that shrank most: the last of `rows` that shrank. They are sorted by change, unknown
 * ones last. */
static void say_shrunk(struct writer *w, const struct ledger_row *const rows[LEDGER_POOLS])
{
	char change[160], when[UNITS_MAX + 24] = "", time[UNITS_MAX];
	const struct ledger_row *row;
	size_t at = LEDGER_POOLS;

	while (at > 0 && !verdict_row_shrank(rows[at - 1]))
		at--;
	if (!at)
		return;
	row = w->shrunk = rows[at - 1];
	if (trend_has_step(&row->trend))
		snprintf(when, sizeof(when), ", most of it at %s",
			 units_duration(time, row->trend.change_t));
	finding_row(verdict_say(w, FINDING(FINDING_NOTICE, "shrink", ABOUT_POOL),
				"%s shrank by %s%s.", row->name,
				describe_delta(row, change, sizeof(change)), when),
		    row);
}

/* Thread stacks are vmalloc areas: when nothing else of VmallocUsed grew, it is the same growth. */
static bool row_is_stacks(const struct writer *w, const struct ledger_row *row)
{
	const struct ledger *l = w->f->ledger;
	const struct ledger_row *stacks = &l->rows[LEDGER_KERNEL_STACK];
	double of_stacks =
		w->f->levels->vmalloc_end.stacks_kb - w->f->levels->vmalloc_start.stacks_kb;

	if (row != &l->rows[LEDGER_VMALLOC] || !verdict_row_grew(stacks))
		return false;
	if (isnan(of_stacks))
		of_stacks = stacks->delta_kb;
	return row->delta_kb - of_stacks <= fmax(verdict_limit_kb(row), 0.1 * row->delta_kb);
}

/* The pools that grew, largest first: at most 3 as words, and their number. */
static size_t list_grown(struct writer *w, const struct ledger_row *const rows[LEDGER_POOLS],
			 char *list, size_t size)
{
	size_t grown = 0, at = 0;

	list[0] = '\0';
	for (size_t i = 0; i < LEDGER_POOLS && grown < 3 && verdict_row_grew(rows[i]); i++) {
		bool both = rows[i] == &w->f->ledger->rows[LEDGER_KERNEL_STACK] &&
			    row_is_stacks(w, &w->f->ledger->rows[LEDGER_VMALLOC]);
		char part[160];

		if (row_is_stacks(w, rows[i]))
			continue;
		at += (size_t)snprintf(list + at, size - at, "%s%s by %s%s", grown ? ", " : "",
				       rows[i]->name, describe_delta(rows[i], part, sizeof(part)),
				       both ? " and VmallocUsed with it" : "");
		if (!grown)
			w->most = rows[i];
		grown++;
	}
	return grown;
}

static bool swings(const struct trend *t)
{
	return t->pattern == PATTERN_SPIKE || t->pattern == PATTERN_SAWTOOTH;
}

bool verdict_slab_grew_most(const struct writer *w)
{
	return w->most == &w->f->ledger->rows[LEDGER_SLAB] || (w->within && !w->most);
}

/* The pattern of what grew most: if that is Slab, of the cache that holds most; else of the
 * pool. */
static enum pattern pattern_of_growth(const struct writer *w)
{
	if (verdict_slab_grew_most(w) && w->cache)
		return w->cache->trend.pattern;
	return w->most ? w->most->trend.pattern : PATTERN_STEADY;
}

/* Nothing grew, but the reader sees which pool came closest. */
static void say_not_grown(struct writer *w, const struct ledger_row *largest, const char *duration)
{
	char change[UNITS_MAX];

	verdict_say(w, FINDING(FINDING_NOTICE, "no-growth", ABOUT_HOST),
		    "Nothing grew beyond noise in %s.", duration);
	if (largest->delta_kb > 0)
		verdict_more(w, "The largest increase was %s, by %s.", largest->name,
			     units_bytes(change, largest->delta_kb * 1024));
}

static void say_grown(struct writer *w)
{
	const struct ledger_row *rows[LEDGER_POOLS];
	char duration[UNITS_MAX], list[640], change[UNITS_MAX], within[NAME_SHOWN + 64] = "";
	struct finding *f;

	for (size_t i = 0; i < LEDGER_POOLS; i++)
		rows[i] = &w->f->ledger->rows[i];
	qsort(rows, LEDGER_POOLS, sizeof(rows[0]), compare_pool_growth);
	units_duration(duration, w->f->v->duration_s);
	if (isnan(rows[0]->delta_kb)) {
		verdict_say(
			w, FINDING(FINDING_CAUTION, "one-reading", ABOUT_RECORDING),
			"The capture holds one reading of the levels%s, so no growth can be shown.",
			capture_is_census(w->f->v->c) ? ", and a census" : "");
		return;
	}
	w->grew = list_grown(w, rows, list, sizeof(list)) > 0;
	w->within =
		!verdict_row_grew(&w->f->ledger->rows[LEDGER_SLAB]) && verdict_cache_grew(w->cache);
	if (w->within)
		snprintf(within, sizeof(within), "%s within Slab, %.*s grew by %s",
			 w->grew ? "; and" : ", but", NAME_SHOWN, w->cache->name,
			 units_bytes(change, w->cache->delta_kb * 1024));
	if (!w->grew && !w->within) {
		say_not_grown(w, rows[0], duration);
		say_shrunk(w, rows);
		return;
	}
	if (pattern_of_growth(w) == PATTERN_GROWING || pattern_of_growth(w) == PATTERN_UNKNOWN)
		w->severity = FINDING_WARNING;
	if (w->grew)
		f = verdict_say(w, FINDING(w->severity, "growth", ABOUT_POOL),
				"In %s, these pools grew: %s%s.", duration, list, within);
	else
		f = verdict_say(w, FINDING(w->severity, "growth", ABOUT_CACHE),
				"No pool grew beyond noise in %s%s.", duration, within);
	if (w->most)
		finding_row(f, w->most);
	if (w->within)
		finding_cache(f, w->cache);
	for (size_t i = 0; i < LEDGER_POOLS && verdict_row_grew(rows[i]); i++)
		if (rows[i] != w->most)
			finding_evidence(f, "pools", "%s", rows[i]->name);
	w->grew |= w->within;
	say_shrunk(w, rows);
}

/* Choose the group that holds most of what grew. If too few samples show it, choose none. */
static void choose_top(struct writer *w)
{
	const struct growth *g = w->f->growth;

	for (size_t i = 0; i < g->nr && g->groups[i].bytes >= HELD_BYTES; i++) {
		if (!verdict_group_grew(w, &g->groups[i]))
			continue;
		w->traced = true;
		/* a later group holds less, so it is not the largest part, even with enough
		 * samples */
		if (sampling_samples(g->groups[i].bytes, g->groups[i].traced_var) <
		    SAMPLING_TO_NAME)
			return;
		w->top = &g->groups[i];
		w->top_rank = i;
		w->cache = growth_cache(w->top, w->f->caches);
		return;
	}
}

/* What a finding about the traced part of Slab rests on. */
static void finding_explained(struct finding *f, const struct ledger_row *slab)
{
	double margin_kb = 1.96 * slab->attributed_sd_kb;

	finding_subject(f, "%s", slab->name);
	finding_figure(f, "attributed_kb", slab->attributed_kb, slab->attributed_kb - margin_kb,
		       slab->attributed_kb + margin_kb);
	finding_figure(f, "preexisting_freed_kb", slab->preexisting_freed_kb, NAN, NAN);
	finding_figure(f, "allocator_overhead_kb", slab->allocator_overhead_kb, NAN, NAN);
	finding_figure(f, "residual_kb", slab->residual_kb, slab->residual_low_kb,
		       slab->residual_high_kb);
	finding_evidence(f, "pools", "%s", slab->name);
}

/* "Traced growth exceeds Slab's by 36.5 KiB (2.0%)." `part`: a filter left some untraced. */
static void say_residual(struct writer *w, const struct ledger_row *slab, bool part)
{
	double share = 100 * fabs(slab->residual_kb) / fmax(slab->delta_kb, slab->attributed_kb);
	char rest[UNITS_MAX];

	units_bytes(rest, fabs(slab->residual_kb) * 1024);
	if (!w->f->v->exact && slab->residual_low_kb < 0 && slab->residual_high_kb > 0 &&
	    slab->residual_high_kb - slab->residual_low_kb > fabs(slab->residual_kb)) {
		verdict_more(w, "%s",
			     slab->attributed_kb > 0
				     ? "The rest is within the error of sampling."
				     : "No sample fell on this growth, so nothing more is known.");
		return;
	}
	if (slab->residual_kb < 0)
		verdict_more(w, "Traced growth exceeds Slab's by %s (%.1f%%).", rest, share);
	else if (part)
		verdict_more(w, "%s (%.1f%%) of Slab's growth was not traced.", rest, share);
	else
		verdict_more(w, "%s (%.1f%%) of Slab's growth is not explained.", rest, share);
}

/* "1.8 MiB", "1.8 MiB, give or take 93.5 KiB,", or, if the interval is wide, "between 1.1 MiB and
 * 9.8 MiB". */
static void describe_traced(const struct writer *w, const struct ledger_row *slab, char *buf,
			    size_t size)
{
	double var = slab->attributed_sd_kb * slab->attributed_sd_kb, low, high;
	double margin_kb = 1.96 * slab->attributed_sd_kb;
	char a[UNITS_MAX], b[UNITS_MAX];
	struct sampling sampling;

	sampling_of(w->f->v, POOL_SLAB, &sampling);
	interval_weighted_at(1.959964, slab->attributed_kb, var, sampling.most / 1024, &low, &high);
	if (trust_of_interval(slab->attributed_kb, low, high) < TRUST_HIGH)
		snprintf(buf, size, "between %s and %s", units_bytes(a, low * 1024),
			 units_bytes(b, high * 1024));
	else if (interval_shows(slab->attributed_kb, slab->attributed_kb - margin_kb,
				slab->attributed_kb + margin_kb))
		snprintf(buf, size, "%s, give or take %s,",
			 units_bytes(a, slab->attributed_kb * 1024),
			 units_bytes(b, margin_kb * 1024));
	else
		units_bytes(buf, slab->attributed_kb * 1024);
}

static void say_explained(struct writer *w)
{
	const struct ledger_row *slab = &w->f->ledger->rows[LEDGER_SLAB];
	char held[2 * UNITS_MAX + 24], overhead[UNITS_MAX], old[UNITS_MAX];
	bool part = w->f->v->cache_filter || w->f->v->filter[0];

	if (!verdict_row_grew(slab) || isnan(slab->attributed_kb))
		return;
	if (slab->residual_high_kb < 0 && -slab->residual_kb > slab->attributed_kb / 2) {
		finding_explained(
			verdict_say(w, FINDING(FINDING_CAUTION, "freed-unseen", ABOUT_POOL),
				    "Events show %s more held in Slab than Slab grew by. Most of "
				    "that was freed without an event, so it is unknown how much is "
				    "held now.",
				    units_bytes(old, -slab->residual_kb * 1024)),
			slab);
		return;
	}
	describe_traced(w, slab, held, sizeof(held));
	if (isnan(slab->residual_kb)) {
		finding_explained(
			verdict_say(w, FINDING(FINDING_CAUTION, "explained", ABOUT_POOL),
				    "Of Slab, %s was traced and is still held; without slabinfo, "
				    "the rest is unknown.",
				    held),
			slab);
		return;
	}
	finding_explained(
		verdict_say(w, FINDING(FINDING_NOTICE, "explained", ABOUT_POOL),
			    "Of Slab, %s was allocated and is still held%s; %s of older objects "
			    "was freed, and free slots and padding %s by %s.",
			    held, part ? " (traced part only)" : "",
			    units_bytes(old, slab->preexisting_freed_kb * 1024),
			    slab->allocator_overhead_kb < 0 ? "shrank" : "grew",
			    units_bytes(overhead, fabs(slab->allocator_overhead_kb) * 1024)),
		slab);
	say_residual(w, slab, part);
}

/* Say how many objects slabinfo counts that no event showed, if they are at least a tenth of the
 * growth. */
static void say_unseen(struct writer *w)
{
	const struct ledger_row *slab = &w->f->ledger->rows[LEDGER_SLAB];
	const struct cache_row *most = NULL;
	struct finding *f;
	char objects[UNITS_MAX], bytes[UNITS_MAX];

	if (!verdict_row_grew(slab))
		return;
	for (size_t i = 0; i < w->f->caches->nr; i++) {
		const struct cache_row *cache = &w->f->caches->items[i];

		if (cache->unseen_bytes > (most ? most->unseen_bytes : HELD_BYTES))
			most = cache;
	}
	if (!most || most->unseen_bytes < slab->delta_kb * 1024 / 10)
		return;
	f = verdict_say(w, FINDING(FINDING_CAUTION, "allocated-unseen", ABOUT_CACHE),
			"About %s objects of %.*s (%s) were allocated without an event, most "
			"likely in bulk (holders unknown).",
			units_count(objects, most->unseen_objects), NAME_SHOWN, most->name,
			units_bytes(bytes, most->unseen_bytes));
	finding_subject(f, "%s", most->name);
	finding_figure(f, "unseen_alloc_objects", most->unseen_objects, NAN, NAN);
	finding_figure(f, "unseen_alloc_bytes", most->unseen_bytes, NAN, NAN);
	finding_evidence(f, "caches", "%s", most->name);
}

/* "Slab rises and falls again and again, between 385 MiB and 415 MiB". The change between start and
 * end says little about such a pool. */
static void say_swings(struct writer *w)
{
	for (size_t i = 0; i < LEDGER_POOLS; i++) {
		const struct ledger_row *row = &w->f->ledger->rows[i];
		double low = INFINITY, high = -INFINITY;
		char from[UNITS_MAX], to[UNITS_MAX], range[UNITS_MAX], how[2 * UNITS_MAX + 32];
		struct finding *f;

		for (size_t k = 0; k < row->nr_series; k++) {
			low = fmin(low, row->series[k]); /* fmin() and fmax() skip NaN */
			high = fmax(high, row->series[k]);
		}
		if (!swings(&row->trend) || !(high - low > 4 * GREW_KB))
			continue;
		units_bytes(from, low * 1024);
		units_bytes(to, high * 1024);
		if (strcmp(from, to) != 0)
			snprintf(how, sizeof(how), "between %s and %s", from, to);
		else
			snprintf(how, sizeof(how), "by %s around %s",
				 units_bytes(range, (high - low) * 1024), to);
		f = verdict_say(w, FINDING(FINDING_NOTICE, "swing", ABOUT_POOL), "%s %s, %s.",
				row->name, pattern_words(row->trend.pattern), how);
		finding_row(f, row);
		finding_figure(f, "least_kb", low, NAN, NAN);
		finding_figure(f, "most_kb", high, NAN, NAN);
	}
}

/* Say whether the pool that grew most is still growing. If that is Slab, say it of the cache that
 * holds most. */
static void say_trend(struct writer *w)
{
	const struct cache_row *cache = verdict_slab_grew_most(w) ? w->cache : NULL;
	enum finding_about about = cache ? ABOUT_CACHE : ABOUT_POOL;
	char name[NAME_SHOWN + 8], rate[UNITS_MAX], interval[INTERVAL_WORDS_MAX];
	const struct trend *t;
	struct finding *f = NULL;

	if (!cache && !w->most)
		return;
	t = cache ? &cache->trend : &w->most->trend;
	snprintf(name, sizeof(name), "%.*s", NAME_SHOWN, cache ? cache->name : w->most->name);
	if (t->pattern == PATTERN_UNKNOWN)
		f = verdict_say(w, FINDING(FINDING_CAUTION, "trend-unknown", about),
				"There are too few readings (%zu of the %d needed) to say whether "
				"%s is still growing.",
				t->n, SERIES_MIN, name);
	else if (trend_has_rate(t))
		f = verdict_say(w, FINDING(FINDING_WARNING, "trend", about),
				"%s was still growing at the end, at %s/s%s.", name,
				units_bytes(rate, t->slope * 1024),
				interval_words(interval, " (95% interval ", t->slope * 1024,
					       t->slope_low * 1024, t->slope_high * 1024,
					       units_bytes));
	else if (cache || !swings(t))
		f = verdict_say(w, FINDING(FINDING_NOTICE, "trend", about), "%s as a whole %s.",
				name, pattern_words(t->pattern));
	finding_subject(f, "%s", cache ? cache->name : w->most->name);
	finding_evidence(f, cache ? "caches" : "pools", "%s", cache ? cache->name : w->most->name);
	if (trend_has_rate(t))
		finding_figure(f, "slope_kb_per_s", t->slope, t->slope_low, t->slope_high);
}

/* Dentries of names that do not exist: programs make them by looking for files in many places. */
static void say_negative(struct writer *w)
{
	double nr = snapshot_counter(w->f->v->end, COUNTER_DENTRIES);
	double negative = snapshot_counter(w->f->v->end, COUNTER_DENTRIES_NEGATIVE);
	char all[UNITS_MAX], none[UNITS_MAX];
	struct finding *f;

	if (!cache_is_called(w->cache, "dentry") || !(nr > 0) || !(negative > 0))
		return;
	f = verdict_say(w, FINDING(FINDING_NOTICE, "negative-dentries", ABOUT_CACHE),
			"Of %s dentries, %s (%.0f%%) are negative: names that were looked up and "
			"do not exist.",
			units_count(all, nr), units_count(none, negative), 100 * negative / nr);
	finding_subject(f, "%s", w->cache->name);
	finding_figure(f, "dentries", nr, NAN, NAN);
	finding_figure(f, "negative_dentries", negative, NAN, NAN);
}

static void say_reclaimable(struct writer *w)
{
	char level[UNITS_MAX];
	struct finding *f;

	if (!w->cache || !w->cache->cap || w->cache->large)
		return;
	if (!w->cache->cap->reclaimable)
		f = verdict_say(w, FINDING(FINDING_NOTICE, "not-reclaimable", ABOUT_CACHE),
				"The kernel cannot reclaim %.*s.", NAME_SHOWN, w->cache->name);
	else if (isnan(w->cache->end_kb))
		f = NULL;
	else
		f = verdict_say(w, FINDING(FINDING_NOTICE, "reclaimable", ABOUT_CACHE),
				"%.*s is a reclaimable cache: when memory gets short, the kernel "
				"frees up to %s of it. drop_caches does so at once, but for every "
				"unused dentry and inode of the host, and file access is slow "
				"until they are read again.",
				NAME_SHOWN, w->cache->name,
				units_bytes(level, w->cache->end_kb * 1024));
	finding_subject(f, "%s", w->cache->name);
	finding_figure(f, "end_kb", f ? w->cache->end_kb : NAN, NAN, NAN);
	finding_evidence(f, "caches", "%s", w->cache->name);
	if (w->cache->cap->reclaimable)
		say_negative(w);
}

/* Say what grew, and who allocated it. If nothing grew, held memory is not worth a sentence. */
static void verdict_say_growth(struct writer *w)
{
	say_explained(w);
	say_unseen(w);
	verdict_say_where(w);
	say_trend(w);
	say_reclaimable(w);
	verdict_say_leak(w);
	verdict_quote(w, PART_EXHAUSTION);
}

/* The sentences, and the next command, which belongs to the finding that says most. */
static int verdict_collect(struct writer *w)
{
	for (size_t i = 0; i < w->said.nr; i++) {
		char **slot = ARRAY_PUSH(w->out);

		if (!slot)
			return -ENOMEM;
		*slot = w->list->items[w->said.items[i]].text;
	}
	w->out->next = w->said.nr ? w->list->items[w->main].next : NULL;
	return 0;
}

int verdict_build(const struct verdict_facts *f, struct findings *list, struct verdict *out)
{
	struct verdict v = {0};
	struct writer w = {.f = f, .list = list, .out = &v, .severity = FINDING_NOTICE};
	int err;

	choose_top(&w);
	say_grown(&w);
	w.main = w.said.nr ? w.said.items[0] : 0;
	say_swings(&w);
	if (!f->v->at)
		verdict_say(&w, FINDING(FINDING_CAUTION, "not-traced", ABOUT_RECORDING),
			    "No allocations were traced; only levels %s shown.",
			    capture_is_census(f->v->c) ? "and the census are" : "are");
	if (w.grew)
		verdict_say_growth(&w);
	verdict_say_proofs(&w);
	verdict_quote(&w, PART_LEVELS);
	verdict_say_caveats(&w);
	verdict_choose_next(&w);
	err = w.failed || list->failed ? -ENOMEM : verdict_collect(&w);
	ARRAY_FREE(&w.said);
	if (err) {
		verdict_free(&v);
		return err;
	}
	v.grew = w.grew;
	v.growing = w.grew && pattern_of_growth(&w) == PATTERN_GROWING;
	v.too_few = w.grew && pattern_of_growth(&w) == PATTERN_UNKNOWN;
	v.too_short = w.top && w.leak == LEAK_SHORT;
	v.most = w.most;
	v.shrunk = w.shrunk;
	v.cache = w.cache;
	*out = v;
	return 0;
}

void verdict_free(struct verdict *v)
{
	ARRAY_FREE(v);
	v->next = NULL;
}
