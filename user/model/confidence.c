// SPDX-License-Identifier: GPL-2.0-only
/* Computes and words 95 % intervals: see confidence.h. */
#include "model/confidence.h"

#include <math.h>
#include <stdio.h>

/* χ² quantile at normal deviate z (Wilson & Hilferty 1931); accurate to 1 % from 2 degrees of
 * freedom up. */
static double chi2_quantile(double df, double z)
{
	double k = 2 / (9 * df);
	double root = 1 - k + z * sqrt(k);

	return root > 0 ? df * root * root * root : 0;
}

/* Quantile of the gamma distribution with this mean and variance. */
static double gamma_quantile(double mean, double var, double z)
{
	return var / (2 * mean) * chi2_quantile(2 * mean * mean / var, z);
}

void interval_weighted_at(double z, double sum, double var, double weight, double *low,
			  double *high)
{
	double mean = sum > 0 ? var / sum : 0;

	*low = *high = sum;
	if (mean > 0)
		*low = fmin(sum, mean / 2 * chi2_quantile(2 * sum / mean + 1, -z));
	weight = fmax(weight, mean);
	if (weight > 0)
		*high = fmax(sum, gamma_quantile(fmax(0, sum) + weight / 2,
						 fmax(0, var) + weight * weight / 2, z));
}

void interval_weighted(double sum, double var, double weight, double *low, double *high)
{
	interval_weighted_at(1.959964, sum, var, weight, low, high);
}

bool interval_shows(double value, double low, double high)
{
	return fmax(value - low, high - value) >= 0.01 * fabs(value) && high > low;
}

const char *interval_words(char buf[INTERVAL_WORDS_MAX], const char *lead, double value, double low,
			   double high, char *(*units)(char buf[UNITS_MAX], double value))
{
	char from[UNITS_MAX], to[UNITS_MAX];

	buf[0] = '\0';
	if (interval_shows(value, low, high))
		snprintf(buf, INTERVAL_WORDS_MAX, "%s%s to %s)", lead, units(from, low),
			 isfinite(high) ? units(to, high) : "ever");
	return buf;
}

double interval_deviate(double p)
{
	double low = 0, high = 40;

	for (int i = 0; i < 60; i++) {
		double middle = (low + high) / 2;

		if (erfc(middle / M_SQRT2) > p)
			low = middle;
		else
			high = middle;
	}
	return (low + high) / 2;
}
