// SPDX-License-Identifier: GPL-2.0-only
/*
 * Builds the verdict: see verdict.h. One function per topic; each adds nothing when its facts are
 * missing. This is the only file that writes the word "leak", and only when trust_may_say_leak()
 * allows it.
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
#include "model/entry.h"
#include "model/confidence.h"

#define GREW_KB    256.0   /* ignore smaller changes of a pool, whatever the noise */
#define HELD_BYTES 65536.0 /* ignore call paths that hold less */
#define NAME_SHOWN 64      /* characters of a symbol or cache name; the tables print it whole */

struct writer {
	const struct verdict_facts *f;
	struct verdict *out;
	const struct growth_group *top;  /* holds most; NULL when none holds HELD_BYTES */
	const struct cache_row *cache;   /* of top; NULL outside slab */
	const struct ledger_row *most;   /* the pool that grew most; NULL when none grew */
	const struct ledger_row *shrunk; /* the pool that shrank most beyond noise; NULL: none */
	bool grew;                       /* a pool grew, or `cache` did */
	bool within;                     /* `cache` grew, but no pool did */
	bool short_;                     /* the recording is too short to call this growth a leak */
	bool failed;
};

__attribute__((format(printf, 2, 3))) static void say(struct writer *w, const char *fmt, ...)
{
	char **slot = ARRAY_PUSH(w->out);
	va_list ap;

	va_start(ap, fmt);
	if (!slot || vasprintf(slot, fmt, ap) < 0) {
		w->failed = true;
		if (slot)
			w->out->nr--;
	}
	va_end(ap);
}

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

/* The smallest change that is beyond noise. Without enough readings to measure the noise, use a
 * cautious guess. */
static double row_limit_kb(const struct ledger_row *row)
{
	return isnan(row->trend.noise) ? 4 * GREW_KB : fmax(GREW_KB, 4 * row->trend.noise);
}

/* A change that the trace accounts for is not noise, however small or sudden. */
static bool row_grew(const struct ledger_row *row)
{
	bool traced = row->attributed_kb >= row->delta_kb / 2;

	return row->delta_kb > (traced ? GREW_KB : row_limit_kb(row));
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

/* A cache can grow while Slab does not: other caches may shrink. */
static bool cache_grows(const struct cache_row *cache)
{
	return cache && cache->trend.pattern == PATTERN_GROWING && cache->delta_kb > GREW_KB;
}

/* The pool that shrank most: the last of `rows`, which are sorted by change, unknown ones last. */
static void say_shrunk(struct writer *w, const struct ledger_row *const rows[LEDGER_POOLS])
{
	char change[160], when[UNITS_MAX + 24] = "", time[UNITS_MAX];
	const struct ledger_row *row;
	size_t at = LEDGER_POOLS - 1;

	while (isnan(rows[at]->delta_kb))
		at--;
	row = rows[at];
	if (!(-row->delta_kb > row_limit_kb(row)))
		return;
	w->shrunk = row;
	if (row->trend.change_p < 0.05)
		snprintf(when, sizeof(when), ", most of it around %s",
			 units_duration(time, row->trend.change_t));
	say(w, "%s shrank by %s%s.", row->name, describe_delta(row, change, sizeof(change)), when);
}

static void say_grown(struct writer *w)
{
	const struct ledger_row *rows[LEDGER_POOLS];
	char duration[UNITS_MAX], part[160], list[512] = "", change[UNITS_MAX];
	size_t grown = 0, at = 0;

	for (size_t i = 0; i < LEDGER_POOLS; i++)
		rows[i] = &w->f->ledger->rows[i];
	qsort(rows, LEDGER_POOLS, sizeof(rows[0]), compare_pool_growth);
	units_duration(duration, w->f->v->duration_s);
	if (isnan(rows[0]->delta_kb)) {
		say(w, "The capture holds one reading of the levels, so no growth can be shown.");
		return;
	}
	for (size_t i = 0; i < 3 && row_grew(rows[i]); i++, grown++) {
		at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s by %s", i ? ", " : "",
				       rows[i]->name, describe_delta(rows[i], part, sizeof(part)));
	}
	w->grew = grown > 0;
	w->most = w->grew ? rows[0] : NULL;
	if (w->grew) {
		say(w, "In %s, these pools grew: %s.", duration, list);
	} else if (cache_grows(w->cache)) {
		say(w, "No pool grew beyond noise in %s, but within Slab, %.*s grew by %s.",
		    duration, NAME_SHOWN, w->cache->name,
		    units_bytes(change, w->cache->delta_kb * 1024));
		w->grew = w->within = true;
	} else {
		say(w, "Nothing grew beyond noise in %s.", duration);
	}
	if (!w->grew && rows[0]->delta_kb > 0)
		say(w, "The largest increase was %s, by %s.", rows[0]->name,
		    units_bytes(change, rows[0]->delta_kb * 1024));
	say_shrunk(w, rows);
}

