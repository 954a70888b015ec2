// SPDX-License-Identifier: GPL-2.0-only
/*
 * Builds the verdict: see verdict.h. One function per topic; each adds nothing when its facts are
 * missing. Only this file and first_screen.c write the word "leak", and only when trust_leak()
 * answers LEAK_YES.
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

__attribute__((format(printf, 2, 3))) static void say_next(struct writer *w, const char *fmt, ...)
{
	va_list ap;

	free(w->out->next);
	va_start(ap, fmt);
	if (vasprintf(&w->out->next, fmt, ap) < 0) {
		w->out->next = NULL;
		w->failed = true;
	}
	va_end(ap);
}

static int compare_pool_growth(const void *a, const void *b)
{
	double x = (*(const struct ledger_row *const *)a)->delta_kb;
	double y = (*(const struct ledger_row *const *)b)->delta_kb;

	x = isnan(x) ? -INFINITY : x;
	y = isnan(y) ? -INFINITY : y;
	return x < y ? 1 : x > y ? -1 : 0;
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
	verdict_say(w, "%s shrank by %s%s.", row->name, describe_delta(row, change, sizeof(change)),
		    when);
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

static void say_grown(struct writer *w)
{
	const struct ledger_row *rows[LEDGER_POOLS];
	char duration[UNITS_MAX], list[640], change[UNITS_MAX], within[NAME_SHOWN + 64] = "";

	for (size_t i = 0; i < LEDGER_POOLS; i++)
		rows[i] = &w->f->ledger->rows[i];
	qsort(rows, LEDGER_POOLS, sizeof(rows[0]), compare_pool_growth);
	units_duration(duration, w->f->v->duration_s);
	if (isnan(rows[0]->delta_kb)) {
		verdict_say(
			w,
			"The capture holds one reading of the levels, so no growth can be shown.");
		return;
	}
	w->grew = list_grown(w, rows, list, sizeof(list)) > 0;
	w->within =
		!verdict_row_grew(&w->f->ledger->rows[LEDGER_SLAB]) && verdict_cache_grew(w->cache);
	if (w->within)
		snprintf(within, sizeof(within), "%s within Slab, %.*s grew by %s",
			 w->grew ? "; and" : ", but", NAME_SHOWN, w->cache->name,
			 units_bytes(change, w->cache->delta_kb * 1024));
	if (w->grew)
		verdict_say(w, "In %s, these pools grew: %s%s.", duration, list, within);
	else
		verdict_say(w, "%s grew beyond noise in %s%s.", w->within ? "No pool" : "Nothing",
			    duration, within);
	if (!w->grew && !w->within && rows[0]->delta_kb > 0)
		verdict_say(w, "The largest increase was %s, by %s.", rows[0]->name,
			    units_bytes(change, rows[0]->delta_kb * 1024));
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

/* "Traced growth exceeds Slab's by 36.5 KiB (2.0%)." `part`: a filter left some untraced. */
static void say_residual(struct writer *w, const struct ledger_row *slab, bool part)
{
	double share = 100 * fabs(slab->residual_kb) / fmax(slab->delta_kb, slab->attributed_kb);
	char rest[UNITS_MAX];

	units_bytes(rest, fabs(slab->residual_kb) * 1024);
	if (!w->f->v->exact && slab->residual_low_kb < 0 && slab->residual_high_kb > 0 &&
	    slab->residual_high_kb - slab->residual_low_kb > fabs(slab->residual_kb)) {
		verdict_say(w, "%s",
			    slab->attributed_kb > 0
				    ? "The rest is within the error of sampling."
				    : "No sample fell on this growth, so nothing more is known.");
		return;
	}
	if (slab->residual_kb < 0)
		verdict_say(w, "Traced growth exceeds Slab's by %s (%.1f%%).", rest, share);
	else if (part)
		verdict_say(w, "%s (%.1f%%) of Slab's growth was not traced.", rest, share);
	else
		verdict_say(w, "%s (%.1f%%) of Slab's growth is not explained.", rest, share);
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
		verdict_say(
			w,
			"Events show %s more held in Slab than Slab grew by. Most of that was freed "
			"without an event, so it is unknown how much is held now.",
			units_bytes(old, -slab->residual_kb * 1024));
		return;
	}
	describe_traced(w, slab, held, sizeof(held));
	if (isnan(slab->residual_kb)) {
		verdict_say(
			w,
			"Of Slab, %s was traced and is still held; without slabinfo, the rest is unknown.",
			held);
		return;
	}
	verdict_say(
		w,
		"Of Slab, %s was allocated and is still held%s; %s of older objects was freed, and free slots "
		"and padding %s by %s.",
		held, part ? " (traced part only)" : "",
		units_bytes(old, slab->preexisting_freed_kb * 1024),
		slab->allocator_overhead_kb < 0 ? "shrank" : "grew",
		units_bytes(overhead, fabs(slab->allocator_overhead_kb) * 1024));
	say_residual(w, slab, part);
}

