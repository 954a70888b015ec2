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
#define WIDE_FAIR     0.5 /* width of the 95 % interval, as a share of the figure */
#define WIDE_LOW      2.0
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
	t->disagreement = fmax(0, fabs(difference) - f->slabinfo_slack -
					  (difference > 0 ? f->held_less : f->missed)) /
			  larger;
	if (t->disagreement <= DISAGREE_FAIR)
		t->agreement = AGREE_YES;
	t->confirmed = t->agreement == AGREE_YES && f->held_objects > 2 * f->slabinfo_slack;
	if (t->agreement == AGREE_YES)
		return;
	if (difference > 0 && (is_audited(f) || f->held_objects <= 0) &&
	    difference <= f->start_objects)
		t->agreement = AGREE_FREED_OLD;
	else
		t->agreement = AGREE_NO;
}

enum trust_level trust_of_interval(double value, double low, double high)
{
	double width = high - low;

	if (!(width > WIDE_FAIR * fabs(value)))
		return TRUST_HIGH;
	return width > WIDE_LOW * fabs(value) ? TRUST_LOW : TRUST_FAIR;
}

/* How many of the objects there really are, as far as sampling can tell. */
static void judge_interval(const struct trust_facts *f, struct trust *t)
{
	double low = f->held_objects - f->held_less, high = f->held_objects + f->held_more;
	enum trust_level level = trust_of_interval(f->held_objects, low, high);
	double size = f->held_bytes / f->held_objects;
	char held[UNITS_MAX], from[UNITS_MAX], to[UNITS_MAX];

	if (f->held_objects > 0 && level < TRUST_HIGH)
		trust_lower(t, level, "its %s may be %s to %s", units_bytes(held, f->held_bytes),
			    units_bytes(from, low * size), units_bytes(to, high * size));
}

void trust_losses(double lost_ratio, bool confirmed, struct trust *t)
{
	char share[UNITS_MAX];

	if (lost_ratio > LOST_LOW || (lost_ratio > LOST_FAIR && !confirmed))
		trust_lower(t, lost_ratio > LOST_LOW ? TRUST_LOW : TRUST_FAIR,
			    "%s%% of all events were lost", units_share(share, 100 * lost_ratio));
}

void trust_judge(const struct trust_facts *f, struct trust *out)
{
	struct trust t = {.level = TRUST_HIGH, .lost_ratio = f->lost_ratio};
	double frees = f->frees + f->unseen_frees;

	t.unseen_free_ratio = frees > 0 ? f->unseen_frees / frees : NAN;
	/* unseen frees were verified, too, and are tracked no more */
	t.audited_ratio = f->tracked > 0 ? fmin(1, f->verified / f->tracked) : NAN;
	judge_agreement(f, &t);

	trust_losses(f->lost_ratio, t.confirmed, &t);
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
		if (!t.confirmed)
			trust_lower(&t, isnan(f->slabinfo_delta) ? TRUST_LOW : TRUST_FAIR,
				    "its objects were not checked in the allocator");
	}
	judge_interval(f, &t);
	*out = t;
}

enum leak_answer trust_leak(const struct leak_facts *f)
{
	const struct {
		bool failed;
		enum leak_answer answer;
	} conditions[] = {
		{!f->slab, LEAK_NOT_SLAB},
		{f->reclaimable, LEAK_RECLAIMABLE},
		{!f->still_growing, LEAK_ENDED},
		{f->trust != TRUST_HIGH, LEAK_TRUST},
		{f->verified < 0.9, LEAK_NOT_LIVE},
		{f->verified_twice < 0.5, LEAK_NOT_TWICE},
		{!(f->age_p50 >= f->duration / 4 && f->oldest >= 0.75 * f->duration), LEAK_YOUNG},
		{f->duration < TRUST_LEAK_S, LEAK_SHORT},
	};

	for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++)
		if (conditions[i].failed)
			return conditions[i].answer;
	return LEAK_YES;
}