/* "Traced growth exceeds Slab's by 36.5 KiB (2.0%)." `part`: a filter left some untraced. */
static void say_residual(struct writer *w, const struct ledger_row *slab, bool part)
{
	double share = 100 * fabs(slab->residual_kb) / fmax(slab->delta_kb, slab->attributed_kb);
	char rest[UNITS_MAX];

	units_bytes(rest, fabs(slab->residual_kb) * 1024);
	if (slab->residual_kb < 0)
		say(w, "Traced growth exceeds Slab's by %s (%.1f%%).", rest, share);
	else if (part)
		say(w, "%s (%.1f%%) of Slab's growth was not traced.", rest, share);
	else
		say(w, "%s (%.1f%%) of Slab's growth is not explained.", rest, share);
}

static void say_explained(struct writer *w)
{
	const struct ledger_row *slab = &w->f->ledger->rows[LEDGER_SLAB];
	char held[2 * UNITS_MAX + 24], overhead[UNITS_MAX], old[UNITS_MAX], margin[UNITS_MAX];
	double margin_kb = 1.96 * slab->attributed_sd_kb;
	bool part = w->f->v->cache_filter || w->f->v->filter[0];

	if (!row_grew(slab) || isnan(slab->attributed_kb))
		return;
	units_bytes(held, slab->attributed_kb * 1024);
	if (interval_shows(slab->attributed_kb, slab->attributed_kb - margin_kb,
			   slab->attributed_kb + margin_kb))
		snprintf(held + strlen(held), sizeof(held) - strlen(held), ", give or take %s,",
			 units_bytes(margin, margin_kb * 1024));
	if (isnan(slab->residual_kb)) {
		say(w,
		    "Of Slab, %s was traced and is still held; without slabinfo, the rest is unknown.",
		    held);
		return;
	}
	say(w,
	    "Of Slab, %s was allocated and is still held%s; %s of older objects was freed, and free slots "
	    "and padding %s by %s.",
	    held, part ? " (traced part only)" : "",
	    units_bytes(old, slab->preexisting_freed_kb * 1024),
	    slab->allocator_overhead_kb < 0 ? "shrank" : "grew",
	    units_bytes(overhead, fabs(slab->allocator_overhead_kb) * 1024));
	say_residual(w, slab, part);
}

/* Objects that slabinfo counts and no event showed, if they are at least a tenth of the growth. */
static void say_unseen(struct writer *w)
{
	const struct ledger_row *slab = &w->f->ledger->rows[LEDGER_SLAB];
	const struct cache_row *most = NULL;
	char objects[UNITS_MAX], bytes[UNITS_MAX];

	for (size_t i = 0; i < w->f->caches->nr; i++) {
		const struct cache_row *cache = &w->f->caches->items[i];

		if (cache->unseen_bytes > (most ? most->unseen_bytes : HELD_BYTES))
			most = cache;
	}
	if (!most || most->unseen_bytes < slab->delta_kb * 1024 / 10)
		return;
	say(w,
	    "About %s objects of %.*s (%s) were allocated without an event, most likely in bulk. slabinfo "
	    "gives their number; who holds them is unknown.",
	    units_count(objects, most->unseen_objects), NAME_SHOWN, most->name,
	    units_bytes(bytes, most->unseen_bytes));
}

