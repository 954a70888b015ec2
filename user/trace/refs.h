/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds what points to a sample of objects of a slab cache: loads the programs of bpf/refs.bpf.c,
 * runs them at low priority and unloads them. Used by `kmemtrace refs`; needs no tracer, and only
 * reads. The rules about when an object has no reference are here; what that means is decided in
 * model/refs.c.
 */
#ifndef KMEMTRACE_TRACE_REFS_H
#define KMEMTRACE_TRACE_REFS_H

#include "data/refs.h"
#include "trace/plan.h"
#include "trace/refs_options.h"

/* Returns 0, or −errno after printing the reason; then *out is unchanged. */
int refs_take(const struct plan *plan, const struct refs_options *options, struct refs *out);

#define REFS_WHY_MAX 256
/* Why it failed, and what to do; `err` is −errno. Returns why. */
const char *refs_failure(int err, char why[REFS_WHY_MAX]);

#endif
