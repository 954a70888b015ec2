// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether what grew is a leak, and which command answers what this recording left open. Only this
 * file, refs_findings.c and first_screen.c write the word "leak", and only when trust_leak()
 * answers LEAK_YES, or a proof does. See verdict_internal.h.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "base/units.h"
#include "base/vformat.h"
#include "findings/exhaustion.h"
#include "findings/proof_findings.h"
#include "findings/verdict_internal.h"

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

/* Which condition of docs/trust.md keeps this growth from being called a leak; "" for conditions
 * that other sentences say. */
static void describe_condition(const struct writer *w, char *buf, size_t size)
{
	const struct growth_group *g = w->top;
	char a[UNITS_MAX], b[UNITS_MAX], c[UNITS_MAX];

	buf[0] = '\0';
	switch (w->leak) {
	case LEAK_NOT_SLAB:
		snprintf(buf, size,
			 "it is in no known slab cache, and only objects of slab caches can be "
			 "checked in the allocator (condition 1)");
		break;
	case LEAK_ENDED:
		snprintf(buf, size, "it was not growing any more at the end (condition 3)");
		break;
	case LEAK_TRUST:
		if (!w->cache)
			break;
		snprintf(buf, size, "trust in %.*s is %s (%s; condition 4)", NAME_SHOWN,
			 w->cache->name, trust_name(w->cache->trust.level),
			 w->cache->trust.nr_reasons
				 ? w->cache->trust.reasons[w->cache->trust.deciding]
				 : "unknown");
		break;
	case LEAK_NOT_LIVE:
		snprintf(buf, size,
			 "of %s objects that were checked, %.0f%% are in use (condition 5)",
			 units_count(a, g->verified), 100 * g->verified_live / g->verified);
		break;
	case LEAK_NOT_TWICE:
		snprintf(buf, size,
			 "only %.0f%% of its objects were found in use twice (condition 6)",
			 100 * g->verified_twice / g->verified_live);
		break;
	case LEAK_YOUNG:
		snprintf(buf, size,
			 "its objects come and go: half are younger than %s, and the oldest is %s "
			 "old, in a recording of %s (condition 7)",
			 units_duration(a, g->age_p50_s), units_duration(b, g->oldest_s),
			 units_duration(c, w->f->v->duration_s));
		break;
	default:
		break;
	}
}

/* What a finding about the group that holds most rests on. The next command belongs to it. */
static void finding_top(struct writer *w, struct finding *f)
{
	const struct growth_group *g = w->top;

	if (!f)
		return;
	w->main = (size_t)(f - w->list->items);
	finding_figure(f, "bytes", g->bytes, g->bytes_low, g->bytes_high);
	finding_figure(f, "age_p50_s", g->age_p50_s, NAN, NAN);
	finding_figure(f, "age_oldest_s", g->oldest_s, NAN, NAN);
	finding_evidence(f, "growth", "%zu", w->top_rank + 1);
	if (!w->cache) {
		finding_subject(f, "%s %zu", pool_name(g->pool), w->top_rank + 1);
		return;
	}
	finding_subject(f, "%s", w->cache->name);
	finding_figure(f, "slope_kb_per_s", w->cache->trend.slope, w->cache->trend.slope_low,
		       w->cache->trend.slope_high);
	finding_evidence(f, "caches", "%s", w->cache->name);
	finding_trust(f, w->cache->trust.level);
}

/* Nothing that was traced can be judged. */
static void say_not_judged(struct writer *w)
{
	if (w->f->v->at && w->f->v->duration_s >= TRUST_LEAK_S)
		verdict_say(w, FINDING(FINDING_CAUTION, "not-lasting", ABOUT_RECORDING),
			    "This is not known to be lasting growth: %s.",
			    w->traced ? "too few samples fell on it (condition 4)"
				      : "no call path of it was traced (condition 1)");
}