/* "pipe_write+0x1a [mod]", or words for a call path without frames. */
static void describe_site(const struct capture *c, uint32_t stack, char *buf, size_t size)
{
	const struct cap_stack *s = &c->stacks[stack];
	const struct cap_frame *f;

	if (!s->nr_frames) {
		snprintf(buf, size, "a call path that was not recorded");
		return;
	}
	f = &c->frames[s->frames[0]];
	if (f->module[0] && strcmp(f->module, "vmlinux"))
		snprintf(buf, size, "%.*s+0x%llx [%.*s]", NAME_SHOWN, f->symbol,
			 (unsigned long long)f->offset, NAME_SHOWN, f->module);
	else
		snprintf(buf, size, "%.*s+0x%llx", NAME_SHOWN, f->symbol,
			 (unsigned long long)f->offset);
}

/* ", through pipe2()": the system call; "" when the call path began otherwise. */
static void describe_entry(const struct capture *c, uint32_t stack, char *buf, size_t size)
{
	struct entry e;

	entry_of_stack(c, stack, &e);
	buf[0] = '\0';
	if (e.kind == ENTRY_SYSCALL)
		snprintf(buf, size, ", through %.*s", NAME_SHOWN, e.label);
}

static void describe_process(const struct writer *w, const struct growth_group *g, char *buf,
			     size_t size)
{
	const struct growth_share *most = g->processes.items;
	const struct cap_process *p = &w->f->v->c->processes[most->id];

	buf[0] = '\0';
	if (!most->id || !(g->bytes > 0))
		return;
	if (p->tgid)
		snprintf(buf, size, ", %.0f%% of it by %.32s[%d]", 100 * most->bytes / g->bytes,
			 p->comm, p->tgid);
	else
		snprintf(buf, size, ", %.0f%% of it in interrupts", 100 * most->bytes / g->bytes);
}

static void say_where(struct writer *w)
{
	const struct growth *g = w->f->growth;
	const struct capture *c = w->f->v->c;

	for (size_t i = 0; i < 2 && i < g->nr; i++) {
		const struct growth_group *group = &g->groups[i];
		const struct cache_row *cache = growth_cache(group, w->f->caches);
		char held[UNITS_MAX], objects[UNITS_MAX], site[256], entry[96], process[96];
		char of_cache[NAME_SHOWN + 8] = "";

		/* Name the second group only if it is at least half as large as the first. */
		if (group->bytes < HELD_BYTES || (i && group->bytes < g->groups[0].bytes / 2))
			return;
		describe_site(c, group->stacks.items[0].id, site, sizeof(site));
		describe_entry(c, group->stacks.items[0].id, entry, sizeof(entry));
		describe_process(w, group, process, sizeof(process));
		if (cache)
			snprintf(of_cache, sizeof(of_cache), " of %.*s", NAME_SHOWN, cache->name);
		say(w,
		    "The %s part, %s (%.0f%% of held memory, %s objects%s), was allocated at %s%s%s.",
		    i ? "second largest" : "largest", units_bytes(held, group->bytes),
		    100 * group->bytes / g->bytes, units_count(objects, group->objects), of_cache,
		    site, entry, process);
	}
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
		char from[UNITS_MAX], to[UNITS_MAX];

		for (size_t k = 0; k < row->nr_series; k++) {
			low = fmin(low, row->series[k]); /* fmin() and fmax() skip NaN */
			high = fmax(high, row->series[k]);
		}
		if (swings(&row->trend) && high - low > 4 * GREW_KB)
			say(w, "%s %s, between %s and %s.", row->name,
			    pattern_words(row->trend.pattern), units_bytes(from, low * 1024),
			    units_bytes(to, high * 1024));
	}
}

static bool slab_grew_most(const struct writer *w)
{
	return w->within || w->most == &w->f->ledger->rows[LEDGER_SLAB];
}

/* Is it still growing? Asked of the pool that grew most; if that is Slab, of the cache that holds
 * most. */
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
		say(w,
		    "There are too few readings (%zu of the %d needed) to say whether %s is still growing.",
		    t->n, SERIES_MIN, name);
	else if (trend_has_rate(t))
		say(w, "%s was still growing at the end, at %s/s%s.", name,
		    units_bytes(rate, t->slope * 1024),
		    interval_words(interval, " (95% interval ", t->slope * 1024,
				   t->slope_low * 1024, t->slope_high * 1024, units_bytes));
	else if (cache || !swings(t))
		say(w, "%s as a whole %s.", name, pattern_words(t->pattern));
}

