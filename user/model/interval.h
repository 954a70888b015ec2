/* SPDX-License-Identifier: GPL-2.0-only */
/* 95 % intervals of sampled sums. Pure. */
#ifndef KMEMTRACE_MODEL_INTERVAL_H
#define KMEMTRACE_MODEL_INTERVAL_H

/*
 * The 95 % interval of a weighted sum of Poisson counts with estimate `sum` > 0, variance `var` and
 * mean weight `weight`: the gamma interval of Fay & Feuer (1997), Stat. Med. 16, which keeps its
 * coverage for a handful of samples where the normal one does not, and tends to it for many. Ends
 * equal sum when var is 0.
 */
void interval_weighted(double sum, double var, double weight, double *low, double *high);

#endif