/* What a proof says of the top. Returns whether that decides. */
static bool say_proof(struct writer *w)
{
	const struct refs_sheet *sheet;
	struct finding *f;

	w->proof = w->f->proofs ? proofs_of_group(w->f->proofs, w->top_rank) : NULL;
	if (!w->proof)
		return false;
	sheet = &w->proof->sheet;
	f = verdict_said(w, proof_find(w->f->proofs, w->proof, w->f->v->c, w->list));
	if (!refs_verdict_is_leak(sheet->verdict) && sheet->verdict != REFS_HELD)
		return false;
	if (f)
		w->main = (size_t)(f - w->list->items);
	w->leak = refs_verdict_is_leak(sheet->verdict) ? LEAK_YES : LEAK_HELD;
	w->out->leak = refs_verdict_is_leak(sheet->verdict);
	w->out->proof = sheet;
	return true;
}

void verdict_say_proofs(struct writer *w)
{
	for (size_t i = 0; w->f->proofs && i < w->f->proofs->nr; i++) {
		const struct proof_row *row = &w->f->proofs->items[i];
		struct finding *f;

		if (row == w->proof)
			continue;
		f = proof_find(w->f->proofs, row, w->f->v->c, w->list);
		if (refs_verdict_is_leak(row->sheet.verdict))
			verdict_said(w, f);
	}
	if (w->f->v->at)
		proof_find_missing(w->f->v->c, w->list);
}

/* Say whether the group that holds most of the growth is a leak. */
void verdict_say_leak(struct writer *w)
{
	const enum finding_about about = w->cache ? ABOUT_CACHE : ABOUT_PATH;
	char p50[UNITS_MAX], oldest[UNITS_MAX], name[NAME_SHOWN + 1] = "", condition[320];

	if (!w->top) {
		say_not_judged(w);
		return;
	}
	if (say_proof(w))
		return;
	leak_judge(w);
	if (w->cache)
		snprintf(name, sizeof(name), "%.*s", NAME_SHOWN, w->cache->name);
	if (w->leak == LEAK_YES) {
		w->out->leak = true;
		finding_top(w, verdict_say(w, FINDING(FINDING_CRITICAL, "leak", ABOUT_CACHE),
					   "%s looks like a leak: it keeps growing, is not "
					   "reclaimable, and its oldest objects are still there "
					   "(median age %s, oldest %s).",
					   name, units_duration(p50, w->top->age_p50_s),
					   units_duration(oldest, w->top->oldest_s)));
	} else if (w->leak == LEAK_SHORT) {
		finding_top(w,
			    verdict_say(w, FINDING(FINDING_CAUTION, "too-short", about),
					"The oldest objects%s%s are still there, but %s is too "
					"short to tell lasting growth from delayed frees (closed "
					"TCP sockets live 60 s). Record for 3 minutes.",
					name[0] ? " of " : "", name,
					units_duration(p50, w->f->v->duration_s)));
	} else if (w->f->v->duration_s >= TRUST_LEAK_S) {
		describe_condition(w, condition, sizeof(condition));
		if (condition[0])
			finding_top(w, verdict_say(w, FINDING(FINDING_NOTICE, "not-lasting", about),
						   "%s is not known to be lasting growth: %s.",
						   name[0] ? name : "This", condition));
	}
}

/* ---- the next command ----
 *
 * The command must be able to answer the question that this recording left open: a recording, or a
 * search for what points to the objects. If neither can answer it, there is no command. */

__attribute__((format(printf, 2, 3))) static void say_next(struct writer *w, const char *fmt, ...)
{
	_cleanup_free_ char *command = NULL;
	va_list ap;

	va_start(ap, fmt);
	command = vformat(fmt, ap);
	va_end(ap);
	w->failed |= !command;
	if (w->list->nr)
		finding_next(w->list, &w->list->items[w->main], command);
}

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

#define PS_OF_PROCESS "ps -o pid,ppid,user,etime,nlwp,rss,args -p %d"

/* The process that holds most of the largest call path; 0: unknown. */
static int top_pid(const struct writer *w)
{
	uint32_t id = w->top && w->top->processes.nr ? w->top->processes.items[0].id : 0;

	return id ? w->f->v->c->processes[id].tgid : 0;
}

/* If it is a leak, or something may run out before a further recording can give an answer, look at
 * the process instead; at all processes if this growth is a small part of what runs out. */