/* Of what grew most: the cache that holds most when it is in Slab, else the pool. */
static enum pattern pattern_of_growth(const struct writer *w)
{
	if (slab_grew_most(w) && w->cache)
		return w->cache->trend.pattern;
	return w->most ? w->most->trend.pattern : PATTERN_STEADY;
}

static void say_reclaimable(struct writer *w)
{
	char level[UNITS_MAX];

	if (!w->grew || !w->cache || !w->cache->cap || w->cache->large)
		return;
	if (w->cache->cap->reclaimable && !isnan(w->cache->end_kb))
		say(w,
		    "%.*s is a reclaimable cache: memory pressure or drop_caches can free up to %s.",
		    NAME_SHOWN, w->cache->name, units_bytes(level, w->cache->end_kb * 1024));
	else if (!w->cache->cap->reclaimable)
		say(w, "The kernel cannot reclaim %.*s.", NAME_SHOWN, w->cache->name);
}

/* How long memory lasts at the fastest rate; exhaustion.c leaves distant ends out. */
static void say_exhaustion(struct writer *w)
{
	const struct exhaustion *o = w->f->exhaustion;
	const struct exhaustion_row *row = o->rows;
	char available[UNITS_MAX], when[UNITS_MAX], interval[INTERVAL_WORDS_MAX];

	if (!w->grew || !o->nr)
		return;
	say(w, "At the present rate (%s), the available %s lasts %s%s.", row->name,
	    units_bytes(available, o->available_kb * 1024), units_duration(when, row->seconds),
	    interval_words(interval, " (", row->seconds, row->low, row->high, units_duration));
}

static void say_unusual_level(struct writer *w)
{
	for (size_t i = 0; i < w->f->unusual_levels->nr; i++)
		if (w->f->unusual_levels->items[i].high) {
			say(w, "Unusual level: %s", w->f->unusual_levels->items[i].text);
			return;
		}
}

/* Does the cache that holds most leak? Name it when the sentences before are about another pool. */
static void say_leak(struct writer *w)
{
	char p50[UNITS_MAX], oldest[UNITS_MAX], name[NAME_SHOWN + 1] = "";
	struct leak_facts facts;
	bool named;

	if (!w->top || !w->cache)
		return;
	named = !slab_grew_most(w) && w->cache->name[0];
	if (named)
		snprintf(name, sizeof(name), "%.*s", NAME_SHOWN, w->cache->name);
	facts = (struct leak_facts){
		.trust = w->cache->trust.level < w->f->trust->level ? w->cache->trust.level
								    : w->f->trust->level,
		.still_growing = w->cache->trend.pattern == PATTERN_GROWING,
		.reclaimable = w->cache->cap && w->cache->cap->reclaimable,
		.duration = w->f->v->duration_s,
		.age_p50 = w->top->age_p50_s,
		.oldest = w->top->oldest_s,
		.verified = w->top->verified_share,
		.verified_twice = w->top->verified_live > 0
					  ? w->top->verified_twice / w->top->verified_live
					  : NAN,
	};
	w->short_ = trust_leak_needs_time(&facts);
	if (w->short_)
		say(w,
		    "The oldest objects%s%s are still there, but %s is too short to tell lasting growth "
		    "from delayed frees (closed TCP sockets live 60 s). Record for 3 minutes.",
		    named ? " of " : "", name, units_duration(p50, w->f->v->duration_s));
	if (!trust_may_say_leak(&facts))
		return;
	w->out->leak = true;
	say(w,
	    "%s looks like a leak: it keeps growing, is not reclaimable, and its oldest objects are "
	    "still there (median age %s, oldest %s).",
	    named ? name : "This", units_duration(p50, w->top->age_p50_s),
	    units_duration(oldest, w->top->oldest_s));
}

/* What the filters of the command line left out, and whether anything passed them. */
static void say_filter(struct writer *w)
{
	const struct view *v = w->f->v;
	const char *pools = capture_meta(v->c, META_POOLS);

	if (view_filter_left_nothing(v)) {
		say(w,
		    "No allocation%s%.120s%s was %s, so only the levels of the kernel's memory are known.",
		    v->filter[0] ? " " : "", v->filter,
		    v->cache_filter ? " from the caches named with --cache" : "",
		    v->exact ? "traced" : "sampled (--exact traces every one)");
		return;
	}
	if (v->cache_filter)
		say(w, "Only the caches named with --cache were traced.");
	if (v->filter[0])
		say(w, "Only allocations %.120s were traced.", v->filter);
	if (pools[0])
		say(w, "Only these pools were watched: %.96s.", pools);
}

