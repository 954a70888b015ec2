// SPDX-License-Identifier: GPL-2.0-only
/* Theil–Sen slope, Mann–Kendall test and the pattern of a series: series.h has the rules. */
#include "model/series.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define STEP_PARTS 30   /* a step may take 1/STEP_PARTS of the readings */
#define FLAT_SHARE 0.01 /* of the level: smaller swings are ignored */

static const char *const pattern_names[] = {
	[PATTERN_UNKNOWN] = "unknown",   [PATTERN_STEADY] = "steady", [PATTERN_GROWING] = "growing",
	[PATTERN_STEP] = "step",         [PATTERN_SPIKE] = "spike",   [PATTERN_DROP] = "drop",
	[PATTERN_SAWTOOTH] = "sawtooth",
};

const char *pattern_name(enum pattern p)
{
	return pattern_names[p];
}

const char *pattern_words(enum pattern p)
{
	static const char *const words[] = {
		[PATTERN_UNKNOWN] = "has too few readings to name a pattern",
		[PATTERN_STEADY] = "is steady",
		[PATTERN_GROWING] = "was still growing at the end",
		[PATTERN_STEP] = "rose, then held its new level: it is not growing any more",
		[PATTERN_SPIKE] = "rose and fell back",
		[PATTERN_DROP] = "fell",
		[PATTERN_SAWTOOTH] = "rises and falls again and again",
	};

	return words[p];
}

