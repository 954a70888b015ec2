// SPDX-License-Identifier: GPL-2.0-only
/* Shares and the verdict: see refs.h. */
#include "model/refs.h"

#include <math.h>

#define OBJECTS_LEAST 10   /* of a sample: unless these are all there are */
#define CONTROL_LEAST 30   /* with fewer, the control's interval reaches 10 % */
#define CONTROL_MOST  0.1  /* beyond this share of the control, the scan cannot see pointers */
#define LEAK_LEAST    0.02 /* the interval must be above this, … */
#define CONTROL_TIMES 2    /* … and above so many times the control's high end */
#define HELD_MOST     0.05 /* the interval must be below this */
#define OWN_LEAST     0.5

/* ---- intervals ---- */

#define FRACTION_TERMS 400
#define FRACTION_TINY  1e-300

/*
 * The continued fraction of the incomplete beta function, by the method of Lentz (Applied Optics
 * 15, 1976): Abramowitz & Stegun, Handbook of Mathematical Functions, 26.5.8.
 */
static double beta_fraction(double a, double b, double x)
{
	double c = 1, d = 1 - (a + b) * x / (a + 1), sum;

	d = 1 / (fabs(d) < FRACTION_TINY ? FRACTION_TINY : d);
	sum = d;
	for (int m = 1; m <= FRACTION_TERMS; m++) {
		const double terms[] = {
			m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
			-(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
		};
		double before = sum;

		for (int i = 0; i < 2; i++) {
			d = 1 + terms[i] * d;
			d = 1 / (fabs(d) < FRACTION_TINY ? FRACTION_TINY : d);
			c = 1 + terms[i] / c;
			c = fabs(c) < FRACTION_TINY ? FRACTION_TINY : c;
			sum *= c * d;
		}
		if (fabs(sum - before) < 1e-14 * fabs(sum))
			break;
	}
	return sum;
}

/* The regularised incomplete beta function, for 0 < x < 1. */
static double incomplete_beta(double a, double b, double x)
{
	double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));

	if (x < (a + 1) / (a + b + 2))
		return front * beta_fraction(a, b, x) / a;
	return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

/* The probability of at most `hits` of `of`, each with probability p. */
static double binomial_at_most(uint64_t hits, uint64_t of, double p)
{
	if (p <= 0 || hits >= of)
		return 1;
	if (p >= 1)
		return 0;
	return incomplete_beta((double)(of - hits), (double)hits + 1, 1 - p);
}

/* The p at which at most `hits` of `of` have probability `tail`. It falls as p rises. */
static double binomial_p(uint64_t hits, uint64_t of, double tail)
{
	double low = 0, high = 1;

	for (int i = 0; i < 60; i++) {
		double middle = (low + high) / 2;

		if (binomial_at_most(hits, of, middle) > tail)
			low = middle;
		else
			high = middle;
	}
	return (low + high) / 2;
}

struct refs_share refs_share_of(uint64_t hits, uint64_t of, bool everything)
{
	struct refs_share s = {NAN, NAN, NAN};

	if (!of || hits > of)
		return s;
	s.share = s.low = s.high = (double)hits / (double)of;
	if (everything)
		return s;
	s.low = hits ? binomial_p(hits - 1, of, 0.975) : 0;
	s.high = hits < of ? binomial_p(hits, of, 0.025) : 1;
	return s;
}

/* ---- verdict ---- */

static bool refs_is_whole(const struct refs *r)
{
	for (int i = 0; i < REFS_SCANS; i++)
		if (!refs_scan_is_whole(&r->scans[i]))
			return false;
	return true;
}

/* Does a share of the sample exceed what the scan fails to see in the control? */
static bool refs_is_above_control(const struct refs_sheet *s, const struct refs_share *share)
{
	return share->low > LEAK_LEAST && share->low > CONTROL_TIMES * s->control.high;
}

static bool refs_control_tells(const struct refs_sheet *s)
{
	return s->refs->control.checked >= CONTROL_LEAST && s->control.share <= CONTROL_MOST;
}

static enum refs_verdict refs_judge(const struct refs_sheet *s)
{
	const struct refs *r = s->refs;
	uint64_t lost = r->sample.unreferenced;

	if (!r->sample.checked || (r->sample.checked < OBJECTS_LEAST && !r->all_objects))
		return REFS_FEW_OBJECTS;
	if (!refs_is_whole(r))
		return REFS_PARTIAL;
	if (refs_control_tells(s) && refs_is_above_control(s, &s->dropped) &&
	    r->sample.dropped >= lost)
		return REFS_DROPPED;
	if (s->own_kind.low > OWN_LEAST && s->unreferenced.high < HELD_MOST &&
	    !(r->closed && s->dropped.high < HELD_MOST))
		return REFS_OWN_KIND;
	/* whatever the control is: something does point to them */
	if (!lost || s->unreferenced.high < HELD_MOST)
		return REFS_HELD;
	if (r->control.checked < CONTROL_LEAST)
		return REFS_NO_CONTROL;
	if (s->control.share > CONTROL_MOST)
		return REFS_BLIND;
	if (refs_is_above_control(s, &s->unreferenced))
		return REFS_LEAKED;
	return REFS_UNDECIDED;
}

void refs_sheet_build(const struct refs *r, struct refs_sheet *out)
{
	const struct refs_scan *last = &r->scans[REFS_SCANS - 1];
	struct refs_sheet s = {.refs = r, .scanned_fraction = 1};

	s.unreferenced = refs_share_of(r->sample.unreferenced, r->sample.checked, r->all_objects);
	s.own_kind = refs_share_of(r->sample.own_kind, r->sample.checked, r->all_objects);
	s.dropped = refs_share_of(r->sample.dropped, r->sample.checked, r->all_objects);
	s.control = refs_share_of(r->control.unreferenced, r->control.checked, false);
	for (int class = 0; class < CENSUS_CLASSES; class ++)
		s.scanned_kb += (double)last->pages[class] * r->page_bytes / 1024;
	for (int i = 0; i < REFS_SCANS; i++)
		if (r->scans[i].frames_all)
			s.scanned_fraction =
				fmin(s.scanned_fraction,
				     (double)r->scans[i].frames / (double)r->scans[i].frames_all);
	s.lost_objects = s.unreferenced.share * (double)r->in_use;
	s.lost_kb = s.lost_objects * r->object_bytes / 1024;
	s.verdict = refs_judge(&s);
	*out = s;
}

const char *refs_verdict_name(enum refs_verdict verdict)
{
	static const char *const names[] = {
		[REFS_LEAKED] = "leaked",           [REFS_HELD] = "held",
		[REFS_FEW_OBJECTS] = "few_objects", [REFS_PARTIAL] = "partial",
		[REFS_NO_CONTROL] = "no_control",   [REFS_BLIND] = "blind",
		[REFS_OWN_KIND] = "own_kind",       [REFS_UNDECIDED] = "undecided",
		[REFS_DROPPED] = "dropped",
	};

	return names[verdict];
}