static void say_caveats(struct writer *w)
{
	const struct view *v = w->f->v;
	const char *stacks = capture_meta(v->c, META_STACKS);
	const char *paused = capture_meta(v->c, META_NOT_WATCHED);
	double period = capture_meta_number(v->c, META_PERIOD, 0);
	char a[UNITS_MAX], b[UNITS_MAX];

	if (!v->complete)
		say(w,
		    "The capture is incomplete: the recording did not end properly. This report covers "
		    "the %s that were saved.",
		    units_duration(a, v->at ? v->at->end_s : v->end->t_s));
	if (w->f->losses->events > 0)
		say(w, "%s events were lost (%s%% of all): see LOSSES.",
		    units_count(a, w->f->losses->events),
		    units_share(b, 100 * losses_ratio(w->f->losses)));
	if (paused[0])
		say(w, "Paused to keep within --max-overhead: %.300s.", paused);
	if (stacks[0] && strcmp(stacks, "ok"))
		say(w, "Call paths have no names: %.200s.", stacks);
	say_filter(w);
	if (!v->exact && period > 0)
		say(w,
		    "Figures are estimates from one sample for each %s allocated. Intervals hold the true "
		    "value 95 times in 100; a call path printed without one is accurate to 1%%.",
		    units_bytes(a, period));
}

static void say_trust(struct writer *w)
{
	const struct trust *t = w->f->trust;
	const char *what = view_is_filtered(w->f->v) ? "the traced part" : "these figures";

	if (t->nr_reasons)
		say(w, "Trust in %s: %s (%s).", what, trust_name(t->level),
		    t->reasons[t->deciding]);
	else
		say(w, "Trust in %s: %s.", what, trust_name(t->level));
}

/* How long to record next: long enough to call growth a leak (TRUST_LEAK_S), else a minute, else
 * ten minutes. */
static int next_seconds(const struct writer *w)
{
	if (w->short_)
		return 180;
	return w->f->v->duration_s < 60 ? 60 : 600;
}

static void choose_next(struct writer *w)
{
	const struct cache_row *cache =
		slab_grew_most(w) || w->out->leak || w->short_ ? w->cache : NULL;
	bool named = cache && !cache->large && is_plain_word(cache->name);

	if (!w->f->v->at)
		say_next(w, "sudo kmemtrace doctor");
	else if (capture_meta(w->f->v->c, META_NOT_WATCHED)[0])
		say_next(w, "sudo kmemtrace record -d 60"); /* without --max-overhead */
	else if (!w->grew)
		say_next(w, "sudo kmemtrace record -d 600");
	else if (cache && cache->cap && cache->cap->reclaimable &&
		 cache->trust.level == TRUST_HIGH &&
		 cache->delta_kb * 2 >= w->f->ledger->rows[LEDGER_SLAB].delta_kb)
		say_next(w, "echo 2 | sudo tee /proc/sys/vm/drop_caches");
	else if (named)
		say_next(w, "sudo kmemtrace record --exact --cache %s -d %d", cache->name,
			 next_seconds(w));
	else
		say_next(w, "sudo kmemtrace record --exact -d 60");
}

int verdict_build(const struct verdict_facts *f, struct verdict *out)
{
	struct verdict v = {0};
	struct writer w = {.f = f, .out = &v};

	if (f->growth->nr && f->growth->groups[0].bytes >= HELD_BYTES)
		w.top = &f->growth->groups[0];
	w.cache = w.top ? growth_cache(w.top, f->caches) : NULL;
	say_grown(&w);
	say_swings(&w);
	if (!f->v->at)
		say(&w, "No allocations were traced; only levels are shown.");
	say_explained(&w);
	say_unseen(&w);
	say_where(&w);
	say_trend(&w);
	say_reclaimable(&w);
	say_leak(&w);
	say_exhaustion(&w);
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
	v.too_short = w.short_;
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
