// SPDX-License-Identifier: GPL-2.0-only
/* How far the figures of a verdict can be trusted: what was lost, filtered, or estimated. See
 * verdict_internal.h. */
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "findings/verdict_internal.h"
#include "model/sampling.h"

#define NEGLIGIBLE 0.001 /* share of lost events: below, they do not lower trust */

/* A caution about the recording as a whole. */
#define say_caution(w, kind, ...) \
	verdict_say(w, FINDING(FINDING_CAUTION, kind, ABOUT_RECORDING), __VA_ARGS__)

/* What the filters of the command line left out, and whether anything passed them. */
static void say_filter(struct writer *w)
{
	const struct view *v = w->f->v;
	const char *pools = capture_meta(v->c, META_POOLS);

	if (view_filter_left_nothing(v)) {
		say_caution(w, "filter-left-nothing",
			    "No allocation%s%.300s%s was %s, so only the levels of the kernel's "
			    "memory are known.",
			    v->filter[0] ? " " : "", v->filter,
			    v->cache_filter ? " from the caches named with --cache" : "",
			    v->exact ? "traced" : "sampled (--exact traces every one)");
		return;
	}
	if (v->cache_filter)
		say_caution(w, "filter", "Only the caches named with --cache were traced.");
	if (v->filter[0])
		say_caution(w, "filter", "Only allocations %.300s were traced.", v->filter);
	if (pools[0])
		say_caution(w, "filter", "Only these pools were watched: %.96s.", pools);
}

static void say_sampling(struct writer *w)
{
	char mean[SAMPLING_WORDS_MAX], range[SAMPLING_RANGE_MAX];
	struct sampling sampling;

	sampling_of(w->f->v, POOL_SLAB, &sampling);
	if (!(sampling.mean > 0))
		return;
	finding_figure(verdict_say(w, FINDING(FINDING_NOTICE, "sampled", ABOUT_RECORDING),
				   "Figures are estimates from samples: of slab, %s allocated%s. "
				   "Intervals contain the true value 95 times in "
				   "100. A call path without an interval is accurate to 1%%.",
				   sampling_words(mean, sampling.mean),
				   sampling_range_words(range, &sampling)),
		       "mean_bytes", sampling.mean, sampling.recorded ? sampling.least : NAN,
		       sampling.recorded ? sampling.most : NAN);
}

static void caution_lost(struct writer *w)
{
	double lost = w->f->losses->events, ratio = losses_ratio(w->f->losses);
	char count[UNITS_MAX], share[UNITS_MAX];
	struct finding *f;

	if (!(lost > 0))
		return;
	f = say_caution(w, "events-lost", "%s event%s lost (%s%% of all%s).",
			units_count(count, lost), lost == 1 ? " was" : "s were",
			units_share(share, 100 * ratio), ratio < NEGLIGIBLE ? ": negligible" : "");
	finding_figure(f, "events", lost, NAN, NAN);
	finding_figure(f, "lost_ratio", ratio, NAN, NAN);
	finding_evidence(f, "capture", "losses");
}

static void say_trust(struct writer *w)
{
	const struct trust *t = w->f->trust;
	const char *of = view_is_filtered(w->f->v) ? ", which is of the traced part only" : "";
	struct finding *f;

	f = verdict_say(w,
			FINDING(t->level == TRUST_HIGH ? FINDING_NOTICE : FINDING_CAUTION, "trust",
				ABOUT_RECORDING),
			"Trust in the whole report%s: %s%s%s%s.", of, trust_name(t->level),
			t->nr_reasons ? " (" : "", t->nr_reasons ? t->reasons[t->deciding] : "",
			t->nr_reasons ? ")" : "");
	finding_trust(f, t->level);
	finding_evidence(f, "trust", "reasons");
}

void verdict_say_caveats(struct writer *w)
{
	const struct view *v = w->f->v;
	const char *unnamed = capture_why(v->c, META_STACKS);
	const char *paused = capture_meta(v->c, META_NOT_WATCHED);
	char saved[UNITS_MAX];

	if (!v->complete)
		say_caution(w, "incomplete",
			    "The capture is incomplete: only %s of the recording were saved.",
			    units_duration(saved, v->at ? v->at->end_s : v->end->t_s));
	caution_lost(w);
	if (paused[0])
		say_caution(w, "paused", "Paused to keep within --max-overhead: %.300s.", paused);
	if (unnamed)
		say_caution(w, "unnamed-paths", "Call paths have no names: %.200s.", unnamed);
	say_filter(w);
	say_sampling(w);
	say_trust(w);
}
