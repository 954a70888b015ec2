// SPDX-License-Identifier: GPL-2.0-only
/* 95 % intervals: see interval.h. */
#include "model/interval.h"

#include <math.h>

/* χ² quantile at normal deviate z by Wilson & Hilferty (1931): within 1 % from 2 degrees of freedom
 * on. */
static double chi2_quantile(double df, double z)
{
	double k = 2 / (9 * df);
	double root = 1 - k + z * sqrt(k);

	return root > 0 ? df * root * root * root : 0;
}

void interval_weighted(double sum, double var, double *low, double *high)
{
	const double z = 1.959964;
	double weight, count;

	if (!(var > 0) || !(sum > 0)) {
		*low = *high = sum;
		return;
	}
	weight = var / sum;
	count = sum / weight;
	*low = fmin(sum, weight / 2 * chi2_quantile(2 * count + 1, -z));
	*high = fmax(sum, weight / 2 * chi2_quantile(2 * count + 1, z));
}
