// SPDX-License-Identifier: GPL-2.0-only
/* The rules of trust: see trust.h. All thresholds are here; docs/trust.md explains them. */
#include "model/trust.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/units.h"

/* Above *_FAIR, trust is at most fair; above *_LOW, it is low. */
#define LOST_FAIR     0.001 /* share of events lost */
#define LOST_LOW      0.05
#define UNSEEN_FAIR   0.01 /* share of frees without an event, when there was no audit */
#define UNSEEN_LOW    0.10
#define DISAGREE_FAIR 0.05 /* disagreement with slabinfo, beyond its slack */
#define DISAGREE_LOW  0.50
#define AUDIT_MIN     30 /* checked objects (or all) that make an audit: 95 % interval below ±18 % */

const char *trust_name(enum trust_level level)
{
	static const char *const names[] = {
		[TRUST_LOW] = "low", [TRUST_FAIR] = "fair", [TRUST_HIGH] = "high"};

	return names[level];
}

void trust_lower(struct trust *t, enum trust_level level, const char *fmt, ...)
{
	bool decides = level < t->level;
	va_list ap;

	if (decides)
		t->level = level;
	if (t->nr_reasons == TRUST_REASONS)
		return;
	if (decides)
		t->deciding = t->nr_reasons;
	va_start(ap, fmt);
	vsnprintf(t->reasons[t->nr_reasons++], sizeof(t->reasons[0]), fmt, ap);
	va_end(ap);
}

double trust_slabinfo_slack(double object_size, double objects_per_slab, bool counted)
{
	double partial = object_size < 256    ? 120
			 : object_size < 1024 ? 52
			 : object_size < 4096 ? 24
					      : 6;

	return objects_per_slab + (counted ? 0 : partial);
}

static bool is_audited(const struct trust_facts *f)
{
	return f->verified > 0 && (f->verified >= AUDIT_MIN || f->verified >= f->tracked);
}

/* Compare outstanding objects with slabinfo's change, and decide what a difference means. */
static void judge_agreement(const struct trust_facts *f, struct trust *t)
{
	double difference = f->held_objects - f->slabinfo_delta, larger;

	t->disagreement = NAN;
	if (isnan(f->slabinfo_delta))
		return;
	larger = fmax(fmax(f->held_objects, fabs(f->slabinfo_delta)), 1);
	t->disagreement =
		fmax(0, fabs(difference) - f->slabinfo_slack - 1.96 * f->held_sd) / larger;
	if (t->disagreement <= DISAGREE_FAIR)
		t->agreement = AGREE_YES;
	else if (difference > 0 && (is_audited(f) || f->held_objects <= 0) &&
		 difference <= f->start_objects)
		t->agreement = AGREE_FREED_OLD;
	else
		t->agreement = AGREE_NO;
}

void trust_judge(const struct trust_facts *f, struct trust *out)
{
	struct trust t = {.level = TRUST_HIGH, .lost_ratio = f->lost_ratio};
	double frees = f->frees + f->unseen_frees;
	char share[UNITS_MAX];

	t.unseen_free_ratio = frees > 0 ? f->unseen_frees / frees : NAN;
	t.audited_ratio = f->tracked > 0 ? f->verified / f->tracked : NAN;
	judge_agreement(f, &t);

	if (f->lost_ratio > LOST_FAIR)
		trust_lower(&t, f->lost_ratio > LOST_LOW ? TRUST_LOW : TRUST_FAIR,
			    "%s%% of all events were lost",
			    units_share(share, 100 * f->lost_ratio));
	if (!f->complete)
		trust_lower(&t, TRUST_FAIR, "the capture is incomplete");
	if (t.agreement == AGREE_NO)
		trust_lower(&t, t.disagreement > DISAGREE_LOW ? TRUST_LOW : TRUST_FAIR,
			    "slabinfo shows %.0f%% %s than traced", 100 * t.disagreement,
			    f->held_objects > f->slabinfo_delta ? "fewer objects" : "more objects");
	if (f->tracked > 0 && !is_audited(f)) {
		if (t.unseen_free_ratio > UNSEEN_FAIR)
			trust_lower(&t, t.unseen_free_ratio > UNSEEN_LOW ? TRUST_LOW : TRUST_FAIR,
				    "%.0f%% of its frees fired no event",
				    100 * t.unseen_free_ratio);
		/* Agreement proves nothing if slabinfo's slack could hide all the objects. */
		if (t.agreement != AGREE_YES || f->held_objects <= 2 * f->slabinfo_slack)
			trust_lower(&t, isnan(f->slabinfo_delta) ? TRUST_LOW : TRUST_FAIR,
				    "its objects were not checked in the allocator");
	}
	*out = t;
}

static bool leak_but_for_time(const struct leak_facts *f)
{
	return f->trust == TRUST_HIGH && f->still_growing && !f->reclaimable &&
	       !(f->verified < 0.9) && !(f->verified_twice < 0.5) &&
	       f->age_p50 >= f->duration / 4 && f->oldest >= 0.75 * f->duration;
}

bool trust_may_say_leak(const struct leak_facts *f)
{
	return leak_but_for_time(f) && f->duration >= TRUST_LEAK_S;
}

bool trust_leak_needs_time(const struct leak_facts *f)
{
	return leak_but_for_time(f) && f->duration < TRUST_LEAK_S;
}