/* Say how many objects slabinfo counts that no event showed, if they are at least a tenth of the
 * growth. */
static void say_unseen(struct writer *w)
{
	const struct ledger_row *slab = &w->f->ledger->rows[LEDGER_SLAB];
	const struct cache_row *most = NULL;
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
	verdict_say(
		w,
		"About %s objects of %.*s (%s) were allocated without an event, most likely in bulk. slabinfo "
		"gives their number; who holds them is unknown.",
		units_count(objects, most->unseen_objects), NAME_SHOWN, most->name,
		units_bytes(bytes, most->unseen_bytes));
}

static bool swings(const struct trend *t)
{
	return t->pattern == PATTERN_SPIKE || t->pattern == PATTERN_SAWTOOTH;
}

/* "Slab rises and falls again and again, between 385 MiB and 415 MiB". The change between start and
 * end says little about such a pool. */
static void say_swings(struct writer *w)
{
	for (size_t i = 0; i < LEDGER_POOLS; i++) {
		const struct ledger_row *row = &w->f->ledger->rows[i];
		double low = INFINITY, high = -INFINITY;
		char from[UNITS_MAX], to[UNITS_MAX], range[UNITS_MAX];

		for (size_t k = 0; k < row->nr_series; k++) {
			low = fmin(low, row->series[k]); /* fmin() and fmax() skip NaN */
			high = fmax(high, row->series[k]);
		}
		if (!swings(&row->trend) || !(high - low > 4 * GREW_KB))
			continue;
		units_bytes(from, low * 1024);
		units_bytes(to, high * 1024);
		if (strcmp(from, to) != 0)
			verdict_say(w, "%s %s, between %s and %s.", row->name,
				    pattern_words(row->trend.pattern), from, to);
		else
			verdict_say(w, "%s %s, by %s around %s.", row->name,
				    pattern_words(row->trend.pattern),
				    units_bytes(range, (high - low) * 1024), to);
	}
}

static bool slab_grew_most(const struct writer *w)
{
	return w->most == &w->f->ledger->rows[LEDGER_SLAB] || (w->within && !w->most);
}

/* Say whether the pool that grew most is still growing. If that is Slab, say it of the cache that
 * holds most. */
static void say_trend(struct writer *w)
{
	const struct cache_row *cache = slab_grew_most(w) ? w->cache : NULL;
	char name[NAME_SHOWN + 8], rate[UNITS_MAX], interval[INTERVAL_WORDS_MAX];
	const struct trend *t;

	if (!cache && !w->most)
		return;
	t = cache ? &cache->trend : &w->most->trend;
	snprintf(name, sizeof(name), "%.*s", NAME_SHOWN, cache ? cache->name : w->most->name);
	if (t->pattern == PATTERN_UNKNOWN)
		verdict_say(
			w,
			"There are too few readings (%zu of the %d needed) to say whether %s is still growing.",
			t->n, SERIES_MIN, name);
	else if (trend_has_rate(t))
		verdict_say(w, "%s was still growing at the end, at %s/s%s.", name,
			    units_bytes(rate, t->slope * 1024),
			    interval_words(interval, " (95% interval ", t->slope * 1024,
					   t->slope_low * 1024, t->slope_high * 1024, units_bytes));
	else if (cache || !swings(t))
		verdict_say(w, "%s as a whole %s.", name, pattern_words(t->pattern));
}

