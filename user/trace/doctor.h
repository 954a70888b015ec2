/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Describes a plan, its facts and the sizes of its tables, for `doctor`. Pure: it must never ask
 * the kernel, so that tests can describe other kernels than the running one.
 */
#ifndef KMEMTRACE_TRACE_DOCTOR_H
#define KMEMTRACE_TRACE_DOCTOR_H

#include "data/doctor.h"
#include "proc/host.h"
#include "trace/census.h"
#include "trace/plan.h"
#include "trace/tracer.h"

/* Everything that is described. */
struct doctor_facts {
	struct host_facts host;
	struct kernel_facts kernel;
	struct plan plan;
	struct sizes sampled, exact;
	char census_why[CENSUS_WHY_MAX]; /* why no census can be taken; "" if one can */
	char memory_why[TRACER_WHY_MAX]; /* why tables of that size cannot be made; "" if they can
					  */
};

/* `out` borrows its strings from `facts`. */
void doctor_build(const struct doctor_facts *facts, struct doctor *out);

#endif