static int compare_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The k-th smallest (from 0) of v, which is reordered (Hoare's quickselect, O(n) expected). No NaN:
 * it has no place in an order, and the result would be any of the numbers. */
static double select_kth(double *v, size_t n, size_t k)
{
	size_t lo = 0, hi = n - 1;

	while (lo < hi) {
		double pivot = v[lo + (hi - lo) / 2], swap;
		size_t i = lo, j = hi;

		for (;;) {
			while (v[i] < pivot)
				i++;
			while (v[j] > pivot)
				j--;
			if (i >= j)
				break;
			swap = v[i];
			v[i++] = v[j];
			v[j--] = swap;
		}
		/* Now v[lo..j] ≤ pivot ≤ v[j+1..hi]; if i == j, both stopped on the pivot. */
		if (k <= j)
			hi = j;
		else
			lo = j + 1;
	}
	return v[k];
}

static double median(double *v, size_t n)
{
	double upper = select_kth(v, n, n / 2);

	return n % 2 ? upper : (select_kth(v, n, n / 2 - 1) + upper) / 2;
}

static double median_of(const double *y, size_t n, double *scratch)
{
	memcpy(scratch, y, n * sizeof(*y));
	return median(scratch, n);
}

/* Variance of Kendall's S under no trend, corrected for ties (Kendall 1975). Sorts y. */
static double kendall_variance(double *y, size_t n)
{
	double var = (double)n * (double)(n - 1) * (2.0 * (double)n + 5);

	qsort(y, n, sizeof(*y), compare_double);
	for (size_t i = 0, j; i < n; i = j) {
		double ties;

		for (j = i + 1; j < n && !(y[j] > y[i]);)
			j++;
		ties = (double)(j - i);
		var -= ties * (ties - 1) * (2 * ties + 5);
	}
	return var / 18;
}

/* Slope and test in one pass over all pairs. slopes has room for n(n−1)/2 numbers, scratch for n.
 */
static void trend_measure(const double *t, const double *y, size_t n, double *slopes,
			  double *scratch, struct trend *out)
{
	size_t nr = 0, k;
	double s = 0, sd, edge;

	for (size_t i = 0; i < n; i++) {
		for (size_t j = i + 1; j < n; j++) {
			s += (y[j] > y[i]) - (y[j] < y[i]);
			slopes[nr] = (y[j] - y[i]) / (t[j] - t[i]);
			nr += t[j] > t[i] && isfinite(slopes[nr]);
		}
	}
	if (!nr)
		return;
	out->slope = median(slopes, nr);
	memcpy(scratch, y, n * sizeof(*y));
	sd = sqrt(kendall_variance(scratch, n));
	if (sd > 0) {
		out->mk_z = (s - (s > 0) + (s < 0)) / sd;
		out->mk_p = erfc(fabs(out->mk_z) / M_SQRT2);
	}
	if (n < 4)
		return;
	/* Sen (1968): the ends of the interval are the slopes of rank (N ± 1.96 σ(S)) / 2, rounded
	 * outwards. */
	edge = floor(((double)nr - 1.959964 * sd) / 2) - 1;
	k = edge > 0 ? (size_t)edge : 0;
	out->slope_low = select_kth(slopes, nr, k);
	out->slope_high = select_kth(slopes, nr, nr - 1 - k);
}

/*
 * Noise, from the median absolute deviation of first differences. A trend adds the same to each
 * difference, so it is not part of the noise. × 1.4826 gives σ of a normal difference, / √2 that of
 * one point.
 */
static double trend_noise(const double *y, size_t n, double *scratch)
{
	double middle;

	if (n < SERIES_MIN) /* one step would dominate the differences and look like noise */
		return NAN;
	for (size_t i = 0; i + 1 < n; i++)
		scratch[i] = y[i + 1] - y[i];
	middle = median(scratch, n - 1);
	for (size_t i = 0; i + 1 < n; i++)
		scratch[i] = fabs(scratch[i] - middle);
	return median(scratch, n - 1) * 1.4826 / M_SQRT2;
}

/* The largest step: see struct trend. */
static void trend_step(const double *t, const double *y, size_t n, struct trend *out)
{
	size_t width = n / STEP_PARTS ? n / STEP_PARTS : 1, at = 0, half;
	double net = y[n - 1] - y[0];

	if (n < SERIES_MIN)
		return;
	for (size_t i = 0; i + width < n; i++)
		if (fabs(y[i + width] - y[i]) > fabs(y[at + width] - y[at]))
			at = i;
	if (!(fabs(y[at + width] - y[at]) > 0))
		return;
	out->change = y[at + width] - y[at];
	for (half = at + 1; fabs(y[half] - y[at]) < fabs(out->change) / 2;)
		half++;
	out->change_t = t[half];
	out->change_share = fabs(net) > 0 ? out->change / net : NAN;
}

/* Pettitt's test: the split whose two sides differ most in rank. O(n²), like the slopes. */
static void trend_change(const double *y, size_t n, struct trend *out)
{
	double u = 0, most = 0;

	if (n < SERIES_MIN)
		return;
	for (size_t i = 0; i + 1 < n; i++) {
		for (size_t j = 0; j < n; j++)
			u += (y[i] > y[j]) - (y[i] < y[j]);
		most = fmax(most, fabs(u));
	}
	if (most > 0)
		out->change_p = fmin(
			1, 2 * exp(-6 * most * most / ((double)n * (double)n * ((double)n + 1))));
}

/* Count the swings up and down, from turning point to turning point, of at least `least`. */
static void count_swings(const double *y, size_t n, double least, size_t *up, size_t *down)
{
	double low = y[0], high = y[0];
	int direction = 0;

	*up = *down = 0;
	for (size_t i = 1; i < n; i++) {
		low = fmin(low, y[i]);
		high = fmax(high, y[i]);
		if (direction <= 0 && y[i] - low >= least) {
			direction = 1;
			high = y[i];
			(*up)++;
		} else if (direction >= 0 && high - y[i] >= least) {
			direction = -1;
			low = y[i];
			(*down)++;
		}
	}
}

/* Did the level rise by more than `limit` before its highest reading? If not, it only fell. */
static bool rose_to_its_top(const double *y, size_t n, double limit)
{
	double low = y[0], top = y[0], before = y[0];

	for (size_t i = 1; i < n; i++) {
		if (y[i] > top) {
			top = y[i];
			before = low;
		}
		low = fmin(low, y[i]);
	}
	return top - before > limit;
}

static enum pattern trend_pattern(const double *y, size_t n, double floor_, double *scratch,
				  const struct trend *t)
{
	double a, b, before, limit = fmax(floor_, 4 * t->noise), max = y[0], min = y[0];
	size_t edge = n / 8 ? n / 8 : 1, third = n / 3, up, down;

	if (n < SERIES_MIN)
		return PATTERN_UNKNOWN;
	for (size_t i = 1; i < n; i++) {
		max = fmax(max, y[i]);
		min = fmin(min, y[i]);
	}
	/* Swings that are as fast as the readings make the noise large. So swings of at least half
	 * the range always count. */
	count_swings(y, n, fmax(fmin(limit, SERIES_SWING * floor_), (max - min) / 2), &up, &down);
	if (up >= 2 && down >= 2)
		return max - min < FLAT_SHARE * fmax(fabs(max), fabs(min)) ? PATTERN_STEADY
									   : PATTERN_SAWTOOTH;
	if (max - min <= limit)
		return PATTERN_STEADY;
	a = median_of(y, edge, scratch);
	b = median_of(y + n - edge, edge, scratch);
	if (max - fmax(a, b) > limit && max - fmax(a, b) >= 2 * fabs(b - a))
		return rose_to_its_top(y, n, limit) ? PATTERN_SPIKE : PATTERN_DROP;
	if (b < a - limit)
		return PATTERN_DROP;
	if (b <= a + limit)
		return PATTERN_STEADY;
	before = median_of(y + n - third - edge, edge, scratch);
	return t->mk_p < 0.01 && b - before >= (b - a) / 12 ? PATTERN_GROWING : PATTERN_STEP;
}

bool trend_has_step(const struct trend *t)
{
	return t->change_share > 0.5;
}

bool trend_has_rate(const struct trend *t)
{
	return t->pattern == PATTERN_GROWING && t->slope > 0;
}

bool trend_has_moment(const struct trend *t)
{
	return (t->pattern == PATTERN_STEP || t->pattern == PATTERN_DROP) && trend_has_step(t);
}

bool trend_is_notable(const struct trend *t)
{
	return t->pattern != PATTERN_UNKNOWN && t->pattern != PATTERN_STEADY;
}

const struct trend trend_unknown = {.slope = NAN,
				    .slope_low = NAN,
				    .slope_high = NAN,
				    .noise = NAN,
				    .mk_p = 1,
				    .change_t = NAN,
				    .change = NAN,
				    .change_share = NAN,
				    .change_p = 1};

static bool reading_is_known(double t, double y)
{
	return isfinite(t) && isfinite(y);
}

/* Copy `used` of the readings, evenly spaced among the `known` ones. The first and the last of
 * these are always kept. The times go to out[0 … used − 1], the levels after them. */
static void trend_thin(const double *t, const double *y, size_t known, size_t used, double *out)
{
	size_t seen = 0, kept = 0;

	for (size_t i = 0; kept < used; i++) {
		if (!reading_is_known(t[i], y[i]) || seen++ != kept * (known - 1) / (used - 1))
			continue;
		out[kept] = t[i];
		out[used + kept++] = y[i];
	}
}

int trend_of(const double *t, const double *y, size_t n, double floor_, struct trend *out)
{
	struct trend result = trend_unknown;
	_cleanup_free_ double *mem = NULL;
	double *pt, *py, *scratch;
	size_t known = 0, used;

	for (size_t i = 0; i < n; i++)
		known += reading_is_known(t[i], y[i]);
	used = known < SERIES_POINTS ? known : SERIES_POINTS;
	result.n = used;
	if (used < 2) {
		*out = result;
		return 0;
	}
	mem = calloc(3 * used + used * (used - 1) / 2, sizeof(*mem));
	if (!mem)
		return -ENOMEM;
	pt = mem;
	py = pt + used;
	scratch = py + used;
	trend_thin(t, y, known, used, mem);
	result.noise = trend_noise(py, used, scratch);
	trend_measure(pt, py, used, scratch + used, scratch, &result);
	trend_step(pt, py, used, &result);
	trend_change(py, used, &result);
	result.pattern = trend_pattern(py, used, floor_, scratch, &result);
	*out = result;
	return 0;
}