/* The pattern of what grew most: if that is Slab, of the cache that holds most; else of the
 * pool. */
static enum pattern pattern_of_growth(const struct writer *w)
{
	if (slab_grew_most(w) && w->cache)
		return w->cache->trend.pattern;
	return w->most ? w->most->trend.pattern : PATTERN_STEADY;
}

/* Dentries of names that do not exist: programs make them by looking for files in many places. */
static void say_negative(struct writer *w)
{
	double nr = snapshot_counter(w->f->v->end, COUNTER_DENTRIES);
	double negative = snapshot_counter(w->f->v->end, COUNTER_DENTRIES_NEGATIVE);
	char all[UNITS_MAX], none[UNITS_MAX];

	if (!cache_is_called(w->cache, "dentry") || !(nr > 0) || !(negative > 0))
		return;
	verdict_say(
		w,
		"Of %s dentries, %s (%.0f%%) are negative: names that were looked up and do not "
		"exist.",
		units_count(all, nr), units_count(none, negative), 100 * negative / nr);
}

static void say_reclaimable(struct writer *w)
{
	char level[UNITS_MAX];

	if (!w->cache || !w->cache->cap || w->cache->large)
		return;
	if (!w->cache->cap->reclaimable) {
		verdict_say(w, "The kernel cannot reclaim %.*s.", NAME_SHOWN, w->cache->name);
		return;
	}
	if (!isnan(w->cache->end_kb))
		verdict_say(
			w,
			"%.*s is a reclaimable cache: when memory gets short, the kernel frees up "
			"to %s of it. drop_caches does so at once, but for every unused dentry and "
			"inode of the host, and file access is slow until they are read again.",
			NAME_SHOWN, w->cache->name, units_bytes(level, w->cache->end_kb * 1024));
	say_negative(w);
}

/* When memory, threads or files run out, whichever is first; exhaustion.c leaves distant ends out.
 */
static void say_exhaustion(struct writer *w)
{
	const struct exhaustion *o = w->f->exhaustion;
	const struct exhaustion_row *row = o->rows;
	char left[UNITS_MAX], when[UNITS_MAX], rate[UNITS_MAX], interval[INTERVAL_WORDS_MAX];

	if (!o->nr)
		return;
	units_duration(when, row->seconds);
	interval_words(interval, " (", row->seconds, row->low, row->high, units_duration);
	if (row->of == EXHAUSTION_MEMORY)
		verdict_say(
			w, "MemAvailable falls by %s/s; at that rate, the available %s lasts %s%s.",
			units_bytes(rate, row->slope * 1024), units_bytes(left, row->left * 1024),
			when, interval);
	else
		verdict_say(w,
			    "At the present rate, %.*s is reached in %s%s: it allows %s more %s.",
			    EXHAUSTION_NAME_MAX, row->name, when, interval,
			    units_count(left, row->left),
			    row->of == EXHAUSTION_FILES ? "open files" : "threads");
}

static void say_unusual_level(struct writer *w)
{
	for (size_t i = 0; i < w->f->unusual_levels->nr; i++)
		if (w->f->unusual_levels->items[i].high) {
			verdict_say(w, "Unusual level: %s", w->f->unusual_levels->items[i].text);
			return;
		}
}

static double share_or_nan(double part, double whole)
{
	return whole > 0 ? part / whole : NAN;
}

/* Is it still growing? The call path's own pattern decides. If that is unknown or steady, the
 * cache's pattern decides. */
static bool top_still_grows(const struct writer *w)
{
	bool known = w->top_rank < w->f->history->nr;
	enum pattern path = known ? w->f->history->trends[w->top_rank].pattern : PATTERN_UNKNOWN;
	bool cache = w->cache && w->cache->trend.pattern == PATTERN_GROWING;

	if (path == PATTERN_GROWING)
		return true;
	return cache && (path == PATTERN_UNKNOWN || path == PATTERN_STEADY);
}

