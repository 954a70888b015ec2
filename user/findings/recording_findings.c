// SPDX-License-Identifier: GPL-2.0-only
/* One function for each part: see recording_findings.h. */
#include "findings/recording_findings.h"

#include "base/units.h"

#define say(list, severity, kind, part_, ...) \
	findings_add(list, FINDING(severity, kind, ABOUT_RECORDING, .part = (part_)), __VA_ARGS__)

static void find_counters(const struct losses *l, struct findings *out)
{
	for (size_t i = 0; i < l->nr_counters && i < RECORDING_ROWS_MAX; i++) {
		const struct cap_count *c = &l->counters[i];
		const char *meaning = loss_meaning(c->name);
		bool lost = loss_kind(c->name) != LOSS_NONE;
		const struct finding *as =
			lost ? FINDING(FINDING_CAUTION, "loss", ABOUT_RECORDING)
			     : FINDING(FINDING_NOTICE, "counter", ABOUT_RECORDING);
		char count[UNITS_MAX];
		struct finding *f;

		if (!loss_is_said(c))
			continue;
		f = findings_add(out, as, "%s %s%s%s.", units_count(count, (double)c->value),
				 c->name, meaning[0] ? ": " : "", meaning);
		if (f)
			f->part = PART_LOSSES;
		finding_subject(f, "%s", c->name);
		finding_figure(f, "count", (double)c->value, NAN, NAN);
		finding_evidence(f, "capture", "%s", lost ? "losses" : "counters");
	}
}

static void find_losses(const struct losses *l, struct findings *out)
{
	char a[UNITS_MAX], b[UNITS_MAX];
	struct finding *f;

	if (!l->traced)
		say(out, FINDING_NOTICE, "no-losses", PART_LOSSES,
		    "Nothing was traced, so nothing was lost.");
	else if (!(l->events > 0) && !(l->details > 0))
		finding_figure(say(out, FINDING_NOTICE, "no-losses", PART_LOSSES,
				   "No events were lost (of %s).", units_count(a, l->traffic)),
			       "events", l->traffic, NAN, NAN);
	find_counters(l, out);
	if (!(l->unseen_frees > 0))
		return;
	f = say(out, FINDING_NOTICE, "frees-unseen", PART_LOSSES,
		"%s of %s frees fired no event and were found in another way.",
		units_count(a, l->unseen_frees), units_count(b, l->unseen_frees + l->frees));
	finding_figure(f, "unseen_frees", l->unseen_frees, NAN, NAN);
	finding_figure(f, "frees", l->unseen_frees + l->frees, NAN, NAN);
}

static void find_audit(const struct liveness *l, struct findings *out)
{
	char runs[UNITS_MAX], nr[UNITS_MAX], live[UNITS_MAX], unseen_frees[UNITS_MAX],
		unsure[UNITS_MAX], pace[UNITS_MAX], each[48] = "";
	struct finding *f;

	if (!l->traced)
		return;
	if (!l->worked) {
		say(out, FINDING_CAUTION, "not-audited", PART_AUDIT,
		    "No object was checked in the allocator%s%s, so an object whose free fired no "
		    "event still looks held.",
		    l->obstacle[0] ? ": " : "", l->obstacle);
		return;
	}
	if (!isnan(l->pace_s))
		snprintf(each, sizeof(each), ", %.3f s for each %s", l->pace_s,
			 units_count(pace, LIVENESS_PACE_OBJECTS));
	f = say(out, FINDING_NOTICE, "audited", PART_AUDIT,
		"%s checks of objects in the allocator's free lists, in %s runs that took %.3f s "
		"of one CPU%s: %s live, %s had been freed without an event, %s undecided.",
		units_count(nr, l->looked_up), units_count(runs, l->runs), l->took_s, each,
		units_count(live, l->live), units_count(unseen_frees, l->unseen_frees),
		units_count(unsure, l->unsure));
	finding_figure(f, "live", l->live, NAN, NAN);
	finding_figure(f, "unseen_frees", l->unseen_frees, NAN, NAN);
	finding_figure(f, "undecided", l->unsure, NAN, NAN);
}

/* A hook that is missing without a cost has another one in its place. */
static void find_hooks(const struct view *v, struct findings *out)
{
	const struct capture *c = v->c;
	size_t missing = view_hooks_missing(v), said = 0;
	struct finding *f;

	if (!c->nr_hooks) {
		say(out, FINDING_CAUTION, "hooks-unknown", PART_HOOKS,
		    "The capture does not say which hooks were attached.");
		return;
	}
	f = say(out, FINDING_NOTICE, "hooks", PART_HOOKS, "%zu hooks were attached, %zu not.",
		c->nr_hooks - missing, missing);
	finding_figure(f, "attached", (double)(c->nr_hooks - missing), NAN, NAN);
	finding_figure(f, "missing", (double)missing, NAN, NAN);
	for (size_t i = 0; i < c->nr_hooks && said < RECORDING_ROWS_MAX; i++) {
		const struct cap_hook *h = &c->hooks[i];

		if (h->how[0])
			continue;
		f = say(out, h->cost[0] ? FINDING_CAUTION : FINDING_NOTICE, "hook-missing",
			PART_HOOKS, "%s: %s%s%s.", h->name,
			h->reason[0] ? h->reason : "not attached", h->cost[0] ? "; costs: " : "",
			h->cost);
		finding_subject(f, "%s", h->name);
		finding_evidence(f, "capture", "hooks");
		said++;
	}
}

void recording_findings_build(const struct view *v, const struct losses *losses,
			      const struct liveness *liveness, struct findings *out)
{
	find_losses(losses, out);
	find_audit(liveness, out);
	find_hooks(v, out);
}
