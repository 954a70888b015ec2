// SPDX-License-Identifier: GPL-2.0-only
/* Time to exhaustion: see exhaustion.h. */
#include "findings/exhaustion.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* Leave distant ends out: a slope measured for a minute says nothing about next year. */
#define HORIZON_S     (365.0 * 86400)
#define HORIZON_TIMES 1000 /* times the length of the recording */

static void exhaustion_add(const struct view *v, struct exhaustion *o, const char *name,
			   double slope, double low, double high)
{
	struct exhaustion_row *row = &o->rows[o->nr];

	if (!(slope > 0) ||
	    !(o->available_kb / slope < fmin(HORIZON_S, HORIZON_TIMES * v->duration_s)))
		return;
	*row = (struct exhaustion_row){.name = name,
				       .falls = !strcmp(name, "MemAvailable"),
				       .slope_kb = slope,
				       .seconds = o->available_kb / slope,
				       .low = o->available_kb / fmax(high, slope),
				       .high = low > 0 ? o->available_kb / low : INFINITY};
	o->nr++;
}

static int compare_exhaustion(const void *a, const void *b)
{
	const struct exhaustion_row *x = a, *y = b;

	return x->seconds < y->seconds ? -1 : x->seconds > y->seconds;
}

/* The trend of MemAvailable over the view. */
static int available_trend(const struct view *v, struct trend *out)
{
	size_t nr = v->last - v->first + 1, points = 0;
	_cleanup_free_ double *t = calloc(2 * nr, sizeof(*t));
	double *y;

	if (!t)
		return -ENOMEM;
	y = t + nr;
	for (size_t i = v->first; i <= v->last; i++) {
		double kb = view_level_kb(v, &v->c->snapshots[i], "MemAvailable");

		if (isnan(kb))
			continue;
		t[points] = v->c->snapshots[i].t_s;
		y[points++] = -kb; /* negated, so that a loss of available memory is growth */
	}
	return trend_of(t, y, points, 1024, out);
}

int exhaustion_build(const struct view *v, const struct ledger *ledger, struct exhaustion *out)
{
	struct exhaustion o = {.available_kb = view_level_kb(v, v->end, "MemAvailable")};
	struct trend taken;

	if (available_trend(v, &taken))
		return -ENOMEM;
	if (taken.pattern == PATTERN_GROWING)
		exhaustion_add(v, &o, "MemAvailable", taken.slope, taken.slope_low,
			       taken.slope_high);
	for (size_t i = 0; i < LEDGER_POOLS; i++) {
		const struct trend *t = &ledger->rows[i].trend;

		if (t->pattern == PATTERN_GROWING)
			exhaustion_add(v, &o, ledger->rows[i].name, t->slope, t->slope_low,
				       t->slope_high);
	}
	if (o.nr)
		qsort(o.rows, o.nr, sizeof(o.rows[0]), compare_exhaustion);
	*out = o;
	return 0;
}