static void leak_judge(struct writer *w)
{
	const struct leak_facts facts = {
		.slab = w->cache != NULL,
		.trust = w->cache ? w->cache->trust.level : TRUST_LOW,
		.still_growing = top_still_grows(w),
		.reclaimable = w->cache && w->cache->cap && w->cache->cap->reclaimable,
		.duration = w->f->v->duration_s,
		.age_p50 = w->top->age_p50_s,
		.oldest = w->top->oldest_s,
		.verified = share_or_nan(w->top->verified_live, w->top->verified),
		.verified_twice = share_or_nan(w->top->verified_twice, w->top->verified_live),
	};

	w->leak = trust_leak(&facts);
}

/* Which condition of docs/trust.md keeps this growth from being called a leak. */
static void say_condition(struct writer *w)
{
	static const char lead[] = "This is not known to be lasting growth:";
	const struct growth_group *g = w->top;
	char a[UNITS_MAX], b[UNITS_MAX], c[UNITS_MAX];

	switch (w->leak) {
	case LEAK_NOT_SLAB:
		verdict_say(
			w,
			"%s it is in no known slab cache, and only objects of slab caches can be "
			"checked in the allocator (condition 1).",
			lead);
		break;
	case LEAK_ENDED:
		verdict_say(w, "%s it was not growing any more at the end (condition 3).", lead);
		break;
	case LEAK_TRUST:
		verdict_say(w, "%s trust in %.*s is %s (%s; condition 4).", lead, NAME_SHOWN,
			    w->cache->name, trust_name(w->cache->trust.level),
			    w->cache->trust.nr_reasons
				    ? w->cache->trust.reasons[w->cache->trust.deciding]
				    : "unknown");
		break;
	case LEAK_NOT_LIVE:
		verdict_say(
			w, "%s of %s objects that were checked, %.0f%% are in use (condition 5).",
			lead, units_count(a, g->verified), 100 * g->verified_live / g->verified);
		break;
	case LEAK_NOT_TWICE:
		verdict_say(w,
			    "%s only %.0f%% of its objects were found in use twice (condition 6).",
			    lead, 100 * g->verified_twice / g->verified_live);
		break;
	case LEAK_YOUNG:
		verdict_say(
			w,
			"%s its objects come and go: half are younger than %s, and the oldest is %s "
			"old, in a recording of %s (condition 7).",
			lead, units_duration(a, g->age_p50_s), units_duration(b, g->oldest_s),
			units_duration(c, w->f->v->duration_s));
		break;
	default:
		break;
	}
}

/* Say whether the group that holds most of the growth is a leak. Name its cache if the sentences
 * before are about another pool. */
static void say_leak(struct writer *w)
{
	char p50[UNITS_MAX], oldest[UNITS_MAX], name[NAME_SHOWN + 1] = "";
	bool named;

	if (!w->top) {
		if (w->f->v->at && w->f->v->duration_s >= TRUST_LEAK_S)
			verdict_say(w, "This is not known to be lasting growth: %s.",
				    w->traced ? "too few samples fell on it (condition 4)"
					      : "no call path of it was traced (condition 1)");
		return;
	}
	leak_judge(w);
	named = !slab_grew_most(w) && w->cache && w->cache->name[0];
	if (named)
		snprintf(name, sizeof(name), "%.*s", NAME_SHOWN, w->cache->name);
	if (w->leak == LEAK_SHORT)
		verdict_say(
			w,
			"The oldest objects%s%s are still there, but %s is too short to tell "
			"lasting growth from delayed frees (closed TCP sockets live 60 s). Record "
			"for 3 minutes.",
			named ? " of " : "", name, units_duration(p50, w->f->v->duration_s));
	else if (w->leak != LEAK_YES && w->f->v->duration_s >= TRUST_LEAK_S)
		say_condition(w);
	if (w->leak != LEAK_YES)
		return;
	w->out->leak = true;
	verdict_say(w,
		    "%s looks like a leak: it keeps growing, is not reclaimable, and its oldest "
		    "objects are still there (median age %s, oldest %s).",
		    named ? name : "This", units_duration(p50, w->top->age_p50_s),
		    units_duration(oldest, w->top->oldest_s));
}

