/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The estimate of what one object of the live table adds to its group: count, bytes and variance.
 * The collector calls it for each object. Pure.
 */
#ifndef KMEMTRACE_RECORD_ESTIMATE_H
#define KMEMTRACE_RECORD_ESTIMATE_H

#include "data/capture.h"
#include "kmemtrace.h"

/*
 * Add an object at `now_ms` of coarse_now_ms. One chosen by byte-Poisson sampling stands for 1/p
 * objects of its kind, p = 1 − e^(−size/period). The variance is estimated as Σ (1 − p)/p² × size²
 * (both: Horvitz & Thompson 1952). `sampled`: it was in the sample of the audit's last run, which
 * found it live if it is still the same object.
 */
void estimate_add(struct cap_held *h, const struct kmt_object *o, uint32_t now_ms, bool sampled);

/*
 * What one sample of an object of `size` bytes more would have stood for, beyond itself, if the
 * mean between samples was `period`; 0 for KMT_EVERY.
 */
double estimate_missed(double size, double period);

#endif