static bool next_of_process(struct writer *w)
{
	const struct exhaustion *o = w->f->exhaustion;
	bool hurry = o->nr && fmin(o->rows[0].low, o->rows[0].seconds) < HURRY_S;
	bool other = hurry && !exhaustion_is_of(o->rows, w->most);
	int pid = top_pid(w);

	if (!(hurry || w->out->leak) || (!pid && !other))
		return false;
	for (size_t i = 0; i < w->list->nr && hurry && !w->out->leak; i++)
		if (w->list->items[i].part == PART_EXHAUSTION) {
			w->main = i;
			break;
		}
	if (other)
		say_next(w, "ps -eo pid,user,rss,args --sort=-rss | head  # what takes memory?");
	else
		say_next(w, PS_OF_PROCESS "  # can it be stopped?", pid);
	return true;
}

/* The kernel frees it by itself. Dropping caches costs the host, so not while memory is there. */
static void next_of_reclaimable(struct writer *w)
{
	if (!w->f->exhaustion->nr && !isnan(w->f->exhaustion->available_kb) && top_pid(w))
		say_next(w, PS_OF_PROCESS "  # what is it doing?", top_pid(w));
	else
		say_next(w, VERDICT_DROP_CACHES);
}

/* Whoever holds them can let them go. */
static void next_of_holder(struct writer *w)
{
	int pid = proof_holder_pid(&w->proof->proof->refs) ?: top_pid(w);

	if (pid)
		say_next(w, PS_OF_PROCESS "  # can it be stopped?", pid);
}

/* A recording has told what it can: whether anything points to the objects tells more. */
static void next_of_references(struct writer *w, bool named)
{
	if (named)
		say_next(w, "sudo kmemtrace refs --cache %s  # what holds its objects?",
			 w->cache->name);
}

static void next_of_cache(struct writer *w, bool named)
{
	int seconds = w->leak == LEAK_NOT_TWICE && w->f->v->cache_filter ? LONG_S : 180;

	if (!closer_tells_more(w) && w->leak != LEAK_NOT_TWICE)
		next_of_references(w, named);
	else if (named)
		say_next(w, "sudo kmemtrace record --exact --cache %s -d %d --prove",
			 w->cache->name, seconds);
	else
		say_next(w, "sudo kmemtrace record --exact -d %d", seconds);
}

void verdict_choose_next(struct writer *w)
{
	const struct cache_row *cache = w->cache;
	const struct view *v = w->f->v;
	bool named = cache && !cache->large && is_plain_word(cache->name);
	bool long_enough = v->duration_s >= LONG_S;

	if (capture_is_census(v->c))
		say_next(w,
			 "sudo kmemtrace record -d 60  # shows what grows, and who allocates it");
	else if (!v->at)
		say_next(w, "sudo kmemtrace doctor");
	else if (capture_meta(v->c, META_NOT_WATCHED)[0])
		say_next(w, "sudo kmemtrace record -d 180"); /* without --max-overhead */
	else if (!w->grew && !long_enough)
		say_next(w, "sudo kmemtrace record -d %d", LONG_S);
	else if (!w->grew)
		return;
	else if (next_of_process(w))
		return;
	else if (w->leak == LEAK_HELD)
		next_of_holder(w);
	else if (w->out->leak && w->out->proof)
		return; /* no process is known, and nothing tells more */
	else if (w->out->leak)
		next_of_references(w, named); /* no process is known */
	else if (!w->top || !w->named || w->leak == LEAK_NOT_SLAB)
		next_of_pool(w);
	else if (w->leak == LEAK_RECLAIMABLE && !verdict_slab_grew_most(w))
		next_of_pool(w);
	else if (w->leak == LEAK_RECLAIMABLE)
		next_of_reclaimable(w);
	else if (w->leak == LEAK_ENDED && !long_enough && v->duration_s >= TRUST_LEAK_S)
		say_next(w, "sudo kmemtrace record -d %d", LONG_S); /* does it begin again? */
	else if (cache && !((w->leak == LEAK_ENDED || w->leak == LEAK_YOUNG) && v->exact &&
			    v->duration_s >= TRUST_LEAK_S))
		next_of_cache(w, named);
}