/* What the filters of the command line left out, and whether anything passed them. */
static void say_filter(struct writer *w)
{
	const struct view *v = w->f->v;
	const char *pools = capture_meta(v->c, META_POOLS);

	if (view_filter_left_nothing(v)) {
		verdict_say(
			w,
			"No allocation%s%.300s%s was %s, so only the levels of the kernel's memory are known.",
			v->filter[0] ? " " : "", v->filter,
			v->cache_filter ? " from the caches named with --cache" : "",
			v->exact ? "traced" : "sampled (--exact traces every one)");
		return;
	}
	if (v->cache_filter)
		verdict_say(w, "Only the caches named with --cache were traced.");
	if (v->filter[0])
		verdict_say(w, "Only allocations %.300s were traced.", v->filter);
	if (pools[0])
		verdict_say(w, "Only these pools were watched: %.96s.", pools);
}

static void say_sampling(struct writer *w)
{
	char mean[UNITS_MAX], least[UNITS_MAX], most[UNITS_MAX], range[2 * UNITS_MAX + 16] = "";
	struct sampling sampling;

	sampling_of(w->f->v, POOL_SLAB, &sampling);
	if (!(sampling.mean > 0))
		return;
	units_bytes(least, sampling.least);
	units_bytes(most, sampling.most);
	if (strcmp(least, most) != 0)
		snprintf(range, sizeof(range), " (%s to %s)", least, most);
	verdict_say(
		w,
		"Figures are estimates from samples: of slab, one for each %s allocated%s%s. "
		"Intervals contain the true value 95 times in 100. A call path without an interval "
		"is accurate to 1%%.",
		units_bytes(mean, sampling.mean), range[0] ? " on average" : "", range);
}

static void say_caveats(struct writer *w)
{
	const struct view *v = w->f->v;
	const char *stacks = capture_meta(v->c, META_STACKS);
	const char *paused = capture_meta(v->c, META_NOT_WATCHED);
	char a[UNITS_MAX], b[UNITS_MAX];

	if (!v->complete)
		verdict_say(
			w,
			"The capture is incomplete: the recording did not end properly. This report covers "
			"the %s that were saved.",
			units_duration(a, v->at ? v->at->end_s : v->end->t_s));
	if (w->f->losses->events > 0)
		verdict_say(w, "%s event%s lost (%s%% of all): see LOSSES.",
			    units_count(a, w->f->losses->events),
			    w->f->losses->events == 1 ? " was" : "s were",
			    units_share(b, 100 * losses_ratio(w->f->losses)));
	if (paused[0])
		verdict_say(w, "Paused to keep within --max-overhead: %.300s.", paused);
	if (stacks[0] && strcmp(stacks, "ok"))
		verdict_say(w, "Call paths have no names: %.200s.", stacks);
	say_filter(w);
	say_sampling(w);
}

static void say_trust(struct writer *w)
{
	const struct trust *t = w->f->trust;
	const char *what = view_is_filtered(w->f->v) ? "the traced part" : "these figures";

	if (t->nr_reasons)
		verdict_say(w, "Trust in %s: %s (%s).", what, trust_name(t->level),
			    t->reasons[t->deciding]);
	else
		verdict_say(w, "Trust in %s: %s.", what, trust_name(t->level));
}

/* ---- the next command ----
 *
 * The command must be able to answer the question that this recording left open. If no recording
 * can answer it, there is no command. */

#define HURRY_S 360 /* twice the recording that answers most questions */
#define LONG_S  600 /* a recording that shows slow growth */

/* Would a recording of every object of only this cache, long enough, show more? */
static bool closer_tells_more(const struct writer *w)
{
	return !w->f->v->cache_filter || w->f->v->duration_s < TRUST_LEAK_S;
}

/* A recording of every object of the pool that grew most shows more than this recording. */
static void next_of_pool(struct writer *w)
{
	if (w->f->v->exact && w->f->v->duration_s >= TRUST_LEAK_S)
		return; /* a further recording cannot show more */
	say_next(w, "sudo kmemtrace record --exact --pool %s -d 180",
		 w->most ? w->most->name : "Slab");
}

/* If something may run out before a further recording can give an answer, look at the process
 * instead. */
static bool next_in_a_hurry(struct writer *w)
{
	const struct exhaustion *o = w->f->exhaustion;
	uint32_t id = w->top && w->top->processes.nr ? w->top->processes.items[0].id : 0;
	int pid = id ? w->f->v->c->processes[id].tgid : 0;

	if (!o->nr || !(o->rows[0].low < HURRY_S) || !pid)
		return false;
	say_next(w, "ps -o pid,ppid,user,etime,nlwp,rss,args -p %d  # can it be stopped?", pid);
	return true;
}

static void next_of_cache(struct writer *w, bool named)
{
	int seconds = w->leak == LEAK_NOT_TWICE && w->f->v->cache_filter ? LONG_S : 180;

	if (!closer_tells_more(w) && w->leak != LEAK_NOT_TWICE)
		return;
	if (named)
		say_next(w, "sudo kmemtrace record --exact --cache %s -d %d", w->cache->name,
			 seconds);
	else
		say_next(w, "sudo kmemtrace record --exact -d %d", seconds);
}

static void choose_next(struct writer *w)
{
	const struct cache_row *cache = w->cache;
	const struct view *v = w->f->v;
	bool long_enough = v->duration_s >= LONG_S;

	if (!v->at)
		say_next(w, "sudo kmemtrace doctor");
	else if (capture_meta(v->c, META_NOT_WATCHED)[0])
		say_next(w, "sudo kmemtrace record -d 180"); /* without --max-overhead */
	else if (!w->grew && !long_enough)
		say_next(w, "sudo kmemtrace record -d %d", LONG_S);
	else if (!w->grew)
		return;
	else if (next_in_a_hurry(w) || w->out->leak)
		return;
	else if (!w->top || !w->named || w->leak == LEAK_NOT_SLAB)
		next_of_pool(w);
	else if (w->leak == LEAK_RECLAIMABLE && !slab_grew_most(w))
		next_of_pool(w);
	else if (w->leak == LEAK_RECLAIMABLE)
		say_next(w, VERDICT_DROP_CACHES);
	else if (w->leak == LEAK_ENDED && !long_enough && v->duration_s >= TRUST_LEAK_S)
		say_next(w, "sudo kmemtrace record -d %d", LONG_S); /* does it begin again? */
	else if (cache && !((w->leak == LEAK_ENDED || w->leak == LEAK_YOUNG) && v->exact &&
			    v->duration_s >= TRUST_LEAK_S))
		next_of_cache(w, !cache->large && is_plain_word(cache->name));
}

/* Say what grew, and who allocated it. If nothing grew, held memory is not worth a sentence. */
static void verdict_say_growth(struct writer *w)
{
	say_explained(w);
	say_unseen(w);
	verdict_say_where(w);
	say_trend(w);
	say_reclaimable(w);
	say_leak(w);
	say_exhaustion(w);
}

int verdict_build(const struct verdict_facts *f, struct verdict *out)
{
	struct verdict v = {0};
	struct writer w = {.f = f, .out = &v};

	choose_top(&w);
	say_grown(&w);
	say_swings(&w);
	if (!f->v->at)
		verdict_say(&w, "No allocations were traced; only levels are shown.");
	if (w.grew)
		verdict_say_growth(&w);
	say_unusual_level(&w);
	say_caveats(&w);
	say_trust(&w);
	choose_next(&w);
	if (w.failed) {
		verdict_free(&v);
		return -ENOMEM;
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
	for (size_t i = 0; i < v->nr; i++)
		free(v->items[i]);
	ARRAY_FREE(v);
	free(v->next);
	v->next = NULL;
}
